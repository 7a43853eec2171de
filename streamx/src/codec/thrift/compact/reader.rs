use bytes::Bytes;

use super::{LastNumbers, TRUE, kind_of};
use crate::codec::{DecodeError, Fault, Kind, MAX_DEPTH, Reader};

/// Reads Thrift compact. Bytes behind the message are not looked at.
#[derive(Debug)]
pub struct CompactReader<'a> {
    source: &'a Bytes,
    rest: &'a [u8],
    last: LastNumbers,
    /// The truth value that was in the header of a field.
    pending: Option<bool>,
}

impl<'a> CompactReader<'a> {
    /// A reader of `source`; a field of type `Bytes` becomes a slice of it.
    pub fn new(source: &'a Bytes) -> Self {
        Self { source, rest: source, last: LastNumbers::new(), pending: None }
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.rest.split_first().ok_or_else(truncated)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn run(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (run, rest) = self.rest.split_at_checked(length).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(run)
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits.leading_zeros() < shift {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(bad_number())
    }

    fn zigzag(&mut self) -> Result<i64, DecodeError> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn narrow<T: TryFrom<i64>>(&mut self) -> Result<T, DecodeError> {
        T::try_from(self.zigzag()?).map_err(|_| bad_number())
    }

    /// A length or count, which is below 2^31.
    fn length(&mut self) -> Result<usize, DecodeError> {
        let length = u32::try_from(self.varint()?).map_err(|_| bad_number())?;
        if length > i32::MAX.unsigned_abs() {
            return Err(DecodeError::new(Fault::NegativeLength));
        }
        usize::try_from(length).map_err(|_| bad_number())
    }

    fn blob(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.length()?;
        self.run(length)
    }

    /// `count`, if so many elements of these sizes at least can be in the bytes left.
    fn checked(&self, count: usize, size: usize) -> Result<usize, DecodeError> {
        if count > self.rest.len() / size { Err(truncated()) } else { Ok(count) }
    }

    /// The wire type and the count with which lists and sets begin.
    fn elements(&mut self) -> Result<(u8, usize), DecodeError> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.length()?,
            count => count.into(),
        };
        Ok((header & 0x0f, count))
    }

    fn elements_of(&mut self, element: Kind) -> Result<usize, DecodeError> {
        let (found, count) = self.elements()?;
        matches(element, found, count)?;
        self.checked(count, least_size(element))
    }

    /// The wire types and the count with which maps begin; an empty one has no types.
    fn entries(&mut self) -> Result<(u8, u8, usize), DecodeError> {
        let count = self.length()?;
        let kinds = if count == 0 { 0 } else { self.byte()? };
        Ok((kinds >> 4, kinds & 0x0f, count))
    }

    fn skip_nested(&mut self, kind: Kind, depth: u32) -> Result<(), DecodeError> {
        let deeper = || depth.checked_sub(1).ok_or_else(|| DecodeError::new(Fault::Depth));
        match kind {
            Kind::Bool => self.bool().map(drop),
            Kind::I8 => self.byte().map(drop),
            Kind::I16 | Kind::I32 | Kind::I64 => self.varint().map(drop),
            Kind::F64 => self.run(8).map(drop),
            Kind::Binary => self.blob().map(drop),
            Kind::Struct => {
                let depth = deeper()?;
                // The numbers inside do not matter, but the next field of this struct is told from its last one.
                let last = std::mem::take(self.last.last());
                while let Some((_, kind)) = self.field_begin()? {
                    self.skip_nested(kind, depth)?;
                }
                *self.last.last() = last;
                Ok(())
            }
            Kind::Map => {
                let depth = deeper()?;
                let (key, value, count) = self.entries()?;
                if count == 0 {
                    return Ok(());
                }
                let (key, value) = (known(key)?, known(value)?);
                (0..self.checked(count, least_size(key) + least_size(value))?).try_for_each(|_| {
                    self.skip_nested(key, depth)?;
                    self.skip_nested(value, depth)
                })
            }
            Kind::Set | Kind::List => {
                let depth = deeper()?;
                let (element, count) = self.elements()?;
                if count == 0 {
                    return Ok(());
                }
                let element = known(element)?;
                (0..self.checked(count, least_size(element))?)
                    .try_for_each(|_| self.skip_nested(element, depth))
            }
        }
    }
}

