//! Apache Thrift for Python: `tests/apache`, run in an environment of its own, with what the Apache compiler writes for the
//! schema that our trait prints.

use std::fs;
use std::io;
use std::process::Command as Step;
use std::sync::OnceLock;

use tokio::process::Command;

use crate::peers::Folder;
use crate::process::{self, Output, Server};

/// What its messages travel in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    Buffered,
    Framed,
}

impl Transport {
    /// Its name, which is that of our scheme too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Buffered => "buffered",
            Self::Framed => "framed",
        }
    }
}

/// A server and a client of Interop in Python, ready to run.
#[derive(Clone, Debug)]
pub struct Apache {
    folder: Folder,
}

/// Installs and generates what is needed unless that has happened; none when there is no Python or no Apache compiler. Panics
/// when that fails.
pub fn install() -> Option<Apache> {
    static INSTALLED: OnceLock<Option<Apache>> = OnceLock::new();
    let tools = [("python3", "--version"), ("thrift", "--version")];
    let install = || Some(Apache { folder: Folder::made("apache", &tools, install_and_generate)? });
    INSTALLED.get_or_init(install).clone()
}

impl Apache {
    /// A server on a free port.
    pub async fn server(&self, transport: Transport) -> Server {
        let peer = self.folder.file("peer.py");
        let peer = peer.to_str().expect("a path in UTF-8");
        Server::start_with(self.folder.bin(PYTHON), &["-B", peer, "serve", transport.name()]).await
    }

    /// Runs every case against a server at `IP:PORT`.
    pub async fn client(&self, addr: &str, transport: Transport) -> Output {
        let mut command = Command::new(self.folder.bin(PYTHON));
        command.arg("-B").arg(self.folder.file("peer.py")).args(["client", transport.name(), addr]);
        process::run(command).await
    }
}

const PYTHON: &str = "environment/bin/python";

fn install_and_generate(folder: &Folder) -> io::Result<()> {
    folder.install_python("environment")?;
    fs::create_dir_all(folder.file("gen"))?;
    folder.run(Step::new("thrift").args(["--gen", "py", "-out", "gen", "interop.thrift"]))
}
