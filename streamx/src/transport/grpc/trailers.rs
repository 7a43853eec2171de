//! The end of a call as a server writes it.

use bytes::Bytes;
use http::HeaderMap;

use super::headers;
use crate::wire::grpc::status::write_message;
use crate::wire::grpc::{BIZ_EXTRA, BIZ_STATUS, DECLARED, DETAILS, MESSAGE, REFUSED, STATUS, metadata};
use crate::wire::json::write_object;
use crate::{BizError, Code, Error, Metadata, Result};

/// A text above this is cut: header lists are bounded.
const LONGEST_MESSAGE: usize = 16 << 10;
/// What a business error has beside its text is left out above this.
const LONGEST_EXTRA: usize = 16 << 10;
/// A declared exception above this is left out.
const LARGEST_DECLARED: usize = 30 << 10;
/// A status with details above this is left out: many peers take no more than 8 to 16 KiB of headers.
const LARGEST_DETAILS: usize = 16 << 10;
/// What the header of a response takes that has nothing else.
const HEADER: usize = 512;
/// So much is for the note that something was left out, which the details repeat.
const NOTE: usize = 320;
/// The trailers of a call have so much room in any case. A peer that reads less than that cannot be told much.
const LEAST: usize = 1 << 10;

/// What the trailers of a call take together, as HTTP/2 counts them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room(usize);

impl Room {
    /// A client of ours reads 64 KiB unless it is told otherwise.
    const MOST: usize = 60 << 10;

    /// Of a client that reads header lists of this size. The hosts of grpc-java say 8 KiB, those of gRPC in C 16 KiB.
    pub(super) fn of(reads: u32) -> Self {
        Self((reads as usize).saturating_sub(HEADER).clamp(LEAST, Self::MOST))
    }
}

/// The end of a call as a server writes it, with the pairs of its handler. What comes first is what matters most, and what
/// has no room behind it is left out.
pub(super) fn trailers(result: Result<(), &Error>, pairs: &Metadata, room: Room) -> HeaderMap {
    let mut list = List { headers: HeaderMap::new(), room: room.0 - NOTE, left_out: Vec::new() };
    let mut text = match result {
        Ok(()) => {
            list.add(STATUS, b"0");
            String::new()
        }
        Err(error) => list.add_status(error),
    };
    // It has room: it is the first that is large. It is added when it is known what else has.
    let _fits = list.takes(MESSAGE, write_message(&text).len());
    // They were checked.
    for (name, value) in pairs.iter_bin().filter_map(|(key, value)| headers::pair(key, value)) {
        if list.takes(name.as_str(), value.len()) {
            list.headers.insert(name, value);
        } else {
            list.leave_out("trailers that the handler has set");
        }
    }
    if let Err(error) = result {
        list.add_extra(error);
        list.add_bytes(DECLARED, error.declared_bytes(), LARGEST_DECLARED, "the declared exception");
        list.add_bytes(DETAILS, error.details_of_status(&text).as_ref(), LARGEST_DETAILS, "the details");
    }
    if !list.left_out.is_empty() {
        let left_out = list.left_out.join(", ");
        tracing::info!(left_out, ?result, "the end of a call is too large, and something was left out of it");
        if let Err(error) = result {
            text += &format!(" [too large and left out: {left_out}]");
            list.repeat_in_details(error, &text);
        }
    }
    // Kitex sends it always.
    headers::insert(&mut list.headers, MESSAGE, write_message(&text).as_bytes());
    list.headers
}

/// The end of a call that has not reached a handler.
pub(super) fn refusal(error: &Error, room: Room) -> HeaderMap {
    let mut headers = trailers(Err(error), &Metadata::default(), room);
    if error.is_retryable() {
        headers::insert(&mut headers, REFUSED, b"1");
    }
    headers
}

/// Trailers that have so much room left.
struct List {
    headers: HeaderMap,
    room: usize,
    left_out: Vec<&'static str>,
}

/// What a header takes of a header list (RFC 9113, section 6.5.2).
fn cost(name: &str, value: usize) -> usize {
    name.len() + value + 32
}

impl List {
    /// Adds what has room in any case.
    fn add(&mut self, name: &'static str, value: &[u8]) {
        let _fits = self.takes(name, value.len());
        headers::insert(&mut self.headers, name, value);
    }

    /// Whether there is room, which is taken then.
    fn takes(&mut self, name: &str, value: usize) -> bool {
        let rest = self.room.checked_sub(cost(name, value));
        self.room = rest.unwrap_or(self.room);
        rest.is_some()
    }

    fn leave_out(&mut self, what: &'static str) {
        if !self.left_out.contains(&what) {
            self.left_out.push(what);
        }
    }

