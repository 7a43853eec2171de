//! Any bytes as a message with every kind of field, in both formats of Thrift and in protobuf: an error, or a value that
//! survives being written and read again.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Bytes, BytesMut};
use streamx::Message;
use streamx::codec::thrift::{CompactReader, CompactWriter};
use streamx::codec::{Value, decode, encode, protobuf};

#[derive(Message, Clone, Debug, Default)]
struct Everything {
    #[field(1)]
    flag: bool,
    #[field(2)]
    tiny: i8,
    #[field(3)]
    small: i16,
    #[field(4, default = 10)]
    medium: i32,
    #[field(5)]
    large: i64,
    #[field(6)]
    ratio: f64,
    #[field(7)]
    text: String,
    #[field(8)]
    blob: Bytes,
    #[field(9)]
    level: Level,
    #[field(10)]
    choice: Option<Choice>,
    #[field(11)]
    flags: Vec<bool>,
    #[field(12)]
    words: Vec<String>,
    #[field(13)]
    grid: Vec<Vec<i32>>,
    #[field(14)]
    unique: BTreeSet<i64>,
    #[field(15)]
    named: BTreeMap<String, Vec<Everything>>,
    #[field(16)]
    numbered: BTreeMap<i32, BTreeMap<i8, f64>>,
    #[field(300)]
    maybe: Option<i32>,
    #[field(301)]
    parent: Option<Box<Everything>>,
    #[field(302, proto = "unpacked sint64")]
    zigzags: Vec<i64>,
    #[field(303, proto = "map<fixed32, float>")]
    encoded: BTreeMap<i32, f64>,
    #[field(304, proto = "oneof")]
    flat: Option<Flat>,
}

#[derive(Message, Clone, Debug)]
enum Flat {
    #[field(401)]
    Flag(bool),
    #[field(402)]
    Everything(Box<Everything>),
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

#[derive(Message, Clone, Debug)]
enum Choice {
    #[field(1)]
    Text(String),
    #[field(2)]
    Number(i64),
    #[field(3)]
    Everything(Box<Everything>),
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = Bytes::copy_from_slice(data);
    if let Ok(value) = decode::<Everything>(data.clone()) {
        survives(&value);
    }
    if let Some(value) = read_compact(&data) {
        survives(&value);
    }
    if let Ok(value) = protobuf::decode::<Everything>(data) {
        survives_protobuf(&value);
    }
});

/// Bytes are compared, not values: a NaN is not equal to itself.
fn survives(value: &Everything) {
    let binary = write_binary(value);
    let again = decode::<Everything>(binary.clone()).expect("what was written is read");
    assert_eq!(write_binary(&again), binary);

    let compact = write_compact(value);
    let again = read_compact(&compact).expect("what was written is read");
    assert_eq!(write_compact(&again), compact);
    assert_eq!(write_binary(&again), binary);
}

/// Protobuf has no empty list in an `Option`, and a `float` is rounded, so it is compared with itself.
fn survives_protobuf(value: &Everything) {
    let written = write_protobuf(value);
    let again = protobuf::decode::<Everything>(written.clone()).expect("what was written is read");
    assert_eq!(write_protobuf(&again), written);
}

fn write_protobuf(value: &Everything) -> Bytes {
    let mut out = BytesMut::new();
    protobuf::encode(value, &mut out).expect("what was read is written");
    out.freeze()
}

fn write_binary(value: &Everything) -> Bytes {
    let mut out = BytesMut::new();
    encode(value, &mut out).expect("what was read is written");
    out.freeze()
}

fn write_compact(value: &Everything) -> Bytes {
    let mut out = BytesMut::new();
    let mut writer = CompactWriter::new(&mut out);
    value.encode(&mut writer);
    writer.finish().expect("what was read is written");
    out.freeze()
}

fn read_compact(data: &Bytes) -> Option<Everything> {
    Everything::decode(&mut CompactReader::new(data)).ok()
}
