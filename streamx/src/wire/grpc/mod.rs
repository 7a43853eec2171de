//! gRPC over HTTP/2, as far as it is not HTTP/2: what its bodies and its headers say (spec "gRPC in Kitex").
//!
//! Frames, header compression and flow control are the business of the crate `h2`.

pub(crate) mod metadata;
pub(crate) mod path;
pub(crate) mod prefix;
pub(crate) mod status;
pub(crate) mod timeout;

pub(crate) const CONTENT_TYPE: &str = "content-type";
pub(crate) const TIMEOUT: &str = "grpc-timeout";
pub(crate) const ENCODING: &str = "grpc-encoding";
pub(crate) const STATUS: &str = "grpc-status";
pub(crate) const MESSAGE: &str = "grpc-message";
/// The names of Kitex for a business error; its text is in [`MESSAGE`].
pub(crate) const BIZ_STATUS: &str = "biz-status";
pub(crate) const BIZ_EXTRA: &str = "biz-extra";
/// The name of the caller, which a Kitex server shows to a handler whose caller is gone.
pub(crate) const CALLER: &str = "source-service";
/// A declared exception at the end of a stream between streamx peers: field number and Thrift binary.
pub(crate) const DECLARED: &str = "streamx-declared-bin";
/// Between streamx peers: the call has not reached a handler, so it may be made again.
pub(crate) const REFUSED: &str = "streamx-refused";

/// What the messages of a call are encoded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// Thrift binary, without a message envelope.
    Thrift,
}

/// What the content type of a request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A payload that is spoken here.
    Known(Payload),
    /// gRPC with another payload. Without a name it is Protobuf.
    Unknown,
    /// Not gRPC at all.
    Foreign,
}

impl Payload {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Thrift => "application/grpc+thrift",
        }
    }
}

impl Content {
    /// As Kitex reads it (spec 2.2): what follows the `+` is the payload, what follows a `;` means nothing.
    pub(crate) fn read(content_type: &[u8]) -> Self {
        let Some(rest) = content_type.strip_prefix(b"application/grpc") else { return Self::Foreign };
        let rest = rest.split(|&byte| byte == b';').next().unwrap_or_default();
        match rest.trim_ascii_end() {
            b"+thrift" => Self::Known(Payload::Thrift),
            [] | [b'+', ..] => Self::Unknown,
            _ => Self::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_names_a_payload() {
        let table: [(&[u8], Content); 9] = [
            (b"application/grpc+thrift", Content::Known(Payload::Thrift)),
            (b"application/grpc+thrift; charset=utf-8", Content::Known(Payload::Thrift)),
            (b"application/grpc+thrift ;x", Content::Known(Payload::Thrift)),
            (b"application/grpc", Content::Unknown),
            (b"application/grpc;x", Content::Unknown),
            (b"application/grpc+proto", Content::Unknown),
            (b"application/grpc-web", Content::Foreign),
            (b"application/json", Content::Foreign),
            (b"", Content::Foreign),
        ];
        for (text, content) in table {
            assert_eq!(Content::read(text), content, "{}", text.escape_ascii());
        }
        assert_eq!(Content::read(Payload::Thrift.content_type().as_bytes()), Content::Known(Payload::Thrift));
    }
}
