//! The frames of HTTP/2 as they pass by: `h2` answers pings, and does not say how many there were; it reads settings,
//! and does not say all of them.

/// Reads what `h2` does not tell in the bytes of a peer, whose pieces may end anywhere.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// What is left of the preface, or of the payload of a frame.
    skip: usize,
    /// What is left of the payload are settings.
    in_settings: bool,
    /// The head of a frame, or a setting.
    unit: [u8; HEAD],
    /// How much of it is there.
    filled: usize,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A ping that is no answer.
    Ping,
    /// The peer reads header lists of this size (RFC 9113, section 6.5.2).
    HeaderList(u32),
}

/// What every frame begins with: length, type, flags and stream.
const HEAD: usize = 9;
/// A setting: its number and its value.
const SETTING: usize = 6;
/// What a client says first.
const PREFACE: usize = 24;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
const MAX_HEADER_LIST_SIZE: u8 = 6;

impl Frames {
    /// As they arrive on this side.
    pub(crate) fn of(is_client: bool) -> Self {
        Self { skip: if is_client { 0 } else { PREFACE }, ..Self::default() }
    }

    /// Tells what there is in the next piece.
    pub(crate) fn pass(&mut self, mut piece: &[u8], mut tell: impl FnMut(Seen)) {
        while !piece.is_empty() {
            if self.skip > 0 && !self.in_settings {
                let passed = self.skip.min(piece.len());
                self.skip -= passed;
                piece = &piece[passed..];
                continue;
            }
            // What follows the last whole setting is an error, which `h2` finds.
            let whole = if self.in_settings { SETTING.min(self.skip) } else { HEAD };
            let taken = (whole - self.filled).min(piece.len());
            self.unit[self.filled..self.filled + taken].copy_from_slice(&piece[..taken]);
            self.filled += taken;
            piece = &piece[taken..];
            if self.filled < whole {
                return;
            }
            self.filled = 0;
            if self.in_settings {
                self.skip -= whole;
                self.in_settings = self.skip > 0;
                if let (SETTING, [0, MAX_HEADER_LIST_SIZE, v0, v1, v2, v3, ..]) = (whole, self.unit) {
                    tell(Seen::HeaderList(u32::from_be_bytes([v0, v1, v2, v3])));
                }
            } else {
                let [l0, l1, l2, kind, flags, ..] = self.unit;
                self.skip = usize::from(l0) << 16 | usize::from(l1) << 8 | usize::from(l2);
                self.in_settings = kind == SETTINGS && self.skip > 0;
                if kind == PING && flags & ACK == 0 {
                    tell(Seen::Ping);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    /// None, and those of grpc-java: 8 KiB of headers among others.
    const EMPTY: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const SETTINGS: &[u8] =
        &[0, 0, 18, 4, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 6, 0, 0, 32, 0, 0, 4, 0, 16, 0, 0];
    const ODD: &[u8] = &[0, 0, 9, 4, 0, 0, 0, 0, 0, 0, 6, 0, 1, 0, 0, 0, 6, 0];
    const PING: &[u8] = &[0, 0, 8, 6, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6, 6];
    const PONG: &[u8] = &[0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    const DATA: &[u8] = &[0, 0, 3, 0, 1, 0, 0, 0, 1, 6, 6, 6];

    fn seen(mut frames: Frames, pieces: &[&[u8]]) -> Vec<Seen> {
        let mut seen = Vec::new();
        pieces.iter().for_each(|piece| frames.pass(piece, |told| seen.push(told)));
        seen
    }

    #[test]
    fn pings_and_settings_are_seen_wherever_their_bytes_are_split() {
        let bytes = [PREFACE, SETTINGS, PING, DATA, PONG, EMPTY, ODD, PING].concat();
        let told = [Seen::HeaderList(8 << 10), Seen::Ping, Seen::HeaderList(65536), Seen::Ping];
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(seen(Frames::of(false), &pieces), told, "split at {first} and {second}");
            }
        }
        assert_eq!(seen(Frames::of(true), &[SETTINGS, PONG, PING]), told[..2]);
    }
}
