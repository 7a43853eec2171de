//! Numbers, text and bytes as values.

use std::sync::Arc;

use bytes::Bytes;

use super::protobuf::ProtobufReader;
use super::{DecodeError, Kind, Reader, Value, Writer};
use crate::schema::{Form, Type};

macro_rules! numbers {
    ($($type:ty: $kind:ident, $one:ident, $all:ident;)*) => {$(
        impl Value for $type {
            const KIND: Kind = Kind::$kind;

            fn schema() -> Type {
                Type::$kind
            }

            #[inline]
            fn encode<W: Writer>(&self, writer: &mut W) {
                writer.$one(*self);
            }

            #[inline]
            fn decode<R: Reader>(reader: &mut R) -> Result<Self, DecodeError> {
                reader.$one()
            }

            #[inline]
            fn encode_all<W: Writer>(values: &[Self], writer: &mut W) {
                writer.$all(values);
            }

            #[inline]
            fn decode_all<R: Reader>(count: usize, reader: &mut R) -> Result<Vec<Self>, DecodeError> {
                reader.$all(count)
            }

            #[inline]
            fn begin_protobuf(_: Form, _: &ProtobufReader) -> Option<Self> {
                None
            }
        }
    )*};
}

numbers! {
    bool: Bool, bool, bools;
    i8: I8, i8, i8s;
    i16: I16, i16, i16s;
    i32: I32, i32, i32s;
    i64: I64, i64, i64s;
    f64: F64, f64, f64s;
}

macro_rules! blobs {
    ($($type:ty: $schema:ident, $write:ident, |$reader:ident| $read:expr;)*) => {$(
        impl Value for $type {
            const KIND: Kind = Kind::Binary;

            fn schema() -> Type {
                Type::$schema
            }

            #[inline]
            fn encode<W: Writer>(&self, writer: &mut W) {
                writer.$write(self);
            }

            #[inline]
            fn decode<R: Reader>($reader: &mut R) -> Result<Self, DecodeError> {
                $read
            }
        }
    )*};
}

blobs! {
    String: String, str, |reader| reader.str(str::to_owned);
    Arc<str>: String, str, |reader| reader.str(|text| Arc::from(text));
    Vec<u8>: Binary, bytes, |reader| reader.slice(<[u8]>::to_vec);
    Bytes: Binary, bytes, |reader| reader.bytes();
}
