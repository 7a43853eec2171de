//! Which protocol the first bytes of a connection speak.

use super::unary::Start;

/// A protocol that is served. The choice holds for the whole connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// TTHeader Streaming.
    Streaming,
    /// Unary calls, in any framing.
    Unary,
    /// gRPC: HTTP/2 without TLS, as the client knows beforehand.
    #[cfg(feature = "grpc")]
    Grpc,
}

/// What is known about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detected {
    /// More bytes decide; eight always do.
    Need,
    Is(Protocol),
    /// HTTP/1, which is not served; its client can be told so.
    Http1,
    /// None of ours; the reason is for people.
    Nothing(&'static str),
}

/// Looks at the first bytes. The verdict comes as soon as they decide it, and is the same however they arrive: no client
/// waits for one because it has nothing more to say.
///
/// In this order, the first that fits: HTTP/2; HTTP/1, which is refused in its own words; TTHeader with the streaming
/// flag; what [`Start`] takes for a unary message, whose order is that of Kitex (spec "Unary" 1.1); TLS, which is named
/// last because the LENGTH of a frame may look like it. Within a unary connection every message is looked at anew, as its
/// client may alternate framings; from one protocol to the other there is no way.
pub(crate) fn detect(first: &[u8]) -> Detected {
    if first.starts_with(HTTP_2) {
        return PRIOR_KNOWLEDGE;
    }
    if HTTP_1.iter().any(|start| first.starts_with(start)) {
        return Detected::Http1;
    }
    if HTTP_2.starts_with(first) || HTTP_1.iter().any(|start| start.starts_with(first)) {
        return Detected::Need;
    }
    match Start::seen(first) {
        None => Detected::Need,
        Some(Ok(Start::Streaming)) => Detected::Is(Protocol::Streaming),
        Some(Ok(Start::Header | Start::Framed(_) | Start::Buffered(_))) => Detected::Is(Protocol::Unary),
        Some(Err(_)) if matches!(first, [0x16, 0x03, 0..=4, ..]) => {
            Detected::Nothing("a TLS ClientHello on a port without TLS")
        }
        Some(Err(reason)) => Detected::Nothing(reason),
    }
}

/// Whether these bytes are all that a TLS peer has said to one that does not speak TLS: one alert, in a record of two
/// bytes.
pub(crate) fn is_tls_alert(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15, 0x03, _, 0, 2, _, _])
}

/// How every HTTP/2 connection begins.
const HTTP_2: &[u8] = b"PRI * HT";

#[cfg(feature = "grpc")]
const PRIOR_KNOWLEDGE: Detected = Detected::Is(Protocol::Grpc);
#[cfg(not(feature = "grpc"))]
const PRIOR_KNOWLEDGE: Detected =
    Detected::Nothing("HTTP/2 is not served: the server was built without the feature `grpc`");

