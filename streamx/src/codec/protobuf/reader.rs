use bytes::Bytes;

use super::Wire;
use crate::codec::{DecodeError, Fault, Kind, MAX_DEPTH, Reader, reader};
use crate::schema::Encoding;

/// Reads protobuf.
///
/// Numbers are read as the wire type of the field that was begun; whoever reads one has made sure that it fits.
#[derive(Debug)]
pub struct ProtobufReader {
    source: Bytes,
    at: usize,
    /// Where the innermost message ends.
    end: usize,
    /// The wire type of the field that was begun, its number, and where its key is.
    wire: Wire,
    number: u64,
    key: usize,
    encoding: Encoding,
    depth: u32,
}

impl ProtobufReader {
    /// A reader of `source`, all of which is one message; a field of type `Bytes` becomes a slice of it.
    pub fn new(source: Bytes) -> Self {
        Self {
            at: 0,
            end: source.len(),
            source,
            wire: Wire::Length,
            number: 0,
            key: 0,
            encoding: Encoding::Plain,
            depth: 0,
        }
    }

    /// A reader in which every value is zero or empty, at the same depth.
    pub(super) fn absent(&self, kind: Kind) -> Self {
        let zeros: &'static [u8] = if kind == Kind::Struct { &[] } else { &[0; 8] };
        Self { depth: self.depth, ..Self::new(Bytes::from_static(zeros)) }
    }

    /// The wire type of the field that was begun.
    #[inline]
    pub(super) fn wire(&self) -> Wire {
        self.wire
    }

    /// The next values are numbers in this encoding.
    #[inline]
    pub(super) fn begin(&mut self, encoding: Encoding) {
        self.encoding = encoding;
    }

