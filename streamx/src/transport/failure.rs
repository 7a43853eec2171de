//! Errors as they travel: what a peer's trailer or reset means, and what ours say.

use super::inbox::Inbox;
use crate::error::Kind;
use crate::wire::json::write_object;
use crate::wire::private;
use crate::wire::ttheader::outcome::{BIZ_EXTRA, BIZ_MESSAGE, BIZ_STATUS, Outcome};
use crate::{Code, Error, Result, Side};

/// The exception type of an ordinary failure of a handler (Kitex: internal error).
const INTERNAL: i32 = 6;

/// What an outcome is to the application; `from` is the side it came from.
pub(crate) fn read(outcome: Outcome, from: Side) -> Result<()> {
    match outcome {
        Outcome::Ok => Ok(()),
        Outcome::Application { text, kind, private } => {
            Err(application(text, kind, &private).with_side(from))
        }
        Outcome::Business { code, message, extra } => {
            let error = Error::biz(code, message).with_side(from);
            Err(extra.into_iter().fold(error, |error, (key, value)| error.with_extra(key, value)))
        }
        Outcome::Reset { text, code, path } => Err(Error::of(Code::Cancelled, Kind::Cancelled, text)
            .with_kitex_code(code)
            .with_cancel_path(path)
            .with_side(from)),
        Outcome::Broken { kitex_code, text } => {
            Err(Error::protocol(text).with_kitex_code(kitex_code).with_side(from))
        }
    }
}

/// An exception of the peer: its text, and the most exact code that came with it.
pub(crate) fn application(text: String, kind: i32, ints: &[(u16, Box<str>)]) -> Error {
    let value = |key| ints.iter().find(|(found, _)| *found == key).map(|(_, value)| &**value);
    let sent = value(private::CODE).and_then(|value| value.parse().ok());
    let code = match (sent, kind) {
        (Some(number), _) => Code::from_i32(number),
        (None, 1 | 20) => Code::Unimplemented,
        (None, _) => Code::Unknown,
    };
    let mut error = Error::new(code, text);
    // Kitex has these two types for what it does not know, and handlers of ours send a code along.
    let unknown = sent.is_none() && matches!(kind, 1 | 20);
    if value(private::REFUSED).is_some() || unknown {
        error = error.retryable();
    }
    if let Some(bytes) = value(private::DECLARED).and_then(private::read_declared) {
        error = error.with_declared_bytes(bytes.into());
    }
    error.with_kitex_code(if (12002..=12015).contains(&kind) { kind } else { 12001 })
}

/// The path of a cancel that passes this side, whose name is `caller`.
pub(crate) fn cancel_path(error: &Error, caller: &str) -> String {
    let names = error.cancel_path().chain([caller]).filter(|name| !name.is_empty());
    names.collect::<Vec<_>>().join(",")
}

/// The exception type of our error.
pub(crate) fn exception_type(error: &Error) -> i32 {
    error.kitex_code().filter(|code| (12002..=12015).contains(code)).unwrap_or(INTERNAL)
}

/// An error in the form in which it leaves.
pub(crate) struct Failure<'a> {
    /// String keys: those of a business error.
    pub(crate) strings: Vec<(Box<str>, String)>,
    /// Number keys for a streamx peer.
    pub(crate) ints: Vec<(u16, String)>,
    /// Text and type; none for a business error.
    pub(crate) exception: Option<(&'a str, i32)>,
}

impl<'a> Failure<'a> {
    /// What a handler failed with.
    pub(crate) fn of(error: &'a Error) -> Self {
        // The code 0 would say that nothing failed.
        let Some(biz) = error.as_biz().filter(|biz| biz.code() != 0) else {
            return Self::exception(error, exception_type(error));
        };
        let mut strings =
            vec![(BIZ_STATUS.into(), biz.code().to_string()), (BIZ_MESSAGE.into(), biz.message().to_owned())];
        if !biz.extra().is_empty() {
            let entries = biz.extra().iter().map(|(key, value)| (key.as_str(), value.as_str()));
            strings.push((BIZ_EXTRA.into(), write_object(entries)));
        }
        Self { strings, ints: Vec::new(), exception: None }
    }

    /// An answer to what has not reached a handler.
    pub(crate) fn refusal(error: &'a Error, kind: i32) -> Self {
        let mut refusal = Self::exception(error, kind);
        if error.is_retryable() {
            refusal.ints.push((private::REFUSED, "1".to_owned()));
        }
        refusal
    }

    /// As an exception, which every framing can carry.
    pub(crate) fn exception(error: &'a Error, kind: i32) -> Self {
        let code =
            (error.code() != Code::Unknown).then(|| (private::CODE, (error.code() as i32).to_string()));
        let declared = error.declared_bytes().and_then(|bytes| private::write_declared(bytes));
        let declared = declared.map(|digits| (private::DECLARED, digits));
        let ints = code.into_iter().chain(declared).collect();
        Self { strings: Vec::new(), ints, exception: Some((error.message(), kind)) }
    }

    pub(crate) fn strings(&self) -> Vec<(&str, &str)> {
        self.strings.iter().map(|(key, value)| (&**key, value.as_str())).collect()
    }

    pub(crate) fn ints(&self) -> impl Iterator<Item = (u16, &str)> {
        self.ints.iter().map(|(key, value)| (*key, value.as_str()))
    }
}

/// A client is told why it has given up the call itself; what the server has ended it with is what `recv` returns. A handler
/// learns here why nobody listens any more.
pub(super) fn over(inbox: &Inbox, client: bool) -> Error {
    let failure = inbox.failure();
    if client {
        return failure.filter(|error| error.side() == Side::Client).unwrap_or_else(|| {
            Error::closed(
                "cannot send: the call is over, or close_send was called; if the server has ended it, `recv` has the outcome",
            )
        });
    }
    failure.unwrap_or_else(|| {
        Error::closed("cannot send: the call is over").with_kitex_code(12012).with_side(Side::Server)
    })
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::wire::ttheader::frame::put_trailer;
    use crate::wire::vectors::hex;

    fn trailer(error: &Error) -> BytesMut {
        let failure = Failure::of(error);
        let ints: Vec<_> = failure.ints().collect();
        let mut out = BytesMut::new();
        put_trailer(&mut out, 1, "Echo", Some(&failure.strings()), &ints, failure.exception);
        out
    }

    /// The worked example of a business error: what Kitex writes (spec section 12).
    #[test]
    fn a_business_error_is_written_as_kitex_writes_it() {
        let written = trailer(&Error::biz(10001, "no balance").with_extra("k", "v"));
        let example =
            hex("00000062 1000 0002 00000001 0016 10 00 01 0003 000a 62697a2d737461747573 0005 3130303031 \
             000b 62697a2d6d657373616765 000a 6e6f2062616c616e6365 0009 62697a2d6578747261 0009 \
             7b226b223a2276227d 10 0002 001b 0001 34 0009 0004 4563686f 00");
        assert_eq!(written, example);
    }

    #[test]
    fn without_extra_there_is_no_key_for_it() {
        let error = Error::biz(-5, "m");
        assert_eq!(Failure::of(&error).strings(), [("biz-status", "-5"), ("biz-message", "m")]);
    }

    #[test]
    fn the_code_zero_travels_as_an_exception() {
        let error = Error::biz(0, "no code").with_extra("k", "v");
        let failure = Failure::of(&error);
        assert_eq!(failure.strings(), []);
        assert_eq!(failure.exception, Some(("business error 0: no code", INTERNAL)));
    }
}
