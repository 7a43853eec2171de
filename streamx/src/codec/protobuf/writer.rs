use bytes::BytesMut;

use super::Wire;
use crate::codec::{EncodeError, Kind, MAX_DEPTH, Writer};
use crate::schema::{Encoding, Form};

/// Writes protobuf to the end of a buffer.
///
/// Numbers, texts and bytes are written as the field that was begun, with its key in front, or bare when there is none,
/// as in a packed list. The length in front of a nested message is not known when its place is left free; the place is
/// as wide as the last length at this level was, and what follows is moved when it turns out wider or narrower. Before a
/// large text or blob the places are widened, so that it is not moved.
#[derive(Debug)]
pub struct ProtobufWriter {
    out: BytesMut,
    /// The field of the next value; 0 for a bare one.
    number: i16,
    encoding: Encoding,
    /// Whether a zero is left out.
    implicit: bool,
    depth: u32,
    /// How many lengths are open.
    open: usize,
    /// The places of the innermost of them, by their level; where none is open, the width of the last one.
    places: [Place; LEVELS],
    failure: Option<EncodeError>,
}

/// The place of a length: what follows it, and how many bytes it takes.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    width: usize,
}

/// How many places are known while they are open. One further out is right too, but what follows may be moved.
const LEVELS: usize = 4;

/// From how many bytes on a text is not to be moved.
const LARGE: usize = 1024;

/// The longest key and number: 3 and 10 bytes, rounded up to what is copied at once.
const LONGEST: usize = 16;

impl ProtobufWriter {
    /// A writer to the end of `out`.
    pub fn new(out: BytesMut) -> Self {
        Self {
            out,
            number: 0,
            encoding: Encoding::Plain,
            implicit: false,
            depth: 0,
            open: 0,
            places: [Place { start: 0, width: 1 }; LEVELS],
            failure: None,
        }
    }

    /// The buffer, and the first failure, if there was one.
    pub fn finish(self) -> (BytesMut, Option<EncodeError>) {
        (self.out, self.failure)
    }

    /// The buffer, for a library that writes a whole message.
    #[cfg(feature = "prost")]
    pub(super) fn out(&mut self) -> &mut BytesMut {
        &mut self.out
    }

    /// The next value is this field.
    #[inline]
    pub(super) fn begin(&mut self, number: i16, form: Form) {
        self.number = number;
        self.encoding = form.value;
        self.implicit = !form.explicit;
    }

    /// The next values have no key.
    #[inline]
    pub(super) fn begin_bare(&mut self, encoding: Encoding) {
        self.number = 0;
        self.encoding = encoding;
        self.implicit = false;
    }

    /// Writes a field that has a length, whatever it is.
    pub(super) fn nested(&mut self, number: i16, body: impl FnOnce(&mut Self)) {
        let level = self.open % LEVELS;
        let width = self.places[level].width;
        let mut head = Block::default();
        head.key(number, Wire::Length);
        head.length += width;
        head.put(&mut self.out);
        let outer = std::mem::replace(&mut self.places[level], Place { start: self.out.len(), width });
        self.open += 1;
        body(self);
        self.open -= 1;
        let Place { start, width } = self.places[level];
        let length = self.length(self.out.len() - start);
        let mut bytes = Block::default();
        bytes.varint(length);
        let (hole, needed) = (start - width, bytes.length);
        if needed != width {
            self.move_body(start, hole + needed);
        }
        self.out[hole..hole + needed].copy_from_slice(&bytes.bytes[..needed]);
        self.places[level] = if self.open < LEVELS { Place { start, width: needed } } else { outer };
    }

    /// Makes the places of lengths as wide as they must be when so many bytes are added.
    #[cold]
    fn widen(&mut self, coming: usize) {
        for level in self.open.saturating_sub(LEVELS)..self.open {
            let Place { start, width } = self.places[level % LEVELS];
            let mut bytes = Block::default();
            bytes.varint((self.out.len() - start + coming) as u64);
            let Some(wider) = bytes.length.checked_sub(width) else { continue };
            self.move_body(start, start + wider);
            self.places[level % LEVELS].width += wider;
            for inner in level..self.open {
                self.places[inner % LEVELS].start += wider;
            }
        }
    }

    /// Moves everything from one place on to another.
    #[cold]
    fn move_body(&mut self, from: usize, to: usize) {
        let end = self.out.len();
        let new_end = end - from + to;
        if new_end > end {
            self.out.resize(new_end, 0);
        }
        self.out.copy_within(from..end, to);
        self.out.truncate(new_end);
    }

    #[inline]
    fn length(&mut self, length: usize) -> u64 {
        i32::try_from(length).map_or_else(
            |_| {
                self.fail(EncodeError::Length);
                0
            },
            |length| length.unsigned_abs().into(),
        )
    }

    #[inline]
    fn varint(&mut self, value: u64) {
        if self.implicit && value == 0 {
            return;
        }
        let mut block = Block::default();
        block.key(self.number, Wire::Varint);
        block.varint(value);
        block.put(&mut self.out);
    }

    #[inline]
    fn fixed32(&mut self, value: [u8; 4]) {
        if self.implicit && value == [0; 4] {
            return;
        }
        let mut block = Block::default();
        block.key(self.number, Wire::Fixed32);
        block.fixed(value);
        block.put(&mut self.out);
    }

