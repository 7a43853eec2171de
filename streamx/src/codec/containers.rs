//! Lists, sets, maps and boxes as values.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use super::protobuf::{self, ProtobufReader, ProtobufWriter, Taken};
use super::reader::reservation;
use super::{DecodeError, Kind, Reader, Value, Writer};
use crate::schema::{Form, Type};

impl<T: Value> Value for Box<T> {
    const KIND: Kind = T::KIND;

    fn schema() -> Type {
        T::schema()
    }

    #[inline]
    fn encode<W: Writer>(&self, writer: &mut W) {
        T::encode(self, writer);
    }

    #[inline]
    fn decode<R: Reader>(reader: &mut R) -> Result<Self, DecodeError> {
        T::decode(reader).map(Self::new)
    }

    fn decode_known<R: Reader>(reader: &mut R) -> Result<Option<Self>, DecodeError> {
        Ok(T::decode_known(reader)?.map(Self::new))
    }

    fn merge_fields<R: Reader>(&mut self, reader: &mut R) -> Result<(), DecodeError> {
        T::merge_fields(self, reader)
    }

    #[inline]
    fn put_protobuf(&self, number: i16, form: Form, writer: &mut ProtobufWriter) {
        T::put_protobuf(self, number, form, writer);
    }

    fn take_protobuf(
        slot: &mut Option<Self>,
        form: Form,
        reader: &mut ProtobufReader,
    ) -> Result<(), DecodeError> {
        let mut inner = slot.take().map(|value| *value);
        T::take_protobuf(&mut inner, form, reader)?;
        *slot = inner.map(Self::new);
        Ok(())
    }

    fn begin_protobuf(form: Form, reader: &ProtobufReader) -> Option<Self> {
        T::begin_protobuf(form, reader).map(Self::new)
    }
}

impl<T: Value> Value for Vec<T> {
    const KIND: Kind = Kind::List;

    fn schema() -> Type {
        Type::List(Box::new(T::schema()))
    }

    #[inline]
    fn encode<W: Writer>(&self, writer: &mut W) {
        writer.list_begin(T::KIND, self.len());
        T::encode_all(self, writer);
        writer.list_end();
    }

    #[inline]
    fn decode<R: Reader>(reader: &mut R) -> Result<Self, DecodeError> {
        let count = reader.list_begin(T::KIND)?;
        let elements = T::decode_all(count, reader)?;
        reader.list_end()?;
        Ok(elements)
    }

    #[inline]
    fn put_protobuf(&self, number: i16, form: Form, writer: &mut ProtobufWriter) {
        protobuf::put_list(self.iter(), number, form, writer, |writer| T::encode_all(self, writer));
    }

    #[inline]
    fn take_protobuf(
        slot: &mut Option<Self>,
        form: Form,
        reader: &mut ProtobufReader,
    ) -> Result<(), DecodeError> {
        let list = slot.get_or_insert_default();
        match protobuf::take_list(form, list.len(), reader)? {
            Taken::Nothing => {}
            Taken::One(element) => list.push(element),
            Taken::All(elements) if list.is_empty() => *list = elements,
            Taken::All(elements) => list.extend(elements),
        }
        Ok(())
    }

    #[inline]
    fn begin_protobuf(_: Form, _: &ProtobufReader) -> Option<Self> {
        Some(Self::new())
    }
}

impl<T: Value + Ord> Value for BTreeSet<T> {
    const KIND: Kind = Kind::Set;

    fn schema() -> Type {
        Type::Set(Box::new(T::schema()))
    }

    fn encode<W: Writer>(&self, writer: &mut W) {
        encode_set(self.iter(), writer);
    }

    fn decode<R: Reader>(reader: &mut R) -> Result<Self, DecodeError> {
        decode_set(
            |_| Self::new(),
            reader,
            |set, element| {
                set.insert(element);
            },
        )
    }

    fn put_protobuf(&self, number: i16, form: Form, writer: &mut ProtobufWriter) {
        protobuf::put_list(self.iter(), number, form, writer, |writer| {
            self.iter().for_each(|element| element.encode(writer));
        });
    }

    fn take_protobuf(
        slot: &mut Option<Self>,
        form: Form,
        reader: &mut ProtobufReader,
    ) -> Result<(), DecodeError> {
        let set = slot.get_or_insert_default();
        match protobuf::take_list(form, set.len(), reader)? {
            Taken::Nothing => {}
            Taken::One(element) => _ = set.insert(element),
            Taken::All(elements) => set.extend(elements),
        }
        Ok(())
    }

    fn begin_protobuf(_: Form, _: &ProtobufReader) -> Option<Self> {
        Some(Self::default())
    }
}

impl<T: Value + Eq + Hash, S: Hasher> Value for HashSet<T, S> {
    const KIND: Kind = Kind::Set;

    fn schema() -> Type {
        Type::Set(Box::new(T::schema()))
    }

    fn encode<W: Writer>(&self, writer: &mut W) {
        encode_set(self.iter(), writer);
    }

    fn decode<R: Reader>(reader: &mut R) -> Result<Self, DecodeError> {
        let new = |count| Self::with_capacity_and_hasher(table_reservation::<T>(count), S::default());
        decode_set(new, reader, |set, element| {
            set.insert(element);
        })
    }

