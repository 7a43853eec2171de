//! The bridge to the Apache `thrift` crate 0.25: a derived message through any of its protocols.
//!
//! Everything a protocol does goes through its own functions, so its limits hold, not ours; the nesting of structs is
//! limited by us too.

use std::fmt::Display;

use bytes::Bytes;
use thrift::protocol::{
    TFieldIdentifier, TInputProtocol, TListIdentifier, TMapIdentifier, TOutputProtocol, TSetIdentifier,
    TStructIdentifier, TType,
};

use super::{DecodeError, EncodeError, Fault, Kind, MAX_DEPTH, Reader, Value, Writer};
use crate::schema::Type;

/// Writes a value through a protocol.
pub fn write<T: Value>(value: &T, protocol: &mut dyn TOutputProtocol) -> thrift::Result<()> {
    let mut writer = ProtocolWriter { protocol, depth: 0, failure: None };
    value.encode(&mut writer);
    writer.failure.map_or(Ok(()), Err)
}

/// Reads a value through a protocol.
pub fn read<T: Value>(protocol: &mut dyn TInputProtocol) -> thrift::Result<T> {
    let mut reader = ProtocolReader { protocol, depth: 0, failure: None };
    T::decode(&mut reader).map_err(|error| {
        let name = match T::schema() {
            Type::Struct(description) => description.name,
            Type::Enum(description) => description.name,
            _ => "value",
        };
        reader.failure.take().unwrap_or_else(|| invalid(&format!("{name}{error}")))
    })
}

struct ProtocolWriter<'a> {
    protocol: &'a mut dyn TOutputProtocol,
    depth: u32,
    failure: Option<thrift::Error>,
}

impl ProtocolWriter<'_> {
    /// Does one step, unless one before has failed.
    fn step(&mut self, step: impl FnOnce(&mut dyn TOutputProtocol) -> thrift::Result<()>) {
        if self.failure.is_none() {
            self.failure = step(self.protocol).err();
        }
    }

    fn count(&mut self, count: usize) -> i32 {
        i32::try_from(count).unwrap_or_else(|_| {
            self.fail(EncodeError::Length);
            0
        })
    }
}

impl Writer for ProtocolWriter<'_> {
    fn struct_begin(&mut self) -> bool {
        if self.depth == MAX_DEPTH {
            self.fail(EncodeError::Depth);
            return false;
        }
        self.depth += 1;
        self.step(|protocol| protocol.write_struct_begin(&TStructIdentifier { name: String::new() }));
        true
    }

    fn struct_end(&mut self) {
        self.depth -= 1;
        self.step(|protocol| {
            protocol.write_field_stop()?;
            protocol.write_struct_end()
        });
    }

    fn field_begin(&mut self, number: i16, kind: Kind) {
        let field = TFieldIdentifier { name: None, field_type: apache_type(kind), id: Some(number) };
        self.step(|protocol| protocol.write_field_begin(&field));
    }

    fn field_end(&mut self) {
        self.step(|protocol| protocol.write_field_end());
    }

    fn bool(&mut self, value: bool) {
        self.step(|protocol| protocol.write_bool(value));
    }

    fn i8(&mut self, value: i8) {
        self.step(|protocol| protocol.write_i8(value));
    }

    fn i16(&mut self, value: i16) {
        self.step(|protocol| protocol.write_i16(value));
    }

    fn i32(&mut self, value: i32) {
        self.step(|protocol| protocol.write_i32(value));
    }

    fn i64(&mut self, value: i64) {
        self.step(|protocol| protocol.write_i64(value));
    }

    fn f64(&mut self, value: f64) {
        self.step(|protocol| protocol.write_double(value));
    }

    fn str(&mut self, value: &str) {
        self.step(|protocol| protocol.write_string(value));
    }

    fn bytes(&mut self, value: &[u8]) {
        self.step(|protocol| protocol.write_bytes(value));
    }

    fn list_begin(&mut self, element: Kind, count: usize) {
        let list = TListIdentifier { element_type: apache_type(element), size: self.count(count) };
        self.step(|protocol| protocol.write_list_begin(&list));
    }

    fn list_end(&mut self) {
        self.step(|protocol| protocol.write_list_end());
    }

    fn set_begin(&mut self, element: Kind, count: usize) {
        let set = TSetIdentifier { element_type: apache_type(element), size: self.count(count) };
        self.step(|protocol| protocol.write_set_begin(&set));
    }

    fn set_end(&mut self) {
        self.step(|protocol| protocol.write_set_end());
    }

    fn map_begin(&mut self, key: Kind, value: Kind, count: usize) {
        let map = TMapIdentifier {
            key_type: Some(apache_type(key)),
            value_type: Some(apache_type(value)),
            size: self.count(count),
        };
        self.step(|protocol| protocol.write_map_begin(&map));
    }

    fn map_end(&mut self) {
        self.step(|protocol| protocol.write_map_end());
    }

    fn fail(&mut self, error: EncodeError) {
        self.failure.get_or_insert_with(|| invalid(&error));
    }
}

struct ProtocolReader<'a> {
    protocol: &'a mut dyn TInputProtocol,
    depth: u32,
    /// What the protocol itself said.
    failure: Option<thrift::Error>,
}

impl ProtocolReader<'_> {
    fn step<T>(
        &mut self,
        step: impl FnOnce(&mut dyn TInputProtocol) -> thrift::Result<T>,
    ) -> Result<T, DecodeError> {
        step(self.protocol).map_err(|error| {
            let text = error.to_string();
            self.failure = Some(error);
            DecodeError::new(Fault::Foreign(text))
        })
    }
}

