//! Errors as a client reads them from trailers, and what HTTP/2 says of streams and connections that are lost.

use h2::Reason;
use http::{HeaderMap, StatusCode};

use crate::error::Kind;
use crate::wire::grpc::prefix::Mistake;
use crate::wire::grpc::status::read_message;
use crate::wire::grpc::{BIZ_EXTRA, BIZ_STATUS, DECLARED, DETAILS, MESSAGE, REFUSED, STATUS, metadata};
use crate::wire::json::object_of_strings;
use crate::{Code, Error, Limits, Result, Side};

/// Numbers that Kitex has beside those of gRPC (spec 2.6): its `recv` has waited too long, a service is not known.
const RECV_TIMEOUT: i32 = 17;
const UNKNOWN_SERVICE: i32 = 20;
/// What Kitex says with the number 1 of a method that is not known.
const UNKNOWN_METHOD: &str = "unknown method ";
/// With this a Kitex peer resets streams when it is shut down (spec 2.8).
const GRACEFUL_SHUTDOWN: u32 = 1000;

/// How a call has ended, as a client reads it.
pub(super) fn read(trailers: &HeaderMap) -> Result<()> {
    outcome(trailers).map_err(|error| error.with_side(Side::Server))
}

fn outcome(trailers: &HeaderMap) -> Result<()> {
    let value = |name| trailers.get(name).map(http::HeaderValue::as_bytes);
    let number = |name| {
        let text = std::str::from_utf8(value(name)?);
        Some(text.ok().and_then(|text| text.parse::<i32>().ok()))
    };
    let status = match number(STATUS) {
        Some(Some(0)) => return Ok(()),
        Some(Some(status)) => status,
        Some(None) => return Err(Error::protocol("the server ended the call with a malformed grpc-status")),
        None => return Err(Error::new(Code::Unknown, "the server ended the call without a grpc-status")),
    };
    let text = read_message(value(MESSAGE).unwrap_or_default());
    let mut error = match number(BIZ_STATUS) {
        Some(Some(code)) => business(code, text, value(BIZ_EXTRA).unwrap_or_default())?,
        Some(None) => return Err(Error::protocol("the server ended the call with a malformed biz-status")),
        None => Error::new(code(status, &text), text),
    };
    if value(REFUSED).is_some() {
        error = error.retryable();
    }
    if let Some(bytes) = value(DECLARED).and_then(|value| metadata::read_value(DECLARED, value)) {
        error = error.with_declared_bytes(bytes.into());
    }
    if let Some(bytes) = value(DETAILS).and_then(|value| metadata::read_value(DETAILS, value)) {
        error = error.with_status_details(bytes.into());
    }
    Err(error.with_grpc_status(status))
}

fn business(code: i32, text: String, extra: &[u8]) -> Result<Error> {
    let extra = std::str::from_utf8(extra).ok().and_then(object_of_strings);
    let extra =
        extra.ok_or_else(|| Error::protocol("the server ended the call with a malformed biz-extra"))?;
    let error = Error::biz(code, text);
    Ok(extra.into_iter().fold(error, |error, (key, value)| error.with_extra(key, value)))
}

fn code(status: i32, text: &str) -> Code {
    match status {
        UNKNOWN_SERVICE => Code::Unimplemented,
        1 if text.starts_with(UNKNOWN_METHOD) => Code::Unimplemented,
        RECV_TIMEOUT => Code::DeadlineExceeded,
        other => Code::from_i32(other),
    }
}

/// What a response is that is not gRPC (spec 2.3).
pub(super) fn foreign(status: StatusCode) -> Error {
    let code = match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        // The answer of HTTP/2 to a header list that is too large.
        431 => {
            return Error::limit(
                "the server takes no header list as large as that of this call (HTTP status 431)",
            );
        }
        _ => Code::Unknown,
    };
    Error::new(code, format!("the server does not speak gRPC here: HTTP status {status}"))
}

/// Why a stream of a client is lost.
pub(super) fn lost(error: &h2::Error) -> Error {
    if let Some(io) = error.get_io() {
        return Error::transport(format!("the connection broke: {io}"));
    }
    let Some(reason) = error.reason() else {
        return Error::transport(format!("the connection broke: {error}"));
    };
    if error.is_go_away() {
        let lost = Error::transport(go_away(reason, error.is_remote()));
        // It says which calls it has not begun, and only those fail for what it says; the others with the connection.
        return if error.is_remote() { lost.retryable() } else { lost };
    }
    if !error.is_remote() {
        // The server may have done everything: what it has sent, a header list above the limit say, is not read.
        let text = "what the server has sent for this call breaks HTTP/2, or its headers are above the limit max_header_size";
        return Error::protocol(format!("{text} ({})", describe(reason))).with_side(Side::Server);
    }
    let text = format!("the server has reset the stream: {}", describe(reason));
    let error = match reason {
        Reason::REFUSED_STREAM => Error::of(Code::Unavailable, Kind::Failed, text).retryable(),
        Reason::CANCEL => Error::new(Code::Cancelled, text),
        Reason::FLOW_CONTROL_ERROR | Reason::ENHANCE_YOUR_CALM => Error::limit(text),
        Reason::INADEQUATE_SECURITY => Error::new(Code::PermissionDenied, text),
        other if u32::from(other) == GRACEFUL_SHUTDOWN => Error::new(Code::Unavailable, text),
        _ => Error::new(Code::Internal, text),
    };
    error.with_side(Side::Server)
}

