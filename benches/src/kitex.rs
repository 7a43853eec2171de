//! The real Kitex: the Go module beside this one, built when it is needed.
//!
//! `bin` and `gen` of the module are made here; Go itself knows what has to be built again.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program that is both the server and the client; none, said aloud, when there is no Go.
pub(crate) fn build() -> io::Result<Option<PathBuf>> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("kitex");
    match Command::new("go").arg("version").output() {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("SKIPPED: go not found, Kitex is not measured");
            return Ok(None);
        }
        Err(error) => return Err(error),
    }
    eprintln!("building Kitex");
    run(&module, "go", "build -o bin/kitex github.com/cloudwego/kitex/tool/cmd/kitex")?;
    let generate = "-module streamxbench -streamx -no-dependency-check -gen-path gen idl/bench.thrift";
    run(&module, "bin/kitex", generate)?;
    run(&module, "go", "build -o bin/ ./cmd/...")?;
    Ok(Some(module.join("bin/kitex-bench")))
}

fn run(module: &Path, program: &str, arguments: &str) -> io::Result<()> {
    // A relative path would be looked up before the folder is changed on some systems.
    let path = if program.contains('/') { module.join(program) } else { program.into() };
    let mut command = Command::new(path);
    command.current_dir(module).args(arguments.split(' '));
    command.env("GOFLAGS", "-mod=mod -buildvcs=false").env("GOTOOLCHAIN", "local");
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{command:?} failed: {said}")))
}
