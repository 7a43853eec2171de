//! What a message is written into.

use super::protobuf::ProtobufWriter;
use super::{EncodeError, Kind};

/// A format being written.
///
/// Writing does not fail at every step: a writer keeps its first failure, and whoever made it asks for that at the
/// end. What was written after a failure is of no use.
pub trait Writer {
    /// Begins a struct. `false` says that it is nested too deep (a failure): then write no field and no end.
    #[must_use]
    fn struct_begin(&mut self) -> bool;
    /// Ends a struct.
    fn struct_end(&mut self);
    /// Begins a field; one value of this kind follows.
    fn field_begin(&mut self, number: i16, kind: Kind);
    /// Ends a field.
    fn field_end(&mut self) {}

    /// Writes a `bool`.
    fn bool(&mut self, value: bool);
    /// Writes an `i8`.
    fn i8(&mut self, value: i8);
    /// Writes an `i16`.
    fn i16(&mut self, value: i16);
    /// Writes an `i32`.
    fn i32(&mut self, value: i32);
    /// Writes an `i64`.
    fn i64(&mut self, value: i64);
    /// Writes an `f64`.
    fn f64(&mut self, value: f64);
    /// Writes text.
    fn str(&mut self, value: &str);
    /// Writes bytes.
    fn bytes(&mut self, value: &[u8]);

    /// Begins a list; `count` values follow.
    fn list_begin(&mut self, element: Kind, count: usize);
    /// Ends a list.
    fn list_end(&mut self) {}
    /// Begins a set; `count` values follow.
    fn set_begin(&mut self, element: Kind, count: usize);
    /// Ends a set.
    fn set_end(&mut self) {}
    /// Begins a map; `count` pairs of key and value follow.
    fn map_begin(&mut self, key: Kind, value: Kind, count: usize);
    /// Ends a map.
    fn map_end(&mut self) {}

    /// Writes the elements of a list at once.
    fn bools(&mut self, values: &[bool]) {
        values.iter().for_each(|value| self.bool(*value));
    }
    /// Writes the elements of a list at once.
    fn i8s(&mut self, values: &[i8]) {
        values.iter().for_each(|value| self.i8(*value));
    }
    /// Writes the elements of a list at once.
    fn i16s(&mut self, values: &[i16]) {
        values.iter().for_each(|value| self.i16(*value));
    }
    /// Writes the elements of a list at once.
    fn i32s(&mut self, values: &[i32]) {
        values.iter().for_each(|value| self.i32(*value));
    }
    /// Writes the elements of a list at once.
    fn i64s(&mut self, values: &[i64]) {
        values.iter().for_each(|value| self.i64(*value));
    }
    /// Writes the elements of a list at once.
    fn f64s(&mut self, values: &[f64]) {
        values.iter().for_each(|value| self.f64(*value));
    }

    /// The writer itself if it writes protobuf, where a list is not one field but many, and a zero is none.
    #[inline]
    fn protobuf(&mut self) -> Option<&mut ProtobufWriter> {
        None
    }

    /// Notes a failure, unless there was one before.
    fn fail(&mut self, error: EncodeError);
}
