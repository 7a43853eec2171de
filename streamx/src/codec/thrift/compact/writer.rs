use bytes::BytesMut;

use super::{FALSE, LastNumbers, TRUE, number_of};
use crate::codec::{EncodeError, Kind, Writer};

/// Writes Thrift compact to the end of a buffer.
#[derive(Debug)]
pub struct CompactWriter<'a> {
    out: &'a mut BytesMut,
    last: LastNumbers,
    /// The number of a field whose header waits for the truth value.
    pending: Option<i16>,
    failure: Option<EncodeError>,
}

impl<'a> CompactWriter<'a> {
    /// A writer to the end of `out`.
    pub fn new(out: &'a mut BytesMut) -> Self {
        Self { out, last: LastNumbers::new(), pending: None, failure: None }
    }

    /// The first failure, if there was one.
    pub fn finish(self) -> Result<(), EncodeError> {
        self.failure.map_or(Ok(()), Err)
    }

    fn byte(&mut self, byte: u8) {
        self.out.extend_from_slice(&[byte]);
    }

    fn varint(&mut self, mut value: u64) {
        let mut bytes = [0; 10];
        let mut length = 0;
        loop {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            bytes[length] = low & 0x7f | if value == 0 { 0 } else { 0x80 };
            length += 1;
            if value == 0 {
                break;
            }
        }
        self.out.extend_from_slice(&bytes[..length]);
    }

    fn zigzag(&mut self, value: i64) {
        self.varint((value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
    }

    fn length(&mut self, length: usize) -> u64 {
        match i32::try_from(length) {
            Ok(length) => length.unsigned_abs().into(),
            Err(_) => {
                self.fail(EncodeError::Length);
                0
            }
        }
    }

    fn header(&mut self, number: i16, kind: u8) {
        let last = std::mem::replace(self.last.last(), number);
        match u8::try_from(i32::from(number) - i32::from(last)) {
            Ok(delta @ 1..=15) => self.byte(delta << 4 | kind),
            _ => {
                self.byte(kind);
                self.zigzag(number.into());
            }
        }
    }

    fn elements(&mut self, element: Kind, count: usize) {
        match u8::try_from(count) {
            Ok(count @ 0..=14) => self.byte(count << 4 | number_of(element)),
            _ => {
                self.byte(0xf0 | number_of(element));
                let count = self.length(count);
                self.varint(count);
            }
        }
    }
}

impl Writer for CompactWriter<'_> {
    fn struct_begin(&mut self) -> bool {
        let opened = self.last.open();
        if !opened {
            self.fail(EncodeError::Depth);
        }
        opened
    }

    fn struct_end(&mut self) {
        self.last.close();
        self.byte(0);
    }

    fn field_begin(&mut self, number: i16, kind: Kind) {
        match kind {
            Kind::Bool => self.pending = Some(number),
            _ => self.header(number, number_of(kind)),
        }
    }

    fn bool(&mut self, value: bool) {
        let value = if value { TRUE } else { FALSE };
        match self.pending.take() {
            Some(number) => self.header(number, value),
            None => self.byte(value),
        }
    }

    fn i8(&mut self, value: i8) {
        self.byte(value.cast_unsigned());
    }

    fn i16(&mut self, value: i16) {
        self.zigzag(value.into());
    }

    fn i32(&mut self, value: i32) {
        self.zigzag(value.into());
    }

    fn i64(&mut self, value: i64) {
        self.zigzag(value);
    }

    fn f64(&mut self, value: f64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn str(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    fn bytes(&mut self, value: &[u8]) {
        let length = self.length(value.len());
        self.varint(length);
        self.out.extend_from_slice(value);
    }

    fn list_begin(&mut self, element: Kind, count: usize) {
        self.elements(element, count);
    }

    fn set_begin(&mut self, element: Kind, count: usize) {
        self.elements(element, count);
    }

    fn map_begin(&mut self, key: Kind, value: Kind, count: usize) {
        let count = self.length(count);
        self.varint(count);
        if count > 0 {
            self.byte(number_of(key) << 4 | number_of(value));
        }
    }

    fn fail(&mut self, error: EncodeError) {
        self.failure.get_or_insert(error);
    }
}
