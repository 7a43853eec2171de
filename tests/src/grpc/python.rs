//! gRPC for Python, which stands on the library that C++, Ruby and PHP share: `tests/grpcio`, run in an environment of its
//! own.

use std::sync::OnceLock;

use tokio::process::Command;

use crate::authority::Files;
use crate::peers::Folder;
use crate::process::{self, Output, Talkative};

/// A server and a client of `TestService` in Python, ready to run.
#[derive(Clone, Debug)]
pub struct Python {
    folder: Folder,
}

/// Installs the packages unless that has happened; none when there is no Python. Panics when that fails.
pub fn install() -> Option<Python> {
    static INSTALLED: OnceLock<Option<Python>> = OnceLock::new();
    let install = || {
        Some(Python {
            folder: Folder::made("grpcio", &[("python3", "--version")], |folder| {
                folder.install_python("environment")
            })?,
        })
    };
    INSTALLED.get_or_init(install).clone()
}

impl Python {
    /// A server on a free port, with TLS if there are files for it.
    pub async fn server(&self, tls: Option<&Files>) -> Talkative {
        let mut command = self.command("serve");
        if let Some(files) = tls {
            command.arg(files.certificate()).arg(files.key());
        }
        Talkative::start(command, "listening on ").await
    }

    /// Runs every case against a server on this machine.
    pub async fn client(&self, port: u16, tls: Option<&Files>) -> Output {
        let mut command = self.command("client");
        command.arg(port.to_string());
        if let Some(files) = tls {
            command.arg(files.roots());
        }
        process::run(command).await
    }

    fn command(&self, command: &str) -> Command {
        let mut python = Command::new(self.folder.bin("environment/bin/python"));
        python.arg("-B").arg(self.folder.file("peer.py")).arg(command);
        python
    }
}
