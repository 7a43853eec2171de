//! What can be in a message.

use super::protobuf::{self, ProtobufReader, ProtobufWriter};
use super::{DecodeError, Kind, Reader, Writer, reader};
use crate::schema::{Form, StructDescription, Type};

/// A type of the schema: what can be a field, an element of a container, an argument or a result.
///
/// `#[derive(Message)]` implements it; do not implement it by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that can be in a message",
    label = "not a type of the schema",
    note = "the types are: bool, i8, i16, i32, i64, f64, String, Arc<str>, Vec<u8>, Bytes, Vec<T>, HashSet<T>, \
            BTreeSet<T>, HashMap<K, V>, BTreeMap<K, V>, Box<T>, and everything that derives `streamx::Message`",
    note = "`Option` can be around the whole type of a field, once; unsigned numbers are not in Thrift"
)]
pub trait Value: Sized + Send + Sync + 'static {
    /// Its wire type.
    const KIND: Kind;

    /// Its type in the schema.
    fn schema() -> Type;

    /// Writes the value, without a field header.
    fn encode<W: Writer>(&self, writer: &mut W);

    /// Reads a value.
    fn decode<R: Reader>(reader: &mut R) -> Result<Self, DecodeError>;

    /// As [`decode`](Self::decode), but a union with a variant of a newer peer is `None` instead of a failure.
    #[doc(hidden)]
    fn decode_known<R: Reader>(reader: &mut R) -> Result<Option<Self>, DecodeError> {
        Self::decode(reader).map(Some)
    }

    /// Reads a value that continues this one, as in protobuf, where a message may come in pieces.
    #[doc(hidden)]
    fn merge_fields<R: Reader>(&mut self, reader: &mut R) -> Result<(), DecodeError> {
        if let Some(value) = Self::decode_known(reader)? {
            *self = value;
        }
        Ok(())
    }

    /// Writes the value as the variant of a union.
    #[doc(hidden)]
    #[inline]
    fn put_variant<W: Writer>(&self, number: i16, writer: &mut W) {
        if let Some(writer) = writer.protobuf() {
            return protobuf::put_element(self, number, Form::EXPLICIT, writer);
        }
        self.put_field(number, writer);
    }

    /// Writes the value as one field.
    #[doc(hidden)]
    #[inline]
    fn put_field<W: Writer>(&self, number: i16, writer: &mut W) {
        writer.field_begin(number, Self::KIND);
        self.encode(writer);
        writer.field_end();
    }

    /// Reads the variant of a union.
    #[doc(hidden)]
    #[inline]
    fn take_variant<U, R: Reader>(
        slot: &mut Option<U>,
        variant: impl FnOnce(Self) -> U,
        kind: Kind,
        reader: &mut R,
    ) -> Result<(), DecodeError> {
        if let Some(reader) = reader.protobuf() {
            return protobuf::take_variant(slot, variant, reader);
        }
        Self::take_field(slot, variant, kind, reader)
    }

    /// Reads one field. A value of another kind is skipped.
    #[doc(hidden)]
    #[inline]
    fn take_field<U, R: Reader>(
        slot: &mut Option<U>,
        make: impl FnOnce(Self) -> U,
        kind: Kind,
        reader: &mut R,
    ) -> Result<(), DecodeError> {
        if kind != Self::KIND {
            return reader.skip(kind);
        }
        if let Some(value) = Self::decode_known(reader)? {
            *slot = Some(make(value));
        }
        Ok(())
    }

    /// Writes the elements of a list.
    #[doc(hidden)]
    fn encode_all<W: Writer>(values: &[Self], writer: &mut W) {
        values.iter().for_each(|value| value.encode(writer));
    }

    /// Reads the elements of a list.
    #[doc(hidden)]
    fn decode_all<R: Reader>(count: usize, reader: &mut R) -> Result<Vec<Self>, DecodeError> {
        reader::collect(count, || Self::decode(reader))
    }

    /// Writes the fields that this value is in protobuf.
    #[doc(hidden)]
    #[inline]
    fn put_protobuf(&self, number: i16, form: Form, writer: &mut ProtobufWriter) {
        protobuf::put_value(self, number, form, writer);
    }

    /// Reads one of the fields that this value is in protobuf, or skips it.
    #[doc(hidden)]
    #[inline]
    fn take_protobuf(
        slot: &mut Option<Self>,
        form: Form,
        reader: &mut ProtobufReader,
    ) -> Result<(), DecodeError> {
        protobuf::take_value(slot, form, reader)
    }

    /// What this value is in protobuf before a field of it was read; `None` leaves it to how the field is declared.
    #[doc(hidden)]
    #[inline]
    fn begin_protobuf(form: Form, reader: &ProtobufReader) -> Option<Self> {
        protobuf::begin_value(form, reader)
    }
}

