//! How a stream ended, read from a trailer or a reset (spec sections 3.4 and 6).

use super::frame::{CANCEL_PATH_KEY, Details};
use super::header::{Ints, Strings};
use crate::wire::Violation;
use crate::wire::envelope::{Envelope, EnvelopeKind, Form};
use crate::wire::exception::read_exception_body;
use crate::wire::json::object_of_strings;

/// How one direction, or the whole call, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    /// The peer's exception: text, type, and the number keys that came with it.
    Application {
        text: String,
        kind: i32,
        private: Ints,
    },
    /// A failure that is part of the application's contract.
    Business {
        code: i32,
        message: String,
        extra: Strings,
    },
    /// The peer gave up the call. `path` names the services the cancel passed through, in order.
    Reset {
        text: String,
        code: i32,
        path: Vec<String>,
    },
    /// The end itself was malformed; what it wanted to say is lost.
    Broken {
        kitex_code: i32,
        text: String,
    },
}

impl Outcome {
    /// Reads a trailer. With a payload it is an exception and its business keys mean nothing. `undecodable` is the
    /// code for a payload that is no exception: 12004 at a client, 12001 at a server.
    pub(crate) fn of_trailer(details: &Details, payload: &[u8], undecodable: i32) -> Self {
        if payload.is_empty() {
            return business(details.strings.as_deref().unwrap_or_default()).unwrap_or(Self::Ok);
        }
        match read_exception(payload) {
            Ok((text, kind)) => Self::Application { text, kind, private: details.private.clone() },
            Err(violation) => Self::Broken { kitex_code: undecodable, text: violation.to_string() },
        }
    }

    /// Reads a reset. Without a readable exception it is Kitex's default one.
    pub(crate) fn of_rst(details: &Details, payload: &[u8]) -> Self {
        let (text, code) = read_exception(payload).unwrap_or_else(|_| ("rst".to_owned(), 13));
        let strings = details.strings.as_deref().unwrap_or_default();
        Self::Reset { text, code, path: cancel_path(strings) }
    }
}

/// The services a cancel has passed through, in order.
pub(crate) fn cancel_path(strings: &[(Box<str>, Box<str>)]) -> Vec<String> {
    let path = value(strings, CANCEL_PATH_KEY).unwrap_or_default();
    path.splitn(MAX_PATH, ',').filter(|_| !path.is_empty()).map(str::to_owned).collect()
}

/// The string keys of a business error.
pub(crate) const BIZ_STATUS: &str = "biz-status";
pub(crate) const BIZ_MESSAGE: &str = "biz-message";
pub(crate) const BIZ_EXTRA: &str = "biz-extra";

/// How many names of a cancel path are told apart; the last one holds the rest.
const MAX_PATH: usize = 64;

/// Only the kind of the envelope counts: method and sequence are free (spec section 2).
fn read_exception(payload: &[u8]) -> Result<(String, i32), Violation> {
    let envelope = Envelope::read(payload, Form::Strict)?;
    if envelope.kind != EnvelopeKind::Exception {
        let text = format!("thrift message type want Exception, but got {:?}", envelope.kind);
        return Err(Violation::frame(text));
    }
    read_exception_body(&payload[envelope.body..])
}

/// The business error of a trailer, or of the header of a unary reply. A status that is absent, zero or not a number
/// is none.
pub(crate) fn business(strings: &[(Box<str>, Box<str>)]) -> Option<Outcome> {
    let code = value(strings, BIZ_STATUS)?.parse().ok().filter(|&code: &i32| code != 0)?;
    let extra = value(strings, BIZ_EXTRA).unwrap_or_default();
    Some(match object_of_strings(extra) {
        Some(extra) => {
            let message = value(strings, BIZ_MESSAGE).unwrap_or_default().to_owned();
            Outcome::Business { code, message, extra }
        }
        None => Outcome::Broken { kitex_code: 12003, text: format!("malformed header info, extra: {extra}") },
    })
}

fn value<'a>(strings: &'a [(Box<str>, Box<str>)], key: &str) -> Option<&'a str> {
    strings.iter().find(|entry| *entry.0 == *key).map(|entry| &*entry.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancel_path_of_commas_stays_small() {
        let strings = Some(vec![(CANCEL_PATH_KEY.into(), ",".repeat(60_000).into())]);
        let details = Details { strings, ..Details::default() };
        let Outcome::Reset { path, .. } = Outcome::of_rst(&details, b"") else { panic!("not a reset") };
        assert_eq!(path.len(), MAX_PATH);
        assert_eq!(path.last().map(String::len), Some(60_000 - MAX_PATH + 1));
    }
}
