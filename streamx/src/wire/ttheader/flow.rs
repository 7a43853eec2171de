//! Flow control between streamx peers (spec 11): Kitex ignores all of it, and without an answer there is none.
//!
//! A client offers its window with the header frame of a stream; a server that takes part answers with a meta frame that
//! says its own. A message costs its bytes and [`MESSAGE`]. Each side may send while what it has sent costs less than the
//! window of the other and the credits that came after it, so one message larger than the window passes. What a client
//! sends before the answer counts too. Credits travel in meta frames; the largest one, [`EVERYTHING`], ends the counting.

use std::fmt::{self, Write};

/// What a message costs beside its bytes, so that empty ones are not free.
const MESSAGE: u64 = 32;

/// The credit of a side that drops what arrives from now on: its peer need not wait any more.
pub(crate) const EVERYTHING: u32 = u32::MAX;

/// What one side tells the other under the key [`FLOW`](crate::wire::private::FLOW).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The window of whoever says it: the offer of a client, the answer of a server.
    Window(u32),
    /// So much was taken and may be sent once more.
    Credit(u32),
}

/// A [`Flow`] as it travels.
pub(crate) struct Text {
    bytes: [u8; 16],
    len: usize,
}

impl Flow {
    /// `None` for what is unknown here: a later version's words.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if let Some(window) = text.strip_prefix("1;w=") {
            return number(window).map(Self::Window);
        }
        text.strip_prefix("c=").and_then(number).map(Self::Credit)
    }

    pub(crate) fn text(self) -> Text {
        let mut text = Text { bytes: [0; 16], len: 0 };
        // The longest is `1;w=4294967295`.
        let _fits = match self {
            Self::Window(window) => write!(text, "1;w={window}"),
            Self::Credit(credit) => write!(text, "c={credit}"),
        };
        text
    }
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let end = self.len + more.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(more.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// What a message of so many bytes costs.
pub(crate) fn cost(message: usize) -> u64 {
    message as u64 + MESSAGE
}

/// Only digits, unlike what Rust reads as a number.
fn number(digits: &str) -> Option<u32> {
    digits.parse().ok().filter(|_| !digits.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        for (flow, text) in [
            (Flow::Window(262_144), "1;w=262144"),
            (Flow::Window(u32::MAX), "1;w=4294967295"),
            (Flow::Credit(0), "c=0"),
            (Flow::Credit(u32::MAX), "c=4294967295"),
        ] {
            assert_eq!(flow.text().as_str(), text);
            assert_eq!(Flow::read(text), Some(flow));
        }
    }

    #[test]
    fn what_nobody_says_means_nothing() {
        for text in ["", "1", "1;w=", "1;w=-1", "1;w=+1", "1;w=4294967296", "2;w=1", "c=", "c=1 ", "c=é"] {
            assert_eq!(Flow::read(text), None, "{text}");
        }
    }
}
