//! What is said of a changed field is what happens: each version of a field is written, and read as every other one.

#![allow(unused_parens, reason = "a macro takes a value as one token")]

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Bytes, BytesMut};
use streamx::codec::{self, protobuf};
use streamx::schema::{Change, Describe, Lock, MethodSchema, Mode, ServiceSchema, Type, Who, Wire};
use streamx::{Message, Result};
use streamx_tests::schema::method;

const WIRES: [Wire; 2] = [Wire::Thrift, Wire::Protobuf];

/// One version of a field, in a message of its own.
struct Version {
    name: String,
    lock: Lock,
    /// What is written and what it means.
    samples: [Vec<(Bytes, String)>; 2],
    /// What bytes mean to it.
    read: fn(usize, Bytes) -> Result<String>,
}

fn version<M: Message + Means>(name: &str, messages: Vec<M>, left_out: bool) -> Version {
    let samples = [0, 1].map(|wire| {
        let mut samples: Vec<_> =
            messages.iter().map(|message| (written(wire, message), message.means())).collect();
        if left_out {
            samples.push((written(wire, &Nothing {}), read::<M>(wire, written(wire, &Nothing {})).unwrap()));
        }
        samples
    });
    Version { name: name.to_owned(), lock: lock_of::<M>(), samples, read: read::<M> }
}

fn written<M: Message>(wire: usize, message: &M) -> Bytes {
    let mut out = BytesMut::new();
    if wire == 0 { codec::encode(message, &mut out) } else { protobuf::encode(message, &mut out) }.unwrap();
    out.freeze()
}

fn read<M: Message + Means>(wire: usize, bytes: Bytes) -> Result<String> {
    let message: Result<M> = if wire == 0 { codec::decode(bytes) } else { protobuf::decode(bytes) };
    message.map(|message| message.means())
}

fn lock_of<M: Message>() -> Lock {
    struct Takes(fn() -> Type);

    impl Describe for Takes {
        fn method(&self) -> MethodSchema {
            method("Take", Mode::Bidi, &[("it", self.0)], None)
        }
    }

    let takes: &'static Takes = Box::leak(Box::new(Takes(M::schema)));
    let methods: &'static [&'static dyn Describe] = Box::leak(Box::new([takes as &dyn Describe]));
    Lock::of(&[&ServiceSchema::new("Taking", None, "", methods)]).unwrap()
}

fn assert_true(old: &Version, new: &Version) {
    let changes = old.lock.changes(&new.lock);
    for (wire, samples) in WIRES.into_iter().zip(&old.samples) {
        let said = said(&changes, wire);
        let found: Vec<_> =
            samples.iter().map(|(bytes, meant)| (meant, (new.read)(wire as usize, bytes.clone()))).collect();
        let context = || format!("{} read as {} in {wire:?}: {said:#?}\n{found:#?}", old.name, new.name);
        let arrives = found.iter().all(|(meant, read)| read.as_ref().is_ok_and(|read| read == *meant));
        assert_eq!(said.is_empty(), arrives, "{}", context());
        let Some(text) = said.first() else { continue };
        if text.starts_with("the message fails") && !text.contains("reads as something else") {
            assert!(found.iter().any(|(_, read)| read.is_err()), "{}", context());
        }
        if text.starts_with("the value is skipped without an error") {
            let absent = (new.read)(wire as usize, written(wire as usize, &Nothing {})).unwrap();
            let is_absent = |read: &Result<String>| read.as_ref().is_ok_and(|read| *read == absent);
            assert!(found.iter().all(|(_, read)| is_absent(read)), "{}", context());
        }
    }
}

/// What is said of messages that the old version wrote and the new one reads.
fn said(changes: &[Change], wire: Wire) -> Vec<&'static str> {
    let effects = changes.iter().flat_map(|change| &change.effects);
    let stored = effects.filter(|effect| effect.who == Who::StoredMessages && effect.wire == Some(wire));
    stored.map(|effect| effect.text).collect()
}

/// What a value means, whichever type has it: a list of one is its element.
trait Means {
    fn means(&self) -> String;
}

