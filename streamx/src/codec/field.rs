//! What a struct may hold, and how its fields are read.

use super::protobuf::{self, ProtobufReader, ProtobufWriter};
use super::{DecodeError, Fault, Kind, Reader, Value, Writer};
use crate::schema::{Encoding, Form, StructDescription, Type};

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
    #[inline]
    fn put<W: Writer>(&self, number: i16, writer: &mut W) {
        self.put_as(number, Form::PLAIN, writer);
    }

    /// As [`put`](Self::put), in this form if the format is protobuf.
    fn put_as<W: Writer>(&self, number: i16, form: Form, writer: &mut W);

    /// What the slot of a field holds before anything was read.
    #[inline]
    fn begin<R: Reader>(reader: &mut R) -> Option<Self> {
        Self::begin_as(Form::PLAIN, reader)
    }

    /// As [`begin`](Self::begin), in this form if the format is protobuf.
    fn begin_as<R: Reader>(form: Form, reader: &mut R) -> Option<Self>;

    /// Reads the value of a field of this kind into the slot. A value of another kind is skipped; the last one wins.
    #[inline]
    fn take<R: Reader>(slot: &mut Option<Self>, kind: Kind, reader: &mut R) -> Result<(), DecodeError> {
        Self::take_as(slot, Form::PLAIN, kind, reader)
    }

    /// As [`take`](Self::take), in this form if the format is protobuf.
    fn take_as<R: Reader>(
        slot: &mut Option<Self>,
        form: Form,
        kind: Kind,
        reader: &mut R,
    ) -> Result<(), DecodeError>;

    /// Reads a field into a value that was read before: a message is continued, anything else replaced.
    #[doc(hidden)]
    #[inline]
    fn merge<R: Reader>(&mut self, kind: Kind, reader: &mut R) -> Result<(), DecodeError> {
        self.merge_as(Form::PLAIN, kind, reader)
    }

    /// As [`merge`](Self::merge), in this form if the format is protobuf.
    #[doc(hidden)]
    fn merge_as<R: Reader>(&mut self, form: Form, kind: Kind, reader: &mut R) -> Result<(), DecodeError>;

    /// What it is where a peer must send it and does not: `None` for an `Option`, nothing for a plain value.
    #[doc(hidden)]
    fn missing() -> Option<Self>;

    /// Whether it is a message of its own in protobuf where nothing is beside it, as the one argument of a method.
    #[doc(hidden)]
    const WHOLE: bool;

    /// Writes it as that message.
    #[doc(hidden)]
    fn put_whole(&self, writer: &mut ProtobufWriter);

    /// Reads it as that message.
    #[doc(hidden)]
    fn take_whole(reader: &mut ProtobufReader) -> Result<Self, DecodeError>;

    /// What an absent field is in protobuf: a zero, empty, or `None`.
    #[doc(hidden)]
    fn zero(reader: &ProtobufReader) -> Result<Self, DecodeError>;
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
    fn put_as<W: Writer>(&self, number: i16, form: Form, writer: &mut W) {
        match writer.protobuf() {
            None => self.put_field(number, writer),
            Some(writer) => self.put_protobuf(number, form, writer),
        }
    }

    #[inline]
    fn begin_as<R: Reader>(form: Form, reader: &mut R) -> Option<Self> {
        reader.protobuf().and_then(|reader| T::begin_protobuf(form, reader))
    }

    #[inline]
    fn take_as<R: Reader>(
        slot: &mut Option<Self>,
        form: Form,
        kind: Kind,
        reader: &mut R,
    ) -> Result<(), DecodeError> {
        match reader.protobuf() {
            None => T::take_field(slot, |value| value, kind, reader),
            Some(reader) => T::take_protobuf(slot, form, reader),
        }
    }

    fn merge_as<R: Reader>(&mut self, form: Form, kind: Kind, reader: &mut R) -> Result<(), DecodeError> {
        match reader.protobuf() {
            None => {
                let mut slot = None;
                T::take_field(&mut slot, |value| value, kind, reader)?;
                slot.into_iter().for_each(|value| *self = value);
                Ok(())
            }
            Some(reader) => protobuf::merge_value(self, form, reader),
        }
    }

    fn missing() -> Option<Self> {
        None
    }

    const WHOLE: bool = matches!(T::KIND, Kind::Struct);

    fn put_whole(&self, writer: &mut ProtobufWriter) {
        self.encode(writer);
    }

    fn take_whole(reader: &mut ProtobufReader) -> Result<Self, DecodeError> {
        T::decode(reader)
    }

    fn zero(reader: &ProtobufReader) -> Result<Self, DecodeError> {
        protobuf::absent_element(Encoding::Plain, reader)
    }
}

impl<T: Value> Field for Option<T> {
    const OPTIONAL: bool = true;

    fn schema() -> Type {
        T::schema()
    }

    #[inline]
    fn put_as<W: Writer>(&self, number: i16, form: Form, writer: &mut W) {
        if let Some(value) = self {
            value.put_as(number, form.explicit(), writer);
        }
    }

    #[inline]
    fn begin_as<R: Reader>(_: Form, _: &mut R) -> Option<Self> {
        None
    }

    #[inline]
    fn take_as<R: Reader>(
        slot: &mut Option<Self>,
        form: Form,
        kind: Kind,
        reader: &mut R,
    ) -> Result<(), DecodeError> {
        match reader.protobuf() {
            None if kind != T::KIND => reader.skip(kind),
            None => {
                *slot = Some(T::decode_known(reader)?);
                Ok(())
            }
            Some(reader) => {
                let mut value = slot.take().flatten();
                T::take_protobuf(&mut value, form, reader)?;
                *slot = value.map(Some);
                Ok(())
            }
        }
    }

    fn merge_as<R: Reader>(&mut self, form: Form, kind: Kind, reader: &mut R) -> Result<(), DecodeError> {
        match self {
            Some(value) => value.merge_as(form, kind, reader),
            None => {
                let mut slot = None;
                Self::take_as(&mut slot, form, kind, reader)?;
                *self = slot.flatten();
                Ok(())
            }
        }
    }

    fn missing() -> Option<Self> {
        Some(None)
    }

    const WHOLE: bool = false;

    fn put_whole(&self, writer: &mut ProtobufWriter) {
        self.iter().for_each(|value| value.put_whole(writer));
    }

    fn take_whole(reader: &mut ProtobufReader) -> Result<Self, DecodeError> {
        T::take_whole(reader).map(Some)
    }

    fn zero(_: &ProtobufReader) -> Result<Self, DecodeError> {
        Ok(None)
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
