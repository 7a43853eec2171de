//! gRPC over HTTP/2, as far as it is not HTTP/2: what its bodies and its headers say (spec "gRPC in Kitex").
//!
//! Frames, header compression and flow control are the business of the crate `h2`.

pub(crate) mod frames;
pub(crate) mod metadata;
pub(crate) mod path;
pub(crate) mod prefix;
pub(crate) mod status;
pub(crate) mod timeout;

pub(crate) const CONTENT_TYPE: &str = "content-type";
pub(crate) const TIMEOUT: &str = "grpc-timeout";
pub(crate) const ENCODING: &str = "grpc-encoding";
pub(crate) const ACCEPT_ENCODING: &str = "grpc-accept-encoding";
pub(crate) const STATUS: &str = "grpc-status";
pub(crate) const MESSAGE: &str = "grpc-message";
/// Messages that say more of a failure, in a `google.rpc.Status`.
pub(crate) const DETAILS: &str = "grpc-status-details-bin";
/// The names of Kitex for a business error; its text is in [`MESSAGE`].
pub(crate) const BIZ_STATUS: &str = "biz-status";
pub(crate) const BIZ_EXTRA: &str = "biz-extra";
/// The name of the caller, which a Kitex server shows to a handler whose caller is gone.
pub(crate) const CALLER: &str = "source-service";
/// A declared exception at the end of a stream between streamx peers, with messages in Thrift: field number and Thrift
/// binary.
pub(crate) const DECLARED: &str = "streamx-declared-bin";
/// Between streamx peers: the call has not reached a handler, so it may be made again.
pub(crate) const REFUSED: &str = "streamx-refused";

/// The content type of messages in protobuf, which needs no name (spec 2.2).
pub(crate) const PROTOBUF: &str = "application/grpc";
/// That of messages in Thrift binary, without a message envelope.
pub(crate) const THRIFT: &str = "application/grpc+thrift";

/// What a content type says of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Protobuf,
    Thrift,
    /// gRPC with messages in something else.
    Unknown,
    /// Not gRPC at all.
    Foreign,
}

impl Content {
    /// As Kitex reads it (spec 2.2): what follows the `+` is the format, what follows a `;` means nothing.
    pub(crate) fn read(content_type: &[u8]) -> Self {
        let Some(rest) = content_type.strip_prefix(PROTOBUF.as_bytes()) else { return Self::Foreign };
        let rest = rest.split(|&byte| byte == b';').next().unwrap_or_default();
        match rest.trim_ascii_end() {
            [] | b"+proto" => Self::Protobuf,
            b"+thrift" => Self::Thrift,
            [b'+', ..] => Self::Unknown,
            _ => Self::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_names_a_format() {
        let table: [(&[u8], Content); 12] = [
            (THRIFT.as_bytes(), Content::Thrift),
            (b"application/grpc+thrift; charset=utf-8", Content::Thrift),
            (b"application/grpc+thrift ;x", Content::Thrift),
            (PROTOBUF.as_bytes(), Content::Protobuf),
            (b"application/grpc;x", Content::Protobuf),
            (b"application/grpc+proto", Content::Protobuf),
            (b"application/grpc+proto;x", Content::Protobuf),
            (b"application/grpc+json", Content::Unknown),
            (b"application/grpc+", Content::Unknown),
            (b"application/grpc-web", Content::Foreign),
            (b"application/json", Content::Foreign),
            (b"", Content::Foreign),
        ];
        for (text, content) in table {
            assert_eq!(Content::read(text), content, "{}", text.escape_ascii());
        }
    }
}