/// How the requests of HTTP/1 begin.
const HTTP_1: [&[u8]; 9] =
    [b"GET ", b"PUT ", b"HEAD ", b"POST ", b"PATCH ", b"TRACE ", b"DELETE ", b"OPTIONS ", b"CONNECT "];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn first_bytes() {
        const NEITHER: Detected = Detected::Nothing("neither TTHeader nor Thrift binary");
        let table: [(&[u8], Detected); 26] = [
            (b"\0\0\0\x46\x10\0\0\x02", Detected::Is(Protocol::Streaming)),
            (b"\0\0\0\x46\x10\0\xff\xff", Detected::Is(Protocol::Streaming)),
            (b"\0\0\0\x30\x10\0\0\0", Detected::Is(Protocol::Unary)),
            (b"\0\0\0\x30\x10\0\0\x01", Detected::Is(Protocol::Unary)),
            (b"\0\0\0\x1e\x80\x01\0\x01", Detected::Is(Protocol::Unary)),
            (b"PRI * HTTP/2.0\r\n", PRIOR_KNOWLEDGE),
            (b"POST /echo HTTP/1.1", Detected::Http1),
            (b"OPTIONS * HTTP/1.0", Detected::Http1),
            (b"\x16\x03\x01\x02\0\x01\0\x01", Detected::Nothing("a TLS ClientHello on a port without TLS")),
            // A frame whose LENGTH looks like a ClientHello is a frame.
            (b"\x16\x03\x01\x02\x10\0\0\x02", Detected::Is(Protocol::Streaming)),
            (b"\x80\x01\0\x01\0\0\0\x04Echo", Detected::Is(Protocol::Unary)),
            (b"\0\0\0\x1e\x90\x01\0\x01", Detected::Nothing("Kitex-Protobuf is not served")),
            (b"\xff\xaf\0\x08\0\x01\0\x01", Detected::Nothing("MeshHeader is not served")),
            // Without a map, and with the length of a Framed message behind it.
            (b"\xff\xaf\0\x02\0\0\0\x1e", Detected::Nothing("MeshHeader is not served")),
            (b"\0\0\0\0\0\0\0\0", NEITHER),
            (b"\0\0\0\x46\x10\0\0", Detected::Need),
            // The old form: Buffered, and Framed with a length that can hold the name.
            (b"\0\0\0\x04Echo\x01", Detected::Is(Protocol::Unary)),
            (b"\0\0\0\x01E\x01\0\0", Detected::Is(Protocol::Unary)),
            (b"\0\0\0\x04_cho\x01", Detected::Is(Protocol::Unary)),
            (b"\0\0\0\x0e\0\0\0\x04", Detected::Is(Protocol::Unary)),
            (b"\0\0\0\x0d\0\0\0\x04", NEITHER),
            (b"\0\x01\0\0\0\0\0\x04", Detected::Is(Protocol::Unary)),
            // Without a name, with a name of 64 KiB, and with one that begins with a digit.
            (b"\0\0\0\x0d\0\0\0\0", NEITHER),
            (b"\0\x01\0\0Echo", NEITHER),
            (b"\0\0\0\x044cho", NEITHER),
            // Thrift as JSON, and compact.
            (b"\0\0\0\x1e[1,\"", NEITHER),
        ];
        for (bytes, detected) in table {
            assert_eq!(detect(bytes), detected, "{bytes:02x?}");
        }
    }

    #[test]
    fn the_verdict_comes_with_the_byte_that_decides() {
        let table: [(&[u8], Detected); 15] = [
            (b"GET ", Detected::Http1),
            (b"HEAD ", Detected::Http1),
            (b"TRACE ", Detected::Http1),
            (b"OPTIONS ", Detected::Http1),
            (b"PRI * HT", PRIOR_KNOWLEDGE),
            (b"hello", Detected::Nothing("neither TTHeader nor Thrift binary")),
            (b"PRI ?", Detected::Nothing("neither TTHeader nor Thrift binary")),
            (b"GET_I", Detected::Nothing("neither TTHeader nor Thrift binary")),
            (b"OPTIN", Detected::Nothing("neither TTHeader nor Thrift binary")),
            (b"\0\0\0\x1e\x10\x01", Detected::Nothing("neither TTHeader nor Thrift binary")),
            (b"\x16\x03\x01\x02\0\x01", Detected::Nothing("a TLS ClientHello on a port without TLS")),
            (b"\xff\xaf\0\x08\0", Detected::Nothing("MeshHeader is not served")),
            (b"\x80\x01\0\x01\0", Detected::Is(Protocol::Unary)),
            (b"\0\0\0\x1e\x80\x01", Detected::Is(Protocol::Unary)),
            (b"\0\0\0\x46\x10\0\0\x02", Detected::Is(Protocol::Streaming)),
        ];
        for (bytes, detected) in table {
            assert_eq!(detect(bytes), detected, "{bytes:02x?}");
            assert_eq!(detect(&bytes[..bytes.len() - 1]), Detected::Need, "{bytes:02x?} without its last");
        }
    }

    /// Bytes that some rule looks for, among others.
    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![
            proptest::sample::select(b"\0\x01\x02\x03\x10\x16\x80\x90\xff\xafGETP _".to_vec()),
            proptest::num::u8::ANY
        ]
    }

    proptest! {
        #[test]
        fn the_verdict_does_not_depend_on_the_split(
            start in proptest::sample::select([&[HTTP_2, b""], &HTTP_1[..]].concat()),
            kept in 0..=8_usize,
            rest in proptest::collection::vec(byte(), 0..=10),
        ) {
            let bytes = [&start[..kept.min(start.len())], &rest].concat();
            let whole = detect(&bytes);
            prop_assert!(whole != Detected::Need || bytes.len() < 8);
            for end in 0..bytes.len() {
                let seen = detect(&bytes[..end]);
                prop_assert!(seen == Detected::Need || seen == whole, "{:?} after {}, then {:?}", seen, end, whole);
            }
        }
    }
}
