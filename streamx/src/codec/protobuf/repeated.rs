//! What is many fields of protobuf: lists, sets and maps.

use super::field::{absent_element, take_element};
use super::{ProtobufReader, ProtobufWriter, Wire, put_element};
use crate::codec::{DecodeError, Fault, Kind, Reader, Value};
use crate::schema::Form;

/// Whether elements of this kind can share one field.
#[inline]
fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Bool | Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64 | Kind::F64)
}

/// Writes the elements of a list or set. `all` writes them bare.
#[inline]
pub(crate) fn put_list<'a, T: Value>(
    elements: impl ExactSizeIterator<Item = &'a T>,
    number: i16,
    form: Form,
    writer: &mut ProtobufWriter,
    all: impl FnOnce(&mut ProtobufWriter),
) {
    if !(form.packed && is_number(T::KIND)) {
        elements.for_each(|element| put_element(element, number, form.explicit(), writer));
    } else if elements.len() > 0 {
        writer.nested(number, |writer| {
            writer.begin_bare(form.value);
            all(writer);
        });
    }
}

/// Further elements of a list or set.
pub(crate) enum Taken<T> {
    /// The field was skipped.
    Nothing,
    One(T),
    /// Those that share a field.
    All(Vec<T>),
}

/// Reads further elements of a list or set that has `known` ones.
#[inline]
pub(crate) fn take_list<T: Value>(
    form: Form,
    known: usize,
    reader: &mut ProtobufReader,
) -> Result<Taken<T>, DecodeError> {
    if is_number(T::KIND) && reader.wire() == Wire::Length {
        return reader.nested(|reader| {
            let count = reader.count(Wire::of(T::KIND, form.value))?;
            reader.begin(form.value);
            let elements = T::decode_all(count, reader)?;
            if !reader.is_at_end() {
                // Bytes that end inside a number.
                T::decode(reader).map_err(|error| error.in_element(count))?;
            }
            Ok(Taken::All(elements))
        });
    }
    if reader.wire() != Wire::of(T::KIND, form.value) {
        return reader.skip(T::KIND).map(|()| Taken::Nothing);
    }
    let mut element = None;
    take_element(&mut element, form, reader).map_err(|error| error.in_element(known))?;
    // Elements are not dropped: one that is a union must have a variant.
    let unknown = || DecodeError::new(Fault::UnknownVariant).in_element(known);
    element.map(Taken::One).ok_or_else(unknown)
}

/// Writes the entries of a map, each a message of a key and a value.
///
/// Both are written also when they are zero or empty. A reader has to do without, but that of Kitex (prutal v0.1.3) does not.
pub(crate) fn put_map<'a, K: Value, V: Value>(
    entries: impl Iterator<Item = (&'a K, &'a V)>,
    number: i16,
    form: Form,
    writer: &mut ProtobufWriter,
) {
    let explicit = |encoding| Form { explicit: true, ..Form::of_entry(encoding) };
    for (key, value) in entries {
        writer.nested(number, |writer| {
            put_element(key, 1, explicit(form.key), writer);
            put_element(value, 2, explicit(form.value), writer);
        });
    }
}

/// Reads one entry of a map.
pub(crate) fn take_entry<K: Value, V: Value>(
    form: Form,
    known: usize,
    reader: &mut ProtobufReader,
) -> Result<Option<(K, V)>, DecodeError> {
    if reader.wire() != Wire::Length {
        return reader.skip(Kind::Map).map(|()| None);
    }
    reader.nested(|reader| {
        let (mut key, mut value) = (None, None);
        while let Some((number, kind)) = reader.field_begin()? {
            match number {
                1 => take_element(&mut key, Form::of_entry(form.key), reader)
                    .map_err(|error| error.in_key(known))?,
                2 => take_element(&mut value, Form::of_entry(form.value), reader)
                    .map_err(|error| error.in_element(known))?,
                _ => reader.skip(kind)?,
            }
        }
        let key = key.map_or_else(|| absent_element(form.key, reader), Ok);
        let value = value.map_or_else(|| absent_element(form.value, reader), Ok);
        Ok(Some((key.map_err(|error| error.in_key(known))?, value.map_err(|error| error.in_element(known))?)))
    })
}
