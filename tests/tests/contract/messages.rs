//! Section 1: messages.

use std::collections::{BTreeMap, HashMap, HashSet};
use streamx::Message;
use bytes::Bytes;

/// A Thrift struct (and, over gRPC, a protobuf message): one number serves both.
#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Request {
    #[field(1)]
    pub message: String,
    #[field(2)]
    pub retries: Option<i32>,                 // `optional` in both schemas
    #[field(3, required)]                     // Thrift `required`: absent on the wire is an error
    pub id: i64,
    #[field(4, rename = "userTags")]          // the name in the exported IDL
    pub user_tags: HashMap<String, Vec<Tag>>,
    #[field(5, default = 10)]                 // a default declared in the schema
    pub limit: i32,
    #[field(6)]
    pub blob: Bytes,                          // zero-copy: a slice of the receive buffer
    #[field(7)]
    pub level: Level,
    #[field(8)]
    pub body: Option<Body>,
    #[field(9)]
    pub parent: Option<Box<Request>>,         // recursion through Box
    #[field(10)]
    pub seen: HashSet<String>,
    #[field(11)]
    pub ordered: BTreeMap<i32, bool>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Tag {
    #[field(1)]
    pub name: String,
}

/// A Thrift enum. The `#[other]` variant keeps the numbers of a newer peer; without one (then `repr` is not needed)
/// they read as the default. Never an error.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Level {
    #[default]
    Info = 0,
    Warn = 1,
    #[other]
    Unknown(i32),
}

/// A Thrift union (a protobuf `oneof`).
#[derive(Message, Clone, Debug, PartialEq)]
pub enum Body {
    #[field(1)]
    Text(String),
    #[field(2)]
    Tag(Tag),
}

/// A declared Thrift exception.
#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
pub struct NotFound {
    #[field(1)]
    pub key: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Response {
    #[field(1)]
    pub message: String,
}
