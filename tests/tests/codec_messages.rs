//! Derived messages: what the contract says about them.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::{Bytes, BytesMut};
use streamx::Message;
use streamx::codec::thrift::{CompactReader, CompactWriter};
use streamx::codec::{self, Fault, Throws, Value, decode, encode};

/// A Thrift struct (and, over gRPC, a protobuf message): one number serves both.
#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Request {
    #[field(1)]
    message: String,
    #[field(2)]
    retries: Option<i32>,
    #[field(3, required)]
    id: i64,
    #[field(4, rename = "userTags")]
    user_tags: HashMap<String, Vec<Tag>>,
    #[field(5, default = 10)]
    limit: i32,
    #[field(6)]
    blob: Bytes,
    #[field(7)]
    level: Level,
    #[field(8)]
    body: Option<Body>,
    #[field(9)]
    parent: Option<Box<Self>>,
    #[field(10)]
    seen: HashSet<String>,
    #[field(11)]
    ordered: BTreeMap<i32, bool>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Tag {
    #[field(1)]
    name: String,
}

#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
enum Level {
    #[default]
    Info = 0,
    Warn = 1,
    #[other]
    Unknown(i32),
}

#[derive(Message, Clone, Debug, PartialEq)]
enum Body {
    #[field(1)]
    Text(String),
    #[field(2)]
    Tag(Tag),
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
struct NotFound {
    #[field(1)]
    key: String,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
struct Denied {}

#[derive(Message, Debug)]
#[message(exception)]
enum GetError {
    #[field(1)]
    NotFound(NotFound),
    #[field(4)]
    Denied(Denied),
    #[other]
    Other(streamx::Error),
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Page<T> {
    #[field(1)]
    items: Vec<T>,
    #[field(2)]
    first: Option<T>,
    #[field(3)]
    next: Option<Box<Self>>,
    #[field(4)]
    last: T,
}

fn round_trip<M: Message + PartialEq + std::fmt::Debug>(message: &M) {
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

/// A struct of results in which a handler's error is written, and what a client makes of it.
fn thrown<E: Throws>(error: &E) -> Option<streamx::Error> {
    let mut out = BytesMut::new();
    let mut declared = false;
    codec::encode_struct("result", &mut out, |writer| declared = error.put(writer)).unwrap();
    let mut read = None;
    codec::decode_struct("result", &[], &out.freeze(), |number, kind, reader| {
        read = E::take(number, kind, reader)?;
        Ok(())
    })
    .unwrap();
    assert_eq!(read.is_some(), declared);
    read.map(E::into_error)
}

#[test]
fn a_declared_exception_arrives_typed() {
    let missing = NotFound { key: "k".into() };
    let error = thrown(&missing).unwrap();
    assert_eq!(error.exception::<NotFound>(), Some(&missing));
    let error = thrown(&GetError::from(missing.clone())).unwrap();
    assert_eq!(error.exception::<NotFound>(), Some(&missing));
    let error = thrown(&GetError::Denied(Denied {})).unwrap();
    assert_eq!(error.exception::<Denied>(), Some(&Denied {}));
    assert_eq!(error.to_string(), "declared exception Denied {}");
}

#[test]
fn any_other_error_is_not_declared() {
    fn fails() -> Result<(), GetError> {
        Err(streamx::Error::other("boom"))?;
        Ok(())
    }
    let error = fails().unwrap_err();
    assert!(thrown(&error).is_none());
    assert_eq!(error.into_error().to_string(), "boom");
    assert!(thrown(&streamx::Error::other("boom")).is_none());
}

#[test]
fn an_exception_a_client_does_not_know_is_skipped() {
    let mut out = BytesMut::new();
    codec::encode_struct("result", &mut out, |writer| {
        GetError::Denied(Denied {}).put(writer).then_some(()).unwrap()
    })
    .unwrap();
    codec::decode_struct("result", &[], &out.freeze(), |number, kind, reader| {
        assert!(NotFound::take(number, kind, reader)?.is_none());
        Ok(())
    })
    .unwrap();
}

/// What a newer peer sends of `Request`, and an older one.
#[derive(Message, Debug, Default, PartialEq)]
struct NewRequest {
    #[field(3)]
    id: i64,
    #[field(8)]
    body: Option<NewBody>,
    #[field(20)]
    extra: Vec<String>,
}

#[derive(Message, Debug, PartialEq)]
enum NewBody {
    #[field(9)]
    Picture(Bytes),
}

fn bytes_of(message: &impl Message) -> Bytes {
    let mut out = BytesMut::new();
    encode(message, &mut out).unwrap();
    out.freeze()
}

#[test]
fn what_a_newer_peer_adds_is_not_an_error() {
    let new = NewRequest { id: 4, body: Some(NewBody::Picture(Bytes::new())), extra: vec!["x".into()] };
    let request: Request = decode(bytes_of(&new)).unwrap();
    assert_eq!((request.id, request.limit, request.body), (4, 10, None));
    // Where a variant must be, one that is not known is an error with its place.
    let error = decode::<Body>(bytes_of(&NewBody::Picture(Bytes::new()))).unwrap_err();
    assert_eq!(error.to_string(), "Body: no variant is set that this program knows");
}

/// Without `#[other]` a number that is not listed reads as the default.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq)]
enum Small {
    #[default]
    First,
    Second,
}

#[test]
fn an_unknown_number_of_an_enum_is_kept_or_reads_as_the_default() {
    let kept = decode::<Page<Level>>(bytes_of(&Page { last: 77_i32, ..Page::default() })).unwrap();
    assert_eq!(kept.last, Level::Unknown(77));
    let read =
        decode::<Page<Small>>(bytes_of(&Page { last: 77_i32, first: Some(1), ..Page::default() })).unwrap();
    assert_eq!((read.last, read.first), (Small::First, Some(Small::Second)));
}

#[test]
fn a_field_of_bytes_is_a_slice_of_what_was_received() {
    let received = bytes_of(&Request { blob: Bytes::from_static(b"0123456789"), ..Request::default() });
    let request: Request = decode(received.clone()).unwrap();
    assert!(received.as_ptr_range().contains(&request.blob.as_ptr()));
}

#[test]
fn a_message_nested_too_deep_is_not_sent_and_leaves_the_buffer_as_it_was() {
    let nested = |depth: usize| {
        (1..depth)
            .fold(Page::<i32>::default(), |page, _| Page { next: Some(Box::new(page)), ..Page::default() })
    };
    let mut out = BytesMut::from("before");
    encode(&nested(64), &mut out).unwrap();
    let deepest = out.split_off(6).freeze();
    assert_eq!(decode::<Page<i32>>(deepest.clone()).unwrap(), nested(64));
    let error = encode(&nested(65), &mut out).unwrap_err();
    assert_eq!(error.to_string(), "Page cannot be sent: structs are nested more than 64 deep");
    assert_eq!(out, "before");

    // One level more on the wire: the bytes of a struct whose field 3 is the deepest one.
    let deeper = Bytes::from([&[12, 0, 3][..], &deepest, &[0]].concat());
    let error = decode::<Page<i32>>(deeper).unwrap_err().to_string();
    assert!(error.starts_with("Page.next.next") && error.ends_with("nested more than 64 deep"), "{error}");
}

/// What an older peer knows of `Wide`.
#[derive(Message, Debug, Default, PartialEq)]
struct Narrow {
    #[field(2)]
    flag: bool,
    #[field(4)]
    last: i16,
}

#[derive(Message, Debug, Default, PartialEq)]
struct Wide {
    #[field(1)]
    high: High,
    #[field(2)]
    flag: bool,
    #[field(3)]
    flags: BTreeMap<i8, Vec<bool>>,
    #[field(4)]
    last: i16,
}

#[derive(Message, Debug, Default, PartialEq)]
struct High {
    #[field(5)]
    set: bool,
    #[field(32767)]
    number: f64,
    #[field(6)]
    inner: Option<Box<Self>>,
}

#[test]
fn what_is_skipped_in_compact_does_not_disturb_what_follows() {
    let inner = Some(Box::new(High { set: true, number: 1.5, inner: None }));
    let wide = Wide {
        high: High { set: true, number: -1.0, inner },
        flag: true,
        flags: BTreeMap::from([(1, vec![true, false]), (-1, vec![])]),
        last: -300,
    };
    let mut out = BytesMut::new();
    let mut writer = CompactWriter::new(&mut out);
    wide.encode(&mut writer);
    writer.finish().unwrap();
    let bytes = out.freeze();
    assert_eq!(Wide::decode(&mut CompactReader::new(&bytes)).unwrap(), wide);
    let narrow = Narrow::decode(&mut CompactReader::new(&bytes)).unwrap();
    assert_eq!(narrow, Narrow { flag: true, last: -300 });
}

#[derive(Message, Debug, Default, PartialEq)]
struct LastNumber {
    #[field(32767)]
    high: High,
}

#[test]
fn numbers_inside_what_is_skipped_in_compact_begin_anew() {
    let mut out = BytesMut::new();
    let mut writer = CompactWriter::new(&mut out);
    LastNumber::default().encode(&mut writer);
    writer.finish().unwrap();
    assert_eq!(Narrow::decode(&mut CompactReader::new(&out.freeze())).unwrap(), Narrow::default());
}

#[test]
fn a_number_too_large_for_its_type_is_an_error_in_compact() {
    // Field 4, an i16, as the zigzag number 40000.
    let error = Narrow::decode(&mut CompactReader::new(&Bytes::from_static(&[0x44, 0xc0, 0xf1, 0x04, 0])));
    assert_eq!(*error.unwrap_err().fault(), Fault::BadNumber);
    // A number that never ends.
    let error = Narrow::decode(&mut CompactReader::new(&Bytes::from_static(&[0xff; 20])));
    assert!(error.is_err());
}
