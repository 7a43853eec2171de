//! What has a form of its own, as it is spelled and as it is written.

use std::collections::BTreeMap;

use streamx::Message;
use streamx::codec::Value;
use streamx::schema::{Describe, Mode, ServiceSchema, proto_idl};
use streamx_tests::schema::{Described, method};

use super::{assert_described, compiled};

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
