//! The frames of both sides, in the order in which they were written.

use std::collections::HashMap;

use streamx::Side;

/// What was written so far.
#[derive(Default)]
pub(super) struct Wires {
    unfinished: HashMap<(usize, bool), Vec<u8>>,
    /// Of each stream of a connection, by the side that writes: what was written last.
    streams: HashMap<(usize, bool, i32), Written>,
    violation: Option<String>,
}

/// How far one side of a stream has come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Written {
    Header,
    Data,
    Trailer,
    Reset,
    /// A trailer and a reset, in either order.
    Both,
}

impl Wires {
    pub(super) fn see(&mut self, connection: usize, side: Side, bytes: &[u8]) {
        let client = side == Side::Client;
        let unfinished = self.unfinished.entry((connection, client)).or_default();
        unfinished.extend_from_slice(bytes);
        let mut from = 0;
        while let Some((id, kind, size)) = frame(&unfinished[from..]) {
            from += size;
            if kind == b'1' {
                // What flow control says may be anywhere, behind the end too, where it is ignored (spec 11).
                continue;
            }
            let before = self.streams.get(&(connection, client, id)).copied();
            match step(client, before, kind) {
                Some(now) => _ = self.streams.insert((connection, client, id), now),
                None => {
                    let text = format!(
                        "connection {connection}: {side:?} writes a frame {kind} of stream {id} after {before:?}"
                    );
                    self.violation.get_or_insert(text);
                }
            }
        }
        unfinished.drain(..from);
    }

    pub(super) fn violation(&self) -> Option<String> {
        self.violation.clone()
    }
}

/// Invariant 7: nothing for a stream behind the last frame of this side. A client's reset may have a trailer behind it,
/// for servers that wait for one, or before it, when it had said that it sends no more.
fn step(client: bool, before: Option<Written>, kind: u8) -> Option<Written> {
    use Written::{Both, Data, Header, Reset, Trailer};
    match (before, kind) {
        (None, b'2') => Some(Header),
        (Some(Header | Data), b'3') => Some(Data),
        (Some(Header | Data), b'4') => Some(Trailer),
        (Some(Header | Data), b'5') if client => Some(Reset),
        (Some(Trailer), b'5') | (Some(Reset), b'4') if client => Some(Both),
        _ => None,
    }
}

/// The stream, the kind and the size of the first whole frame.
fn frame(bytes: &[u8]) -> Option<(i32, u8, usize)> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let size = 4 + usize::try_from(number(0)?).ok()?;
    if bytes.len() < size {
        return None;
    }
    let id = number(8)?.cast_signed();
    Some((id, kind(bytes)?, size))
}

/// The value of the number key 27.
fn kind(bytes: &[u8]) -> Option<u8> {
    let short = |at: usize| Some(usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let mut at = 16;
    loop {
        let section = *bytes.get(at)?;
        let count = short(at + 1)?;
        at += 3;
        for _ in 0..count {
            let key = short(at)?;
            if section == 0x01 {
                at += 2 + key;
                at += 2 + short(at)?;
                continue;
            }
            let value = at + 4;
            if key == 27 {
                return bytes.get(value).copied();
            }
            at = value + short(at + 2)?;
        }
    }
}