    /// Adds the numbers of an error, and gives its text.
    fn add_status(&mut self, error: &Error) -> String {
        let biz = business_of(error);
        let usual = if biz.is_some() { Code::Internal } else { error.code() };
        let status = error.grpc_status().unwrap_or(usual as i32);
        // The code 0 would say that nothing failed.
        let status = if status == 0 { Code::Unknown as i32 } else { status };
        self.add(STATUS, status.to_string().as_bytes());
        let Some(biz) = biz else { return self.message(error.message()) };
        self.add(BIZ_STATUS, biz.code().to_string().as_bytes());
        self.message(biz.message())
    }

    /// A text, cut so that it leaves room for something beside it.
    fn message(&self, text: &str) -> String {
        let longest = LONGEST_MESSAGE.min(self.room / 2);
        if write_message(text).len() <= longest {
            return text.to_owned();
        }
        // No byte takes more than three.
        let end = text.char_indices().map(|(at, _)| at).take_while(|at| at * 3 <= longest).last();
        text[..end.unwrap_or_default()].to_owned() + "..."
    }

    /// The details that were added say this text from now on.
    fn repeat_in_details(&mut self, error: &Error, text: &str) {
        let bytes = error.details_of_status(text).filter(|_| self.headers.contains_key(DETAILS));
        if let Some(value) = bytes.and_then(|bytes| metadata::write_value(DETAILS, &bytes)) {
            headers::insert(&mut self.headers, DETAILS, &value);
        }
    }

    /// Adds what a business error has beside its text.
    fn add_extra(&mut self, error: &Error) {
        let Some(biz) = business_of(error).filter(|biz| !biz.extra().is_empty()) else { return };
        let entries = biz.extra().iter().map(|(key, value)| (key.as_str(), value.as_str()));
        // A header holds every character but this one, which JSON may escape.
        let extra = write_object(entries).replace('\u{7f}', "\\u007f");
        if extra.len() <= LONGEST_EXTRA && self.takes(BIZ_EXTRA, extra.len()) {
            headers::insert(&mut self.headers, BIZ_EXTRA, extra.as_bytes());
        } else {
            self.leave_out("what the business error has beside its text");
        }
    }

    fn add_bytes(&mut self, name: &'static str, bytes: Option<&Bytes>, most: usize, what: &'static str) {
        let Some(bytes) = bytes else { return };
        let value = metadata::write_value(name, bytes).filter(|_| bytes.len() <= most);
        match value.filter(|value| self.takes(name, value.len())) {
            Some(value) => headers::insert(&mut self.headers, name, &value),
            None => self.leave_out(what),
        }
    }
}