impl Reader for ProtocolReader<'_> {
    fn struct_begin(&mut self) -> Result<(), DecodeError> {
        if self.depth == MAX_DEPTH {
            return Err(DecodeError::new(Fault::Depth));
        }
        self.depth += 1;
        self.step(|protocol| protocol.read_struct_begin().map(drop))
    }

    fn struct_end(&mut self) -> Result<(), DecodeError> {
        self.depth -= 1;
        self.step(|protocol| protocol.read_struct_end())
    }

    fn field_begin(&mut self) -> Result<Option<(i16, Kind)>, DecodeError> {
        let field = self.step(|protocol| protocol.read_field_begin())?;
        let Some(kind) = kind_of(field.field_type)? else { return Ok(None) };
        let number = field.id.ok_or_else(|| DecodeError::new(Fault::BadNumber))?;
        Ok(Some((number, kind)))
    }

    fn field_end(&mut self) -> Result<(), DecodeError> {
        self.step(|protocol| protocol.read_field_end())
    }

    fn bool(&mut self) -> Result<bool, DecodeError> {
        self.step(|protocol| protocol.read_bool())
    }

    fn i8(&mut self) -> Result<i8, DecodeError> {
        self.step(|protocol| protocol.read_i8())
    }

    fn i16(&mut self) -> Result<i16, DecodeError> {
        self.step(|protocol| protocol.read_i16())
    }

    fn i32(&mut self) -> Result<i32, DecodeError> {
        self.step(|protocol| protocol.read_i32())
    }

    fn i64(&mut self) -> Result<i64, DecodeError> {
        self.step(|protocol| protocol.read_i64())
    }

    fn f64(&mut self) -> Result<f64, DecodeError> {
        self.step(|protocol| protocol.read_double())
    }

    fn str<T>(&mut self, make: impl FnOnce(&str) -> T) -> Result<T, DecodeError> {
        self.step(|protocol| protocol.read_string()).map(|text| make(&text))
    }

    fn slice<T>(&mut self, make: impl FnOnce(&[u8]) -> T) -> Result<T, DecodeError> {
        self.step(|protocol| protocol.read_bytes()).map(|bytes| make(&bytes))
    }

    fn bytes(&mut self) -> Result<Bytes, DecodeError> {
        self.step(|protocol| protocol.read_bytes()).map(Bytes::from)
    }

    fn list_begin(&mut self, element: Kind) -> Result<usize, DecodeError> {
        let list = self.step(|protocol| protocol.read_list_begin())?;
        elements(element, Some(list.element_type), list.size)
    }

    fn list_end(&mut self) -> Result<(), DecodeError> {
        self.step(|protocol| protocol.read_list_end())
    }

    fn set_begin(&mut self, element: Kind) -> Result<usize, DecodeError> {
        let set = self.step(|protocol| protocol.read_set_begin())?;
        elements(element, Some(set.element_type), set.size)
    }

    fn set_end(&mut self) -> Result<(), DecodeError> {
        self.step(|protocol| protocol.read_set_end())
    }

    fn map_begin(&mut self, key: Kind, value: Kind) -> Result<usize, DecodeError> {
        let map = self.step(|protocol| protocol.read_map_begin())?;
        elements(key, map.key_type, map.size)?;
        elements(value, map.value_type, map.size)
    }

    fn map_end(&mut self) -> Result<(), DecodeError> {
        self.step(|protocol| protocol.read_map_end())
    }

    fn skip(&mut self, kind: Kind) -> Result<(), DecodeError> {
        self.step(|protocol| protocol.skip(apache_type(kind)))
    }
}

/// The number of elements, if they have the type of the schema or there are none.
fn elements(expected: Kind, found: Option<TType>, size: i32) -> Result<usize, DecodeError> {
    let count = usize::try_from(size).map_err(|_| DecodeError::new(Fault::NegativeLength))?;
    if count > 0 && found != Some(apache_type(expected)) {
        let found = found.map(kind_of).transpose()?.flatten().map_or(0, Kind::number);
        return Err(DecodeError::new(Fault::ElementKind { expected, found }));
    }
    Ok(count)
}

fn apache_type(kind: Kind) -> TType {
    match kind {
        Kind::Bool => TType::Bool,
        Kind::I8 => TType::I08,
        Kind::F64 => TType::Double,
        Kind::I16 => TType::I16,
        Kind::I32 => TType::I32,
        Kind::I64 => TType::I64,
        Kind::Binary => TType::String,
        Kind::Struct => TType::Struct,
        Kind::Map => TType::Map,
        Kind::Set => TType::Set,
        Kind::List => TType::List,
    }
}

/// `None` for the end of a struct. The types this crate does not have (uuid) cannot be read.
fn kind_of(found: TType) -> Result<Option<Kind>, DecodeError> {
    Ok(Some(match found {
        TType::Stop => return Ok(None),
        TType::Bool => Kind::Bool,
        TType::I08 => Kind::I8,
        TType::Double => Kind::F64,
        TType::I16 => Kind::I16,
        TType::I32 => Kind::I32,
        TType::I64 => Kind::I64,
        TType::String => Kind::Binary,
        TType::Struct => Kind::Struct,
        TType::Map => Kind::Map,
        TType::Set => Kind::Set,
        TType::List => Kind::List,
        TType::Void => return Err(DecodeError::new(Fault::UnknownKind(1))),
        TType::Utf7 | TType::Uuid => return Err(DecodeError::new(Fault::UnknownKind(16))),
    }))
}

fn invalid(error: &dyn Display) -> thrift::Error {
    let kind = thrift::ProtocolErrorKind::InvalidData;
    thrift::Error::Protocol(thrift::ProtocolError::new(kind, error.to_string()))
}
