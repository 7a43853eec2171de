//! The Go module in `tests/grpc`: the server and the client of grpc-go's interop tests, grpcurl and h2spec.

use std::io;
use std::sync::OnceLock;

use tokio::process::Command;

use crate::authority::Files;
use crate::peers::Folder;
use crate::process::{self, Output, Talkative};

/// What the client of grpc-go can do against a server that knows nothing of a cloud, in the words of its `interop_test.sh`.
pub const CASES: [&str; 18] = [
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "timeout_on_sleeping_server",
    "cancel_after_begin",
    "cancel_after_first_response",
    "status_code_and_message",
    "special_status_message",
    "custom_metadata",
    "unimplemented_method",
    "unimplemented_service",
    "rpc_soak",
    "channel_soak",
    "orca_per_rpc",
    "orca_oob",
];

/// The balancer that tells the cases about load what a server has reported.
const TELLING_OF_LOAD: &str = r#"{"loadBalancingConfig":[{"test_backend_metrics_load_balancer":{}}]}"#;

/// The programs, built and ready to run.
#[derive(Clone, Debug)]
pub struct Go {
    module: Folder,
}

/// Builds the module unless that has happened; none when there is no Go. Panics when the build fails.
pub fn build() -> Option<Go> {
    static BUILT: OnceLock<Option<Go>> = OnceLock::new();
    BUILT.get_or_init(|| Some(Go { module: Folder::made("grpc", &[("go", "version")], build_all)? })).clone()
}

impl Go {
    /// grpc-go's server of `TestService` on a free port, with TLS if there are files for it.
    pub async fn server(&self, tls: Option<&Files>) -> Talkative {
        let mut command = self.command("interop-server", &["-port=0"]);
        if let Some(files) = tls {
            command.arg("-use_tls").arg("-tls_cert_file").arg(files.certificate());
            command.arg("-tls_key_file").arg(files.key());
        }
        command.env("GRPC_GO_LOG_SEVERITY_LEVEL", "info");
        Talkative::start(command, "interop server listening on ").await
    }

    /// Runs a case of grpc-go's client against a server on this machine.
    pub async fn client(&self, port: u16, case: &str, tls: Option<&Files>) -> Output {
        let mut command = self.command("interop-client", &["-server_host=127.0.0.1"]);
        command.arg(format!("-server_port={port}")).arg(format!("-test_case={case}"));
        if case.starts_with("orca_") {
            command.arg(format!("-service_config_json={TELLING_OF_LOAD}"));
        }
        if let Some(files) = tls {
            command.args(["-use_tls", "-use_test_ca", "-ca_file"]).arg(files.roots());
        }
        process::run(command).await
    }

    pub async fn grpcurl(&self, arguments: &[&str]) -> Output {
        process::run(self.command("grpcurl", arguments)).await
    }

    pub async fn h2spec(&self, arguments: &[&str]) -> Output {
        process::run(self.command("h2spec", arguments)).await
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.module.bin(program));
        command.args(arguments);
        command
    }
}

fn build_all(module: &Folder) -> io::Result<()> {
    for side in ["server", "client"] {
        let (program, package) =
            (format!("bin/interop-{side}"), format!("google.golang.org/grpc/interop/{side}"));
        module.go(["build", "-o", &program, &package])?;
    }
    let tools = ["github.com/fullstorydev/grpcurl/cmd/grpcurl", "github.com/summerwind/h2spec/cmd/h2spec"];
    module.go(["build", "-o", "bin/"].into_iter().chain(tools))
}
