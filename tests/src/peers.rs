//! Programs of other makes that tests talk to: folders of `tests` with sources, built when a test needs them.
//!
//! What is made of a folder goes to its `bin` and `gen` and is kept until a source changes. On a machine that lacks what
//! the making takes, the tests that need the peer say so and end; `STREAMX_DEMAND_PEERS=1` makes that a failure.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of `tests` that a peer is made of.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes what `steps` make unless that has happened; none when the machine lacks one of `tools`. Panics when a step fails.
    ///
    /// Beside each tool is what it is asked for its version with: another version makes it all anew.
    pub fn made(name: &str, tools: &[(&str, &str)], steps: fn(&Self) -> io::Result<()>) -> Option<Self> {
        let folder = Self { path: Path::new(env!("CARGO_MANIFEST_DIR")).join(name) };
        let mut versions = String::new();
        for (tool, asking) in tools {
            let Some(version) = output(Command::new(tool).arg(asking)) else {
                skip(&format!("{tool} not found, tests against what is in tests/{name} do not run"));
                return None;
            };
            versions += &version;
        }
        let made = folder.make_once(&versions, steps);
        made.unwrap_or_else(|error| panic!("making the peers in tests/{name}: {error}"));
        Some(folder)
    }

    /// What was made under this name.
    pub fn bin(&self, name: &str) -> PathBuf {
        self.path.join("bin").join(name)
    }

    /// A source, or what was generated.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Runs `go` in the folder.
    pub fn go<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
        self.run(Command::new("go").args(arguments))
    }

    /// Makes an environment of Python in `bin`, with the packages that `requirements.txt` lists and no others.
    pub fn install_python(&self, name: &str) -> io::Result<()> {
        let environment = format!("bin/{name}");
        self.run(Command::new("python3").args(["-m", "venv", "--clear", &environment]))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
        let python = self.path.join(environment).join("bin/python");
        self.run(Command::new(python).args(pip).args(["-r", "requirements.txt"]))
    }

    /// Runs a program in the folder. What it prints is in the error.
    pub fn run(&self, command: &mut Command) -> io::Result<()> {
        command
            .current_dir(&self.path)
            .env("GOFLAGS", "-mod=mod -buildvcs=false")
            .env("GOTOOLCHAIN", "local");
        let output = command.output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(io::Error::other(format!("{command:?} failed: {}", String::from_utf8_lossy(&said))))
    }

    /// Test programs may run side by side: the first one makes, the others wait for its lock and find the stamp.
    fn make_once(&self, versions: &str, steps: fn(&Self) -> io::Result<()>) -> io::Result<()> {
        fs::create_dir_all(self.path.join("bin"))?;
        let lock = File::create(self.bin(".lock"))?;
        lock.lock()?;
        let stamp = self.bin(".stamp");
        let wanted = format!("{:016x}", self.fingerprint(versions)?);
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        steps(self)?;
        fs::write(&stamp, wanted)
    }

    /// A hash over everything that what is made depends on.
    fn fingerprint(&self, versions: &str) -> io::Result<u64> {
        let mut files = Vec::new();
        sources(&self.path, &mut files)?;
        files.sort();
        let mut hasher = DefaultHasher::new();
        versions.hash(&mut hasher);
        for file in files {
            file.hash(&mut hasher);
            fs::read(&file)?.hash(&mut hasher);
        }
        Ok(hasher.finish())
    }
}

/// Says that tests do not run; panics where they have to.
fn skip(why: &str) {
    assert!(env::var_os("STREAMX_DEMAND_PEERS").is_none_or(|demand| demand != "1"), "{why}");
    // Not eprintln!: what a passing test prints by it is never seen.
    let _ = writeln!(io::stderr(), "SKIPPED: {why}");
}

/// What a program prints, none when there is no such program.
fn output(command: &mut Command) -> Option<String> {
    match command.output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("running {command:?}: {error}"),
    }
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let made = ["bin", "gen"].map(OsStr::new);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        } else if path.file_name().is_some_and(|name| !made.contains(&name)) {
            sources(&path, files)?;
        }
    }
    Ok(())
}
