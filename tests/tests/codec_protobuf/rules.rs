//! What is written, read, skipped and refused.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use streamx::Message;
use streamx::codec::protobuf::{decode, encode};

use super::nested::{Choice, Flat, Leaf, Nested};
use super::numbers::{Level, Numbers};
use super::ours;

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Defaults {
    #[field(1, required)]
    id: i64,
    #[field(2, default = 10)]
    limit: i32,
    #[field(3, default = "text")]
    text: String,
    #[field(4, required)]
    ids: Vec<i32>,
    #[field(5, default = vec![1])]
    list: Vec<i32>,
    #[field(6, default = Some(3))]
    maybe: Option<i32>,
    #[field(7)]
    shifted: Shifted,
    #[field(8)]
    leaf: Leaf,
    #[field(9)]
    maybe_list: Option<Vec<i32>>,
}

/// Its default is not its zero.
#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shifted {
    Zero = 0,
    #[default]
    One = 1,
}

#[test]
fn a_field_that_is_required_or_has_a_default_is_written_when_it_is_zero() {
    let zeros = Defaults { shifted: Shifted::Zero, ..Defaults::default() };
    let bytes = ours(&zeros);
    assert_eq!(*bytes, [0x08, 0, 0x10, 0, 0x1a, 0, 0x42, 0], "and a message is always written");
    let read: Defaults = decode(bytes).unwrap();
    assert_eq!(read, Defaults { maybe: Some(3), ..zeros.clone() });
    let some = Defaults { id: 1, maybe_list: Some(vec![]), shifted: Shifted::One, ..zeros };
    let read: Defaults = decode(ours(&some)).unwrap();
    assert_eq!((read.shifted, read.maybe_list), (Shifted::One, None), "an empty list is an absent one");
}

#[test]
fn what_is_absent_is_zero_or_its_default_or_an_error() {
    let read: Defaults = decode(Bytes::from_static(&[0x08, 7])).unwrap();
    assert_eq!((read.id, read.limit, &*read.text, read.maybe), (7, 10, "text", Some(3)));
    assert_eq!((read.ids, read.list, read.shifted), (vec![], vec![], Shifted::Zero));
    let error = decode::<Defaults>(Bytes::new()).unwrap_err();
    assert!(error.to_string().contains("Defaults.id: the required field is absent"), "{error}");
}

#[test]
fn what_is_not_known_is_skipped() {
    let unknown: &[&[u8]] = &[
        &[0xf8, 0x0f, 0x80, 0x01],                      // field 255, a varint
        &[0xfa, 0x0f, 2, 1, 2],                         // a length
        &[0xf9, 0x0f, 1, 2, 3, 4, 5, 6, 7, 8],          // 64 bits
        &[0xfd, 0x0f, 1, 2, 3, 4],                      // 32 bits
        &[0xfb, 0x0f, 0x0b, 0x08, 1, 0x0c, 0xfc, 0x0f], // a group with a group in it
        &[0xf8, 0xff, 0xff, 0xff, 0x0f, 1],             // the highest number there is
        &[0x08, 1],                                     // field 1, but not a text
    ];
    for unknown in unknown {
        let bytes = [&[0x0a, 1, b'a'], *unknown].concat();
        assert_eq!(decode::<Leaf>(bytes.into()).unwrap().name, "a", "{unknown:x?}");
    }
}

#[test]
fn a_newer_enum_or_union_does_not_fail() {
    #[derive(Message, Default, PartialEq, Debug)]
    struct Old {
        #[field(26)]
        shifted: Option<Shifted>,
        #[field(19)]
        choice: Option<Few>,
    }
    #[derive(Message, PartialEq, Debug)]
    enum Few {
        #[field(1)]
        Text(String),
    }
    let newer = Nested { choice: Some(Choice::Number(3)), ..Nested::default() };
    assert_eq!(decode::<Old>(ours(&newer)).unwrap().choice, None);
    let newer = Numbers { maybe_level: Some(Level::Unknown(77)), ..Numbers::default() };
    assert_eq!(decode::<Old>(ours(&newer)).unwrap().shifted, Some(Shifted::One));
}

#[test]
fn numbers_are_read_packed_and_unpacked() {
    let packed = Nested { ints: vec![1, -2, 300], unpacked_sints: vec![7], ..Nested::default() };
    let unpacked =
        [0x10, 1, 0x10, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0x10, 0xac, 2, 0x4a, 1, 14];
    assert_eq!(decode::<Nested>(Bytes::copy_from_slice(&unpacked)).unwrap(), packed);
}

