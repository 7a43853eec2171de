//! The `.proto` file that a binary prints, compiled, and held against the bytes that are written.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bytes::{Bytes, BytesMut};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use streamx::Message;
use streamx::codec::{Value, protobuf};
use streamx::schema::{Describe, Mode, NoProtoIdl, ServiceSchema, proto_idl, try_proto_idl};
use streamx::well_known::{Any, Empty as Nothing, JsonValue, StringValue, Timestamp};
use streamx_tests::schema::{Described, SERVICE, method};
use streamx_tests::structs::{
    Choice, Color, Empty, Inner, Lists, Maps, Mixed, Nested, Optionals, Scalars, Sets, Wrapper,
};

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

/// Everything that has a form of its own.
///
/// In two paragraphs.
#[derive(Message, Debug, Default, PartialEq)]
struct Formed {
    #[field(1, proto = "sint32")]
    zigzag: i32,
    #[field(2, proto = "fixed64")]
    fixed: Option<i64>,
    #[field(3, proto = "unpacked uint32")]
    unpacked: Vec<i32>,
    #[field(4, proto = "map<sfixed32, float>")]
    floats: BTreeMap<i32, f64>,
    /// One of two.
    #[field(5, proto = "oneof")]
    body: Option<Body>,
    #[field(6, default = 10)]
    limit: i32,
    #[field(7)]
    by_bytes: BTreeMap<Vec<u8>, Vec<i64>>,
    #[field(8)]
    page: Page<Level>,
}

#[derive(Message, Debug, PartialEq)]
enum Body {
    #[field(11)]
    Text(String),
    /// Many.
    #[field(12)]
    Body(Vec<bool>),
}

#[derive(Message, Debug, Default, PartialEq)]
struct Page<T> {
    #[field(1)]
    items: Vec<T>,
}

/// It has no zero.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Level {
    #[default]
    VeryHigh = 3,
    /// As low as it gets.
    Low,
}

static FORMS: ServiceSchema = ServiceSchema::new(
    "Forms",
    None,
    "Forms.",
    &[&Described(|| {
        let mut odd = method("putAll", Mode::Oneway, &[("formed", Formed::schema)], None);
        odd.arguments[0].optional = true;
        odd
    }) as &dyn Describe],
);

#[test]
fn forms_are_spelled_as_protobuf_does() {
    let idl = "\
syntax = \"proto3\";

option go_package = \"forms\";

// It has no zero.
enum Level {
  LEVEL_UNSPECIFIED = 0;
  LEVEL_VERY_HIGH = 3;
  // As low as it gets.
  LEVEL_LOW = 4;
}

message PageOfLevel {
  repeated Level items = 1;
}

message ListOfBool {
  repeated bool items = 1;
}

message ListOfI64 {
  repeated int64 items = 1;
}

message EntryOfBinaryToListOfI64 {
  bytes key = 1;
  ListOfI64 value = 2;
}

// Everything that has a form of its own.
//
// In two paragraphs.
message Formed {
  sint32 zigzag = 1;
  optional fixed64 fixed = 2;
  repeated uint32 unpacked = 3 [packed = false];
  map<sfixed32, float> floats = 4;
  // One of two.
  oneof body_ {
    string text = 11;
    // Many.
    ListOfBool body = 12;
  }
  // Absent it is 10.
  optional int32 limit = 6;
  repeated EntryOfBinaryToListOfI64 by_bytes = 7;
  PageOfLevel page = 8;
}

message PutAllRequest {
  Formed formed = 1;
}

message PutAllResponse {
}

// Forms.
service Forms {
  // Nobody waits for the response.
  rpc putAll(PutAllRequest) returns (PutAllResponse);
}
";
    assert_eq!(proto_idl(&FORMS), idl);
    let formed = Formed {
        zigzag: -1,
        fixed: Some(0),
        unpacked: vec![1, -1],
        floats: BTreeMap::from([(-1, 0.5)]),
        body: Some(Body::Body(vec![true])),
        limit: 0,
        by_bytes: BTreeMap::from([(vec![255], vec![1])]),
        page: Page { items: vec![Level::Low] },
    };
    // In the order of their numbers, which is how the other side writes them.
    let formed = Formed { body: None, ..formed };
    assert_described(&compiled(&FORMS), "Formed", &formed);
}

/// What others have defined.
#[derive(Message, Debug, Default, PartialEq)]
struct Foreign {
    #[field(1)]
    at: Option<Timestamp>,
    #[field(2)]
    parts: Vec<Any>,
    #[field(3)]
    by_name: BTreeMap<String, JsonValue>,
    #[field(4)]
    name: Option<StringValue>,
}

