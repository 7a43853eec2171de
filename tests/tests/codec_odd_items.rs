//! Messages whose names and shapes could meet those of generated code; a library with every lint on.
#![deny(warnings, missing_docs, clippy::pedantic, clippy::nursery)]
#![allow(clippy::exhaustive_structs, clippy::exhaustive_enums, reason = "they are messages of a test")]

use std::fmt::Debug;

use bytes::BytesMut;

/// Names of generated code, as fields.
#[derive(streamx::Message, Clone, Debug, Default, PartialEq)]
pub struct Writer {
    /// A field.
    #[field(1)]
    pub reader: i32,
    /// A field.
    #[field(2)]
    pub writer: String,
    /// A field.
    #[field(3)]
    pub number: Option<i16>,
    /// A field.
    #[field(4)]
    pub kind: bool,
    /// A field.
    #[field(5)]
    pub value: f64,
    /// A keyword.
    #[field(6)]
    pub r#type: i8,
    /// A field.
    #[field(7)]
    pub f1: Vec<i64>,
    /// A field that is not there.
    #[cfg(any())]
    #[field(7)]
    pub absent: u128,
}

/// A message called as a trait of the runtime is, generic over what generated code calls its own parameters.
#[derive(streamx::Message, Clone, Debug, PartialEq, Eq)]
pub struct Value<W, R>
where
    R: Clone,
{
    /// Needs no `Default`.
    #[field(1, required)]
    pub first: W,
    /// A list.
    #[field(2)]
    pub rest: Vec<R>,
}

/// A discriminant that is a constant of the user.
pub const N0: i32 = 40;

/// An enum with every kind of discriminant.
#[derive(streamx::Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Numbers {
    /// Begins below zero.
    Before = -1,
    /// Zero.
    #[default]
    Zero,
    /// One.
    One,
    /// Forty.
    Forty = N0,
    /// An expression.
    Shifted = 1 << 20,
    /// The next.
    Next,
    /// Anything else.
    #[other]
    Other(i32),
}

/// A struct without fields and without braces.
#[derive(streamx::Message, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unit;

/// A union of everything, itself included.
#[derive(streamx::Message, Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Nothing.
    #[field(1)]
    Unit(Unit),
    /// Itself.
    #[field(2)]
    Again(Box<Self>),
    /// A list of itself.
    #[field(3, rename = "all")]
    r#Many(Vec<Self>),
    /// A number.
    #[field(4)]
    Number(Numbers),
}

pub mod shadows {
    //! Names of the standard library, taken.

    /// Not the one of the standard library.
    #[derive(streamx::Message, Clone, Debug, Default, PartialEq, Eq)]
    pub struct Option {
        /// A number.
        #[field(1, default = 3)]
        pub some: i32,
    }

    /// Not the one of the standard library.
    #[derive(streamx::Message, Clone, Debug, Default, PartialEq, Eq)]
    pub struct Result {
        /// The one above.
        #[field(1)]
        pub option: Option,
    }
}

fn round_trip<M: streamx::Message + PartialEq + Debug>(message: &M) {
    let mut out = BytesMut::new();
    streamx::codec::encode(message, &mut out).unwrap();
    assert_eq!(&streamx::codec::decode::<M>(out.freeze()).unwrap(), message);
}

#[test]
fn odd_items_survive_the_wire() {
    round_trip(&Writer { f1: vec![1, -1], r#type: -3, number: Some(2), ..Writer::default() });
    round_trip(&Value {
        first: Unit,
        rest: vec![vec![Numbers::Other(7)], vec![Numbers::Before, Numbers::Next]],
    });
    round_trip(&Message::Many(vec![
        Message::Unit(Unit),
        Message::Again(Box::new(Message::Number(Numbers::Forty))),
    ]));
    round_trip(&shadows::Result { option: shadows::Option { some: 4 } });
}

#[test]
fn an_enum_is_its_discriminant() {
    let numbers =
        [Numbers::Before, Numbers::Zero, Numbers::One, Numbers::Forty, Numbers::Shifted, Numbers::Next];
    let mut out = BytesMut::new();
    streamx::codec::encode(&Value { first: Unit, rest: numbers.to_vec() }, &mut out).unwrap();
    let read: Value<Unit, i32> = streamx::codec::decode(out.freeze()).unwrap();
    assert_eq!(read.rest, [-1, 0, 1, 40, 1 << 20, (1 << 20) + 1]);
}
