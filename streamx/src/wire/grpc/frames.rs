//! The frames of HTTP/2 as they pass by: `h2` answers pings, and does not say how many there were.

/// Counts pings in the bytes of a peer, whose pieces may end anywhere.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// What is left of the preface, or of the payload of a frame.
    skip: usize,
    head: [u8; HEAD],
    /// How much of the head is there.
    filled: usize,
}

/// What every frame begins with: length, type, flags and stream.
const HEAD: usize = 9;
/// What a client says first.
const PREFACE: usize = 24;
const PING: u8 = 6;
const ACK: u8 = 1;

impl Frames {
    /// As they arrive on this side.
    pub(crate) fn of(is_client: bool) -> Self {
        Self { skip: if is_client { 0 } else { PREFACE }, ..Self::default() }
    }

    /// How many pings, that are no answers, begin in the next piece.
    pub(crate) fn pings(&mut self, mut piece: &[u8]) -> usize {
        let mut pings = 0;
        while !piece.is_empty() {
            if self.skip > 0 {
                let passed = self.skip.min(piece.len());
                self.skip -= passed;
                piece = &piece[passed..];
                continue;
            }
            let taken = (HEAD - self.filled).min(piece.len());
            self.head[self.filled..self.filled + taken].copy_from_slice(&piece[..taken]);
            self.filled += taken;
            piece = &piece[taken..];
            if self.filled == HEAD {
                let [l0, l1, l2, kind, flags, ..] = self.head;
                self.skip = usize::from(l0) << 16 | usize::from(l1) << 8 | usize::from(l2);
                self.filled = 0;
                pings += usize::from(kind == PING && flags & ACK == 0);
            }
        }
        pings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const PING: &[u8] = &[0, 0, 8, 6, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6, 6];
    const PONG: &[u8] = &[0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    const DATA: &[u8] = &[0, 0, 3, 0, 1, 0, 0, 0, 1, 6, 6, 6];

    #[test]
    fn pings_are_counted_wherever_their_bytes_are_split() {
        let bytes = [PREFACE, SETTINGS, PING, DATA, PONG, PING, SETTINGS].concat();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut frames = Frames::of(false);
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                let pings: usize = pieces.into_iter().map(|piece| frames.pings(piece)).sum();
                assert_eq!(pings, 2, "split at {first} and {second}");
            }
        }
        assert_eq!(Frames::of(true).pings(&[SETTINGS, PONG, PING].concat()), 1);
    }
}
