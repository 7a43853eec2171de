//! Messages in a body: each behind five bytes, of which the first says whether it is compressed and the others how long
//! it is.

use bytes::{Buf, Bytes, BytesMut};

/// What stands before a message.
pub(crate) const PREFIX: usize = 5;
/// Room is made for so many bytes that have not arrived.
const AHEAD: usize = 64 << 10;

/// Writes the prefix of a message of unknown length, which [`end`] fills in. Gives the place.
pub(crate) fn begin(out: &mut BytesMut) -> usize {
    out.extend_from_slice(&[0; PREFIX]);
    out.len() - PREFIX
}

/// Fills in the length of the message that ends the buffer. Its size was checked against `max_message_size`; what four
/// bytes cannot hold would be cut off, so it is none.
pub(crate) fn end(out: &mut BytesMut, mark: usize) -> Option<()> {
    let length = u32::try_from(out.len() - mark - PREFIX).ok()?;
    out[mark + 1..mark + PREFIX].copy_from_slice(&length.to_be_bytes());
    Some(())
}

/// Adds a message that was compressed. Its length fits, as that of what it was made of does.
pub(crate) fn put_compressed(out: &mut BytesMut, message: &[u8]) {
    let mark = begin(out);
    out.extend_from_slice(message);
    if end(out, mark).is_some() {
        out[mark] = 1;
    }
}

/// Takes a message with its prefix apart: whether it is compressed, and its bytes.
pub(crate) fn open(mut message: Bytes) -> (bool, Bytes) {
    let is_compressed = message.first() == Some(&1);
    message.advance(PREFIX.min(message.len()));
    (is_compressed, message)
}

/// Why a body cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// The first byte is neither 0 nor 1.
    Flag(u8),
    /// The message has so many bytes.
    TooLarge(usize),
}

/// Cuts messages out of a body, whose pieces may end anywhere.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// A piece that has arrived, of which no byte was looked at yet.
    piece: Bytes,
    /// What is there of the next message and its prefix.
    part: BytesMut,
}

impl Body {
    /// Adds a piece, when [`next`](Self::next) has none left.
    pub(crate) fn push(&mut self, piece: Bytes) {
        debug_assert!(self.piece.is_empty(), "the piece before was not read to its end");
        self.piece = piece;
    }

    /// How many bytes are here of a message that is not whole.
    pub(crate) fn partial(&self) -> usize {
        self.part.len()
    }

    /// The next whole message with its prefix, for [`open`]: a slice of its piece where that holds all of it.
    pub(crate) fn next(&mut self, limit: usize) -> Result<Option<Bytes>, Mistake> {
        if let Some(head) = self.piece.first_chunk::<PREFIX>().filter(|_| self.part.is_empty()) {
            let length = length(head, limit)?;
            if self.piece.len() - PREFIX >= length {
                return Ok(Some(self.piece.split_to(PREFIX + length)));
            }
        }
        self.fill(PREFIX);
        let Some(head) = self.part.first_chunk::<PREFIX>() else { return Ok(None) };
        let length = length(head, limit)?;
        self.fill(PREFIX + length);
        if self.part.len() < PREFIX + length {
            return Ok(None);
        }
        Ok(Some(self.part.split().freeze()))
    }

    /// Moves bytes until there are so many.
    fn fill(&mut self, wanted: usize) {
        let missing = wanted.saturating_sub(self.part.len());
        let there = missing.min(self.piece.len());
        if there > 0 {
            self.part.reserve(missing.min(there + AHEAD));
            self.part.extend_from_slice(&self.piece.split_to(there));
        }
    }
}

fn length(head: &[u8; PREFIX], limit: usize) -> Result<usize, Mistake> {
    let [flag, length @ ..] = *head;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    match flag {
        0 | 1 if length <= limit => Ok(length),
        0 | 1 => Err(Mistake::TooLarge(length)),
        other => Err(Mistake::Flag(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        let mark = begin(&mut out);
        out.extend_from_slice(bytes);
        end(&mut out, mark).unwrap();
        out.to_vec()
    }

    /// Everything that comes out of a body in pieces.
    fn read(pieces: &[&[u8]], limit: usize) -> (Vec<Bytes>, usize, Option<Mistake>) {
        let (mut body, mut messages) = (Body::default(), Vec::new());
        for piece in pieces {
            body.push(Bytes::copy_from_slice(piece));
            loop {
                match body.next(limit) {
                    Ok(Some(message)) => {
                        let (is_compressed, message) = open(message);
                        assert!(!is_compressed);
                        messages.push(message);
                    }
                    Ok(None) => break,
                    Err(mistake) => return (messages, body.partial(), Some(mistake)),
                }
            }
        }
        (messages, body.partial(), None)
    }

    #[test]
    fn the_example_of_the_spec() {
        assert_eq!(message(b"\x0b\0\x01\0\0\0\x02hi\0"), b"\0\0\0\0\x0a\x0b\0\x01\0\0\0\x02hi\0");
    }

    #[test]
    fn messages_are_the_same_wherever_their_bytes_are_split() {
        let bytes = [message(b"one"), message(b""), message(&[7; 40])].concat();
        let whole = read(&[&bytes], 64);
        assert_eq!(whole.0, [&b"one"[..], b"", &[7; 40]]);
        assert_eq!((whole.1, whole.2), (0, None));
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(read(&pieces, 64), whole, "split at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_compressed_message_is_marked() {
        let mut out = BytesMut::new();
        put_compressed(&mut out, b"zip");
        assert_eq!(*out, *b"\x01\0\0\0\x03zip");
        let mut body = Body::default();
        body.push(out.freeze());
        assert_eq!(open(body.next(3).unwrap().unwrap()), (true, Bytes::from_static(b"zip")));
    }

    #[test]
    fn the_rest_of_a_message_is_counted() {
        let bytes = message(b"four");
        for end in 0..bytes.len() {
            assert_eq!(read(&[&bytes[..end]], 64), (Vec::new(), end, None));
        }
    }

    #[test]
    fn every_flip_of_a_bit_in_the_prefix_is_seen_or_another_length() {
        let bytes = message(b"four");
        for bit in 0..PREFIX * 8 {
            if bit == 0 {
                // It says that the message is compressed.
                continue;
            }
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let (messages, _, mistake) = read(&[&flipped], 16);
            match (bit / 8, mistake) {
                (0, Some(Mistake::Flag(flag))) => assert_eq!(flag, 1 << bit),
                (1..PREFIX, Some(Mistake::TooLarge(length))) => assert!(length > 16),
                (4, None) => assert!(messages.iter().all(|message| &**message != b"four")),
                other => panic!("bit {bit}: {other:?} {messages:?}"),
            }
        }
    }

    #[test]
    fn no_room_is_made_for_what_is_only_announced() {
        let mut body = Body::default();
        body.push(Bytes::from_static(b"\0\xff\xff\xff\xff"));
        assert_eq!(body.next(usize::MAX), Ok(None));
        assert!(body.part.capacity() <= 2 * AHEAD, "{}", body.part.capacity());
    }
}
