//! One process of a contestant, pinned to a core, and the CPU time it has used.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a program on one core.
    pub(crate) fn start(core: usize, program: &Path, arguments: &[String]) -> io::Result<Self> {
        let mut command = Command::new("taskset");
        command.arg("-c").arg(core.to_string()).arg(program).args(arguments);
        // Kitex then has as many running threads as the others.
        command.env("GOMAXPROCS", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("a process without its pipes"));
        };
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    /// The next line it prints.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(io::Error::other("a process ended early; what it said is above"));
        }
        Ok(line.trim_end().to_owned())
    }

    /// How many round trips it says it has made.
    pub(crate) fn round_trips(&mut self) -> io::Result<u64> {
        self.input.write_all(b"\n")?;
        self.line()?.parse().map_err(io::Error::other)
    }

    /// The CPU time its threads have used, to the nanosecond; as fresh as the last tick of the scheduler.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut sum = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread may end meanwhile; those that work do not.
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            let nanos = text.split(' ').next().unwrap_or_default();
            sum += nanos.parse::<u64>().map_err(io::Error::other)?;
        }
        Ok(Duration::from_nanos(sum))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
