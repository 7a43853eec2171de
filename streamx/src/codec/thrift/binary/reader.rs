use bytes::Bytes;

use crate::codec::{DecodeError, Fault, Kind, MAX_DEPTH, Reader};

/// Reads Thrift binary. Bytes behind the message are not looked at.
#[derive(Debug)]
pub struct BinaryReader<'a> {
    source: &'a Bytes,
    rest: &'a [u8],
    depth: u32,
}

impl<'a> BinaryReader<'a> {
    /// A reader of `source`; a field of type `Bytes` becomes a slice of it.
    pub fn new(source: &'a Bytes) -> Self {
        Self { source, rest: source, depth: 0 }
    }

    /// What was not read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    #[inline]
    fn run(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (run, rest) = self.rest.split_at_checked(length).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(run)
    }

    #[inline]
    fn length(&mut self) -> Result<usize, DecodeError> {
        usize::try_from(self.i32()?).map_err(|_| DecodeError::new(Fault::NegativeLength))
    }

    #[inline]
    fn blob(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.length()?;
        self.run(length)
    }

    /// A count of elements of these sizes at least, not above what the bytes left can hold.
    #[inline]
    fn count(&mut self, size: usize) -> Result<usize, DecodeError> {
        let count = self.length()?;
        if count > self.rest.len() / size { Err(truncated()) } else { Ok(count) }
    }

    #[inline]
    fn elements(&mut self, element: Kind) -> Result<usize, DecodeError> {
        let [found] = self.array()?;
        let count = self.count(least_size(element))?;
        matches(element, found, count)?;
        Ok(count)
    }

    fn skip_nested(&mut self, kind: Kind, depth: u32) -> Result<(), DecodeError> {
        let depth = match kind {
            Kind::Struct | Kind::Map | Kind::Set | Kind::List => {
                depth.checked_sub(1).ok_or_else(|| DecodeError::new(Fault::Depth))?
            }
            _ => depth,
        };
        match kind {
            Kind::Binary => self.blob().map(drop),
            Kind::Struct => {
                while let Some((_, kind)) = self.field_begin()? {
                    self.skip_nested(kind, depth)?;
                }
                Ok(())
            }
            Kind::Map => {
                let [key, value] = self.array()?;
                let Some(count) = self.some_elements()? else { return Ok(()) };
                let (key, value) = (kind_of(key)?, kind_of(value)?);
                (0..count).try_for_each(|_| {
                    self.skip_nested(key, depth)?;
                    self.skip_nested(value, depth)
                })
            }
            Kind::Set | Kind::List => {
                let [element] = self.array()?;
                let Some(count) = self.some_elements()? else { return Ok(()) };
                let element = kind_of(element)?;
                (0..count).try_for_each(|_| self.skip_nested(element, depth))
            }
            fixed => self.run(least_size(fixed)).map(drop),
        }
    }

    /// How many elements a container to be skipped has; `None` for an empty one, whose types may be anything.
    fn some_elements(&mut self) -> Result<Option<usize>, DecodeError> {
        Ok(Some(self.count(1)?).filter(|count| *count > 0))
    }
}

macro_rules! read_all {
    ($self:ident, $count:ident, $type:ty) => {{
        const WIDTH: usize = size_of::<$type>();
        let run = $self.run($count.checked_mul(WIDTH).ok_or_else(truncated)?)?;
        let (arrays, _) = run.as_chunks::<WIDTH>();
        Ok(arrays.iter().map(|array| <$type>::from_be_bytes(*array)).collect())
    }};
}

impl Reader for BinaryReader<'_> {
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

    #[inline]
    fn field_begin(&mut self) -> Result<Option<(i16, Kind)>, DecodeError> {
        let [kind] = self.array()?;
        if kind == 0 {
            return Ok(None);
        }
        Ok(Some((self.i16()?, kind_of(kind)?)))
    }

    #[inline]
    fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.array()? == [1])
    }

    #[inline]
    fn i8(&mut self) -> Result<i8, DecodeError> {
        self.array().map(i8::from_be_bytes)
    }

    #[inline]
    fn i16(&mut self) -> Result<i16, DecodeError> {
        self.array().map(i16::from_be_bytes)
    }

    #[inline]
    fn i32(&mut self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_be_bytes)
    }

    #[inline]
    fn i64(&mut self) -> Result<i64, DecodeError> {
        self.array().map(i64::from_be_bytes)
    }

    #[inline]
    fn f64(&mut self) -> Result<f64, DecodeError> {
        self.array().map(f64::from_be_bytes)
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
        let length = self.blob()?.len();
        let end = self.source.len() - self.rest.len();
        Ok(self.source.slice(end - length..end))
    }

    #[inline]
    fn list_begin(&mut self, element: Kind) -> Result<usize, DecodeError> {
        self.elements(element)
    }

    #[inline]
    fn set_begin(&mut self, element: Kind) -> Result<usize, DecodeError> {
        self.elements(element)
    }

    #[inline]
    fn map_begin(&mut self, key: Kind, value: Kind) -> Result<usize, DecodeError> {
        let [found_key, found_value] = self.array()?;
        let count = self.count(least_size(key) + least_size(value))?;
        matches(key, found_key, count)?;
        matches(value, found_value, count)?;
        Ok(count)
    }

    fn skip(&mut self, kind: Kind) -> Result<(), DecodeError> {
        self.skip_nested(kind, MAX_DEPTH)
    }

    fn bools(&mut self, count: usize) -> Result<Vec<bool>, DecodeError> {
        Ok(self.run(count)?.iter().map(|byte| *byte == 1).collect())
    }

    fn i8s(&mut self, count: usize) -> Result<Vec<i8>, DecodeError> {
        read_all!(self, count, i8)
    }

    fn i16s(&mut self, count: usize) -> Result<Vec<i16>, DecodeError> {
        read_all!(self, count, i16)
    }

    fn i32s(&mut self, count: usize) -> Result<Vec<i32>, DecodeError> {
        read_all!(self, count, i32)
    }

    fn i64s(&mut self, count: usize) -> Result<Vec<i64>, DecodeError> {
        read_all!(self, count, i64)
    }

    fn f64s(&mut self, count: usize) -> Result<Vec<f64>, DecodeError> {
        read_all!(self, count, f64)
    }
}

/// Elements are read by the type of the schema. An empty container may carry any type, as Kitex allows; another type
/// in front of elements would be misread, so it is a failure, though Kitex does not look (it reads as the schema says).
#[inline]
fn matches(expected: Kind, found: u8, count: usize) -> Result<(), DecodeError> {
    if count > 0 && found != expected.number() {
        return Err(DecodeError::new(Fault::ElementKind { expected, found }));
    }
    Ok(())
}

#[inline]
fn kind_of(number: u8) -> Result<Kind, DecodeError> {
    Kind::from_number(number).ok_or_else(|| DecodeError::new(Fault::UnknownKind(number)))
}

/// The fewest bytes a value of this kind takes; for numbers exactly what they take.
#[inline]
fn least_size(kind: Kind) -> usize {
    match kind {
        Kind::Bool | Kind::I8 | Kind::Struct => 1,
        Kind::I16 => 2,
        Kind::I32 | Kind::Binary => 4,
        Kind::F64 | Kind::I64 => 8,
        Kind::Set | Kind::List => 5,
        Kind::Map => 6,
    }
}

fn truncated() -> DecodeError {
    DecodeError::new(Fault::Truncated)
}
