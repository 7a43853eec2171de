//! Programs that tests run and talk to over lines of text. Every wait is bounded, and nothing outlives its handle.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long a program may take for its next line or its end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that prints `listening ADDR` and serves until its stdin closes. Dropping kills it.
#[derive(Debug)]
pub struct Server {
    program: Program,
    next: Option<String>,
    addr: String,
    process: Process,
}

/// A program, and what it is told before the address.
#[derive(Debug)]
struct Program {
    path: PathBuf,
    arguments: Vec<String>,
}

impl Server {
    /// Runs `program ADDR` with a free port of this machine.
    pub async fn start(program: impl Into<PathBuf>) -> Self {
        Self::start_with(program, &[]).await
    }

    /// Runs `program ARGUMENTS... ADDR`.
    pub async fn start_with(program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self::run(Program { path: program.into(), arguments }, None).await
    }

    /// Runs `program ADDR NEXT`, where NEXT is where the server is that it calls.
    pub async fn start_before(next: &str, program: impl Into<PathBuf>) -> Self {
        let program = Program { path: program.into(), arguments: Vec::new() };
        Self::run(program, Some(next.to_owned())).await
    }

    async fn run(program: Program, next: Option<String>) -> Self {
        let (process, addr) = listen(&program, "127.0.0.1:0", next.as_deref()).await;
        Self { program, next, addr, process }
    }

    /// `IP:PORT`, the same after a restart.
    pub fn addr(&self) -> &str {
        &self.addr
    }

    /// The number of the process, none when it is dead.
    pub fn pid(&self) -> Option<u32> {
        self.process.child.id()
    }

    /// Kills the process without letting it say goodbye.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Kills the process if it lives and starts another one on the same port.
    pub async fn restart(&mut self) {
        self.kill().await;
        let (process, addr) = listen(&self.program, &self.addr, self.next.as_deref()).await;
        assert_eq!(addr, self.addr, "a restarted server listens where it did");
        self.process = process;
    }

    /// Asks the process to end and panics unless it ends well.
    pub async fn stop(mut self) {
        drop(self.process.stdin.take());
        let status = self.process.exit().await;
        assert!(status.success(), "{} ended with {status}", self.process.name);
    }
}

async fn listen(program: &Program, addr: &str, next: Option<&str>) -> (Process, String) {
    let arguments = program.arguments.iter().map(String::as_str);
    let arguments: Vec<_> = arguments.chain([addr]).chain(next).collect();
    let mut process = Process::start(&program.path, &arguments);
    let line = process.line().await;
    let Some(addr) = line.as_deref().and_then(|line| line.strip_prefix("listening ")) else {
        panic!("{} {addr} did not listen, it printed {line:?}", process.name);
    };
    (process, addr.to_owned())
}

/// A program that prints what it finds and ends, well or not. Dropping kills it.
#[derive(Debug)]
pub struct Run {
    process: Process,
    lines: Vec<String>,
}

impl Run {
    /// Runs `program` with `arguments`.
    pub fn start(program: &Path, arguments: &[&str]) -> Self {
        Self { process: Process::start(program, arguments), lines: Vec::new() }
    }

    /// Waits until the program prints `waiting WHAT`.
    pub async fn asks_for(&mut self, what: &str) {
        let line = self.process.line().await;
        assert_eq!(line, Some(format!("waiting {what}")), "{} waits for {what}", self.process.name);
    }

    /// Tells the program that what it asked for was done.
    pub async fn done(&mut self) {
        let stdin = self.process.stdin.as_mut().expect("stdin is open until the program is stopped");
        stdin.write_all(b"\n").await.expect("the program waits for this line");
    }

    /// Waits until the program has ended.
    pub async fn finish(mut self) -> Output {
        while let Some(line) = self.process.line().await {
            self.lines.push(line);
        }
        Output { ok: self.process.exit().await.success(), lines: self.lines }
    }
}

/// A server that says on stderr where it listens, and may go on saying things there. Dropping kills it.
#[derive(Debug)]
pub struct Talkative {
    port: u16,
    _child: Child,
}

impl Talkative {
    /// Runs `command`, and waits for a line that ends with `listens`, an address whose host does not matter, and a port.
    pub async fn start(mut command: Command, listens: &str) -> Self {
        let name = format!("{:?}", command.as_std().get_program());
        let mut child = spawned(command.stdin(Stdio::null()).stderr(Stdio::piped()));
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let port = async {
            while let Some(line) = lines.next_line().await? {
                let said = line.split_once(listens).and_then(|(_, address)| address.rsplit_once(':'));
                if let Some(port) = said.and_then(|(_, port)| port.trim().parse().ok()) {
                    return Ok(port);
                }
            }
            Err(io::Error::other("it ended"))
        };
        let port = within(&name, "listens", port).await;
        let port = port.unwrap_or_else(|error| panic!("waiting until {name} listens: {error}"));
        // A pipe that nobody reads stops the writer.
        tokio::spawn(async move { while lines.next_line().await.is_ok_and(|line| line.is_some()) {} });
        Self { port, _child: child }
    }

    /// The port, on every address of this machine.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Runs a program to its end. The lines are those of stdout, then those of stderr.
pub async fn run(mut command: Command) -> Output {
    let name = format!("{:?}", command.as_std().get_program());
    let child = spawned(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let ended = within(&name, "ends", child.wait_with_output()).await;
    let output = ended.unwrap_or_else(|error| panic!("waiting for the end of {name}: {error}"));
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    let lines = said.iter().flat_map(|said| said.lines()).map(str::to_owned).collect();
    Output { lines, ok: output.status.success() }
}

/// What a program printed and how it ended. Displays as its lines.
#[derive(Clone, Debug)]
pub struct Output {
    lines: Vec<String>,
    ok: bool,
}

impl Output {
    /// The lines of stdout.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Whether the exit code was 0.
    pub fn ok(&self) -> bool {
        self.ok
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

#[derive(Debug)]
struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(program: &Path, arguments: &[&str]) -> Self {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut command = Command::new(program);
        let mut child = spawned(command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()));
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("stdout is piped");
        Self { name, child, stdin, stdout: BufReader::new(stdout).lines() }
    }

    /// The next line, none at the end.
    async fn line(&mut self) -> Option<String> {
        let next = within(&self.name, "prints a line", self.stdout.next_line()).await;
        next.unwrap_or_else(|error| panic!("reading what {} prints: {error}", self.name))
    }

    async fn exit(&mut self) -> ExitStatus {
        let ended = within(&self.name, "ends", self.child.wait()).await;
        ended.unwrap_or_else(|error| panic!("waiting for the end of {}: {error}", self.name))
    }

    async fn kill(&mut self) {
        let killed = within(&self.name, "is dead", self.child.kill()).await;
        killed.unwrap_or_else(|error| panic!("killing {}: {error}", self.name));
    }
}

fn spawned(command: &mut Command) -> Child {
    let child = command.kill_on_drop(true).spawn();
    child.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"))
}

async fn within<T>(name: &str, what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} until {name} {what}"),
    }
}