#[test]
fn sets_and_keys_that_protobuf_does_not_have_survive() {
    use std::collections::{BTreeSet, HashMap, HashSet};
    #[derive(Message, Clone, Debug, Default, PartialEq)]
    #[allow(clippy::box_collection, reason = "it is odd, and possible")]
    struct Odd {
        #[field(1)]
        ids: HashSet<i64>,
        #[field(2)]
        words: BTreeSet<String>,
        #[field(3)]
        by_level: HashMap<Level, Leaf>,
        #[field(4)]
        by_list: BTreeMap<Vec<i32>, Vec<Vec<String>>>,
        #[field(5)]
        deep: HashMap<String, HashMap<i8, Option32>>,
        #[field(6)]
        boxed: Box<BTreeSet<i32>>,
        #[field(7)]
        by_bytes: BTreeMap<Bytes, BTreeSet<i16>>,
        #[field(8)]
        choices: Vec<Choice>,
        #[field(9)]
        maybe: Option<Vec<Leaf>>,
    }
    #[derive(Message, Clone, Debug, Default, PartialEq)]
    struct Option32 {
        #[field(1)]
        value: Option<i32>,
    }
    let odd = Odd {
        ids: (0..300).collect(),
        words: ["a", ""].map(str::to_owned).into(),
        by_level: HashMap::from([
            (Level::Info, Leaf::default()),
            (Level::Unknown(9), Leaf { name: "n".into() }),
        ]),
        by_list: BTreeMap::from([(vec![], vec![]), (vec![1, 2], vec![vec![], vec!["x".into()]])]),
        deep: HashMap::from([(
            "a".into(),
            HashMap::from([(0, Option32::default()), (1, Option32 { value: Some(0) })]),
        )]),
        boxed: Box::new([1, 2].into()),
        by_bytes: BTreeMap::from([(Bytes::from_static(b"\xff"), BTreeSet::from([-1]))]),
        choices: vec![Choice::Many(vec![]), Choice::Text(String::new()), Choice::Number(0)],
        maybe: Some(vec![Leaf::default()]),
    };
    assert_eq!(decode::<Odd>(ours(&odd)).unwrap(), odd);
    assert_eq!(decode::<Odd>(ours(&Odd::default())).unwrap(), Odd::default());
}

#[test]
fn a_negative_zero_is_a_number_though_prost_leaves_it_out() {
    let numbers = Numbers { double: -0.0, ..Numbers::default() };
    let read: Numbers = decode(ours(&numbers)).unwrap();
    assert!(read.double.is_sign_negative());
}

/// As protobuf's own libraries do it; the reader of Kitex refuses an entry without them.
#[test]
fn the_key_and_the_value_of_an_entry_are_always_written() {
    let zeros = Nested {
        by_name: BTreeMap::from([(String::new(), 0)]),
        by_number: BTreeMap::from([(0, Leaf::default())]),
        by_flag: BTreeMap::from([(false, Level::default())]),
        lists: BTreeMap::from([(0, vec![])]),
        ..Nested::default()
    };
    let by_name: &[u8] = &[0x7a, 4, 0x0a, 0, 0x10, 0];
    let by_number: &[u8] = &[0x82, 1, 4, 0x08, 0, 0x12, 0];
    let by_flag: &[u8] = &[0x92, 1, 4, 0x08, 0, 0x10, 0];
    let lists: &[u8] = &[0xb2, 1, 4, 0x08, 0, 0x12, 0];
    assert_eq!(ours(&zeros), [by_name, by_number, by_flag, lists].concat());
}

#[test]
fn a_field_of_bytes_is_a_slice_of_what_was_received() {
    let received = ours(&Numbers { blob: Bytes::from_static(b"0123456789"), ..Numbers::default() });
    let numbers: Numbers = decode(received.clone()).unwrap();
    assert!(received.as_ptr_range().contains(&numbers.blob.as_ptr()));
}

fn sample() -> Nested {
    let leaf = |name: &str| Leaf { name: name.into() };
    let inner = Nested {
        ints: vec![1, 300, -1],
        fixed: vec![1, 2],
        unpacked: vec![1, 2],
        levels: vec![Level::Warn],
        texts: vec!["a".into(), "\u{e9}".into()],
        by_name: BTreeMap::from([("k".into(), 7)]),
        by_number: BTreeMap::from([(1, leaf("x"))]),
        lists: BTreeMap::from([(3, vec![leaf("y")])]),
        table: vec![vec![1], vec![]],
        choice: Some(Choice::Leaf(leaf("z"))),
        flat: Some(Flat::Leaf(leaf("w"))),
        ..Nested::default()
    };
    Nested {
        kids: vec![Nested::default(), inner.clone()],
        parent: Some(Box::new(inner)),
        ..Nested::default()
    }
}