/// Why the handler of a call on a server has no caller any more.
pub(super) fn given_up(reason: Option<Reason>) -> Error {
    let text = match reason {
        None | Some(Reason::CANCEL | Reason::NO_ERROR) => "the caller has given up the call".to_owned(),
        Some(reason) => format!("the caller has given up the call: {}", describe(reason)),
    };
    Error::new(Code::Cancelled, text)
}

/// Why a connection of a client has ended, with the calls that the server has begun.
pub(super) fn left(error: &h2::Error) -> Error {
    match error.reason() {
        Some(reason) if error.is_go_away() && error.is_remote() => Error::transport(go_away(reason, true)),
        _ => broken(error),
    }
}

/// Why a connection has ended that broke.
pub(super) fn broken(error: &h2::Error) -> Error {
    if let Some(io) = error.get_io() {
        return Error::transport(format!("the connection broke: {io}"));
    }
    match error.reason() {
        Some(reason) if error.is_remote() => {
            Error::transport(format!("the peer has closed the connection: {}", describe(reason)))
        }
        Some(reason) => Error::protocol(format!("the peer has broken HTTP/2: {}", describe(reason))),
        None => Error::transport(format!("the connection broke: {error}")),
    }
}

/// Why a body cannot be read on.
pub(super) fn broken_message(mistake: Mistake, limits: &Limits) -> Error {
    match mistake {
        Mistake::Flag(flag) => {
            Error::protocol(format!("what was received is no gRPC message: it begins with the byte {flag}"))
        }
        Mistake::TooLarge(size) => {
            let limit = limits.max_message_size;
            Error::limit(format!(
                "a message of {size} bytes was received; at most {limit} are accepted (limit max_message_size)"
            ))
        }
    }
}

/// A body has ended in a message.
pub(super) fn torn() -> Error {
    Error::protocol("the last message was received in part only")
}

/// Why no one-way call travels. A Kitex server never ends one, and its handler is not called (v0.16.3, spec 2.4).
pub(super) fn oneway(service: &str, method: &str) -> Error {
    let text = format!("{service}.{method} is a one-way method, and one-way calls do not travel over gRPC");
    Error::new(Code::Unimplemented, text)
}

/// What a GOAWAY says, and whose fault it is.
fn go_away(reason: Reason, of_server: bool) -> String {
    match reason {
        _ if !of_server => {
            let why = describe(reason);
            format!("this side has closed the connection, because the server has broken HTTP/2: {why}")
        }
        Reason::NO_ERROR => {
            "the server closes the connection, because it is old or shuts down; it has not begun this call".to_owned()
        }
        Reason::ENHANCE_YOUR_CALM => {
            "the server has closed the connection, because this client puts too much load on it: too many pings \
             (keepalive), or too many calls that were given up (ENHANCE_YOUR_CALM)"
                .to_owned()
        }
        other => format!("the server has closed the connection: {}", describe(other)),
    }
}

/// A reason of HTTP/2, in its own words and with its number.
fn describe(reason: Reason) -> String {
    match reason {
        Reason::NO_ERROR => "it gives no reason (HTTP/2 code 0)".to_owned(),
        Reason::REFUSED_STREAM => "it has refused the call before it did anything (HTTP/2 code 7)".to_owned(),
        Reason::CANCEL => "the call is not wanted any more (HTTP/2 code 8)".to_owned(),
        Reason::ENHANCE_YOUR_CALM => "its peer puts too much load on it (HTTP/2 code 11)".to_owned(),
        other if u32::from(other) == GRACEFUL_SHUTDOWN => "it is being shut down".to_owned(),
        other => format!("{} (HTTP/2 code {})", other.description(), u32::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::grpc::headers;

    #[test]
    fn every_status_of_a_peer_is_read() {
        let read_with = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            pairs.iter().for_each(|(name, value)| headers::insert(&mut headers, name, value.as_bytes()));
            read(&headers).unwrap_err()
        };
        let table = [
            ("20", "unknown service S", Code::Unimplemented, Some(20)),
            ("1", "unknown method M", Code::Unimplemented, Some(1)),
            ("1", "gone", Code::Cancelled, Some(1)),
            ("17", "", Code::DeadlineExceeded, Some(17)),
            ("1900", "own", Code::Unknown, Some(1900)),
            ("13", "boom [biz error]", Code::Internal, Some(13)),
            ("x", "", Code::Internal, None),
            ("", "", Code::Internal, None),
        ];
        for (status, text, code, number) in table {
            let error = read_with(&[("grpc-status", status), ("grpc-message", text)]);
            assert_eq!((error.code(), error.grpc_status()), (code, number), "{status} {text}");
        }
        assert_eq!(read_with(&[]).code(), Code::Unknown);
        let malformed = [("biz-status", "x"), ("biz-extra", "{")];
        for (name, value) in malformed {
            let error = read_with(&[("grpc-status", "13"), ("biz-status", "7"), (name, value)]);
            assert_eq!((error.code(), error.as_biz()), (Code::Internal, None), "{error}");
        }
    }

    #[test]
    fn a_reset_of_our_own_says_nothing_about_what_the_server_has_done() {
        for reason in [Reason::REFUSED_STREAM, Reason::PROTOCOL_ERROR] {
            // As the user of `h2` makes it, which is no word of the server either.
            let error = lost(&h2::Error::from(reason));
            assert!(!error.is_retryable(), "{error}");
        }
        assert!(go_away(Reason::NO_ERROR, true).contains("it has not begun this call"));
        assert!(go_away(Reason::ENHANCE_YOUR_CALM, true).contains("this client puts too much load on it"));
        assert!(go_away(Reason::PROTOCOL_ERROR, false).contains("the server has broken HTTP/2"));
    }
}
