//! What a message is read from.

use bytes::Bytes;

use super::protobuf::ProtobufReader;
use super::{DecodeError, Kind};

/// A format being read.
///
/// The bytes come from a peer and are hostile: a count or length is returned only after it was compared with the
/// bytes that are left, and nothing is allocated for what has not arrived.
pub trait Reader {
    /// Begins a struct. Fails when it is nested more than 64 deep.
    fn struct_begin(&mut self) -> Result<(), DecodeError>;
    /// Ends a struct whose fields were all read.
    fn struct_end(&mut self) -> Result<(), DecodeError>;
    /// The number and kind of the next field, which must then be read or skipped; `None` at the end of the struct.
    fn field_begin(&mut self) -> Result<Option<(i16, Kind)>, DecodeError>;
    /// Ends a field.
    fn field_end(&mut self) -> Result<(), DecodeError> {
        Ok(())
    }

    /// Reads a `bool`; in Thrift only the byte 1 is true.
    fn bool(&mut self) -> Result<bool, DecodeError>;
    /// Reads an `i8`.
    fn i8(&mut self) -> Result<i8, DecodeError>;
    /// Reads an `i16`.
    fn i16(&mut self) -> Result<i16, DecodeError>;
    /// Reads an `i32`.
    fn i32(&mut self) -> Result<i32, DecodeError>;
    /// Reads an `i64`.
    fn i64(&mut self) -> Result<i64, DecodeError>;
    /// Reads an `f64`.
    fn f64(&mut self) -> Result<f64, DecodeError>;
    /// Reads text and makes something of it.
    fn str<T>(&mut self, make: impl FnOnce(&str) -> T) -> Result<T, DecodeError>;
    /// Reads bytes and makes something of them.
    fn slice<T>(&mut self, make: impl FnOnce(&[u8]) -> T) -> Result<T, DecodeError>;
    /// Reads bytes as a slice of what is being read, without a copy where the format allows it.
    fn bytes(&mut self) -> Result<Bytes, DecodeError> {
        self.slice(Bytes::copy_from_slice)
    }

    /// Begins a list of elements of this kind and returns their number.
    fn list_begin(&mut self, element: Kind) -> Result<usize, DecodeError>;
    /// Ends a list.
    fn list_end(&mut self) -> Result<(), DecodeError> {
        Ok(())
    }
    /// Begins a set of elements of this kind and returns their number.
    fn set_begin(&mut self, element: Kind) -> Result<usize, DecodeError>;
    /// Ends a set.
    fn set_end(&mut self) -> Result<(), DecodeError> {
        Ok(())
    }
    /// Begins a map of entries of these kinds and returns their number.
    fn map_begin(&mut self, key: Kind, value: Kind) -> Result<usize, DecodeError>;
    /// Ends a map.
    fn map_end(&mut self) -> Result<(), DecodeError> {
        Ok(())
    }

    /// The reader itself if it reads protobuf, where a list is not one field but many, and a zero is none.
    #[inline]
    fn protobuf(&mut self) -> Option<&mut ProtobufReader> {
        None
    }

    /// Skips a value of this kind. Fails when values are nested more than 64 deep in it.
    fn skip(&mut self, kind: Kind) -> Result<(), DecodeError>;

    /// Reads the elements of a list at once.
    fn bools(&mut self, count: usize) -> Result<Vec<bool>, DecodeError> {
        collect(count, || self.bool())
    }
    /// Reads the elements of a list at once.
    fn i8s(&mut self, count: usize) -> Result<Vec<i8>, DecodeError> {
        collect(count, || self.i8())
    }
    /// Reads the elements of a list at once.
    fn i16s(&mut self, count: usize) -> Result<Vec<i16>, DecodeError> {
        collect(count, || self.i16())
    }
    /// Reads the elements of a list at once.
    fn i32s(&mut self, count: usize) -> Result<Vec<i32>, DecodeError> {
        collect(count, || self.i32())
    }
    /// Reads the elements of a list at once.
    fn i64s(&mut self, count: usize) -> Result<Vec<i64>, DecodeError> {
        collect(count, || self.i64())
    }
    /// Reads the elements of a list at once.
    fn f64s(&mut self, count: usize) -> Result<Vec<f64>, DecodeError> {
        collect(count, || self.f64())
    }
}

/// Reads `count` elements one after the other; a failure names its element.
pub(crate) fn collect<T>(
    count: usize,
    mut read: impl FnMut() -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut elements = Vec::with_capacity(reservation::<T>(count));
    for index in 0..count {
        elements.push(read().map_err(|error| error.in_element(index))?);
    }
    Ok(elements)
}

/// For how many of `count` elements room may be reserved before the first was read: at most 4 KiB.
pub(crate) fn reservation<T>(count: usize) -> usize {
    count.min(4096 / size_of::<T>().max(1))
}