    fn put_protobuf(&self, number: i16, form: Form, writer: &mut ProtobufWriter) {
        protobuf::put_list(self.iter(), number, form, writer, |writer| {
            self.iter().for_each(|element| element.encode(writer));
        });
    }

    fn take_protobuf(
        slot: &mut Option<Self>,
        form: Form,
        reader: &mut ProtobufReader,
    ) -> Result<(), DecodeError> {
        let set = slot.get_or_insert_default();
        match protobuf::take_list(form, set.len(), reader)? {
            Taken::Nothing => {}
            Taken::One(element) => _ = set.insert(element),
            Taken::All(elements) => set.extend(elements),
        }
        Ok(())
    }

    fn begin_protobuf(_: Form, _: &ProtobufReader) -> Option<Self> {
        Some(Self::default())
    }
}

impl<K: Value + Ord, V: Value> Value for BTreeMap<K, V> {
    const KIND: Kind = Kind::Map;

    fn schema() -> Type {
        Type::Map(Box::new(K::schema()), Box::new(V::schema()))
    }

    fn encode<W: Writer>(&self, writer: &mut W) {
        encode_map(self.iter(), writer);
    }

    fn decode<R: Reader>(reader: &mut R) -> Result<Self, DecodeError> {
        decode_map(
            |_| Self::new(),
            reader,
            |map, key, value| {
                map.insert(key, value);
            },
        )
    }

    fn put_protobuf(&self, number: i16, form: Form, writer: &mut ProtobufWriter) {
        protobuf::put_map(self.iter(), number, form, writer);
    }

    fn take_protobuf(
        slot: &mut Option<Self>,
        form: Form,
        reader: &mut ProtobufReader,
    ) -> Result<(), DecodeError> {
        let map = slot.get_or_insert_default();
        map.extend(protobuf::take_entry(form, map.len(), reader)?);
        Ok(())
    }

    fn begin_protobuf(_: Form, _: &ProtobufReader) -> Option<Self> {
        Some(Self::default())
    }
}

impl<K: Value + Eq + Hash, V: Value, S: Hasher> Value for HashMap<K, V, S> {
    const KIND: Kind = Kind::Map;

    fn schema() -> Type {
        Type::Map(Box::new(K::schema()), Box::new(V::schema()))
    }

    fn encode<W: Writer>(&self, writer: &mut W) {
        encode_map(self.iter(), writer);
    }

    fn decode<R: Reader>(reader: &mut R) -> Result<Self, DecodeError> {
        let new = |count| Self::with_capacity_and_hasher(table_reservation::<(K, V)>(count), S::default());
        decode_map(new, reader, |map, key, value| {
            map.insert(key, value);
        })
    }

    fn put_protobuf(&self, number: i16, form: Form, writer: &mut ProtobufWriter) {
        protobuf::put_map(self.iter(), number, form, writer);
    }

    fn take_protobuf(
        slot: &mut Option<Self>,
        form: Form,
        reader: &mut ProtobufReader,
    ) -> Result<(), DecodeError> {
        let map = slot.get_or_insert_default();
        map.extend(protobuf::take_entry(form, map.len(), reader)?);
        Ok(())
    }

    fn begin_protobuf(_: Form, _: &ProtobufReader) -> Option<Self> {
        Some(Self::default())
    }
}

/// What a hash table in a message needs of its hasher.
trait Hasher: BuildHasher + Default + Send + Sync + 'static {}
impl<S: BuildHasher + Default + Send + Sync + 'static> Hasher for S {}

/// A table takes up to 16/7 of its elements and a byte for each place.
fn table_reservation<T>(count: usize) -> usize {
    reservation::<T>(count) / 3
}

fn encode_set<'a, T: Value, W: Writer>(elements: impl ExactSizeIterator<Item = &'a T>, writer: &mut W) {
    writer.set_begin(T::KIND, elements.len());
    elements.for_each(|element| element.encode(writer));
    writer.set_end();
}

fn decode_set<C, T: Value, R: Reader>(
    new: impl FnOnce(usize) -> C,
    reader: &mut R,
    mut insert: impl FnMut(&mut C, T),
) -> Result<C, DecodeError> {
    let count = reader.set_begin(T::KIND)?;
    let mut set = new(count);
    for index in 0..count {
        insert(&mut set, T::decode(reader).map_err(|error| error.in_element(index))?);
    }
    reader.set_end()?;
    Ok(set)
}

fn encode_map<'a, K: Value, V: Value, W: Writer>(
    entries: impl ExactSizeIterator<Item = (&'a K, &'a V)>,
    writer: &mut W,
) {
    writer.map_begin(K::KIND, V::KIND, entries.len());
    for (key, value) in entries {
        key.encode(writer);
        value.encode(writer);
    }
    writer.map_end();
}

fn decode_map<C, K: Value, V: Value, R: Reader>(
    new: impl FnOnce(usize) -> C,
    reader: &mut R,
    mut insert: impl FnMut(&mut C, K, V),
) -> Result<C, DecodeError> {
    let count = reader.map_begin(K::KIND, V::KIND)?;
    let mut map = new(count);
    for index in 0..count {
        let key = K::decode(reader).map_err(|error| error.in_key(index))?;
        let value = V::decode(reader).map_err(|error| error.in_element(index))?;
        insert(&mut map, key, value);
    }
    reader.map_end()?;
    Ok(map)
}
