//! Errors as they travel: what a peer's trailer or reset means, and what ours say.

use crate::error::Kind;
use crate::wire::ttheader::outcome::Outcome;
use crate::{Code, Error, Result, Side};

/// The private int key that carries the [`Code`] of an error between streamx peers; a Kitex peer ignores it.
pub(crate) const CODE_KEY: u16 = 0x8002;

/// The private int key of an answer to a call that has not reached a handler, so that it may be made again.
const REFUSED_KEY: u16 = 0x8004;

/// The exception type of an ordinary failure of a handler (Kitex: internal error).
const INTERNAL: i32 = 6;

/// What an outcome is to the application; `from` is the side it came from.
pub(super) fn read(outcome: Outcome, from: Side) -> Result<()> {
    match outcome {
        Outcome::Ok => Ok(()),
        Outcome::Application { text, kind, private } => {
            Err(application(text, kind, &private).with_side(from))
        }
        Outcome::Business { code, message, .. } => {
            let text = format!("business error {code}: {message}");
            Err(Error::of(Code::Unknown, Kind::Failed, text).with_side(from))
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
pub(crate) fn application(text: String, kind: i32, private: &[(u16, Box<str>)]) -> Error {
    let sent = private.iter().find(|(key, _)| *key == CODE_KEY).and_then(|(_, value)| value.parse().ok());
    let code = match (sent, kind) {
        (Some(number), _) => Code::from_i32(number),
        (None, 1 | 20) => Code::Unimplemented,
        (None, _) => Code::Unknown,
    };
    let error = Error::new(code, text);
    let refused = private.iter().any(|(key, _)| *key == REFUSED_KEY);
    // Kitex has these two types for what it does not know, and handlers of ours send a code along.
    let unknown = sent.is_none() && matches!(kind, 1 | 20);
    let error = if refused || unknown { error.retryable() } else { error };
    error.with_kitex_code(if (12002..=12015).contains(&kind) { kind } else { 12001 })
}

/// The exception type of our error.
pub(crate) fn exception_type(error: &Error) -> i32 {
    error.kitex_code().filter(|code| (12002..=12015).contains(code)).unwrap_or(INTERNAL)
}

/// The private keys of our error; `refused` says that it did not come from a handler.
pub(crate) fn private_keys(error: &Error, refused: bool) -> Vec<(u16, String)> {
    let code = (error.code() != Code::Unknown).then(|| (CODE_KEY, super::digits(error.code() as i32)));
    code.into_iter().chain(refused.then(|| (REFUSED_KEY, "1".to_owned()))).collect()
}
