//! The types of the struct vectors (`vectors/structs`), each as its file's `idl` says.

#![allow(clippy::exhaustive_structs, clippy::exhaustive_enums, reason = "they are messages of a test")]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use streamx::Message;

#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Color {
    #[default]
    Red = 0,
    Green = 1,
    Blue = -7,
    #[other]
    Other(i32),
}

pub type UserId = i64;

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Scalars {
    #[field(1)]
    pub b: bool,
    #[field(2)]
    pub y: i8,
    #[field(3)]
    pub s: i16,
    #[field(4)]
    pub i: i32,
    #[field(5)]
    pub l: i64,
    #[field(6)]
    pub d: f64,
    #[field(7)]
    pub t: String,
    #[field(8)]
    pub x: Bytes,
    #[field(9)]
    pub c: Color,
    #[field(10)]
    pub u: UserId,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Inner {
    #[field(1)]
    pub id: i32,
    #[field(2)]
    pub name: String,
    #[field(3)]
    pub kids: Option<Vec<Self>>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Empty;

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Lists {
    #[field(1)]
    pub lb: Vec<bool>,
    #[field(2)]
    pub ly: Vec<i8>,
    #[field(3)]
    pub ls: Vec<i16>,
    #[field(4)]
    pub li: Vec<i32>,
    #[field(5)]
    pub ll: Vec<i64>,
    #[field(6)]
    pub ld: Vec<f64>,
    #[field(7)]
    pub lt: Vec<String>,
    #[field(8)]
    pub lx: Vec<Vec<u8>>,
    #[field(9)]
    pub lc: Vec<Color>,
    #[field(10)]
    pub lstruct: Vec<Inner>,
    #[field(11)]
    pub lli: Vec<Vec<i32>>,
    #[field(12)]
    pub le: Vec<Empty>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Sets {
    #[field(1)]
    pub si: HashSet<i32>,
    #[field(2)]
    pub st: BTreeSet<String>,
    #[field(3)]
    pub sb: HashSet<bool>,
    #[field(4)]
    pub sl: BTreeSet<i64>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Maps {
    #[field(1)]
    pub msl: HashMap<String, i64>,
    #[field(2)]
    pub mis: BTreeMap<i32, String>,
    #[field(3)]
    pub mbd: HashMap<bool, f64>,
    #[field(4)]
    pub mci: HashMap<Color, Inner>,
    #[field(5)]
    pub mslist: HashMap<String, Vec<Inner>>,
    #[field(6)]
    pub deep: HashMap<i64, BTreeMap<String, HashSet<i16>>>,
    #[field(7)]
    pub msx: BTreeMap<String, Bytes>,
}

#[derive(Message, Clone, Debug, PartialEq)]
pub enum Choice {
    #[field(1)]
    Number(i64),
    #[field(2)]
    Text(String),
    #[field(3)]
    Inner(Inner),
    #[field(4)]
    Numbers(Vec<i32>),
    #[field(5)]
    Flag(bool),
    #[field(6)]
    Nothing(Empty),
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    #[field(1, default = true)]
    pub b: bool,
    #[field(2, default = 42)]
    pub i: i32,
    #[field(3, default = "default")]
    pub s: String,
    #[field(4, default = Some(-9))]
    pub ol: Option<i64>,
    #[field(5, default = Some("opt".into()))]
    pub os: Option<String>,
    #[field(6, default = vec![1, 2, 3])]
    pub l: Vec<i32>,
    #[field(7, default = 1.5)]
    pub d: f64,
    #[field(8, default = Color::Blue)]
    pub c: Color,
    #[field(9, default = Some(vec![7]))]
    pub oli: Option<Vec<i32>>,
    #[field(10, default = Some(true))]
    pub ob: Option<bool>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Ids {
    #[field(32767)]
    pub last: i32,
    #[field(1)]
    pub first: i32,
    #[field(256)]
    pub mid: String,
    #[field(255)]
    pub low: bool,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Mixed {
    #[field(1)]
    pub a: String,
    #[field(2)]
    pub b: i32,
    #[field(3)]
    pub c: Vec<String>,
    #[field(4)]
    pub d: bool,
    #[field(5)]
    pub e: Inner,
    #[field(6)]
    pub f: f64,
    #[field(7)]
    pub g: Color,
    #[field(8)]
    pub h: i64,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Nested {
    #[field(1)]
    pub inner: Inner,
    #[field(2)]
    pub maybe: Option<Inner>,
    #[field(3)]
    pub many: Vec<Inner>,
    #[field(4)]
    pub named: HashMap<String, Inner>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Node {
    #[field(1)]
    pub id: i32,
    #[field(2)]
    pub next: Option<Box<Self>>,
    #[field(3)]
    pub named: Option<HashMap<String, Self>>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Optionals {
    #[field(1)]
    pub b: Option<bool>,
    #[field(2)]
    pub y: Option<i8>,
    #[field(3)]
    pub s: Option<i16>,
    #[field(4)]
    pub i: Option<i32>,
    #[field(5)]
    pub l: Option<i64>,
    #[field(6)]
    pub d: Option<f64>,
    #[field(7)]
    pub t: Option<String>,
    #[field(8)]
    pub x: Option<Vec<u8>>,
    #[field(9)]
    pub c: Option<Color>,
    #[field(10)]
    pub inner: Option<Inner>,
    #[field(11)]
    pub ls: Option<Vec<String>>,
    #[field(12)]
    pub si: Option<BTreeSet<i64>>,
    #[field(13)]
    pub m: Option<HashMap<String, String>>,
    #[field(14)]
    pub choice: Option<Choice>,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
#[message(exception)]
pub struct Problem {
    #[field(1)]
    pub why: String,
    #[field(2)]
    pub code: i32,
    #[field(3)]
    pub need: Vec<String>,
    #[field(4)]
    pub detail: Option<Inner>,
}

/// What `Args.Call` throws; both numbers hold the same type.
#[derive(Message, Clone, Debug, PartialEq)]
#[message(exception)]
pub enum CallError {
    #[field(1)]
    P(Problem),
    #[field(2)]
    Q(Problem),
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Required {
    #[field(1, required)]
    pub a: i32,
    #[field(2, required)]
    pub b: String,
    #[field(3, required)]
    pub c: Vec<String>,
    #[field(4, required)]
    pub d: Inner,
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct TApplicationException {
    #[field(1)]
    pub message: String,
    #[field(2, rename = "type")]
    pub kind: i32,
}

// `choice` is plain in the IDL; here it is optional, because a Go program that leaves it out sends a union without a
// variant.
#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct Wrapper {
    #[field(1)]
    pub choice: Option<Choice>,
    #[field(2)]
    pub choices: Vec<HashMap<String, Choice>>,
    #[field(3)]
    pub problem: Option<Problem>,
}

/// The arguments of `Args.Call`.
#[derive(Message, Clone, Debug, Default, PartialEq)]
pub struct CallArguments {
    #[field(1)]
    pub a: Inner,
    #[field(2)]
    pub b: i32,
    #[field(3)]
    pub c: String,
    #[field(4)]
    pub d: Vec<i64>,
}
