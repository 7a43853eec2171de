//! Protobuf, as proto3 writes it: the bytes are those of `prost` for the same message.
//!
//! ```
//! use streamx::Message;
//! use streamx::codec::protobuf::{decode, encode};
//!
//! #[derive(Message, Clone, Debug, Default, PartialEq)]
//! struct Search {
//!     #[field(1)]
//!     query: String,
//!     #[field(2, proto = "uint32")]
//!     limit: i32,
//!     #[field(3, proto = "oneof")]
//!     order: Option<Order>,
//! }
//!
//! #[derive(Message, Clone, Debug, PartialEq)]
//! enum Order {
//!     #[field(4)]
//!     ByField(String),
//!     #[field(5)]
//!     ByRank(bool),
//! }
//!
//! # fn main() -> streamx::Result<()> {
//! let search = Search { query: "hi".into(), limit: 0, order: Some(Order::ByRank(false)) };
//! let mut out = bytes::BytesMut::new();
//! encode(&search, &mut out)?;
//! assert_eq!(*out, *b"\x0a\x02hi\x28\x00");
//! assert_eq!(decode::<Search>(out.freeze())?, search);
//! # Ok(())
//! # }
//! ```
//!
//! | in Rust | in protobuf |
//! |---|---|
//! | `bool`, `f64`, `String`, `Arc<str>` | `bool`, `double`, `string` |
//! | `i8`, `i16`, `i32` | `int32`; a number that does not fit is an error |
//! | `i64` | `int64` |
//! | `Vec<u8>`, `Bytes` | `bytes` |
//! | a struct, an exception | a message |
//! | an enum | an enum, open as in proto3 |
//! | a union | a message that is one `oneof` |
//! | `Vec<T>`, `HashSet<T>`, `BTreeSet<T>` | `repeated`, packed where that is possible |
//! | `HashMap<K, V>`, `BTreeMap<K, V>` | `map`; where a key cannot be one in protobuf, `repeated` entries, which are the same bytes |
//! | a container in a container or in a union | a message with the container as field 1, `items` |
//! | a plain field | a plain field: a zero or an empty text is not written, an absent one reads as zero |
//! | an `Option`, a `required` field, one with a `default` | `optional`: written also when it is zero |
//! | a plain field that is a struct | a message, always written |
//!
//! An empty list is an absent one: `Some(vec![])` reads as `None`, a `required` list may be absent, and a declared
//! default of a list is not used. `#[field(3, proto = "sint64")]` is another encoding, for a schema that exists:
//!
//! | `proto = "…"` | on |
//! |---|---|
//! | `"sint32"`, `"uint32"`, `"fixed32"`, `"sfixed32"` | `i32` |
//! | `"sint64"`, `"uint64"`, `"fixed64"`, `"sfixed64"` | `i64` |
//! | `"float"` | `f64`, which is rounded |
//! | any of these | an `Option`, list or set of such numbers: their encoding |
//! | `"map<sint32, fixed64>"`, `"map<_, float>"` | maps; `_` leaves keys or values as they are |
//! | `"unpacked"`, `"unpacked sint32"` | a list or set of numbers, as proto2 writes it; both forms are always read |
//! | `"oneof"` | an `Option` of a union, whose variants become fields of this message with their own numbers |
//!
//! The unsigned ones keep the bits: 4294967295 of a peer's `uint32` is -1 in an `i32`.
//!
//! Fields are written in the order of their declaration, which is the order of `prost` when they are declared in the order
//! of their numbers. `prost` leaves out -0.0, which this crate writes, because it is not the zero of protobuf, and
//! the keys and values of maps that are zero or empty, which it writes as protobuf's own libraries do.
//!
//! What is read: fields in any order, the last one of a number wins, messages that come twice are merged (a variant of
//! a union is not), lists and maps continue. Unknown fields, groups, and fields of another wire type are skipped. All of
//! the bytes are the message.
//!
//! How it is made: the derive puts and takes fields without knowing the format. A writer or reader of protobuf says that it
//! is one, and then a field is what `field.rs` makes of a number, a text, a message or an enum, and `repeated.rs` of a
//! list, a set or a map.

pub(crate) mod details;
pub(crate) mod exception;
mod field;
#[cfg(feature = "prost")]
mod prost;
mod reader;
mod repeated;
pub(crate) mod spelling;
pub mod well_known;
mod writer;

use bytes::{Bytes, BytesMut};

#[cfg(feature = "prost")]
pub use self::prost::Prost;
pub(crate) use field::{
    absent_element, begin_value, merge_value, put_element, put_value, take_value, take_variant,
};
pub use reader::ProtobufReader;
pub(crate) use repeated::{Taken, put_list, put_map, take_entry, take_list};
pub use writer::ProtobufWriter;

use super::{DecodeError, Kind, Message};
use crate::Result;
use crate::schema::Encoding;

/// Writes a message to the end of a buffer, as protobuf.
///
/// Fails when structs are nested more than 64 deep or a length does not fit into 31 bits; the buffer then holds what it
/// held before.
pub fn encode<M: Message>(message: &M, out: &mut BytesMut) -> Result<()> {
    encode_with(M::DESCRIPTION.name, out, |writer| message.encode(writer))
}

/// Reads a message from protobuf. Fields of type `Bytes` are slices of `bytes`.
///
/// Fails with [`Code::Internal`](crate::Code::Internal) and a text that names the place, like `Request.tags[2].name`.
pub fn decode<M: Message>(bytes: Bytes) -> Result<M> {
    decode_with(M::DESCRIPTION.name, bytes, M::decode)
}

/// As [`encode`], for a message that has this name in the text of a failure.
pub(crate) fn encode_with(
    name: &str,
    out: &mut BytesMut,
    message: impl FnOnce(&mut ProtobufWriter),
) -> Result<()> {
    let mark = out.len();
    let mut writer = ProtobufWriter::new(std::mem::take(out));
    message(&mut writer);
    let (written, failure) = writer.finish();
    *out = written;
    failure.map_or(Ok(()), |error| {
        out.truncate(mark);
        Err(error.writing(name))
    })
}

/// As [`decode`], for a message that has this name in the text of a failure.
pub(crate) fn decode_with<T>(
    name: &str,
    bytes: Bytes,
    message: impl FnOnce(&mut ProtobufReader) -> Result<T, DecodeError>,
) -> Result<T> {
    message(&mut ProtobufReader::new(bytes)).map_err(|error| error.reading(name))
}

/// The wire types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Length = 2,
    GroupBegin = 3,
    GroupEnd = 4,
    Fixed32 = 5,
}

impl Wire {
    fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Varint,
            1 => Self::Fixed64,
            2 => Self::Length,
            3 => Self::GroupBegin,
            4 => Self::GroupEnd,
            5 => Self::Fixed32,
            _ => return None,
        })
    }

    /// Of a value of this kind.
    #[inline]
    fn of(kind: Kind, encoding: Encoding) -> Self {
        match (kind, encoding) {
            (Kind::Binary | Kind::Struct | Kind::Map | Kind::Set | Kind::List, _) => Self::Length,
            (Kind::F64, Encoding::Float) => Self::Fixed32,
            (Kind::F64, _) => Self::Fixed64,
            (Kind::I64, Encoding::Fixed | Encoding::SignedFixed) => Self::Fixed64,
            (_, Encoding::Fixed | Encoding::SignedFixed) => Self::Fixed32,
            _ => Self::Varint,
        }
    }
}