static FOREIGN: ServiceSchema = ServiceSchema::new(
    "Importing",
    Some("a.b"),
    "",
    &[&Described(|| method("Get", Mode::Unary, &[("it", Foreign::schema)], Some(Nothing::schema)))
        as &dyn Describe],
);

#[test]
fn what_others_have_defined_is_imported() {
    let pool = compiled(&FOREIGN);
    let message = pool.get_message_by_name("a.b.Foreign").unwrap();
    let types: Vec<_> = message
        .fields()
        .map(|field| match field.kind() {
            Kind::Message(map) if field.is_map() => map.map_entry_value_field().kind(),
            kind => kind,
        })
        .map(|kind| kind.as_message().unwrap().full_name().to_owned())
        .collect();
    let google = ["Timestamp", "Any", "Value", "StringValue"].map(|name| format!("google.protobuf.{name}"));
    assert_eq!(types, google);
    let foreign = Foreign {
        at: Some(Timestamp { seconds: 1, nanos: 2 }),
        parts: vec![Any::pack("google.protobuf.Empty", &Nothing {}).unwrap()],
        by_name: BTreeMap::from([("k".into(), vec![1.0.into(), JsonValue::default()].into())]),
        name: Some(String::new().into()),
    };
    assert_described(&pool, "a.b.Foreign", &foreign);
    let answer = pool.get_service_by_name("a.b.Importing").unwrap().methods().next().unwrap().output();
    assert_eq!(answer.full_name(), "google.protobuf.Empty");
}

/// Adds.
#[streamx::service(namespace = "sums")]
trait Sums {
    /// Both.
    async fn add(&self, a: i64, #[field(5)] b: Option<i32>) -> streamx::Result<Option<i64>>;
    async fn maybe(&self, page: Option<Inner>) -> streamx::Result<Option<Inner>>;
    async fn plain(&self, ctx: streamx::Context, page: Inner) -> streamx::Result<Inner>;
    async fn all(&self, pages: Vec<Inner>) -> streamx::Result<()>;
    #[client_stream]
    async fn upload(&self, pages: streamx::Streaming<Inner>) -> streamx::Result<Inner>;
}

#[test]
fn the_server_of_a_service_has_its_schema() {
    let idl = SumsServer::<()>::proto_idl();
    let messages = "\
message AddRequest {
  int64 a = 1;
  optional int32 b = 5;
}

message AddResponse {
  optional int64 result = 1;
}

message MaybeRequest {
  Inner page = 1;
}

message MaybeResponse {
  Inner result = 1;
}

message AllRequest {
  repeated Inner pages = 1;
}

message AllResponse {
}

// Adds.
service Sums {
  // Both.
  rpc Add(AddRequest) returns (AddResponse);
  rpc Maybe(MaybeRequest) returns (MaybeResponse);
  rpc Plain(Inner) returns (Inner);
  rpc All(AllRequest) returns (AllResponse);
  rpc Upload(stream Inner) returns (Inner);
}
";
    let head = "syntax = \"proto3\";\n\npackage sums;\n\noption go_package = \"sums\";\n\nmessage Inner {\n";
    assert!(idl.starts_with(head), "{idl}");
    assert!(idl.ends_with(messages), "{idl}");
}

#[test]
fn what_protobuf_cannot_say_is_an_error() {
    #[derive(Message, Default)]
    struct Reserved {
        #[field(19_000)]
        id: i64,
    }
    static RESERVED: ServiceSchema = ServiceSchema::new(
        "Reserving",
        None,
        "",
        &[&Described(|| method("Get", Mode::Unary, &[("it", Reserved::schema)], None)) as &dyn Describe],
    );
    let error = try_proto_idl(&RESERVED).unwrap_err();
    assert_eq!(error, NoProtoIdl::ReservedNumber { field: "Reserved.id".into(), number: 19_000 });
    assert_eq!(proto_idl(&RESERVED), format!("error: {error}\n"));

    #[derive(Message, Default)]
    struct GetRequest {}
    static CLASH: ServiceSchema = ServiceSchema::new(
        "Clashing",
        None,
        "",
        &[&Described(|| method("Get", Mode::Unary, &[("a", GetRequest::schema), ("b", i32::schema)], None))
            as &dyn Describe],
    );
    let Err(NoProtoIdl::NameClash(clash)) = try_proto_idl(&CLASH) else { panic!("no clash") };
    assert_eq!(clash.name, "GetRequest");
    assert!(clash.types[0].ends_with("GetRequest"), "{clash}");
    assert_eq!(clash.types[1], "the arguments of a method");
}
