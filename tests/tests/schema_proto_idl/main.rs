//! The `.proto` file that a binary prints, compiled, and held against the bytes that are written.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bytes::{Bytes, BytesMut};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use streamx::Message;
use streamx::codec::protobuf;
use streamx::schema::{ServiceSchema, proto_idl};
use streamx_tests::schema::SERVICE;
use streamx_tests::structs::{
    Choice, Color, Empty, Inner, Lists, Maps, Mixed, Nested, Optionals, Scalars, Sets, Wrapper,
};

mod forms;
mod services;

/// With `UPDATE_SNAPSHOTS=1` the file is written instead.
#[test]
fn the_schema_of_a_service_is_the_committed_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated/structs.proto");
    let idl = proto_idl(&SERVICE);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &idl).unwrap();
    }
    assert_eq!(idl, std::fs::read_to_string(&path).unwrap());
}

/// What is printed, as the only file besides those of Google.
struct Printed(String);

impl FileResolver for Printed {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            "service.proto" => File::from_source(name, &self.0),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// Compiles what is printed, with protoc's rules.
#[track_caller]
fn compiled(service: &ServiceSchema) -> DescriptorPool {
    let idl = proto_idl(service);
    let mut files = ChainFileResolver::new();
    files.add(GoogleFileResolver::new());
    files.add(Printed(idl.clone()));
    let mut compiler = protox::Compiler::with_file_resolver(files);
    compiler.include_imports(true);
    compiler.open_file("service.proto").unwrap_or_else(|error| panic!("{error:?}\n{idl}"));
    DescriptorPool::from_file_descriptor_set(compiler.file_descriptor_set()).unwrap()
}

/// The field as a line of a `.proto` file.
fn shown(field: &FieldDescriptor) -> String {
    let kind = match field.kind() {
        Kind::Message(message) if field.is_map() => {
            let part = |field: FieldDescriptor| shown(&field).split(' ').next().unwrap().to_owned();
            format!("map<{},{}>", part(message.map_entry_key_field()), part(message.map_entry_value_field()))
        }
        Kind::Message(message) => message.name().to_owned(),
        Kind::Enum(description) => description.name().to_owned(),
        number => format!("{number:?}").to_lowercase(),
    };
    let label = match field {
        map if map.is_map() => "",
        list if list.is_list() && list.is_packed() => "packed ",
        list if list.is_list() => "repeated ",
        oneof if oneof.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic()) => "oneof ",
        optional if optional.field_descriptor_proto().proto3_optional() => "optional ",
        _ => "",
    };
    format!(
        "{kind} {} = {}{}",
        field.name(),
        field.number(),
        if label.is_empty() { String::new() } else { format!(" {}", label.trim()) }
    )
}

#[track_caller]
fn assert_fields(pool: &DescriptorPool, message: &str, fields: &[&str]) {
    let message = pool.get_message_by_name(message).unwrap();
    let found: Vec<_> = message.fields().map(|field| shown(&field)).collect();
    assert_eq!(found, fields);
}

#[test]
fn protoc_reads_the_schema_as_it_is_meant() {
    let pool = compiled(&SERVICE);
    assert_fields(
        &pool,
        "structs.Scalars",
        &[
            "bool b = 1",
            "int32 y = 2",
            "int32 s = 3",
            "int32 i = 4",
            "int64 l = 5",
            "double d = 6",
            "string t = 7",
            "bytes x = 8",
            "Color c = 9",
            "int64 u = 10",
        ],
    );
    assert_fields(
        &pool,
        "structs.Lists",
        &[
            "bool lb = 1 packed",
            "int32 ly = 2 packed",
            "int32 ls = 3 packed",
            "int32 li = 4 packed",
            "int64 ll = 5 packed",
            "double ld = 6 packed",
            "string lt = 7 repeated",
            "bytes lx = 8 repeated",
            "Color lc = 9 packed",
            "Inner lstruct = 10 repeated",
            "ListOfI32 lli = 11 repeated",
            "Empty le = 12 repeated",
        ],
    );
    assert_fields(
        &pool,
        "structs.Maps",
        &[
            "map<string,int64> msl = 1",
            "map<int32,string> mis = 2",
            "map<bool,double> mbd = 3",
            "map<int32,Inner> mci = 4",
            "map<string,ListOfInner> mslist = 5",
            "map<int64,MapOfStringToSetOfI16> deep = 6",
            "map<string,bytes> msx = 7",
        ],
    );
    assert_fields(&pool, "structs.MapOfStringToSetOfI16", &["map<string,SetOfI16> items = 1"]);
    assert_fields(
        &pool,
        "structs.Choice",
        &[
            "int64 number = 1 oneof",
            "string text = 2 oneof",
            "Inner inner = 3 oneof",
            "ListOfI32 numbers = 4 oneof",
            "bool flag = 5 oneof",
            "Empty nothing = 6 oneof",
        ],
    );
    assert_fields(
        &pool,
        "structs.Required",
        &["int32 a = 1 optional", "string b = 2 optional", "string c = 3 repeated", "Inner d = 4"],
    );
    assert_fields(&pool, "structs.CallRequest", &["Inner a = 1", "int32 b = 2"]);
    assert_fields(&pool, "structs.ThrowResponse", &["string result = 1 repeated"]);
    assert_fields(&pool, "structs.NothingResponse", &[]);
    let color = pool.get_enum_by_name("structs.Color").unwrap();
    let values: Vec<_> = color.values().map(|value| (value.name().to_owned(), value.number())).collect();
    assert_eq!(values, [("COLOR_BLUE".into(), -7), ("COLOR_RED".into(), 0), ("COLOR_GREEN".into(), 1)]);

    let service = pool.get_service_by_name("structs.Structs").unwrap();
    let methods = service.methods().map(|method| {
        let stream = |streams: bool| if streams { "stream " } else { "" };
        let (client, server) = (stream(method.is_client_streaming()), stream(method.is_server_streaming()));
        format!("{}({client}{}) {server}{}", method.name(), method.input().name(), method.output().name())
    });
    let expected = [
        "Call(CallRequest) Inner",
        "Nothing(NothingRequest) NothingResponse",
        "Fire(Scalars) FireResponse",
        "Talk(stream Wrapper) stream Optionals",
        "Upload(stream Lists) Maps",
        "Download(Ids) stream Nested",
        "Fill(Ids) Defaults",
        "Collect(Mixed) Sets",
        "Demand(DemandRequest) Required",
        "Throw(ThrowRequest) ThrowResponse",
        "Stop(stream Inner) stream Inner",
    ];
    assert_eq!(methods.collect::<Vec<_>>(), expected);
}

