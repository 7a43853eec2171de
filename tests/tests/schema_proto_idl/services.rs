//! What services have besides their messages: imports, the messages made for arguments, and what cannot be said.

use std::collections::BTreeMap;

use prost_reflect::Kind;
use streamx::Message;
use streamx::codec::Value;
use streamx::schema::{Describe, Mode, NoProtoIdl, ServiceSchema, proto_idl, try_proto_idl};
use streamx::well_known::{Any, Empty as Nothing, JsonValue, StringValue, Timestamp};
use streamx_tests::schema::{Described, method};
use streamx_tests::structs::Inner;

use super::{assert_described, compiled};

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