    #[inline]
    fn fixed64(&mut self, value: [u8; 8]) {
        if self.implicit && value == [0; 8] {
            return;
        }
        let mut block = Block::default();
        block.key(self.number, Wire::Fixed64);
        block.fixed(value);
        block.put(&mut self.out);
    }

    /// Writes bare varints, through a small buffer on the stack.
    fn varints(&mut self, values: impl Iterator<Item = u64>) {
        let mut block = [0; 256];
        let mut filled = 0;
        for mut value in values {
            if block.len() - filled < 10 {
                self.out.extend_from_slice(&block[..filled]);
                filled = 0;
            }
            while value >= 0x80 {
                block[filled] = value as u8 | 0x80;
                value >>= 7;
                filled += 1;
            }
            block[filled] = value as u8;
            filled += 1;
        }
        self.out.extend_from_slice(&block[..filled]);
    }
}

/// What is written at once.
#[derive(Default)]
struct Block {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Block {
    #[inline]
    fn key(&mut self, number: i16, wire: Wire) {
        if number != 0 {
            self.varint(u64::from(number.unsigned_abs()) << 3 | wire as u64);
        }
    }

    #[inline]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes[self.length] = value as u8 | 0x80;
            value >>= 7;
            self.length += 1;
        }
        self.bytes[self.length] = value as u8;
        self.length += 1;
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, value: [u8; N]) {
        self.bytes[self.length..self.length + N].copy_from_slice(&value);
        self.length += N;
    }

    /// A copy of constant length is cheaper than one of the right length.
    #[inline]
    fn put(&self, out: &mut BytesMut) {
        let end = out.len() + self.length;
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
    }
}

fn zigzag32(value: i32) -> u64 {
    ((value << 1) ^ (value >> 31)).cast_unsigned().into()
}

fn zigzag64(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

impl Writer for ProtobufWriter {
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
    }

    fn field_begin(&mut self, number: i16, _: Kind) {
        self.begin(number, Form::EXPLICIT);
    }

    #[inline]
    fn bool(&mut self, value: bool) {
        self.varint(value.into());
    }

    #[inline]
    fn i8(&mut self, value: i8) {
        self.i32(value.into());
    }

    #[inline]
    fn i16(&mut self, value: i16) {
        self.i32(value.into());
    }

    #[inline]
    fn i32(&mut self, value: i32) {
        match self.encoding {
            Encoding::Plain | Encoding::Float => self.varint(i64::from(value).cast_unsigned()),
            Encoding::Zigzag => self.varint(zigzag32(value)),
            Encoding::Unsigned => self.varint(value.cast_unsigned().into()),
            Encoding::Fixed | Encoding::SignedFixed => self.fixed32(value.to_le_bytes()),
        }
    }

    #[inline]
    fn i64(&mut self, value: i64) {
        match self.encoding {
            Encoding::Plain | Encoding::Unsigned | Encoding::Float => self.varint(value.cast_unsigned()),
            Encoding::Zigzag => self.varint(zigzag64(value)),
            Encoding::Fixed | Encoding::SignedFixed => self.fixed64(value.to_le_bytes()),
        }
    }

    #[inline]
    fn f64(&mut self, value: f64) {
        match self.encoding {
            Encoding::Float => self.fixed32((value as f32).to_le_bytes()),
            _ => self.fixed64(value.to_le_bytes()),
        }
    }

    #[inline]
    fn str(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    #[inline]
    fn bytes(&mut self, value: &[u8]) {
        if self.implicit && value.is_empty() {
            return;
        }
        if value.len() >= LARGE && self.open > 0 {
            self.widen(value.len());
        }
        let length = self.length(value.len());
        let mut block = Block::default();
        block.key(self.number, Wire::Length);
        block.varint(length);
        self.out.reserve(LONGEST + value.len());
        block.put(&mut self.out);
        self.out.extend_from_slice(value);
    }

    fn list_begin(&mut self, _: Kind, _: usize) {
        self.fail(EncodeError::Bare);
    }

    fn set_begin(&mut self, _: Kind, _: usize) {
        self.fail(EncodeError::Bare);
    }

    fn map_begin(&mut self, _: Kind, _: Kind, _: usize) {
        self.fail(EncodeError::Bare);
    }

    fn i32s(&mut self, values: &[i32]) {
        match self.encoding {
            Encoding::Plain if self.number == 0 => {
                self.varints(values.iter().map(|value| i64::from(*value).cast_unsigned()));
            }
            _ => values.iter().for_each(|value| self.i32(*value)),
        }
    }

    fn i64s(&mut self, values: &[i64]) {
        match self.encoding {
            Encoding::Plain if self.number == 0 => {
                self.varints(values.iter().map(|value| value.cast_unsigned()));
            }
            _ => values.iter().for_each(|value| self.i64(*value)),
        }
    }

    #[inline]
    fn protobuf(&mut self) -> Option<&mut ProtobufWriter> {
        Some(self)
    }

    #[cold]
    fn fail(&mut self, error: EncodeError) {
        self.failure.get_or_insert(error);
    }
}
