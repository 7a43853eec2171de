//! Derived messages: what the contract says about them.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::{Bytes, BytesMut};
use streamx::Message;
use streamx::codec::{decode, encode};

/// A Thrift struct (and, over gRPC, a protobuf message): one number serves both.
#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Request {
    #[field(1)]
    pub message: String,
    #[field(2)]
    pub retries: Option<i32>,
    #[field(3, required)]
    pub id: i64,
    #[field(4, rename = "userTags")]
    pub user_tags: HashMap<String, Vec<Tag>>,
    #[field(5, default = 10)]
    pub limit: i32,
    #[field(6)]
    pub blob: Bytes,
    #[field(7)]
    pub level: Level,
    #[field(8)]
    pub body: Option<Body>,
    #[field(9)]
    pub parent: Option<Box<Request>>,
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

#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Level {
    #[default]
    Info = 0,
    Warn = 1,
    #[other]
    Unknown(i32),
}

#[derive(Message, Clone, Debug, PartialEq)]
pub enum Body {
    #[field(1)]
    Text(String),
    #[field(2)]
    Tag(Tag),
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
pub struct NotFound {
    #[field(1)]
    pub key: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
pub struct Denied {}

#[derive(Message)]
#[message(exception)]
pub enum GetError {
    #[field(1)]
    NotFound(NotFound),
    #[field(4)]
    Denied(Denied),
    #[other]
    Other(streamx::Error),
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Page<T> {
    #[field(1)]
    pub items: Vec<T>,
    #[field(2)]
    pub first: Option<T>,
    #[field(3)]
    pub next: Option<Box<Page<T>>>,
    #[field(4)]
    pub last: T,
}

fn round_trip<M: streamx::codec::Message + PartialEq + std::fmt::Debug>(message: &M) {
    let mut out = BytesMut::from("before");
    encode(message, &mut out).unwrap();
    let bytes = out.split_off(6).freeze();
    assert_eq!(out, "before");
    assert_eq!(&decode::<M>(bytes).unwrap(), message);
}

#[test]
fn a_message_survives_the_wire() {
    let mut request = Request {
        message: "hi".into(),
        retries: Some(3),
        id: -1,
        user_tags: HashMap::from([("a".into(), vec![Tag { name: "x".into() }])]),
        blob: Bytes::from_static(b"\xff"),
        level: Level::Unknown(77),
        body: Some(Body::Tag(Tag { name: "t".into() })),
        seen: HashSet::from(["s".into()]),
        ordered: BTreeMap::from([(1, true), (-1, false)]),
        ..Request::default()
    };
    request.parent = Some(Box::new(request.clone()));
    round_trip(&request);
}

#[test]
fn a_generic_message_survives_the_wire() {
    round_trip(&Page { items: vec![1_i32, 2], first: Some(3), next: Some(Box::default()), last: 4 });
    round_trip(&Page { items: vec![Tag::default()], ..Page::default() });
}
