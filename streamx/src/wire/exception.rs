//! The body of an exception message, Thrift's `TApplicationException`: field 1 the text, field 2 the type.

use bytes::{BufMut, BytesMut};

use super::envelope::{clip, put_text};
use super::skip::{Skip, wire};
use super::{Bounds, Cut, Violation};

/// How much text of an exception is written and kept: enough for any stack trace, little enough for any peer.
const MAX_TEXT: usize = 60 << 10;

/// Appends the body. A text above 60 KiB is cut. No further field: Kitex's reader fails on one (spec "Unary" 1.9).
pub(crate) fn put_exception_body(out: &mut BytesMut, text: &str, kind: i32) {
    let text = clip(text, MAX_TEXT);
    out.reserve(text.len() + 15);
    out.put_slice(&[wire::STRING, 0, 1]);
    put_text(out, text);
    out.put_slice(&[wire::I32, 0, 2]);
    out.put_i32(kind);
    out.put_u8(wire::STOP);
}

/// Reads the text and the type. Unknown fields are skipped, absent ones are empty and 0, text that is not UTF-8 is
/// repaired, and text above 60 KiB is cut.
pub(crate) fn read_exception_body(body: &[u8]) -> Result<(String, i32), Violation> {
    let mut reader = Reader(body);
    let (mut text, mut kind) = (String::new(), 0);
    loop {
        let wire_type = reader.byte()?;
        if wire_type == wire::STOP {
            return Ok((text, kind));
        }
        match (reader.number::<2>().map(i16::from_be_bytes)?, wire_type) {
            (1, wire::STRING) => {
                let bytes = reader.string()?;
                let start = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_TEXT)]);
                text = clip(&start, MAX_TEXT).to_owned();
            }
            (2, wire::I32) => kind = i32::from_be_bytes(reader.number()?),
            _ => reader.skip(wire_type)?,
        }
    }
}

/// What is left of the body.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Violation> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Violation> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or_else(short)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, Violation> {
        self.number::<1>().map(|[byte]| byte)
    }

    fn count(&mut self) -> Result<usize, Violation> {
        usize::try_from(i32::from_be_bytes(self.number()?)).map_err(|_| short())
    }

    fn string(&mut self) -> Result<&'a [u8], Violation> {
        let length = self.count()?;
        self.take(length)
    }

    fn skip(&mut self, wire_type: u8) -> Result<(), Violation> {
        // The body is here, and so it was within the bounds.
        let bounds = Bounds { max_header: 0, max_payload: usize::MAX };
        match Skip::over(wire_type, 0).walk(self.0, &bounds)? {
            Cut::Whole(end) => self.take(end).map(drop),
            Cut::Need(_) => Err(short()),
        }
    }
}

fn short() -> Violation {
    Violation::frame("an exception that ends early")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &[u8]) -> Result<(String, i32), String> {
        read_exception_body(bytes).map_err(|violation| violation.to_string())
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut out = BytesMut::new();
        put_exception_body(&mut out, "kaputt", -7);
        assert_eq!(&out[..], b"\x0b\0\x01\0\0\0\x06kaputt\x08\0\x02\xff\xff\xff\xf9\0");
        assert_eq!(body(&out), Ok(("kaputt".to_owned(), -7)));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = format!("a{}", "€".repeat(30_000));
        let cut = &long[..MAX_TEXT - 2];
        let mut out = BytesMut::new();
        put_exception_body(&mut out, &long, 6);
        assert_eq!(out.len(), cut.len() + 15);
        assert_eq!(body(&out), Ok((cut.to_owned(), 6)));

        let foreign = [b"\x0b\0\x01\0\x01\x5f\x91", long.as_bytes(), b"\0"].concat();
        assert_eq!(body(&foreign), Ok((cut.to_owned(), 0)));
    }

    #[test]
    fn unknown_fields_are_skipped_and_absent_ones_are_empty() {
        assert_eq!(body(&[0]), Ok((String::new(), 0)));
        let list_of_strings = b"\x0f\0\x09\x0b\0\0\0\x02\0\0\0\x01a\0\0\0\0";
        let map = b"\x0d\0\x0a\x03\x06\0\0\0\x01\x05\0\x05";
        let kind = b"\x08\0\x02\0\0\0\x01\0";
        assert_eq!(body(&[&list_of_strings[..], map, kind].concat()), Ok((String::new(), 1)));
        assert_eq!(body(b"\x08\0\x01\0\0\0\x01\0"), Ok((String::new(), 0)), "field 1 of another type");
    }

    #[test]
    fn text_that_is_not_utf8_is_repaired() {
        assert_eq!(body(b"\x0b\0\x01\0\0\0\x02\xffa\0"), Ok(("\u{fffd}a".to_owned(), 0)));
    }

    #[test]
    fn nesting_ends_at_64() {
        let nested = |levels: usize| {
            let mut bytes = b"\x0c\0\x09".repeat(levels);
            bytes.extend(vec![0; levels + 1]);
            body(&bytes)
        };
        assert_eq!(nested(64), Ok((String::new(), 0)));
        assert_eq!(nested(65), Err("Thrift values nested deeper than 64".to_owned()));
        assert!(nested(100_000).is_err());
    }

    #[test]
    fn counts_and_lengths_that_lie_are_errors() {
        for lie in [
            &b"\x0b\0\x01\x7f\xff\xff\xff"[..],
            b"\x0b\0\x01\xff\xff\xff\xff",
            b"\x0f\0\x09\x03\x7f\xff\xff\xff\0",
            b"\x0f\0\x09\x00\x7f\xff\xff\xff\0",
            b"\x0d\0\x09\x03\x03\x80\0\0\0\0",
            b"\x10\0\x09\0",
            b"\x0b\0",
            b"",
        ] {
            assert!(body(lie).is_err(), "{lie:02x?}");
        }
    }
}
