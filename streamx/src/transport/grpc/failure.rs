//! Errors as they travel over gRPC, and what HTTP/2 says of streams and connections that are lost.

use h2::Reason;
use http::{HeaderMap, StatusCode};

use super::headers;
use crate::error::Kind;
use crate::wire::grpc::prefix::Mistake;
use crate::wire::grpc::status::{read_message, write_message};
use crate::wire::grpc::{BIZ_EXTRA, BIZ_STATUS, DECLARED, DETAILS, MESSAGE, REFUSED, STATUS, metadata};
use crate::wire::json::{object_of_strings, write_object};
use crate::{Code, Error, Limits, Metadata, Result, Side};

/// Numbers that Kitex has beside those of gRPC (spec 2.6): its `recv` has waited too long, a service is not known.
const RECV_TIMEOUT: i32 = 17;
const UNKNOWN_SERVICE: i32 = 20;
/// What Kitex says with the number 1 of a method that is not known.
const UNKNOWN_METHOD: &str = "unknown method ";
/// With this a Kitex peer resets streams when it is shut down (spec 2.8).
const GRACEFUL_SHUTDOWN: u32 = 1000;

/// A text above this is cut: header lists are bounded.
const LONGEST_MESSAGE: usize = 16 << 10;
/// What a business error has beside its text is left out above this.
const LONGEST_EXTRA: usize = 16 << 10;
/// A declared exception above this is left out.
const LARGEST_DECLARED: usize = 30 << 10;
/// A status with details above this is left out: many peers take no more than 8 to 16 KiB of headers.
const LARGEST_DETAILS: usize = 16 << 10;

/// The end of a call as a server writes it, with the pairs of its handler.
pub(super) fn trailers(result: Result<(), &Error>, pairs: &Metadata) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let text = match result {
        Ok(()) => {
            headers::insert(&mut headers, STATUS, b"0");
            String::new()
        }
        Err(error) => text(&mut headers, error),
    };
    // Kitex sends it always.
    headers::insert(&mut headers, MESSAGE, text.as_bytes());
    headers::put_all(&mut headers, pairs);
    headers
}

/// The end of a call that has not reached a handler.
pub(super) fn refusal(error: &Error) -> HeaderMap {
    let mut headers = trailers(Err(error), &Metadata::default());
    if error.is_retryable() {
        headers::insert(&mut headers, REFUSED, b"1");
    }
    headers
}

/// Adds what an error says beside its text, and gives that.
fn text(headers: &mut HeaderMap, error: &Error) -> String {
    // The code 0 would say that nothing failed.
    let biz = error.as_biz().filter(|biz| biz.code() != 0);
    let usual = if biz.is_some() { Code::Internal } else { error.code() };
    let status = error.grpc_status().unwrap_or(usual as i32);
    let status = if status == 0 { Code::Unknown as i32 } else { status };
    headers::insert(headers, STATUS, status.to_string().as_bytes());
    if let Some(declared) = error.declared_bytes().filter(|bytes| bytes.len() <= LARGEST_DECLARED) {
        let value = metadata::write_value(DECLARED, declared).unwrap_or_default();
        headers::insert(headers, DECLARED, &value);
    }
    if let Some(details) = error.status_details() {
        if details.len() <= LARGEST_DETAILS {
            let value = metadata::write_value(DETAILS, details).unwrap_or_default();
            headers::insert(headers, DETAILS, &value);
        } else {
            tracing::debug!(%error, "the details of an error are above 16 KiB and were left out");
        }
    }
    let Some(biz) = biz else { return message(error.message()) };
    headers::insert(headers, BIZ_STATUS, biz.code().to_string().as_bytes());
    if !biz.extra().is_empty() {
        let entries = biz.extra().iter().map(|(key, value)| (key.as_str(), value.as_str()));
        // A header holds every character but this one, which JSON may escape.
        let extra = write_object(entries).replace('\u{7f}', "\\u007f");
        if extra.len() <= LONGEST_EXTRA {
            headers::insert(headers, BIZ_EXTRA, extra.as_bytes());
        } else {
            tracing::debug!(%error, "what a business error has beside its text is above 16 KiB and was left out");
        }
    }
    message(biz.message())
}

fn message(text: &str) -> String {
    let value = write_message(text);
    if value.len() <= LONGEST_MESSAGE {
        return value;
    }
    // No byte takes more than three.
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| at * 3 <= LONGEST_MESSAGE).last();
    write_message(&text[..end.unwrap_or_default()]) + "..."
}

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
        let lost = Error::transport(format!("the server has closed the connection: {}", describe(reason)));
        // It says which calls it has not begun, and only those fail for what it says; the others with the connection.
        return if error.is_remote() { lost.retryable() } else { lost };
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

