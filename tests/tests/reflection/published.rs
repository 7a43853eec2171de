//! The `.proto` files that others have published, as protoc compiles them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver};
use streamx::health::HealthServer;
use streamx::reflection::ServerReflectionServer;

const PUBLISHED: [&str; 10] = [
    "google/protobuf/any.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
    "grpc/health/v1/health.proto",
    "grpc/reflection/v1/reflection.proto",
    "grpc/reflection/v1alpha/reflection.proto",
];

/// Compiles files as protoc does: the published ones, and these.
#[track_caller]
pub(super) fn compiled(names: &[&str], sources: Vec<(String, String)>) -> Vec<FileDescriptorProto> {
    let mut files = ChainFileResolver::new();
    files.add(GoogleFileResolver::new());
    files.add(IncludeFileResolver::new(here("protos")));
    files.add(Sources(sources.into_iter().collect()));
    let mut compiler = protox::Compiler::with_file_resolver(files);
    for name in names {
        compiler.open_file(name).unwrap_or_else(|error| panic!("{error:?}"));
    }
    compiler.file_descriptor_set().file
}

struct Sources(BTreeMap<String, String>);

impl FileResolver for Sources {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let source = self.0.get(name).ok_or_else(|| protox::Error::file_not_found(name))?;
        File::from_source(name, source)
    }
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// With `UPDATE_SNAPSHOTS=1` the file is written instead.
#[test]
fn the_published_files_are_as_protoc_compiles_them() {
    let set = FileDescriptorSet { file: compiled(&PUBLISHED, vec![]) };
    let path = here("../streamx/src/reflection/published.binpb");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, set.encode_to_vec()).unwrap();
    }
    assert_eq!(set, FileDescriptorSet::decode(&*std::fs::read(&path).unwrap()).unwrap());
}

/// The messages of health and reflection are our own; what is told of them is what others have published.
#[test]
fn our_messages_are_the_published_ones() {
    let printed = [
        ("health.proto", HealthServer::<()>::proto_idl(), "grpc/health/v1/health.proto"),
        (
            "reflection.proto",
            ServerReflectionServer::<()>::proto_idl(),
            "grpc/reflection/v1/reflection.proto",
        ),
    ];
    for (name, printed, published) in printed {
        let mut ours = compiled(&[name], vec![(name.to_owned(), printed)]).pop().unwrap();
        let mut theirs = compiled(&[published], vec![]).pop().unwrap();
        // They have the enum in the message, with shorter names.
        let status = ours.enum_type.pop();
        for message in &mut theirs.message_type {
            if let Some(nested) = message.enum_type.pop() {
                let status = status.as_ref().unwrap();
                let numbers = status.value.iter().map(|value| value.number());
                assert!(numbers.eq(nested.value.iter().map(|value| value.number())));
                message.field[0].type_name = Some(format!(".grpc.health.v1.{}", status.name()));
            }
        }
        for file in [&mut ours, &mut theirs] {
            file.name = None;
            // What the code is called that is generated.
            file.options = None;
            file.message_type.sort_by(|one, other| one.name().cmp(other.name()));
        }
        assert_eq!(ours, theirs);
    }
}
