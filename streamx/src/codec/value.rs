//! What can be in a message.

use super::{DecodeError, Fault, Kind, Reader, Writer, reader};
use crate::schema::{StructDescription, Type};

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

    /// Writes the value as a field: a plain one, or the variant of a union.
    #[doc(hidden)]
    #[inline]
    fn put_variant<W: Writer>(&self, number: i16, writer: &mut W) {
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
        if kind != Self::KIND {
            return reader.skip(kind);
        }
        if let Some(value) = Self::decode_known(reader)? {
            *slot = Some(variant(value));
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
}

/// What a struct may hold: a [`Value`] or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a message",
    label = "not a type of the schema",
    note = "the types are: bool, i8, i16, i32, i64, f64, String, Arc<str>, Vec<u8>, Bytes, Vec<T>, HashSet<T>, \
            BTreeSet<T>, HashMap<K, V>, BTreeMap<K, V>, Box<T>, and everything that derives `streamx::Message`",
    note = "`Option` can be around the whole type of a field, once; unsigned numbers are not in Thrift"
)]
pub trait Field: Sized {
    /// Whether it is `optional` in the schema.
    const OPTIONAL: bool;

    /// Its type in the schema.
    fn schema() -> Type;

    /// Writes the field; nothing for `None`.
    fn put<W: Writer>(&self, number: i16, writer: &mut W);

    /// Reads the value of a field of this kind into the slot. A value of another kind is skipped; the last one wins.
    fn take<R: Reader>(slot: &mut Option<Self>, kind: Kind, reader: &mut R) -> Result<(), DecodeError>;

    /// What it is where a peer must send it and does not: `None` for an `Option`, nothing for a plain value.
    #[doc(hidden)]
    fn missing() -> Option<Self>;
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

/// A type with a value for an absent field: its `Default`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no value for an absent field",
    label = "what is this field when a peer leaves it out?",
    note = "make it an `Option`, mark it `required`, give it a `default = …`, or derive `Default` for `{Self}`"
)]
pub trait Absent {
    /// The value.
    fn absent() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> Absent for T {
    fn absent() -> Self {
        Self::default()
    }
}

impl<T: Value> Field for T {
    const OPTIONAL: bool = false;

    fn schema() -> Type {
        T::schema()
    }

    #[inline]
    fn put<W: Writer>(&self, number: i16, writer: &mut W) {
        self.put_variant(number, writer);
    }

    #[inline]
    fn take<R: Reader>(slot: &mut Option<Self>, kind: Kind, reader: &mut R) -> Result<(), DecodeError> {
        T::take_variant(slot, |value| value, kind, reader)
    }

    fn missing() -> Option<Self> {
        None
    }
}

impl<T: Value> Field for Option<T> {
    const OPTIONAL: bool = true;

    fn schema() -> Type {
        T::schema()
    }

    #[inline]
    fn put<W: Writer>(&self, number: i16, writer: &mut W) {
        if let Some(value) = self {
            value.put(number, writer);
        }
    }

    #[inline]
    fn take<R: Reader>(slot: &mut Option<Self>, kind: Kind, reader: &mut R) -> Result<(), DecodeError> {
        if kind != T::KIND {
            return reader.skip(kind);
        }
        *slot = Some(T::decode_known(reader)?);
        Ok(())
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

/// The value of a `required` field.
#[doc(hidden)]
pub fn required<T>(slot: Option<T>, name: &'static str) -> Result<T, DecodeError> {
    slot.ok_or_else(|| DecodeError::new(Fault::Missing).in_field(name))
}

/// The value of a plain field.
#[doc(hidden)]
#[inline]
pub fn or_absent<T: Absent>(slot: Option<T>) -> T {
    slot.unwrap_or_else(T::absent)
}

/// The value of an enum for a number it does not know.
#[doc(hidden)]
pub fn unknown_number<T: Unlisted>() -> T {
    T::unlisted()
}

/// An enum with a value for a number it does not know: its `Default`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no variant for a number of a newer peer",
    label = "what is a number that is not listed?",
    note = "derive `Default` and mark a variant `#[default]`, or add a variant `#[other] Unknown(i32)` and `#[repr(i32)]`"
)]
pub trait Unlisted {
    /// The value.
    fn unlisted() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> Unlisted for T {
    fn unlisted() -> Self {
        Self::default()
    }
}

/// Reads the fields of a message; `field` is given each and takes or skips it.
#[doc(hidden)]
#[inline]
pub fn read_message<R: Reader>(
    description: &StructDescription,
    reader: &mut R,
    field: impl FnMut(i16, Kind, &mut R) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let name =
        |number| description.fields.iter().find(|field| field.number == number).map(|field| field.name);
    read_fields(name, reader, field)
}

/// Reads the fields of a struct; a failure is put down to the name of its field.
#[inline]
pub(crate) fn read_fields<R: Reader>(
    name: impl Fn(i16) -> Option<&'static str>,
    reader: &mut R,
    mut field: impl FnMut(i16, Kind, &mut R) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    reader.struct_begin()?;
    while let Some((number, kind)) = reader.field_begin()? {
        field(number, kind, reader).map_err(|error| match name(number) {
            Some(name) => error.in_field(name),
            None => error.in_unknown_field(number),
        })?;
        reader.field_end()?;
    }
    reader.struct_end()
}