macro_rules! numbers {
    ($($ty:ty)*) => {$(
        impl Means for $ty {
            fn means(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

numbers!(i8 i16 i32 i64 f64);

impl Means for bool {
    fn means(&self) -> String {
        u8::from(*self).to_string()
    }
}

impl Means for String {
    fn means(&self) -> String {
        self.as_bytes().escape_ascii().to_string()
    }
}

impl Means for Vec<u8> {
    fn means(&self) -> String {
        self.escape_ascii().to_string()
    }
}

fn all_mean<'a>(elements: impl Iterator<Item = &'a (impl Means + 'a)>) -> String {
    let elements: Vec<_> = elements.map(Means::means).collect();
    if let [one] = &*elements { one.clone() } else { format!("[{}]", elements.join(", ")) }
}

macro_rules! lists {
    ($($ty:ty)*) => {$(
        impl Means for Vec<$ty> {
            fn means(&self) -> String {
                all_mean(self.iter())
            }
        }
    )*};
}

lists!(bool i16 i32 i64 f64 String Vec<i32> Vec<i64> Inner);

impl<T: Means + Ord> Means for BTreeSet<T> {
    fn means(&self) -> String {
        all_mean(self.iter())
    }
}

impl<K: Means, V: Means> Means for BTreeMap<K, V> {
    fn means(&self) -> String {
        let entries: Vec<_> = self.iter().map(|(k, v)| format!("{}: {}", k.means(), v.means())).collect();
        format!("{{{}}}", entries.join(", "))
    }
}

impl<T: Means> Means for Option<T> {
    fn means(&self) -> String {
        self.as_ref().map_or("none".into(), Means::means)
    }
}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Nothing {}

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Inner {
    #[field(1)]
    a: i32,
}

impl Means for Inner {
    fn means(&self) -> String {
        format!("<{}>", self.a)
    }
}

#[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Level {
    #[default]
    Low = 0,
    High = 70_001,
}

impl Means for Level {
    fn means(&self) -> String {
        (*self as i32).to_string()
    }
}

#[derive(Message, Clone, Debug, PartialEq)]
enum Body {
    #[field(2)]
    Text(String),
    #[field(3)]
    Number(i32),
}

impl Means for Body {
    fn means(&self) -> String {
        match self {
            Self::Text(text) => format!("text {text}"),
            Self::Number(number) => format!("number {number}"),
        }
    }
}

/// A version for each line: the type, the options of the field, and some values. With `left out`, others may leave it out.
macro_rules! versions {
    ($($ty:ty $(, $option:ident $(= $value:tt)?)* => $values:expr $(, $left_out:literal)?;)*) => {
        vec![$({
            #[derive(Message)]
            struct One {
                #[field(1 $(, $option $(= $value)?)*)]
                it: $ty,
            }

            impl Means for One {
                fn means(&self) -> String {
                    self.it.means()
                }
            }

            let name = stringify!($ty $(, $option $(= $value)?)*);
            let values: Vec<$ty> = $values.into();
            let left_out = false $(|| $left_out == "left out")?;
            version(name, values.into_iter().map(|it| One { it }).collect(), left_out)
        }),*]
    };
}

const SMALL: [i32; 5] = [1, -1, 5, 300, 70_000];
const LARGE: [i64; 6] = [1, -1, 5, 300, 70_000, 1 << 40];

#[test]
fn what_is_said_of_another_type_is_what_happens() {
    let texts = || ["name".to_owned(), "x".repeat(24)];
    let inner = |a| Inner { a };
    let versions: Vec<Version> = versions![
        bool => [true];
        i8 => [1, -1, 5, 100];
        i16 => [1, -1, 5, 300];
        i32 => SMALL;
        i64 => LARGE;
        f64 => [1.0, -0.5, 1e300];
        i32, proto = "sint32" => SMALL;
        i32, proto = "uint32" => SMALL;
        i32, proto = "fixed32" => SMALL;
        i32, proto = "sfixed32" => SMALL;
        i64, proto = "sint64" => LARGE;
        i64, proto = "uint64" => LARGE;
        i64, proto = "fixed64" => LARGE;
        i64, proto = "sfixed64" => LARGE;
        f64, proto = "float" => [1.0, -0.5, 4096.0];
        Level => [Level::High];
        String => texts();
        Vec<u8> => [vec![0xff], vec![1, 2, 3]];
        Inner => [inner(1), inner(-1)];
        Option<Body> => [Some(Body::Text("t".into())), Some(Body::Number(1))];
        Option<Body>, proto = "oneof" => [Some(Body::Text("t".into())), Some(Body::Number(1))];
        Vec<bool> => [vec![true, false, true]];
        Vec<i16> => [vec![1, 2, -300]];
        Vec<i32> => [SMALL.to_vec(), vec![7, 7]];
        Vec<i32>, proto = "unpacked" => [SMALL.to_vec(), vec![7, 7]];
        Vec<i32>, proto = "sint32" => [SMALL.to_vec(), vec![7, 7]];
        Vec<i32>, proto = "fixed32" => [SMALL.to_vec(), vec![7, 7]];
        Vec<i64> => [LARGE.to_vec()];
        Vec<i64>, proto = "unpacked fixed64" => [LARGE.to_vec()];
        Vec<f64> => [vec![0.5, 1e300]];
        Vec<String> => [texts().to_vec(), vec!["a".into(), "a".into()]];
        Vec<Inner> => [vec![inner(1), inner(2)]];
        Vec<Vec<i32>> => [vec![vec![1, 300], vec![-1]]];
        Vec<Vec<i64>> => [vec![vec![1, 300], vec![1 << 40]]];
        BTreeSet<i32> => [BTreeSet::from(SMALL)];
        BTreeSet<String> => [BTreeSet::from(texts())];
        BTreeMap<i32, String> => [BTreeMap::from([(1, "one".into()), (-300, "b".into())])];
        BTreeMap<i64, String> => [BTreeMap::from([(1, "one".into()), (1 << 40, "b".into())])];
        BTreeMap<i32, Vec<u8>> => [BTreeMap::from([(1, vec![0xff]), (2, vec![1])])];
        BTreeMap<i32, i32> => [BTreeMap::from([(1, 7), (2, -300)])];
        BTreeMap<i32, i32>, proto = "map<_, sint32>" => [BTreeMap::from([(1, 7), (2, -300)])];
        BTreeMap<i32, i32>, proto = "map<fixed32, _>" => [BTreeMap::from([(1, 7), (2, -300)])];
    ];
    for old in &versions {
        for new in &versions {
            assert_true(old, new);
        }
    }
}

#[test]
fn what_is_said_of_a_field_that_can_be_absent_is_what_happens() {
    let inner = || [Inner { a: 1 }, Inner::default()];
    let numbers: Vec<Version> = versions![
        i32 => [0, 5];
        Option<i32> => [None, Some(0), Some(5)];
        i32, required => [0, 5];
        i32, default = 10 => [0, 5, 10], "left out";
        i32, default = 20 => [0, 5, 20], "left out";
        Option<i32>, default = (Some(10)) => [Some(0), Some(5)], "left out";
    ];
    let texts: Vec<Version> = versions![
        String => ["", "a"].map(str::to_owned);
        Option<String> => [None, Some(String::new())];
        String, required => ["", "a"].map(str::to_owned);
        String, default = ("b".to_owned()) => ["", "a"].map(str::to_owned), "left out";
    ];
    let enums: Vec<Version> = versions![
        Level => [Level::Low, Level::High];
        Option<Level> => [None, Some(Level::Low)];
        Level, required => [Level::Low, Level::High];
        Level, default = (Level::High) => [Level::Low, Level::High], "left out";
    ];
    let structs: Vec<Version> = versions![
        Inner => inner();
        Option<Inner> => [None, Some(Inner::default())];
        Inner, required => inner();
    ];
    let lists: Vec<Version> = versions![
        Vec<i32> => [vec![], vec![1, 2]];
        Vec<i32>, required => [vec![], vec![1, 2]];
        Vec<i32>, default = (vec![3]) => [vec![], vec![1, 2]], "left out";
    ];
    for versions in [numbers, texts, enums, structs, lists] {
        for old in &versions {
            for new in &versions {
                assert_true(old, new);
            }
            // Added and removed: the other side has no such field.
            for (wire, empty) in WIRES.into_iter().zip([0, 1].map(|wire| written(wire, &Nothing {}))) {
                let without = lock_without();
                let added = without.changes(&old.lock).into_iter().flat_map(|change| change.effects);
                let fails = added.filter(|effect| effect.wire == Some(wire)).any(|effect| effect.breaks);
                assert_eq!((old.read)(wire as usize, empty).is_err(), fails, "{} in {wire:?}", old.name);
                let removed = old.lock.changes(&without).into_iter().flat_map(|change| change.effects);
                let removed = removed.filter(|effect| effect.wire == Some(wire)).any(|effect| effect.breaks);
                assert_eq!(removed, fails, "{} in {wire:?}", old.name);
            }
        }
    }
}

fn lock_without() -> Lock {
    #[derive(Message, Default)]
    struct One {}
    lock_of::<One>()
}

#[test]
fn a_variant_or_a_number_that_the_reader_does_not_list_is_what_is_said() {
    #[derive(Message, Clone, Debug, PartialEq)]
    #[message(rename = "Body")]
    enum Newer {
        #[field(2)]
        Text(String),
        #[field(4)]
        Flag(bool),
    }

    impl Means for Newer {
        fn means(&self) -> String {
            match self {
                Self::Text(text) => format!("text {text}"),
                Self::Flag(flag) => format!("flag {flag}"),
            }
        }
    }

    #[derive(Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
    #[message(rename = "Level")]
    enum Fewer {
        #[default]
        Low = 0,
    }

    impl Means for Fewer {
        fn means(&self) -> String {
            (*self as i32).to_string()
        }
    }

    let bodies: Vec<Version> = versions![
        Option<Body> => [Some(Body::Text("t".into())), Some(Body::Number(1))];
        Option<Newer> => [Some(Newer::Text("t".into())), Some(Newer::Flag(true))];
    ];
    let [older, newer] = &*bodies else { panic!("two") };
    assert_true(older, newer);
    for wire in [0, 1] {
        let (bytes, _) = &newer.samples[wire][1];
        assert_eq!((older.read)(wire, bytes.clone()).unwrap(), "none");
        let demanding: Vec<Version> = versions![Body, required => [];];
        assert!((demanding[0].read)(wire, bytes.clone()).is_err());
    }

    let levels: Vec<Version> = versions![Level => [Level::Low, Level::High]; Fewer => [Fewer::Low];];
    let [more, fewer] = &*levels else { panic!("two") };
    assert_true(more, fewer);
    assert!(said(&fewer.lock.changes(&more.lock), Wire::Thrift).is_empty());
}
