//! Errors as they travel: what a peer's trailer or reset means, and what ours say.

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
        let Some(biz) = error.as_biz() else {
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
