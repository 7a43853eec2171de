//! The cancel of a unary call between streamx peers, for connections that carry other calls too.
//!
//! Unary Thrift has no word for it, so it is a one-way call of a method that no service can have: a server that does not
//! know the key of the header refuses it, and says nothing.
//!
//! ```text
//! TTHeader   0x8005 = "7": the call with the sequence 7;  ttscp = "A,B": whom the cancel has passed
//! envelope   one-way, method "streamx.Cancel"
//! body       an exception: the reason, and its Kitex code
//! ```

use bytes::BytesMut;

use super::cutting::Unary;
use super::framing::Framing;
use super::writing::{begin, end};
use crate::wire::envelope::{EnvelopeKind, clip};
use crate::wire::exception::{put_exception_body, read_exception_body};
use crate::wire::private;
use crate::wire::ttheader::frame::CANCEL_PATH_KEY;
use crate::wire::ttheader::outcome::{Outcome, cancel_path};

/// No method of an IDL has a dot in its name.
const METHOD: &str = "streamx.Cancel";
/// A message above a limit of the peer would end the connection with all its calls. A reason and a path that are cut stay
/// below any limit in use.
const MAX_TEXT: usize = 4 << 10;

/// Appends the cancel of the call with this sequence.
pub(crate) fn put_cancel(
    out: &mut BytesMut,
    framing: Framing,
    sequence: i32,
    path: &str,
    text: &str,
    code: i32,
) {
    let path = [(CANCEL_PATH_KEY, clip(path, MAX_TEXT))];
    let strings = if path[0].1.is_empty() { &[][..] } else { &path[..] };
    let sequence = sequence.to_string();
    let ints = [(private::CANCEL, &*sequence)];
    let mark = begin(out, framing, 0, strings, &ints, EnvelopeKind::Oneway, METHOD, 0);
    put_exception_body(out, clip(text, MAX_TEXT), code);
    end(out, mark);
}

/// The sequence that a message cancels, as it was written; none if the message is no cancel.
pub(crate) fn cancelled(message: &Unary) -> Option<&str> {
    let header = message.header.as_ref().filter(|_| message.kind == EnvelopeKind::Oneway)?;
    header.ints.iter().find(|(key, _)| *key == private::CANCEL).map(|(_, sequence)| &**sequence)
}

/// Why the call was cancelled.
pub(crate) fn reason(message: &Unary) -> Outcome {
    let unreadable = |_| ("the caller has given up the call".to_owned(), 12007);
    let (text, code) = read_exception_body(&message.body).unwrap_or_else(unreadable);
    let strings = message.header.as_ref().and_then(|header| header.strings.as_deref());
    Outcome::Reset { text, code, path: cancel_path(strings.unwrap_or_default()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Cut;
    use crate::wire::unary::Cutter;
    use crate::wire::vectors::{BOUNDS, hex};

    fn written(sequence: i32, path: &str, text: &str) -> BytesMut {
        let mut out = BytesMut::new();
        put_cancel(&mut out, Framing::TTHeaderFramed, sequence, path, text, 12007);
        out
    }

    fn read(mut bytes: BytesMut) -> Unary {
        match Cutter::default().cut(&mut bytes, &BOUNDS).unwrap() {
            Cut::Whole(message) => message,
            Cut::Need(bytes) => panic!("{bytes} bytes wanted"),
        }
    }

    #[test]
    fn a_cancel_byte_for_byte() {
        let header = "00000059 1000 0000 00000000 0007 00 00 \
            01 0001 0005 7474736370 0003 412c42 10 0001 8005 0002 2d37 0000";
        let message = "0000002f 80010004 0000000e 73747265616d782e43616e63656c 00000000 \
            0b 0001 00000006 656e6f756768 08 0002 00002ee7 00";
        let expected = [hex(header), hex(message)].concat();
        let written = written(-7, "A,B", "enough");
        assert_eq!(written[..], expected[..]);
    }

    #[test]
    fn a_cancel_comes_back() {
        let message = read(written(i32::MIN, "A,B", "enough"));
        assert_eq!(cancelled(&message), Some("-2147483648"));
        let path = vec!["A".to_owned(), "B".to_owned()];
        assert_eq!(reason(&message), Outcome::Reset { text: "enough".into(), code: 12007, path });
        let message = read(written(1, "", ""));
        assert_eq!(reason(&message), Outcome::Reset { text: String::new(), code: 12007, path: Vec::new() });
    }

    #[test]
    fn what_would_break_a_limit_of_the_peer_is_cut() {
        let long = "é".repeat(60_000);
        assert!(written(1, &long, &long).len() < 2 * MAX_TEXT + 200);
    }

    #[test]
    fn only_a_one_way_message_with_the_key_is_a_cancel() {
        let ints = [(private::CANCEL, "1")];
        for (kind, ints, is_one) in [
            (EnvelopeKind::Oneway, &ints[..], true),
            (EnvelopeKind::Call, &ints[..], false),
            (EnvelopeKind::Oneway, &[], false),
        ] {
            let mut out = BytesMut::new();
            let mark = begin(&mut out, Framing::TTHeaderFramed, 0, &[], ints, kind, "Ask", 1);
            out.extend_from_slice(&[0]);
            end(&mut out, mark);
            assert_eq!(cancelled(&read(out)).is_some(), is_one);
        }
    }
}