/// Why a connection has ended that broke.
pub(super) fn broken(error: &h2::Error) -> Error {
    if let Some(io) = error.get_io() {
        return Error::transport(format!("the connection broke: {io}"));
    }
    let text = format!("the connection broke: {error}");
    if error.is_library() { Error::protocol(text) } else { Error::transport(text) }
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

fn describe(reason: Reason) -> String {
    if u32::from(reason) == GRACEFUL_SHUTDOWN {
        return "it is being shut down".to_owned();
    }
    reason.description().to_owned()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::well_known::Any;

    fn round(error: &Error) -> Error {
        read(&trailers(Err(error), &Metadata::default())).unwrap_err()
    }

    #[test]
    fn an_error_comes_back() {
        let error = Error::new(Code::NotFound, "no such käse: 100%\n");
        let back = round(&error);
        assert_eq!((back.code(), back.message()), (Code::NotFound, error.message()));
        assert_eq!((back.grpc_status(), back.is_retryable()), (Some(5), false));
        let refused = error.clone().retryable();
        assert!(read(&refusal(&refused)).unwrap_err().is_retryable());
        assert!(!round(&refused).is_retryable(), "a handler was reached, whatever its own calls were");
        let declared = error.with_declared_bytes(vec![0, 1, 255].into());
        assert_eq!(round(&declared).declared_bytes().unwrap(), &[0, 1, 255][..]);
    }

    /// The bytes are those that protoc's encoding of the status has.
    #[test]
    fn details_are_written_as_a_status_and_come_back() {
        let detail =
            |name: &str| Any { type_url: format!("t/{name}"), value: Bytes::from_static(b"\x08\x01") };
        let error = Error::new(Code::NotFound, "no").with_detail(detail("A")).with_detail(detail("B"));
        let written = trailers(Err(&error), &Metadata::default());
        let value = written.get("grpc-status-details-bin").unwrap();
        let bytes = metadata::read_value(DETAILS, value.as_bytes()).unwrap();
        let expected =
            b"\x08\x05\x12\x02no\x1a\x09\x0a\x03t/A\x12\x02\x08\x01\x1a\x09\x0a\x03t/B\x12\x02\x08\x01";
        assert_eq!(bytes.escape_ascii().to_string(), expected.escape_ascii().to_string());
        let back = read(&written).unwrap_err();
        assert_eq!(back.details(), [detail("A"), detail("B")]);
        // One that a handler passes on.
        assert_eq!(round(&back).details().len(), 2);
        assert_eq!(round(&Error::biz(7, "no").with_detail(detail("A"))).details(), [detail("A")]);
        assert_eq!(round(&Error::other("none")).details(), []);
    }

    #[test]
    fn details_that_are_too_large_or_malformed_are_left_out() {
        let large = Any { type_url: String::new(), value: vec![0; LARGEST_DETAILS].into() };
        let back = round(&Error::other("text").with_detail(large));
        assert_eq!((back.message(), back.details()), ("text", vec![]));

        let mut headers = HeaderMap::new();
        for bytes in [&b"\x1a\xff\xff\xff\xff\x0f"[..], b"\x12\x01\xff", b"\xff"] {
            headers::insert(&mut headers, STATUS, b"5");
            headers::insert(&mut headers, DETAILS, &metadata::write_value(DETAILS, bytes).unwrap());
            let error = read(&headers).unwrap_err();
            assert_eq!((error.code(), error.details()), (Code::NotFound, vec![]), "{}", bytes.escape_ascii());
        }
    }

    /// As Kitex writes it (spec 2.6).
    #[test]
    fn a_business_error_is_written_as_kitex_writes_it() {
        let written = trailers(Err(&Error::biz(404, "not found").with_extra("k", "v")), &Metadata::default());
        let of = |name| written.get(name).map(|value| value.to_str().unwrap());
        assert_eq!((of("grpc-status"), of("grpc-message")), (Some("13"), Some("not found")));
        assert_eq!((of("biz-status"), of("biz-extra")), (Some("404"), Some(r#"{"k":"v"}"#)));
        let back = read(&written).unwrap_err();
        assert_eq!(back.as_biz(), Error::biz(404, "not found").with_extra("k", "v").as_biz());
        let odd = Error::biz(-7, "ä").with_extra("\u{7f}\n", "<ß>");
        assert_eq!(round(&odd).as_biz(), odd.as_biz());
        assert_eq!(round(&Error::biz(0, "no code")).as_biz(), None);
    }

    #[test]
    fn success_has_an_empty_message() {
        let written = trailers(Ok(()), &Metadata::default());
        assert_eq!(written.get("grpc-message").unwrap(), "");
        assert!(read(&written).is_ok());
    }

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
    fn a_long_text_is_cut_between_characters() {
        for text in ["ä".repeat(100_000), "a".repeat(100_000), "\n".repeat(6_000)] {
            let back = round(&Error::other(text.as_str()));
            let kept = back.message().strip_suffix("...").unwrap();
            assert!(text.starts_with(kept) && kept.len() > 5_000, "{}", kept.len());
        }
    }
}
