//! The real Kitex: the Go module in `tests/kitex`, built when a test needs it.
//!
//! `bin` and `gen` of that module are made here and kept until a source changes. Without Go on the machine the
//! tests that need Kitex say so and end; `STREAMX_DEMAND_KITEX=1` makes that a failure.

use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::process::{Output, Run, Server};

/// A Kitex server and a Kitex client, built and ready to run.
#[derive(Clone, Debug)]
pub struct Kitex {
    bin: PathBuf,
}

/// Builds the module unless that has happened; none when there is no Go. Panics when the build fails.
pub fn build() -> Option<Kitex> {
    static BUILT: OnceLock<Option<Kitex>> = OnceLock::new();
    BUILT.get_or_init(build_once).clone()
}

impl Kitex {
    /// A Kitex server of Interop on a free port.
    pub async fn server(&self) -> Server {
        Server::start(self.bin.join("kitex-server")).await
    }

    /// The same, in the middle of a chain.
    pub async fn server_before(&self, last: &Server) -> Server {
        Server::start_before(last, self.bin.join("kitex-server")).await
    }

    /// Runs a case, or a group of cases, of the Kitex client against a server. The options (`-unary`, `-peer`, `-pool`) are
    /// those of `cmd/kitex-client`.
    pub async fn client(&self, addr: &str, case: &str, options: &[&str]) -> Output {
        self.attended(addr, case, options).finish().await
    }

    /// The names of all cases of the Kitex client that any server of Interop can stand.
    pub async fn cases(&self) -> Vec<String> {
        let listed = Run::start(&self.bin.join("kitex-client"), &["list"]).finish().await;
        let names = listed.lines().iter().filter_map(|line| line.split_once(' '));
        let special = ["chained", "bounded", "declared"];
        names.filter(|(group, _)| !special.contains(group)).map(|(_, name)| name.to_owned()).collect()
    }

    /// Runs the code generator over a schema, `kind` being `thrift` or `protobuf`, in a folder of this name inside `bin`, and
    /// compiles what it wrote if that is wanted. Fails with what the tools said.
    pub fn generate(&self, name: &str, kind: &str, idl: &str, compile: bool) -> io::Result<()> {
        let module = self.bin.parent().unwrap_or(&self.bin);
        let folder = self.bin.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let file = folder.join(if kind == "thrift" { "service.thrift" } else { "service.proto" });
        fs::write(&file, idl)?;
        let path = format!("bin/{name}/gen");
        let flags =
            ["-module", "streamxkitex", "-streamx", "-no-dependency-check", "-type", kind, "-gen-path"];
        run(module, Command::new(self.bin.join("kitex")).args(flags).arg(&path).arg(&file))?;
        if compile {
            run(module, Command::new("go").args(["build", &format!("./{path}/...")]))?;
        }
        Ok(())
    }

    /// Starts a case that asks for the server to be killed or restarted.
    pub fn attended(&self, addr: &str, case: &str, options: &[&str]) -> Run {
        let mut arguments = options.to_vec();
        arguments.extend([addr, case]);
        Run::start(&self.bin.join("kitex-client"), &arguments)
    }
}

fn build_once() -> Option<Kitex> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("kitex");
    let Some(version) = go_version() else {
        let skipped = "go not found, tests against the real Kitex do not run";
        assert!(env::var_os("STREAMX_DEMAND_KITEX").is_none_or(|demand| demand != "1"), "{skipped}");
        // Not eprintln!: what a passing test prints by it is never seen.
        let _ = writeln!(io::stderr(), "SKIPPED: {skipped}");
        return None;
    };
    let bin = module.join("bin");
    let built = build_module(&module, &bin, &version);
    built.unwrap_or_else(|error| panic!("building {}: {error}", module.display()));
    Some(Kitex { bin })
}

fn go_version() -> Option<String> {
    match Command::new("go").arg("version").output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("running go version: {error}"),
    }
}

/// Test programs may run side by side: the first one builds, the others wait for its lock and find the stamp.
fn build_module(module: &Path, bin: &Path, version: &str) -> io::Result<()> {
    fs::create_dir_all(bin)?;
    let lock = File::create(bin.join(".lock"))?;
    lock.lock()?;
    let stamp = bin.join(".stamp");
    let wanted = format!("{:016x}", fingerprint(module, version)?);
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let generated = module.join("gen");
    if generated.exists() {
        fs::remove_dir_all(&generated)?;
    }
    let generator = bin.join("kitex");
    let generator_package = "github.com/cloudwego/kitex/tool/cmd/kitex";
    run(module, Command::new("go").args(["build", "-o", "bin/kitex", generator_package]))?;
    for idl in ["idl/interop.thrift", "idl/stranger.thrift"] {
        let flags = ["-module", "streamxkitex", "-streamx", "-no-dependency-check", "-gen-path", "gen"];
        run(module, Command::new(&generator).args(flags).arg(idl))?;
    }
    run(module, Command::new("go").args(["build", "-o", "bin/", "./cmd/..."]))?;
    fs::write(&stamp, wanted)
}

/// A hash over everything the binaries are made from.
fn fingerprint(module: &Path, version: &str) -> io::Result<u64> {
    let mut files = Vec::new();
    sources(module, &mut files)?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    for file in files {
        file.hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let made = path.file_name().is_some_and(|name| name == "bin" || name == "gen");
        if path.is_dir() && !made {
            sources(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn run(module: &Path, command: &mut Command) -> io::Result<()> {
    command.current_dir(module).env("GOFLAGS", "-mod=mod -buildvcs=false").env("GOTOOLCHAIN", "local");
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{command:?} failed: {said}")))
}