    /// Whether all of the innermost message was read.
    #[inline]
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.end
    }

    /// Reads what has a length in front, all of it.
    #[inline]
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let length = self.length()?;
        let outer = std::mem::replace(&mut self.end, self.at + length);
        let value = read(self)?;
        self.at = self.end;
        self.end = outer;
        Ok(value)
    }

    /// Reads the field that was begun as a message that has no other.
    pub(super) fn alone<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let key = self.key;
        self.skip(Kind::Binary)?;
        let outer = std::mem::replace(&mut self.end, self.at);
        self.at = key;
        let value = read(self)?;
        self.at = self.end;
        self.end = outer;
        Ok(value)
    }

    /// All that is left of the innermost message, for a library that reads a whole message.
    #[cfg(feature = "prost")]
    pub(super) fn take_rest(&mut self) -> Bytes {
        let rest = self.source.slice(self.at..self.end);
        self.at = self.end;
        rest
    }

    /// How many values of a wire type are left in the innermost message.
    pub(super) fn count(&self, wire: Wire) -> Result<usize, DecodeError> {
        let rest = self.rest();
        match wire {
            Wire::Fixed32 if rest.len().is_multiple_of(4) => Ok(rest.len() / 4),
            Wire::Fixed64 if rest.len().is_multiple_of(8) => Ok(rest.len() / 8),
            Wire::Varint => Ok(rest.iter().filter(|byte| **byte < 0x80).count()),
            _ => Err(truncated()),
        }
    }

    #[inline]
    fn rest(&self) -> &[u8] {
        self.source.get(self.at..self.end).unwrap_or_default()
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let array = *self.rest().first_chunk().ok_or_else(truncated)?;
        self.at += N;
        Ok(array)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, DecodeError> {
        let (value, length) = first_varint(self.rest())?;
        self.at += length;
        Ok(value)
    }

    /// Reads many without looking up the bytes for each.
    fn varints<T>(&mut self, count: usize, make: impl Fn(u64) -> T) -> Result<Vec<T>, DecodeError> {
        let mut rest = self.rest();
        let elements = reader::collect(count, || {
            let (value, length) = first_varint(rest)?;
            rest = rest.get(length..).unwrap_or_default();
            Ok(make(value))
        })?;
        self.at = self.end - rest.len();
        Ok(elements)
    }

    /// A length that is not above what is left.
    #[inline]
    fn length(&mut self) -> Result<usize, DecodeError> {
        let length = self.varint()?;
        match usize::try_from(length) {
            Ok(length) if length <= self.end - self.at => Ok(length),
            _ => Err(truncated()),
        }
    }

    #[inline]
    fn blob(&mut self) -> Result<&[u8], DecodeError> {
        let length = self.length()?;
        let start = self.at;
        self.at += length;
        Ok(self.source.get(start..self.at).unwrap_or_default())
    }

    fn pass(&mut self, length: usize) -> Result<(), DecodeError> {
        if length > self.end - self.at {
            return Err(truncated());
        }
        self.at += length;
        Ok(())
    }

    /// The key of the next field, which is begun.
    #[inline]
    fn key(&mut self) -> Result<(), DecodeError> {
        self.key = self.at;
        let key = self.varint()?;
        self.number = key >> 3;
        if self.number == 0 || self.number > LAST_NUMBER {
            return Err(bad_number());
        }
        self.wire = Wire::from_number(key & 7)
            .ok_or_else(|| DecodeError::new(Fault::UnknownKind((key & 7) as u8)))?;
        Ok(())
    }

    /// Skips the field that was begun.
    fn skip_field(&mut self, depth: u32) -> Result<(), DecodeError> {
        match self.wire {
            Wire::Varint => self.varint().map(drop),
            Wire::Fixed64 => self.pass(8),
            Wire::Fixed32 => self.pass(4),
            Wire::Length => {
                let length = self.length()?;
                self.pass(length)
            }
            Wire::GroupBegin => {
                let depth = depth.checked_sub(1).ok_or_else(|| DecodeError::new(Fault::Depth))?;
                let number = self.number;
                loop {
                    self.key()?;
                    match self.wire {
                        Wire::GroupEnd if self.number == number => return Ok(()),
                        _ => self.skip_field(depth)?,
                    }
                }
            }
            Wire::GroupEnd => Err(DecodeError::new(Fault::UnknownKind(Wire::GroupEnd as u8))),
        }
    }

    /// A number of at most 32 bits; of a longer one they are the lower ones.
    #[inline]
    fn narrow(&mut self) -> Result<i32, DecodeError> {
        if self.encoding == Encoding::Plain {
            return Ok((self.varint()? as u32).cast_signed());
        }
        Ok(match self.encoding {
            Encoding::Fixed | Encoding::SignedFixed => i32::from_le_bytes(self.array()?),
            Encoding::Zigzag => {
                let value = self.varint()? as u32;
                (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
            }
            _ => (self.varint()? as u32).cast_signed(),
        })
    }
}

/// The highest number a field can have in protobuf.
const LAST_NUMBER: u64 = (1 << 29) - 1;

/// A number and how many bytes it takes.
#[inline]
fn first_varint(bytes: &[u8]) -> Result<(u64, usize), DecodeError> {
    match bytes {
        [byte, ..] if *byte < 0x80 => Ok((u64::from(*byte), 1)),
        _ => long_varint(bytes),
    }
}

fn long_varint(bytes: &[u8]) -> Result<(u64, usize), DecodeError> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        // The tenth byte holds one bit.
        if index == 9 && *byte > 1 {
            return Err(bad_number());
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Ok((value, index + 1));
        }
    }
    Err(if bytes.len() < 10 { truncated() } else { bad_number() })
}

impl Reader for ProtobufReader {
    #[inline]
    fn struct_begin(&mut self) -> Result<(), DecodeError> {
        if self.depth == MAX_DEPTH {
            return Err(DecodeError::new(Fault::Depth));
        }
        self.depth += 1;
        Ok(())
    }

    #[inline]
    fn struct_end(&mut self) -> Result<(), DecodeError> {
        self.depth -= 1;
        Ok(())
    }

