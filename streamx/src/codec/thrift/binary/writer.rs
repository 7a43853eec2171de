use bytes::BytesMut;

use crate::codec::{EncodeError, Kind, MAX_DEPTH, Writer};

/// Writes Thrift binary to the end of a buffer.
#[derive(Debug)]
pub struct BinaryWriter<'a> {
    out: &'a mut BytesMut,
    depth: u32,
    failure: Option<EncodeError>,
}

impl<'a> BinaryWriter<'a> {
    /// A writer to the end of `out`.
    pub fn new(out: &'a mut BytesMut) -> Self {
        Self { out, depth: 0, failure: None }
    }

    /// The first failure, if there was one.
    pub fn finish(self) -> Result<(), EncodeError> {
        self.failure.map_or(Ok(()), Err)
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    #[inline]
    fn length(&mut self, length: usize) -> i32 {
        i32::try_from(length).unwrap_or_else(|_| {
            self.fail(EncodeError::Length);
            0
        })
    }

    /// A wire type and a count, as lists and sets begin.
    #[inline]
    fn elements(&mut self, element: Kind, count: usize) {
        let [a, b, c, d] = self.length(count).to_be_bytes();
        self.put(&[element.number(), a, b, c, d]);
    }
}

/// Writes numbers in bulk, through a small buffer on the stack.
macro_rules! put_all {
    ($self:ident, $values:ident, $type:ty) => {{
        const WIDTH: usize = size_of::<$type>();
        $self.out.reserve(size_of_val($values));
        for chunk in $values.chunks(256 / WIDTH) {
            let mut block = [0; 256];
            for (place, value) in block.chunks_exact_mut(WIDTH).zip(chunk) {
                place.copy_from_slice(&value.to_be_bytes());
            }
            $self.out.extend_from_slice(&block[..chunk.len() * WIDTH]);
        }
    }};
}

impl Writer for BinaryWriter<'_> {
    #[inline]
    fn struct_begin(&mut self) -> bool {
        if self.depth == MAX_DEPTH {
            self.fail(EncodeError::Depth);
            return false;
        }
        self.depth += 1;
        true
    }

    #[inline]
    fn struct_end(&mut self) {
        self.depth -= 1;
        self.put(&[0]);
    }

    #[inline]
    fn field_begin(&mut self, number: i16, kind: Kind) {
        let [high, low] = number.to_be_bytes();
        self.put(&[kind.number(), high, low]);
    }

    #[inline]
    fn bool(&mut self, value: bool) {
        self.put(&[u8::from(value)]);
    }

    #[inline]
    fn i8(&mut self, value: i8) {
        self.put(&value.to_be_bytes());
    }

    #[inline]
    fn i16(&mut self, value: i16) {
        self.put(&value.to_be_bytes());
    }

    #[inline]
    fn i32(&mut self, value: i32) {
        self.put(&value.to_be_bytes());
    }

    #[inline]
    fn i64(&mut self, value: i64) {
        self.put(&value.to_be_bytes());
    }

    #[inline]
    fn f64(&mut self, value: f64) {
        self.put(&value.to_be_bytes());
    }

    #[inline]
    fn str(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    #[inline]
    fn bytes(&mut self, value: &[u8]) {
        let length = self.length(value.len());
        self.i32(length);
        self.put(value);
    }

    #[inline]
    fn list_begin(&mut self, element: Kind, count: usize) {
        self.elements(element, count);
    }

    #[inline]
    fn set_begin(&mut self, element: Kind, count: usize) {
        self.elements(element, count);
    }

    #[inline]
    fn map_begin(&mut self, key: Kind, value: Kind, count: usize) {
        let [a, b, c, d] = self.length(count).to_be_bytes();
        self.put(&[key.number(), value.number(), a, b, c, d]);
    }

    fn i16s(&mut self, values: &[i16]) {
        put_all!(self, values, i16);
    }

    fn i32s(&mut self, values: &[i32]) {
        put_all!(self, values, i32);
    }

    fn i64s(&mut self, values: &[i64]) {
        put_all!(self, values, i64);
    }

    fn f64s(&mut self, values: &[f64]) {
        put_all!(self, values, f64);
    }

    #[cold]
    fn fail(&mut self, error: EncodeError) {
        self.failure.get_or_insert(error);
    }
}
