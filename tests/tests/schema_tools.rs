//! The schemas that a binary prints, in the tools of others: the Apache compiler, and Kitex's code generator. (protoc's rules
//! are in `schema_proto_idl`; that generated code talks to the trait is in the tests with `kitex` in their name.)
//!
//! Without the Apache compiler these tests say `SKIPPED` and pass; with `STREAMX_DEMAND_PEERS=1`, as in CI, they fail.

use std::env;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::Command;

use streamx::schema::{proto_idl, thrift_idl};
use streamx_tests::interop::InteropServer;
use streamx_tests::kitex;
use streamx_tests::schema::SERVICE;

/// The version that wrote the Rust file beside the schema.
const THRIFT: &str = "0.17.0";

/// The version of the Apache compiler; none when there is none.
fn thrift_version() -> Option<String> {
    match Command::new("thrift").arg("--version").output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).trim().replace("Thrift version ", "")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let skipped = "thrift not found, the Apache compiler does not see our schemas";
            assert!(env::var_os("STREAMX_DEMAND_PEERS").is_none_or(|demand| demand != "1"), "{skipped}");
            let _ = writeln!(io::stderr(), "SKIPPED: {skipped}");
            None
        }
        Err(error) => panic!("running thrift --version: {error}"),
    }
}

/// What the Apache compiler writes for a language, in a folder of its own.
fn generated(name: &str, idl: &str, language: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("streamx-{}-{name}-{language}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{name}.thrift"));
    fs::write(&file, idl).unwrap();
    let output =
        Command::new("thrift").args(["--gen", language, "-out"]).arg(&folder).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{language}: {said}\n{idl}");
    folder
}

#[test]
fn the_apache_compiler_accepts_what_is_printed() {
    let Some(version) = thrift_version() else { return };
    let schemas =
        [("structs", thrift_idl(&SERVICE)), ("interop", InteropServer::<()>::thrift_idl().to_string())];
    for (name, idl) in &schemas {
        for language in ["rs", "go", "cpp", "java", "py"] {
            let folder = generated(name, idl, language);
            if (*name, language, &*version) == ("structs", "rs", THRIFT) {
                let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/src/generated/structs.rs");
                let written = fs::read_to_string(folder.join("structs.rs")).unwrap();
                assert!(
                    written == fs::read_to_string(committed).unwrap(),
                    "{committed} is not of this schema"
                );
            }
            fs::remove_dir_all(folder).unwrap();
        }
    }
}

#[test]
fn the_generator_of_kitex_accepts_what_is_printed() {
    let Some(kitex) = kitex::build() else { return };
    // Kitex's code for a method that declares one exception twice does not compile, and there is one in this service.
    kitex.generate("structs-thrift", "thrift", &thrift_idl(&SERVICE), false).unwrap();
    kitex.generate("structs-proto", "protobuf", &proto_idl(&SERVICE), true).unwrap();
    let idl = InteropServer::<()>::proto_idl();
    kitex.generate("interop-proto", "protobuf", &idl.to_string(), true).unwrap();
}
