//! Lists, maps, unions and messages in messages, and their twins.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use streamx::Message;

use super::numbers::{Level, ProstLevel, blob, double, float, int, level, long, text};

/// Lists, maps, unions and messages in messages.
#[derive(Message, Clone, Debug, Default, PartialEq)]
pub(super) struct Nested {
    #[field(1)]
    pub(super) flags: Vec<bool>,
    #[field(2)]
    pub(super) ints: Vec<i32>,
    #[field(3)]
    pub(super) longs: Vec<i64>,
    #[field(4)]
    pub(super) doubles: Vec<f64>,
    #[field(5, proto = "sint32")]
    pub(super) sints: Vec<i32>,
    #[field(6, proto = "fixed64")]
    pub(super) fixed: Vec<i64>,
    #[field(7, proto = "float")]
    pub(super) floats: Vec<f64>,
    #[field(8, proto = "unpacked")]
    pub(super) unpacked: Vec<i32>,
    #[field(9, proto = "unpacked sint64")]
    pub(super) unpacked_sints: Vec<i64>,
    #[field(10)]
    pub(super) levels: Vec<Level>,
    #[field(11)]
    pub(super) texts: Vec<String>,
    #[field(12)]
    pub(super) blobs: Vec<Bytes>,
    #[field(13)]
    pub(super) kids: Vec<Self>,
    #[field(14)]
    pub(super) parent: Option<Box<Self>>,
    #[field(15)]
    pub(super) by_name: BTreeMap<String, i64>,
    #[field(16)]
    pub(super) by_number: BTreeMap<i32, Leaf>,
    #[field(17, proto = "map<sint32, fixed64>")]
    pub(super) encoded: BTreeMap<i32, i64>,
    #[field(18)]
    pub(super) by_flag: BTreeMap<bool, Level>,
    #[field(19)]
    pub(super) choice: Option<Choice>,
    #[field(21)]
    pub(super) table: Vec<Vec<i32>>,
    #[field(22)]
    pub(super) lists: BTreeMap<i64, Vec<Leaf>>,
    #[field(23)]
    pub(super) leaf: Option<Leaf>,
    #[field(24, proto = "oneof")]
    pub(super) flat: Option<Flat>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub(super) struct Leaf {
    #[field(1)]
    pub(super) name: String,
}

#[derive(Message, Clone, Debug, PartialEq)]
pub(super) enum Choice {
    #[field(1)]
    Text(String),
    #[field(2)]
    Number(i32),
    #[field(3)]
    Leaf(Leaf),
    #[field(4)]
    Many(Vec<i32>),
}

#[derive(Message, Clone, Debug, PartialEq)]
pub(super) enum Flat {
    #[field(101)]
    Flag(bool),
    #[field(102)]
    Leaf(Leaf),
    #[field(103)]
    Level(Level),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ProstNested {
    #[prost(bool, repeated, tag = "1")]
    pub(super) flags: Vec<bool>,
    #[prost(int32, repeated, tag = "2")]
    pub(super) ints: Vec<i32>,
    #[prost(int64, repeated, tag = "3")]
    pub(super) longs: Vec<i64>,
    #[prost(double, repeated, tag = "4")]
    pub(super) doubles: Vec<f64>,
    #[prost(sint32, repeated, tag = "5")]
    pub(super) sints: Vec<i32>,
    #[prost(fixed64, repeated, tag = "6")]
    pub(super) fixed: Vec<u64>,
    #[prost(float, repeated, tag = "7")]
    pub(super) floats: Vec<f32>,
    #[prost(int32, repeated, packed = "false", tag = "8")]
    pub(super) unpacked: Vec<i32>,
    #[prost(sint64, repeated, packed = "false", tag = "9")]
    pub(super) unpacked_sints: Vec<i64>,
    #[prost(enumeration = "ProstLevel", repeated, tag = "10")]
    pub(super) levels: Vec<i32>,
    #[prost(string, repeated, tag = "11")]
    pub(super) texts: Vec<String>,
    #[prost(bytes = "vec", repeated, tag = "12")]
    pub(super) blobs: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "13")]
    pub(super) kids: Vec<Self>,
    #[prost(message, optional, boxed, tag = "14")]
    pub(super) parent: Option<Box<Self>>,
    #[prost(btree_map = "string, int64", tag = "15")]
    pub(super) by_name: BTreeMap<String, i64>,
    #[prost(btree_map = "int32, message", tag = "16")]
    pub(super) by_number: BTreeMap<i32, ProstLeaf>,
    #[prost(btree_map = "sint32, fixed64", tag = "17")]
    pub(super) encoded: BTreeMap<i32, u64>,
    #[prost(btree_map = "bool, enumeration(ProstLevel)", tag = "18")]
    pub(super) by_flag: BTreeMap<bool, i32>,
    #[prost(message, optional, tag = "19")]
    pub(super) choice: Option<ProstChoice>,
    #[prost(oneof = "ProstFlat", tags = "101, 102, 103")]
    pub(super) flat: Option<ProstFlat>,
    #[prost(message, repeated, tag = "21")]
    pub(super) table: Vec<ProstInts>,
    #[prost(btree_map = "int64, message", tag = "22")]
    pub(super) lists: BTreeMap<i64, ProstLeaves>,
    #[prost(message, optional, tag = "23")]
    pub(super) leaf: Option<ProstLeaf>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ProstLeaf {
    #[prost(string, tag = "1")]
    pub(super) name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ProstInts {
    #[prost(int32, repeated, tag = "1")]
    pub(super) items: Vec<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ProstLeaves {
    #[prost(message, repeated, tag = "1")]
    pub(super) items: Vec<ProstLeaf>,
}

/// A message that is one `oneof`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ProstChoice {
    #[prost(oneof = "ProstVariant", tags = "1, 2, 3, 4")]
    pub(super) variant: Option<ProstVariant>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum ProstVariant {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(int32, tag = "2")]
    Number(i32),
    #[prost(message, tag = "3")]
    Leaf(ProstLeaf),
    #[prost(message, tag = "4")]
    Many(ProstInts),
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum ProstFlat {
    #[prost(bool, tag = "101")]
    Flag(bool),
    #[prost(message, tag = "102")]
    Leaf(ProstLeaf),
    #[prost(enumeration = "ProstLevel", tag = "103")]
    Level(i32),
}

pub(super) fn prost_leaf(leaf: &Leaf) -> ProstLeaf {
    ProstLeaf { name: leaf.name.clone() }
}

impl From<&Nested> for ProstNested {
    fn from(nested: &Nested) -> Self {
        let Nested { flags, ints, longs, doubles, sints, unpacked, unpacked_sints, texts, by_name, .. } =
            nested.clone();
        Self {
            flags,
            ints,
            longs,
            doubles,
            sints,
            unpacked,
            unpacked_sints,
            texts,
            by_name,
            fixed: nested.fixed.iter().map(|long| long.cast_unsigned()).collect(),
            floats: nested.floats.iter().map(|float| *float as f32).collect(),
            levels: nested.levels.iter().map(|level| level.number()).collect(),
            blobs: nested.blobs.iter().map(|blob| blob.to_vec()).collect(),
            kids: nested.kids.iter().map(Self::from).collect(),
            parent: nested.parent.as_deref().map(|parent| Box::new(parent.into())),
            by_number: nested.by_number.iter().map(|(number, leaf)| (*number, prost_leaf(leaf))).collect(),
            encoded: nested.encoded.iter().map(|(key, value)| (*key, value.cast_unsigned())).collect(),
            by_flag: nested.by_flag.iter().map(|(flag, level)| (*flag, level.number())).collect(),
            choice: nested.choice.as_ref().map(|choice| ProstChoice {
                variant: Some(match choice.clone() {
                    Choice::Text(text) => ProstVariant::Text(text),
                    Choice::Number(number) => ProstVariant::Number(number),
                    Choice::Leaf(leaf) => ProstVariant::Leaf(prost_leaf(&leaf)),
                    Choice::Many(items) => ProstVariant::Many(ProstInts { items }),
                }),
            }),
            flat: nested.flat.as_ref().map(|flat| match flat {
                Flat::Flag(flag) => ProstFlat::Flag(*flag),
                Flat::Leaf(leaf) => ProstFlat::Leaf(prost_leaf(leaf)),
                Flat::Level(level) => ProstFlat::Level(level.number()),
            }),
            table: nested.table.iter().map(|items| ProstInts { items: items.clone() }).collect(),
            lists: nested
                .lists
                .iter()
                .map(|(key, leaves)| (*key, ProstLeaves { items: leaves.iter().map(prost_leaf).collect() }))
                .collect(),
            leaf: nested.leaf.as_ref().map(prost_leaf),
        }
    }
}

pub(super) fn leaf() -> impl Strategy<Value = Leaf> {
    text().prop_map(|name| Leaf { name })
}

pub(super) fn nested() -> impl Strategy<Value = Nested> {
    let packed = (vec(any::<bool>(), 0..9), vec(int(), 0..40), vec(long(), 0..40), vec(double(), 0..20));
    let encoded =
        (vec(int(), 0..9), vec(long(), 0..9), vec(float(), 0..9), vec(int(), 0..9), vec(long(), 0..9));
    let many = (vec(level(), 0..9), vec(text(), 0..4), vec(blob().prop_map(Bytes::from), 0..4));
    let maps = (
        btree_map(text(), long(), 0..4),
        btree_map(int(), leaf(), 0..4),
        btree_map(int(), long(), 0..4),
        btree_map(any::<bool>(), level(), 0..2),
    );
    let choice = prop_oneof![
        text().prop_map(Choice::Text),
        int().prop_map(Choice::Number),
        leaf().prop_map(Choice::Leaf),
        vec(int(), 0..4).prop_map(Choice::Many)
    ];
    let flat = prop_oneof![
        any::<bool>().prop_map(Flat::Flag),
        leaf().prop_map(Flat::Leaf),
        level().prop_map(Flat::Level)
    ];
    let containers = (vec(vec(int(), 0..4), 0..4), btree_map(long(), vec(leaf(), 0..3), 0..3));
    let single = (prop::option::of(choice), prop::option::of(flat), prop::option::of(leaf()));
    let flat = (packed, encoded, many, maps, containers, single).prop_map(
        |(packed, encoded, many, maps, containers, single)| {
            let (flags, ints, longs, doubles) = packed;
            let (sints, fixed, floats, unpacked, unpacked_sints) = encoded;
            let ((levels, texts, blobs), (by_name, by_number, encoded, by_flag)) = (many, maps);
            let ((table, lists), (choice, flat, leaf)) = (containers, single);
            Nested {
                flags,
                ints,
                longs,
                doubles,
                sints,
                fixed,
                floats,
                unpacked,
                unpacked_sints,
                levels,
                texts,
                blobs,
                kids: Vec::new(),
                parent: None,
                by_name,
                by_number,
                encoded,
                by_flag,
                choice,
                flat,
                table,
                lists,
                leaf,
            }
        },
    );
    flat.prop_recursive(3, 8, 2, |inner| {
        (inner.clone(), vec(inner.clone(), 0..3), prop::option::of(inner))
            .prop_map(|(own, kids, parent)| Nested { kids, parent: parent.map(Box::new), ..own })
    })
}