    /// The kind is the one of the same width; what a field is, its schema says.
    #[inline]
    fn field_begin(&mut self) -> Result<Option<(i16, Kind)>, DecodeError> {
        while !self.is_at_end() {
            self.key()?;
            if let Ok(number) = i16::try_from(self.number) {
                let kind = match self.wire {
                    Wire::Varint | Wire::Fixed64 => Kind::I64,
                    Wire::Fixed32 => Kind::I32,
                    Wire::Length => Kind::Binary,
                    Wire::GroupBegin | Wire::GroupEnd => Kind::Struct,
                };
                return Ok(Some((number, kind)));
            }
            // No field of ours has such a number.
            self.skip_field(MAX_DEPTH)?;
        }
        Ok(None)
    }

    #[inline]
    fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.varint()? != 0)
    }

    #[inline]
    fn i8(&mut self) -> Result<i8, DecodeError> {
        self.narrow()?.try_into().map_err(|_| bad_number())
    }

    #[inline]
    fn i16(&mut self) -> Result<i16, DecodeError> {
        self.narrow()?.try_into().map_err(|_| bad_number())
    }

    #[inline]
    fn i32(&mut self) -> Result<i32, DecodeError> {
        self.narrow()
    }

    #[inline]
    fn i64(&mut self) -> Result<i64, DecodeError> {
        Ok(match self.encoding {
            Encoding::Plain | Encoding::Unsigned | Encoding::Float => self.varint()?.cast_signed(),
            Encoding::Fixed | Encoding::SignedFixed => i64::from_le_bytes(self.array()?),
            Encoding::Zigzag => {
                let value = self.varint()?;
                (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
            }
        })
    }

    #[inline]
    fn f64(&mut self) -> Result<f64, DecodeError> {
        Ok(match self.encoding {
            Encoding::Float => f32::from_le_bytes(self.array()?).into(),
            _ => f64::from_le_bytes(self.array()?),
        })
    }

    #[inline]
    fn str<T>(&mut self, make: impl FnOnce(&str) -> T) -> Result<T, DecodeError> {
        let text = str::from_utf8(self.blob()?).map_err(|_| DecodeError::new(Fault::NotUtf8))?;
        Ok(make(text))
    }

    #[inline]
    fn slice<T>(&mut self, make: impl FnOnce(&[u8]) -> T) -> Result<T, DecodeError> {
        self.blob().map(make)
    }

    #[inline]
    fn bytes(&mut self) -> Result<Bytes, DecodeError> {
        let length = self.length()?;
        let start = self.at;
        self.at += length;
        Ok(self.source.slice(start..self.at))
    }

    fn list_begin(&mut self, _: Kind) -> Result<usize, DecodeError> {
        Err(DecodeError::new(Fault::Bare))
    }

    fn set_begin(&mut self, _: Kind) -> Result<usize, DecodeError> {
        Err(DecodeError::new(Fault::Bare))
    }

    fn map_begin(&mut self, _: Kind, _: Kind) -> Result<usize, DecodeError> {
        Err(DecodeError::new(Fault::Bare))
    }

    /// Skips the field that was begun, whatever its kind.
    fn skip(&mut self, _: Kind) -> Result<(), DecodeError> {
        self.skip_field(MAX_DEPTH)
    }

    fn i32s(&mut self, count: usize) -> Result<Vec<i32>, DecodeError> {
        match self.encoding {
            Encoding::Plain => self.varints(count, |value| (value as u32).cast_signed()),
            _ => reader::collect(count, || self.narrow()),
        }
    }

    fn i64s(&mut self, count: usize) -> Result<Vec<i64>, DecodeError> {
        match self.encoding {
            Encoding::Plain => self.varints(count, u64::cast_signed),
            _ => reader::collect(count, || self.i64()),
        }
    }

    #[inline]
    fn protobuf(&mut self) -> Option<&mut ProtobufReader> {
        Some(self)
    }
}

#[cold]
fn bad_number() -> DecodeError {
    DecodeError::new(Fault::BadNumber)
}

#[cold]
fn truncated() -> DecodeError {
    DecodeError::new(Fault::Truncated)
}
