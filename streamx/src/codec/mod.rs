//! Messages to bytes and back.
//!
//! `#[derive(Message)]` writes one body per direction, generic over the format: a [`Writer`] or a [`Reader`]. What a
//! message may hold is decided by two traits: [`Value`], a type of the schema, and [`Field`], a value or an `Option`
//! of one. The formats are in [`thrift`] and [`protobuf`]; the functions here are those of Thrift binary.
//!
//! What is read is what Kitex's FastCodec reads: fields in any order, the last one of a number wins, unknown fields and
//! fields of another wire type are skipped, bytes behind the message are not looked at. Two things are stricter: text
//! must be UTF-8, and elements of a container must have the type of the schema.

#[cfg(feature = "apache-thrift")]
pub(crate) mod apache;
mod containers;
mod error;
mod field;
mod kind;
mod literal;
pub mod protobuf;
mod reader;
mod scalars;
pub mod thrift;
pub(crate) mod throws;
mod value;
mod writer;

pub use error::{DecodeError, EncodeError, Fault};
pub use field::{Absent, Field};
pub use kind::Kind;
pub use reader::Reader;
pub use throws::Throws;
pub use value::{Message, Value};
pub use writer::Writer;

pub(crate) use field::read_fields;
#[doc(hidden)]
pub use field::{Unlisted, or_absent, read_message, required, unknown_number};
#[doc(hidden)]
pub use literal::literal;

use bytes::{Bytes, BytesMut};

use self::thrift::{BinaryReader, BinaryWriter};
use crate::Result;

/// How deep structs may be nested in a message, and any values in a field that is skipped (as Kitex v0.16.3).
pub const MAX_DEPTH: u32 = 64;

/// Writes a message to the end of a buffer, as the bare struct of Thrift binary.
///
/// Fails when structs are nested more than 64 deep or a length does not fit into 31 bits; the buffer then holds what it
/// held before.
pub fn encode<M: Message>(message: &M, out: &mut BytesMut) -> Result<()> {
    let mark = out.len();
    let mut writer = BinaryWriter::new(out);
    message.encode(&mut writer);
    let written = writer.finish();
    written.map_err(|error| {
        out.truncate(mark);
        error.writing(M::DESCRIPTION.name)
    })
}

/// Reads a message from the bare struct of Thrift binary. Fields of type `Bytes` are slices of `bytes`.
///
/// Fails with [`Code::Internal`](crate::Code::Internal) and a text that names the place, like `Request.tags[2].name`.
pub fn decode<M: Message>(bytes: Bytes) -> Result<M> {
    M::decode(&mut BinaryReader::new(&bytes)).map_err(|error| error.reading(M::DESCRIPTION.name))
}

/// As [`encode`], for a struct that is not a type: `fields` puts its fields.
#[doc(hidden)]
pub fn encode_struct(
    name: &str,
    out: &mut BytesMut,
    fields: impl FnOnce(&mut BinaryWriter<'_>),
) -> Result<()> {
    let mark = out.len();
    let mut writer = BinaryWriter::new(out);
    if writer.struct_begin() {
        fields(&mut writer);
        writer.struct_end();
    }
    let written = writer.finish();
    written.map_err(|error| {
        out.truncate(mark);
        error.writing(name)
    })
}

/// As [`decode`], for a struct that is not a type: `field` is given each field and takes or skips it. `fields` are the
/// names of its fields for the text of a failure.
#[doc(hidden)]
pub fn decode_struct(
    name: &str,
    fields: &[(i16, &'static str)],
    bytes: &Bytes,
    field: impl FnMut(i16, Kind, &mut BinaryReader<'_>) -> Result<(), DecodeError>,
) -> Result<()> {
    read_fields(named(fields), &mut BinaryReader::new(bytes), field).map_err(|error| error.reading(name))
}

/// The name of each of these fields.
pub(crate) fn named(fields: &[(i16, &'static str)]) -> impl Fn(i16) -> Option<&'static str> {
    |number| fields.iter().find(|field| field.0 == number).map(|field| field.1)
}

#[cfg(test)]
mod tests;
