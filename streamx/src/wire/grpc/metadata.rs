//! Names and values of headers: which belong to the protocol, how metainfo travels, and values that are not text.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Metainfo that travels the whole chain of calls, and its name in TTHeader, which calls use before they are opened.
const PERSISTENT: (&str, &str) = ("rpc-persist-", "RPC_PERSIST_");
/// Metainfo that travels one hop.
const TRANSIENT: (&str, &str) = ("rpc-transit-", "RPC_TRANSIT_");

/// A header with a name that ends so has a value in base64.
pub(crate) const BINARY: &str = "-bin";

/// Names that belong to HTTP/2, to gRPC or to Kitex (spec 2.2, 2.7). They are no metadata, in either direction.
const RESERVED: [&str; 12] = [
    "content-type",
    "user-agent",
    "te",
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "source-service",
    "source-method",
    "destination-service",
    "destination-method",
    "stream-log-id",
];
/// So do those that begin so.
const RESERVED_PREFIXES: [&str; 4] = [":", "grpc-", "biz-", "streamx-"];

/// What a received header is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Persistent(String),
    Transient(String),
    Metadata,
    /// Of no interest to the application.
    Reserved,
}

pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The name of a pair on the wire, in lower case; none if it cannot travel. Metainfo has its own names, in which `_` is
/// `-`; a key that is no token is left out, as Kitex does (spec 3.3).
pub(crate) fn write_name(key: &str) -> Option<String> {
    for (name, prefix) in [PERSISTENT, TRANSIENT] {
        if let Some(key) = key.strip_prefix(prefix) {
            let key = key.replace('_', "-");
            return is_token(&key).then(|| format!("{name}{key}").to_ascii_lowercase());
        }
    }
    let name = key.to_ascii_lowercase();
    (is_token(key) && !is_reserved(&name)).then_some(name)
}

/// Whether a pair belongs to the metainfo, which others have set and which is left out where it cannot travel.
pub(crate) fn is_metainfo(key: &str) -> bool {
    key.starts_with(PERSISTENT.1) || key.starts_with(TRANSIENT.1)
}

/// What a header means. Keys of metainfo come out in capitals and with `_` (spec 3.3).
pub(crate) fn read_name(name: &str) -> Received {
    let key = |prefix| {
        let key = name.strip_prefix(prefix)?;
        (!key.is_empty()).then(|| key.replace('-', "_").to_ascii_uppercase())
    };
    if let Some(key) = key(PERSISTENT.0) {
        Received::Persistent(key)
    } else if let Some(key) = key(TRANSIENT.0) {
        Received::Transient(key)
    } else if is_reserved(name) {
        Received::Reserved
    } else {
        Received::Metadata
    }
}

/// The value of a header of this name; none if a header cannot hold it.
pub(crate) fn write_value(name: &str, value: &[u8]) -> Option<Vec<u8>> {
    if name.ends_with(BINARY) {
        return Some(BASE64.encode(value).into_bytes());
    }
    value.iter().all(|&byte| byte == b'\t' || !byte.is_ascii_control()).then(|| value.to_vec())
}

/// What a header of this name says; none if it is malformed.
pub(crate) fn read_value(name: &str, value: &[u8]) -> Option<Vec<u8>> {
    if !name.ends_with(BINARY) {
        return Some(value.to_vec());
    }
    // gRPC allows values of one name to be joined; the first is the one that counts.
    let first = value.split(|&byte| byte == b',').next().unwrap_or_default();
    BASE64.decode(first.trim_ascii()).ok()
}

/// Unpadded when it is sent, either way when it is received.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn is_token(key: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !key.is_empty() && key.bytes().all(is_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_as_kitex_names_them() {
        let table = [
            ("RPC_PERSIST_Log-Id", Some("rpc-persist-log-id"), Received::Persistent("LOG_ID".to_owned())),
            ("RPC_PERSIST_USER_ID", Some("rpc-persist-user-id"), Received::Persistent("USER_ID".to_owned())),
            ("RPC_TRANSIT_my_key", Some("rpc-transit-my-key"), Received::Transient("MY_KEY".to_owned())),
            ("Trace", Some("trace"), Received::Metadata),
            ("x_y", Some("x_y"), Received::Metadata),
            ("data-bin", Some("data-bin"), Received::Metadata),
            ("RPC_PERSIST_a b", None, Received::Reserved),
            ("RPC_PERSIST_", None, Received::Reserved),
            ("schlüssel", None, Received::Reserved),
            ("", None, Received::Reserved),
        ];
        for (key, name, received) in table {
            assert_eq!(write_name(key).as_deref(), name, "{key}");
            if let Some(name) = name {
                assert_eq!(read_name(name), received, "{name}");
            }
        }
    }

    #[test]
    fn names_of_the_protocol_are_no_metadata() {
        for name in ["Content-Type", "te", "grpc-status", "biz-status", "streamx-refused", ":path"] {
            assert_eq!(write_name(name), None, "{name}");
            assert_eq!(read_name(&name.to_ascii_lowercase()), Received::Reserved, "{name}");
        }
    }

    #[test]
    fn values_that_are_not_text_travel_in_base64() {
        for (value, sent) in [(&b""[..], ""), (b"\0", "AA"), (b"\xff\xfe\xfd", "//79"), (b"four", "Zm91cg")] {
            assert_eq!(write_value("x-bin", value).unwrap(), sent.as_bytes());
            assert_eq!(read_value("x-bin", sent.as_bytes()).unwrap(), value);
        }
        for received in ["Zm91cg", "Zm91cg==", "Zm91cg==,//79", "Zm91cg , //79"] {
            assert_eq!(read_value("x-bin", received.as_bytes()).unwrap(), b"four", "{received}");
        }
        for malformed in [&b"!"[..], b"A", b"Zm 1"] {
            assert_eq!(read_value("x-bin", malformed), None, "{}", malformed.escape_ascii());
        }
    }

    #[test]
    fn a_header_holds_no_control_character() {
        assert_eq!(write_value("x", "täxt\t1".as_bytes()).unwrap(), "täxt\t1".as_bytes());
        for value in ["a\nb", "\r", "\0", "\u{7f}"] {
            assert_eq!(write_value("x", value.as_bytes()), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_come_back_in_base64(bytes: Vec<u8>) {
            let sent = write_value("x-bin", &bytes).unwrap();
            proptest::prop_assert_eq!(read_value("x-bin", &sent), Some(bytes.clone()));
            read_value("x-bin", &bytes);
        }
    }
}