#[test]
fn every_prefix_and_every_changed_bit_is_a_value_or_a_failure() {
    let bytes = ours(&sample());
    for end in 0..bytes.len() {
        let _ = decode::<Nested>(bytes.slice(..end));
    }
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.to_vec();
            changed[place] ^= 1 << bit;
            if let Ok(read) = decode::<Nested>(changed.into()) {
                let written = ours(&read);
                assert_eq!(ours(&decode::<Nested>(written.clone()).unwrap()), written);
            }
        }
    }
}

#[test]
fn a_failure_names_its_place() {
    let failure = |bytes: &[u8]| {
        let error = decode::<Nested>(Bytes::copy_from_slice(bytes)).unwrap_err().to_string();
        error.split(" (").next().unwrap_or_default().to_owned()
    };
    // The second text of the first kid.
    assert_eq!(
        failure(&[0x6a, 6, 0x5a, 1, b'a', 0x5a, 1, 0xff]),
        "Nested.kids[0].texts[1]: the text is not UTF-8; a field of type Bytes takes anything"
    );
    assert_eq!(
        failure(&[0x7a, 3, 0x0a, 1, 0xff]),
        "Nested.by_name[key 0]: the text is not UTF-8; a field of type Bytes takes anything"
    );
    assert_eq!(
        failure(&[0x82, 1, 5, 0x12, 3, 0x0a, 9, b'a']),
        "Nested.by_number[0].name: the bytes end inside this value"
    );
    assert_eq!(failure(&[0x12, 2, 1, 0x80]), "Nested.ints[1]: the bytes end inside this value");
    assert_eq!(failure(&[0x12, 3, 0xff, 0xff]), "Nested.ints: the bytes end inside this value");
    assert_eq!(
        failure(&[0x32, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        "Nested.fixed: the bytes end inside this value"
    );
    assert_eq!(
        failure(&[0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]),
        "Nested.ints[0]: the number does not fit its type"
    );
    // A text that ends behind the message it is in, and a group that ends as another.
    assert_eq!(
        failure(&[0x6a, 2, 0x5a, 3, b'a', b'b', b'c']),
        "Nested.kids[0].texts[0]: the bytes end inside this value"
    );
    assert_eq!(failure(&[0xfb, 0x0f, 0x0c, 0xfc, 0x0f]), "Nested.255: there is no wire type 4");
    assert_eq!(failure(&[0x00]), "Nested: the number does not fit its type");
    assert_eq!(failure(&[0x0f]), "Nested: there is no wire type 7");
    assert_eq!(failure(&[0xfc, 0x0f]), "Nested.255: there is no wire type 4");
    let error = decode::<Numbers>(Bytes::from_static(&[0x10, 0x80, 1])).unwrap_err().to_string();
    assert!(error.starts_with("Numbers.tiny: the number does not fit its type"), "{error}");
}

#[test]
fn a_message_nested_too_deep_is_neither_sent_nor_read() {
    let nested = |depth: usize| {
        (1..depth)
            .fold(Nested::default(), |inner, _| Nested { parent: Some(Box::new(inner)), ..Nested::default() })
    };
    let deepest = ours(&nested(64));
    assert_eq!(decode::<Nested>(deepest.clone()).unwrap(), nested(64));
    let mut out = BytesMut::from("before");
    let error = encode(&nested(65), &mut out).unwrap_err();
    assert_eq!(error.to_string(), "Nested cannot be sent: structs are nested more than 64 deep");
    assert_eq!(out, "before");
    let length = u8::try_from(deepest.len() & 0x7f).unwrap() | 0x80;
    let deeper = [&[0x72, length, u8::try_from(deepest.len() >> 7).unwrap()], &*deepest].concat();
    let error = decode::<Nested>(deeper.into()).unwrap_err().to_string();
    assert!(
        error.starts_with("Nested.parent.parent") && error.ends_with("nested more than 64 deep"),
        "{error}"
    );
    // Groups in what is skipped.
    let groups = [[0xfb, 0x0f].repeat(65), [0xfc, 0x0f].repeat(65)].concat();
    assert!(decode::<Nested>(groups.into()).unwrap_err().to_string().contains("nested more than 64 deep"));
}
