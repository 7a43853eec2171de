//! What is one field of protobuf: a number, a text, a message, an enum.

use super::{ProtobufReader, ProtobufWriter, Wire};
use crate::codec::{DecodeError, Kind, Reader, Value};
use crate::schema::{Encoding, Form};

/// Whether a value of this kind is a list, a set or a map.
pub(super) const fn is_container(kind: Kind) -> bool {
    matches!(kind, Kind::List | Kind::Set | Kind::Map)
}

/// Writes a value that is no container.
#[inline]
pub(crate) fn put_value<T: Value>(value: &T, number: i16, form: Form, writer: &mut ProtobufWriter) {
    match T::KIND {
        // The variants are fields of the message that is being written.
        Kind::Struct if form.oneof => value.encode(writer),
        Kind::Struct => writer.nested(number, |writer| value.encode(writer)),
        _ => {
            writer.begin(number, form);
            value.encode(writer);
        }
    }
}

/// Reads a value that is no container. One of another wire type is skipped; a message continues the one before.
#[inline]
pub(crate) fn take_value<T: Value>(
    slot: &mut Option<T>,
    form: Form,
    reader: &mut ProtobufReader,
) -> Result<(), DecodeError> {
    if form.oneof {
        return reader.alone(|reader| take_known(slot, reader));
    }
    if reader.wire() != Wire::of(T::KIND, form.value) {
        return reader.skip(T::KIND);
    }
    match T::KIND {
        Kind::Struct => reader.nested(|reader| match slot {
            Some(value) => value.merge_fields(reader),
            None => take_known(slot, reader),
        }),
        _ => {
            reader.begin(form.value);
            *slot = Some(T::decode(reader)?);
            Ok(())
        }
    }
}

/// Reads a field into a value that was read before.
pub(crate) fn merge_value<T: Value>(
    value: &mut T,
    form: Form,
    reader: &mut ProtobufReader,
) -> Result<(), DecodeError> {
    if T::KIND == Kind::Struct && !form.oneof && reader.wire() == Wire::Length {
        return reader.nested(|reader| value.merge_fields(reader));
    }
    // A container goes into the slot and comes back longer.
    let mut slot = T::begin_protobuf(form.explicit(), reader);
    slot.iter_mut().for_each(|empty| std::mem::swap(empty, value));
    T::take_protobuf(&mut slot, form, reader)?;
    slot.into_iter().for_each(|read| *value = read);
    Ok(())
}

fn take_known<T: Value>(slot: &mut Option<T>, reader: &mut ProtobufReader) -> Result<(), DecodeError> {
    if let Some(value) = T::decode_known(reader)? {
        *slot = Some(value);
    }
    Ok(())
}

/// What an absent value that is no container reads as, where that is not left to Rust: an enum is its number 0, which
/// need not be its default.
#[inline]
pub(crate) fn begin_value<T: Value>(form: Form, reader: &ProtobufReader) -> Option<T> {
    match T::KIND {
        Kind::I32 if !form.explicit => T::decode(&mut reader.absent(T::KIND)).ok(),
        _ => None,
    }
}

/// Writes a value that cannot be a list of its own: an element, the variant of a union, the key or value of a map.
#[inline]
pub(crate) fn put_element<T: Value>(value: &T, number: i16, form: Form, writer: &mut ProtobufWriter) {
    if is_container(T::KIND) {
        writer.nested(number, |writer| value.put_protobuf(ITEMS, Form::PLAIN, writer));
    } else {
        value.put_protobuf(number, form, writer);
    }
}

/// Reads what [`put_element`] wrote.
#[inline]
pub(crate) fn take_element<T: Value>(
    slot: &mut Option<T>,
    form: Form,
    reader: &mut ProtobufReader,
) -> Result<(), DecodeError> {
    if !is_container(T::KIND) {
        return T::take_protobuf(slot, form, reader);
    }
    if reader.wire() != Wire::Length {
        return reader.skip(T::KIND);
    }
    reader.nested(|reader| {
        if slot.is_none() {
            *slot = T::begin_protobuf(Form::PLAIN, reader);
        }
        while let Some((number, kind)) = reader.field_begin()? {
            match number {
                ITEMS => T::take_protobuf(slot, Form::PLAIN, reader)?,
                _ => reader.skip(kind)?,
            }
        }
        Ok(())
    })
}

/// The field of a message around a container.
const ITEMS: i16 = 1;

/// Reads the variant of a union; another one before it is forgotten.
#[inline]
pub(crate) fn take_variant<U, T: Value>(
    slot: &mut Option<U>,
    variant: impl FnOnce(T) -> U,
    reader: &mut ProtobufReader,
) -> Result<(), DecodeError> {
    let mut value = None;
    take_element(&mut value, Form::PLAIN, reader)?;
    if let Some(value) = value {
        *slot = Some(variant(value));
    }
    Ok(())
}

/// What an absent key or value in a map is.
pub(crate) fn absent_element<T: Value>(
    encoding: Encoding,
    reader: &ProtobufReader,
) -> Result<T, DecodeError> {
    match T::begin_protobuf(Form::of_entry(encoding), reader) {
        Some(value) => Ok(value),
        None => T::decode(&mut reader.absent(T::KIND)),
    }
}
