//! Any message, and any bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;

use super::thrift::{BinaryReader, CompactReader, CompactWriter};
use super::{Reader, Value, decode, encode};
use crate::Message;

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(crate = crate)]
struct Everything {
    #[field(1)]
    flag: bool,
    #[field(2)]
    tiny: i8,
    #[field(30)]
    small: i16,
    #[field(4)]
    medium: Option<i32>,
    #[field(5)]
    large: i64,
    #[field(6)]
    real: Vec<i64>,
    #[field(700)]
    text: Arc<str>,
    #[field(8)]
    bytes: Vec<u8>,
    #[field(9)]
    flags: Vec<bool>,
    #[field(10)]
    smalls: BTreeSet<i16>,
    #[field(11)]
    map: BTreeMap<i32, Vec<bool>>,
    #[field(12)]
    kids: Vec<Self>,
}

/// Knows no field of `Everything` but the last.
#[derive(Message, Debug, Default, PartialEq)]
#[message(crate = crate)]
struct Nothing {
    #[field(13)]
    last: Option<bool>,
}

fn everything() -> impl Strategy<Value = Everything> {
    let numbers = (any::<bool>(), any::<i8>(), any::<i16>(), any::<Option<i32>>(), any::<i64>());
    let lists =
        (vec(any::<i64>(), 0..40), any::<String>(), vec(any::<u8>(), 0..20), vec(any::<bool>(), 0..20));
    let sets = (any::<BTreeSet<i16>>(), any::<BTreeMap<i32, Vec<bool>>>());
    let leaf = (numbers, lists, sets).prop_map(|(numbers, lists, sets)| {
        let ((flag, tiny, small, medium, large), (real, text, bytes, flags)) = (numbers, lists);
        let (text, kids, (smalls, map)) = (text.into(), Vec::new(), sets);
        Everything { flag, tiny, small, medium, large, real, text, bytes, flags, smalls, map, kids }
    });
    leaf.prop_recursive(3, 8, 2, |inner| {
        (inner.clone(), vec(inner, 0..3)).prop_map(|(parent, kids)| Everything { kids, ..parent })
    })
}

fn in_binary(message: &impl Message) -> Bytes {
    let mut out = BytesMut::new();
    encode(message, &mut out).unwrap();
    out.freeze()
}

fn in_compact(message: &impl Message) -> Bytes {
    let mut out = BytesMut::new();
    let mut writer = CompactWriter::new(&mut out);
    message.encode(&mut writer);
    writer.finish().unwrap();
    out.freeze()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_message_survives_both_formats(message in everything()) {
        prop_assert_eq!(&decode::<Everything>(in_binary(&message)).unwrap(), &message);
        prop_assert_eq!(&Everything::decode(&mut CompactReader::new(&in_compact(&message))).unwrap(), &message);
    }

    #[test]
    fn any_message_can_be_skipped(message in everything()) {
        let bytes = in_binary(&message);
        let mut reader = BinaryReader::new(&bytes);
        reader.skip(Everything::KIND).unwrap();
        prop_assert!(reader.rest().is_empty());
        prop_assert_eq!(decode::<Nothing>(bytes).unwrap(), Nothing::default());
        let compact = Nothing::decode(&mut CompactReader::new(&in_compact(&message))).unwrap();
        prop_assert_eq!(compact, Nothing::default());
    }

    #[test]
    fn any_bytes_give_a_value_or_a_failure(bytes in vec(prop_oneof![0..16_u8, any::<u8>()], 0..200)) {
        let bytes = Bytes::from(bytes);
        let _ = Everything::decode(&mut BinaryReader::new(&bytes));
        let _ = Everything::decode(&mut CompactReader::new(&bytes));
    }
}
