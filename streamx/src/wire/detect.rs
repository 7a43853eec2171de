//! Which protocol the first bytes of a connection speak.

use super::envelope::STRICT;
use super::ttheader::header::STREAMING;

/// A protocol that is served. The choice holds for the whole connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// TTHeader Streaming.
    Streaming,
    /// Unary calls, Framed or TTHeader-framed.
    Unary,
}

/// What is known about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detected {
    /// Eight bytes are needed.
    Need,
    Is(Protocol),
    /// None of ours; the reason is for people.
    Nothing(&'static str),
}

/// Looks at the first eight bytes, however they arrived: with fewer there is no verdict.
///
/// Two protocols can be told from bytes 4 to 7, in the order of Kitex (spec "Unary" 1.1): TTHeader with the
/// streaming flag, then TTHeader and Framed Thrift. Everything else is refused, and what it seems to be is named.
/// HTTP/2, HTTP/1 and TLS come first, as their bytes are text or a length where ours have a magic.
pub(crate) fn detect(first: &[u8]) -> Detected {
    let Some(head) = first.first_chunk::<8>() else { return Detected::Need };
    let [b0, b1, b2, _, b4, b5, b6, b7] = *head;
    if let Some((_, reason)) = FOREIGN.iter().find(|(start, _)| head.starts_with(start)) {
        return Detected::Nothing(reason);
    }
    let flags = u16::from_be_bytes([b6, b7]);
    match u16::from_be_bytes([b4, b5]) {
        0x1000 if flags & STREAMING != 0 => Detected::Is(Protocol::Streaming),
        0x1000 | STRICT => Detected::Is(Protocol::Unary),
        0x9001 => Detected::Nothing("Kitex-Protobuf is not served"),
        _ if [b0, b1] == STRICT.to_be_bytes() => {
            Detected::Nothing("unframed (Buffered) Thrift is not served on this port; use Framed")
        }
        _ if [b0, b1] == [0xff, 0xaf] => Detected::Nothing("MeshHeader is not served"),
        _ if [b0, b1] == [0x16, 0x03] && b2 <= 4 => {
            Detected::Nothing("a TLS ClientHello on a port without TLS")
        }
        _ => Detected::Nothing("neither TTHeader nor Framed Thrift"),
    }
}

/// How text protocols begin.
const FOREIGN: [(&[u8], &str); 9] = [
    (b"PRI * HT", "HTTP/2 is not served on this port"),
    (b"GET ", HTTP_1),
    (b"PUT ", HTTP_1),
    (b"HEAD ", HTTP_1),
    (b"POST ", HTTP_1),
    (b"PATCH ", HTTP_1),
    (b"DELETE ", HTTP_1),
    (b"OPTIONS ", HTTP_1),
    (b"CONNECT ", HTTP_1),
];

const HTTP_1: &str = "HTTP/1 is not served on this port";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes() {
        let table: [(&[u8], Detected); 14] = [
            (b"\0\0\0\x46\x10\0\0\x02", Detected::Is(Protocol::Streaming)),
            (b"\0\0\0\x46\x10\0\xff\xff", Detected::Is(Protocol::Streaming)),
            (b"\0\0\0\x30\x10\0\0\0", Detected::Is(Protocol::Unary)),
            (b"\0\0\0\x30\x10\0\0\x01", Detected::Is(Protocol::Unary)),
            (b"\0\0\0\x1e\x80\x01\0\x01", Detected::Is(Protocol::Unary)),
            (b"PRI * HTTP/2.0\r\n", Detected::Nothing("HTTP/2 is not served on this port")),
            (b"POST /echo HTTP/1.1", Detected::Nothing("HTTP/1 is not served on this port")),
            (b"\x16\x03\x01\x02\0\x01\0\x01", Detected::Nothing("a TLS ClientHello on a port without TLS")),
            // A frame whose LENGTH looks like a ClientHello is a frame.
            (b"\x16\x03\x01\x02\x10\0\0\x02", Detected::Is(Protocol::Streaming)),
            (
                b"\x80\x01\0\x01\0\0\0\x04Echo",
                Detected::Nothing("unframed (Buffered) Thrift is not served on this port; use Framed"),
            ),
            (b"\0\0\0\x1e\x90\x01\0\x01", Detected::Nothing("Kitex-Protobuf is not served")),
            (b"\xff\xaf\0\x08\0\x01\0\x01", Detected::Nothing("MeshHeader is not served")),
            (b"\0\0\0\0\0\0\0\0", Detected::Nothing("neither TTHeader nor Framed Thrift")),
            (b"\0\0\0\x46\x10\0\0", Detected::Need),
        ];
        for (bytes, detected) in table {
            assert_eq!(detect(bytes), detected, "{bytes:02x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_verdict_does_not_depend_on_the_split(bytes: Vec<u8>) {
            let whole = detect(&bytes);
            let first = (0..=bytes.len()).map(|end| detect(&bytes[..end])).find(|seen| *seen != Detected::Need);
            proptest::prop_assert_eq!(first.unwrap_or(Detected::Need), whole);
        }
    }
}