impl Reader for CompactReader<'_> {
    fn struct_begin(&mut self) -> Result<(), DecodeError> {
        if self.last.open() { Ok(()) } else { Err(DecodeError::new(Fault::Depth)) }
    }

    fn struct_end(&mut self) -> Result<(), DecodeError> {
        self.last.close();
        Ok(())
    }

    fn field_begin(&mut self) -> Result<Option<(i16, Kind)>, DecodeError> {
        let header = self.byte()?;
        if header & 0x0f == 0 {
            return Ok(None);
        }
        let number = match header >> 4 {
            0 => self.narrow()?,
            delta => self.last.last().checked_add(delta.into()).ok_or_else(bad_number)?,
        };
        *self.last.last() = number;
        let kind = known(header & 0x0f)?;
        if kind == Kind::Bool {
            self.pending = Some(header & 0x0f == TRUE);
        }
        Ok(Some((number, kind)))
    }

    fn bool(&mut self) -> Result<bool, DecodeError> {
        match self.pending.take() {
            Some(value) => Ok(value),
            None => Ok(self.byte()? == TRUE),
        }
    }

    fn i8(&mut self) -> Result<i8, DecodeError> {
        self.byte().map(u8::cast_signed)
    }

    fn i16(&mut self) -> Result<i16, DecodeError> {
        self.narrow()
    }

    fn i32(&mut self) -> Result<i32, DecodeError> {
        self.narrow()
    }

    fn i64(&mut self) -> Result<i64, DecodeError> {
        self.zigzag()
    }

    fn f64(&mut self) -> Result<f64, DecodeError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(truncated)?;
        self.rest = rest;
        Ok(f64::from_le_bytes(*bytes))
    }

    fn str<T>(&mut self, make: impl FnOnce(&str) -> T) -> Result<T, DecodeError> {
        let text = str::from_utf8(self.blob()?).map_err(|_| DecodeError::new(Fault::NotUtf8))?;
        Ok(make(text))
    }

    fn slice<T>(&mut self, make: impl FnOnce(&[u8]) -> T) -> Result<T, DecodeError> {
        self.blob().map(make)
    }

    fn bytes(&mut self) -> Result<Bytes, DecodeError> {
        self.blob().map(|blob| self.source.slice_ref(blob))
    }

    fn list_begin(&mut self, element: Kind) -> Result<usize, DecodeError> {
        self.elements_of(element)
    }

    fn set_begin(&mut self, element: Kind) -> Result<usize, DecodeError> {
        self.elements_of(element)
    }

    fn map_begin(&mut self, key: Kind, value: Kind) -> Result<usize, DecodeError> {
        let (found_key, found_value, count) = self.entries()?;
        matches(key, found_key, count)?;
        matches(value, found_value, count)?;
        self.checked(count, least_size(key) + least_size(value))
    }

    fn skip(&mut self, kind: Kind) -> Result<(), DecodeError> {
        self.skip_nested(kind, MAX_DEPTH)
    }
}

fn matches(expected: Kind, found: u8, count: usize) -> Result<(), DecodeError> {
    if count > 0 && Some(expected) != kind_of(found) {
        let found = kind_of(found).map_or(0, Kind::number);
        return Err(DecodeError::new(Fault::ElementKind { expected, found }));
    }
    Ok(())
}

fn known(number: u8) -> Result<Kind, DecodeError> {
    kind_of(number).ok_or_else(|| DecodeError::new(Fault::UnknownKind(number)))
}

/// The fewest bytes a value of this kind takes.
fn least_size(kind: Kind) -> usize {
    if kind == Kind::F64 { 8 } else { 1 }
}

fn truncated() -> DecodeError {
    DecodeError::new(Fault::Truncated)
}

fn bad_number() -> DecodeError {
    DecodeError::new(Fault::BadNumber)
}
