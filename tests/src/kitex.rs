//! The real Kitex: the Go module in `tests/kitex`.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::process::Command;
use std::sync::OnceLock;

use crate::peers::Folder;
use crate::process::{Output, Run, Server};

/// A Kitex server and a Kitex client, built and ready to run.
#[derive(Clone, Debug)]
pub struct Kitex {
    module: Folder,
}

/// Builds the module unless that has happened; none when there is no Go. Panics when the build fails.
pub fn build() -> Option<Kitex> {
    static BUILT: OnceLock<Option<Kitex>> = OnceLock::new();
    let build = || Some(Kitex { module: Folder::made("kitex", &[("go", "version")], generate_and_build)? });
    BUILT.get_or_init(build).clone()
}

impl Kitex {
    /// A Kitex server of Interop on a free port.
    pub async fn server(&self) -> Server {
        Server::start(self.module.bin("kitex-server")).await
    }

    /// The same with messages in protobuf, which it speaks over gRPC.
    pub async fn server_in_protobuf(&self) -> Server {
        Server::start(self.module.bin("kitex-protobuf-server")).await
    }

    /// A server of Interop in the middle of a chain.
    pub async fn server_before(&self, last: &Server) -> Server {
        Server::start_before(last.addr(), self.module.bin("kitex-server")).await
    }

    /// The same with messages in protobuf.
    pub async fn server_in_protobuf_before(&self, last: &Server) -> Server {
        Server::start_before(last.addr(), self.module.bin("kitex-protobuf-server")).await
    }

    /// Runs a case, or a group of cases, of the Kitex client against a server. The options (`-unary`, `-peer`, `-pool`) are
    /// those of `cmd/kitex-client`.
    pub async fn client(&self, addr: &str, case: &str, options: &[&str]) -> Output {
        self.attended(addr, case, options).finish().await
    }

    /// The names of all cases of the Kitex client that any server of Interop can stand.
    pub async fn cases(&self) -> Vec<String> {
        let listed = Run::start(&self.module.bin("kitex-client"), &["list"]).finish().await;
        let names = listed.lines().iter().filter_map(|line| line.split_once(' '));
        let special = ["chained", "bounded", "declared"];
        names.filter(|(group, _)| !special.contains(group)).map(|(_, name)| name.to_owned()).collect()
    }

    /// Runs the code generator over a schema, `kind` being `thrift` or `protobuf`, in a folder of this name inside `bin`, and
    /// compiles what it wrote if that is wanted. Fails with what the tools said.
    pub fn generate(&self, name: &str, kind: &str, idl: &str, compile: bool) -> io::Result<()> {
        let folder = self.module.bin(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let file = folder.join(if kind == "thrift" { "service.thrift" } else { "service.proto" });
        fs::write(&file, idl)?;
        let path = format!("bin/{name}/gen");
        generate(&self.module, kind, &file, &path)?;
        if compile { self.module.go(["build", &format!("./{path}/...")]) } else { Ok(()) }
    }

    /// Starts a case that asks for the server to be killed or restarted.
    pub fn attended(&self, addr: &str, case: &str, options: &[&str]) -> Run {
        let mut arguments = options.to_vec();
        arguments.extend([addr, case]);
        Run::start(&self.module.bin("kitex-client"), &arguments)
    }
}

fn generate_and_build(module: &Folder) -> io::Result<()> {
    let generated = module.file("gen");
    if generated.exists() {
        fs::remove_dir_all(&generated)?;
    }
    module.go(["build", "-o", "bin/kitex", "github.com/cloudwego/kitex/tool/cmd/kitex"])?;
    for idl in ["idl/interop", "idl/stranger"] {
        generate(module, "thrift", format!("{idl}.thrift"), "gen")?;
        generate(module, "protobuf", format!("{idl}.proto"), "gen/protobuf")?;
    }
    module.go(["build", "-o", "bin/", "./cmd/..."])
}

/// Runs Kitex's code generator, `kind` being `thrift` or `protobuf`, into a folder of the module.
fn generate(module: &Folder, kind: &str, idl: impl AsRef<OsStr>, into: &str) -> io::Result<()> {
    let flags = ["-module", "streamxkitex", "-streamx", "-no-dependency-check", "-type", kind, "-gen-path"];
    module.run(Command::new(module.bin("kitex")).args(flags).arg(into).arg(idl.as_ref()))
}