/// The code 0 would say that nothing failed.
fn business_of(error: &Error) -> Option<&BizError> {
    error.as_biz().filter(|biz| biz.code() != 0)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::transport::grpc::failure::read;
    use crate::well_known::Any;

    const FULL: Room = Room(Room::MOST);

    fn round(error: &Error) -> Error {
        read(&trailers(Err(error), &Metadata::default(), FULL)).unwrap_err()
    }

    #[test]
    fn an_error_comes_back() {
        let error = Error::new(Code::NotFound, "no such käse: 100%\n");
        let back = round(&error);
        assert_eq!((back.code(), back.message()), (Code::NotFound, error.message()));
        assert_eq!((back.grpc_status(), back.is_retryable()), (Some(5), false));
        let refused = error.clone().retryable();
        assert!(read(&refusal(&refused, FULL)).unwrap_err().is_retryable());
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
        let written = trailers(Err(&error), &Metadata::default(), FULL);
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
        let said = "text [too large and left out: the details]";
        assert_eq!((back.message(), back.details()), (said, vec![]));

        let mut headers = HeaderMap::new();
        for bytes in [&b"\x1a\xff\xff\xff\xff\x0f"[..], b"\x12\x01\xff", b"\xff"] {
            headers::insert(&mut headers, STATUS, b"5");
            headers::insert(&mut headers, DETAILS, &metadata::write_value(DETAILS, bytes).unwrap());
            let error = read(&headers).unwrap_err();
            assert_eq!((error.code(), error.details()), (Code::NotFound, vec![]), "{}", bytes.escape_ascii());
        }
    }

    /// rpc_status of gRPC for Python refuses details that do not.
    #[test]
    fn details_say_the_text_that_is_sent() {
        let said = |written: &HeaderMap| {
            let value = metadata::read_value(DETAILS, written.get(DETAILS).unwrap().as_bytes()).unwrap();
            let text = read(written).unwrap_err().message().to_owned();
            let at = value.windows(text.len()).position(|found| found == text.as_bytes());
            assert_eq!(at.map(|at| at < 8), Some(true), "{}", value.escape_ascii());
            text
        };
        let error = |text: String| {
            let detail = Any { type_url: "t/A".into(), value: Bytes::new() };
            Error::new(Code::NotFound, text).with_detail(detail)
        };
        let mut pairs = Metadata::default();
        let cut = said(&trailers(Err(&error("ä".repeat(4_000))), &pairs, FULL));
        assert!(cut.ends_with("ä..."), "{cut}");
        pairs.set("large", "y".repeat(20 << 10).as_str());
        let noted = said(&trailers(Err(&error("no".into())), &pairs, Room::of(16 << 10)));
        assert_eq!(noted, "no [too large and left out: trailers that the handler has set]");
    }

    /// As Kitex writes it (spec 2.6).
    #[test]
    fn a_business_error_is_written_as_kitex_writes_it() {
        let written =
            trailers(Err(&Error::biz(404, "not found").with_extra("k", "v")), &Metadata::default(), FULL);
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
        let written = trailers(Ok(()), &Metadata::default(), FULL);
        assert_eq!(written.get("grpc-message").unwrap(), "");
        assert!(read(&written).is_ok());
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        for text in ["ä".repeat(100_000), "a".repeat(100_000), "\n".repeat(6_000)] {
            let back = round(&Error::other(text.as_str()));
            let kept = back.message().strip_suffix("...").unwrap();
            assert!(text.starts_with(kept) && kept.len() > 5_000, "{}", kept.len());
        }
    }

    fn size(headers: &HeaderMap) -> usize {
        headers.iter().map(|(name, value)| cost(name.as_str(), value.len())).sum()
    }

    #[test]
    fn an_error_with_everything_full_stays_within_the_budget_and_says_what_was_left_out() {
        let mut pairs = Metadata::default();
        pairs.set("small", "1");
        let full = |error: Error| {
            let large = Any { type_url: String::new(), value: vec![1; LARGEST_DETAILS - 200].into() };
            error.with_detail(large).with_declared_bytes(vec![2; LARGEST_DECLARED].into())
        };
        let text = "x".repeat(LONGEST_MESSAGE);
        let written = trailers(Err(&full(Error::new(Code::NotFound, text.as_str()))), &pairs, FULL);
        assert!(size(&written) <= Room::MOST, "{}", size(&written));
        let back = read(&written).unwrap_err();
        assert_eq!(back.code(), Code::NotFound);
        assert_eq!(back.message(), text.clone() + " [too large and left out: the details]");
        assert_eq!(back.declared_bytes().map(Bytes::len), Some(LARGEST_DECLARED));
        assert!(back.details().is_empty() && written.contains_key("small"));

        // What is behind something that has no room may have some.
        pairs.set("large", "y".repeat(20 << 10).as_str());
        pairs.set("larger", "z".repeat(50 << 10).as_str());
        let error = full(Error::biz(7, text.as_str())).with_extra("k", "e".repeat(LONGEST_EXTRA - 100));
        let written = trailers(Err(&error), &pairs, FULL);
        assert!(size(&written) <= Room::MOST, "{}", size(&written));
        let back = read(&written).unwrap_err();
        let left_out = "trailers that the handler has set, the declared exception, the details";
        let biz = back.as_biz().unwrap();
        assert_eq!((biz.code(), biz.extra().len()), (7, 1));
        assert_eq!(biz.message(), format!("{text} [too large and left out: {left_out}]"));
        assert!(written.contains_key("small") && written.contains_key("large"));
    }

    #[test]
    fn the_end_of_a_call_is_what_its_client_reads() {
        let detail = Any { type_url: String::new(), value: vec![1; 3_000].into() };
        let error = Error::other("x".repeat(3_000)).with_detail(detail);
        for (reads, kept) in [(8 << 10, false), (16 << 10, true), (0, false)] {
            let written = trailers(Err(&error), &Metadata::default(), Room::of(reads));
            assert!(size(&written) <= (reads as usize).max(LEAST), "{reads}: {}", size(&written));
            assert_eq!(written.contains_key(DETAILS), kept, "{reads}");
            assert!(read(&written).unwrap_err().message().starts_with("xxxx"));
        }
        assert_eq!((Room::of(u32::MAX).0, Room::of(64 << 10).0), (Room::MOST, Room::MOST));
    }

    #[test]
    fn trailers_of_a_call_that_went_well_are_left_out_too_when_they_are_too_large() {
        let mut pairs = Metadata::default();
        pairs.set("first", "y".repeat(40 << 10).as_str());
        pairs.set("second", "z".repeat(40 << 10).as_str());
        let written = trailers(Ok(()), &pairs, FULL);
        assert!(size(&written) <= Room::MOST);
        assert_eq!((written.len(), written.get("grpc-message").unwrap().as_bytes()), (3, &b""[..]));
        assert!(read(&written).is_ok());
    }
}