/// Whoever has only the schema knows every field of what is written, and writes the same.
#[track_caller]
fn assert_described<M: Message>(pool: &DescriptorPool, name: &str, message: &M) {
    let mut out = BytesMut::new();
    protobuf::encode(message, &mut out).unwrap();
    let bytes: Bytes = out.freeze();
    let description = pool.get_message_by_name(name).unwrap();
    let read = DynamicMessage::decode(description, bytes.clone()).unwrap();
    assert_eq!(read.unknown_fields().count(), 0, "{read}");
    assert_eq!(read.encode_to_vec(), bytes, "{read}");
}

#[test]
fn the_schema_describes_the_bytes() {
    let pool = compiled(&SERVICE);
    let inner = Inner { id: 7, name: "n".into(), kids: Some(vec![Inner { id: 8, ..Inner::default() }]) };
    assert_described(
        &pool,
        "structs.Scalars",
        &Scalars {
            b: true,
            y: -1,
            s: 300,
            i: -70_000,
            l: i64::MIN,
            d: 1.5,
            t: "text".into(),
            x: Bytes::from_static(b"\xff"),
            c: Color::Blue,
            u: 9,
        },
    );
    let lists = Lists {
        lb: vec![true, false],
        ly: vec![-1, 1],
        ls: vec![300],
        li: vec![1, -1],
        ll: vec![1 << 40],
        ld: vec![0.5],
        lt: vec!["a".into(), String::new()],
        lx: vec![vec![1]],
        lc: vec![Color::Green, Color::Other(5)],
        lstruct: vec![inner.clone(), Inner::default()],
        lli: vec![vec![1, 2], vec![]],
        le: vec![Empty],
    };
    assert_described(&pool, "structs.Lists", &lists);
    let deep = BTreeMap::from([("k".to_owned(), [5_i16].into())]);
    let maps = Maps {
        msl: HashMap::from([("a".into(), 1)]),
        mis: BTreeMap::from([(1, "b".into())]),
        mbd: HashMap::from([(true, 2.5)]),
        mci: HashMap::from([(Color::Green, inner.clone())]),
        mslist: HashMap::from([("l".into(), vec![inner.clone()])]),
        deep: HashMap::from([(3, deep)]),
        msx: BTreeMap::from([("x".into(), Bytes::from_static(b"y"))]),
    };
    assert_described(&pool, "structs.Maps", &maps);
    assert_described(&pool, "structs.Sets", &Sets { si: [3].into(), ..Sets::default() });
    let optionals = Optionals {
        b: Some(false),
        i: Some(0),
        t: Some(String::new()),
        c: Some(Color::Red),
        choice: Some(Choice::Numbers(vec![1, 2])),
        ..Optionals::default()
    };
    assert_described(&pool, "structs.Optionals", &optionals);
    let choices = vec![HashMap::from([("c".into(), Choice::Nothing(Empty))])];
    assert_described(&pool, "structs.Wrapper", &Wrapper { choices, ..Wrapper::default() });
    let nested = Nested { inner: inner.clone(), many: vec![inner.clone()], ..Nested::default() };
    assert_described(&pool, "structs.Nested", &nested);
    assert_described(&pool, "structs.Mixed", &Mixed { e: inner, g: Color::Green, ..Mixed::default() });
}