/// A struct, union or exception: what can be sent and received.
///
/// Implemented by `#[derive(Message)]`:
///
/// ```
/// use streamx::Message;
///
/// /// A struct. Every field has a number, which is what is on the wire; names are in the exported schema only.
/// #[derive(Message, Clone, Debug, Default, PartialEq)]
/// struct Request {
///     #[field(1)]
///     message: String,
///     #[field(2)]
///     retries: Option<i32>,             // optional
///     #[field(3, required)]
///     id: i64,                          // absent it is an error
///     #[field(4, default = 10)]
///     limit: i32,                       // absent it is 10
///     #[field(5, rename = "userTags")]
///     user_tags: Vec<String>,           // its name in the exported schema
///     #[field(6)]
///     level: Level,
///     #[field(7)]
///     body: Option<Body>,
/// }
///
/// /// An enum. A number that is not listed is kept by the variant marked `#[other]`; without one it reads as the default.
/// #[derive(Message, Clone, Copy, Debug, Default, PartialEq)]
/// #[repr(i32)]
/// enum Level {
///     #[default]
///     Info = 0,
///     Warn = 1,
///     #[other]
///     Unknown(i32),
/// }
///
/// /// A union. A variant that is not known here reads as an absent field.
/// #[derive(Message, Clone, Debug, PartialEq)]
/// enum Body {
///     #[field(1)]
///     Text(String),
///     #[field(2)]
///     Number(i64),
/// }
///
/// /// A declared exception, the `E` of a method that returns `Result<_, E>`. A method with several returns an enum that is
/// /// marked in the same way, with a number and an exception in each variant and, if wanted, `#[other] Other(streamx::Error)`.
/// #[derive(Message, Clone, Debug, Default, PartialEq)]
/// #[message(exception)]
/// struct NotFound {
///     #[field(1)]
///     key: String,
/// }
///
/// # fn main() -> streamx::Result<()> {
/// let request = Request { message: "hi".into(), id: 7, ..Request::default() };
/// let mut out = bytes::BytesMut::new();
/// streamx::codec::encode(&request, &mut out)?;
/// assert_eq!(streamx::codec::decode::<Request>(out.freeze())?, request);
/// # Ok(())
/// # }
/// ```
///
/// * The types of fields are those of [`Value`], and `Option` of each. A `String` or `Vec<u8>` is a copy of what was
///   received, a `Bytes` a slice of it.
/// * An absent field is the declared default, else `None` or the `Default` of its type. `#[derive(Default)]` of Rust does
///   not know `default = …`: above, `Request::default().limit` is 0. An `Option` with a default cannot carry `None`,
///   because an absent field reads as the default.
/// * `#[message(rename = "…")]` changes the name of the type in the exported schema, `#[message(crate = path)]` says where
///   this crate is. A generic message is named with its arguments, like `PageOfTag`.
/// * `#[field(3, proto = "sint64")]` is another encoding in protobuf; [`codec::protobuf`](crate::codec::protobuf) lists them,
///   and what each type is there. `#[message(import = "google/type/money.proto")]` marks a message that this file defines, in
///   the package `google.type`: `proto_idl()` imports it.
/// * With the feature `apache-thrift` (on by default) a derived type also implements `TSerializable` of the Apache `thrift`
///   crate 0.25.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "not a message",
    note = "put `#[derive(streamx::Message)]` on its definition; a stream carries structs, never a bare number, text or \
            container"
)]
pub trait Message: Value {
    /// Its place in the schema.
    const DESCRIPTION: &'static StructDescription;
}
