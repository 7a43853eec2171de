//! Doors to the protocol machines for the fuzz targets in `tests/fuzz`. Compiled by `cargo fuzz`, and for the tests below.
//!
//! Each function panics when something is not as it must be, whatever the bytes.

use std::collections::HashSet;
use std::fmt::Debug;

use bytes::{Buf, BytesMut};

use crate::Side;
use crate::wire::detect::Detected;
use crate::wire::ttheader::connection::{Connection, Event};
use crate::wire::ttheader::flow::Flow;
use crate::wire::ttheader::frame::{self, DataHead, Frame};
use crate::wire::unary::{self, Calls, EnvelopeKind, Form, Framing, Matched, Unary};
use crate::wire::{Bounds, Cut, Violation};

/// Small enough for the bytes of a fuzzer to get there.
const BOUNDS: Bounds = Bounds { max_header: 1 << 10, max_payload: 512 };

/// Whatever protocol the first bytes speak, that does not depend on how they are split.
pub fn detect(data: &[u8]) {
    let detect = crate::wire::detect::detect;
    let whole = detect(data);
    let first = (0..data.len()).map(|end| detect(&data[..end])).find(|seen| *seen != Detected::Need);
    assert_eq!(first.unwrap_or(whole), whole);
}

/// Frames of TTHeader Streaming are cut the same however their bytes are split.
pub fn frames(data: &[u8]) {
    let excess = |frame: Frame| (frame.excess, frame);
    cut_in_pieces(data, || move |input: &mut _| frame::cut(input, &BOUNDS).map(|cut| map(cut, excess)));
}

/// Unary messages are cut the same however their bytes are split, and no reply finds a call twice.
pub fn unary(data: &[u8]) {
    cut_in_pieces(data, || {
        let mut cutter = unary::Cutter::default();
        move |input: &mut _| cutter.cut(input, &BOUNDS).map(|cut| map(cut, |message| (0, message)))
    });
    let mut script = Script(data);
    let mut calls = Calls::new();
    let mut tokens = Tokens::default();
    while let Some(action) = script.byte() {
        match action % 4 {
            0 => drop(calls.begin(METHODS[usize::from(action) % METHODS.len()], |_| tokens.give())),
            1 => tokens.take_if_any(calls.give_up(script.id())),
            _ => match calls.receive(&script.reply()) {
                Ok(Matched::Call(token)) => tokens.take(token),
                Ok(Matched::Ignored) => {}
                Err(_) => break,
            },
        }
        assert_eq!(calls.len(), tokens.live.len());
    }
    calls.drain().for_each(|token| tokens.take(token));
    assert_eq!((calls.len(), tokens.live.len()), (0, 0));
}

/// A connection of TTHeader Streaming, whatever arrives and whatever its owner does: every stream ends once, a header
/// is written at most once and only by a server, and nothing is sent by a side that has finished.
pub fn machine(data: &[u8]) {
    let mut script = Script(data);
    let side = script
        .byte()
        .map_or(Side::Client, |byte| if byte.is_multiple_of(2) { Side::Client } else { Side::Server });
    let mut owner = Owner::new(side);
    while let Some(action) = script.byte() {
        match action % 8 {
            0 if side == Side::Client => owner.open(),
            1 => owner.send(script.id()),
            2 if side == Side::Client => owner.finish(script.id()),
            3 => owner.give_up(script.id()),
            _ => {
                if owner.receive(script.frame()).is_err() {
                    break;
                }
            }
        }
        assert_eq!(owner.machine.len(), owner.tokens.live.len());
        assert_eq!(owner.machine.slots().count(), owner.machine.len());
    }
    let Owner { mut machine, mut tokens, .. } = owner;
    machine.drain().for_each(|token| tokens.take(token));
    assert_eq!((machine.len(), tokens.live.len()), (0, 0));
}

/// Cuts everything at once and byte by byte, each with a machine of its own.
fn cut_in_pieces<T: Debug, C>(data: &[u8], machine: impl Fn() -> C)
where
    C: FnMut(&mut BytesMut) -> Result<Cut<(usize, T)>, Violation>,
{
    let (mut whole, mut pieces) = (Input::default(), Input::default());
    let outcome = whole.feed(data, &mut machine());
    let mut cut = machine();
    assert_eq!(data.iter().try_for_each(|byte| pieces.feed(&[*byte], &mut cut)), outcome);
    assert_eq!(pieces.units, whole.units);
    if outcome.is_ok() {
        assert_eq!((pieces.input, pieces.discard), (whole.input, whole.discard));
    }
}

fn map<T, U>(cut: Cut<T>, to: impl FnOnce(T) -> U) -> Cut<U> {
    match cut {
        Cut::Whole(unit) => Cut::Whole(to(unit)),
        Cut::Need(bytes) => Cut::Need(bytes),
    }
}

/// Whoever reads a socket.
#[derive(Default)]
struct Input {
    input: BytesMut,
    /// How many bytes are to come that nobody wants: the payload of a frame that is too large.
    discard: usize,
    /// What was cut, as text.
    units: Vec<String>,
}

impl Input {
    /// Takes what has arrived; the error is the text of a violation.
    fn feed<T: Debug>(
        &mut self,
        bytes: &[u8],
        cut: &mut impl FnMut(&mut BytesMut) -> Result<Cut<(usize, T)>, Violation>,
    ) -> Result<(), String> {
        self.input.extend_from_slice(bytes);
        loop {
            let unwanted = self.discard.min(self.input.len());
            self.input.advance(unwanted);
            self.discard -= unwanted;
            let before = self.input.len();
            match cut(&mut self.input).map_err(|violation| violation.to_string())? {
                Cut::Whole((excess, unit)) => {
                    assert!(self.input.len() < before, "cut without taking");
                    self.units.push(format!("{unit:?}"));
                    self.discard = excess;
                }
                Cut::Need(bytes) => {
                    assert!(bytes > before, "{bytes} bytes are needed, {before} are there");
                    assert_eq!(self.input.len(), before);
                    return Ok(());
                }
            }
        }
    }
}

/// A stand-in for what an owner attaches to streams and calls; each is given out and taken back once.
#[derive(Default)]
struct Tokens {
    last: u32,
    live: HashSet<u32>,
}

impl Tokens {
    fn give(&mut self) -> u32 {
        self.last += 1;
        self.live.insert(self.last);
        self.last
    }

    fn take(&mut self, token: u32) {
        assert!(self.live.remove(&token), "{token} came back twice");
    }

    fn take_if_any(&mut self, token: Option<u32>) {
        token.into_iter().for_each(|token| self.take(token));
    }
}

/// What a connection task does around its machine.
struct Owner {
    side: Side,
    machine: Connection<u32>,
    tokens: Tokens,
    /// Live streams whose header was written.
    headed: HashSet<i32>,
    /// Live streams that were finished.
    finished: HashSet<i32>,
}

impl Owner {
    fn new(side: Side) -> Self {
        let machine = if side == Side::Client { Connection::client() } else { Connection::server() };
        Self { side, machine, tokens: Tokens::default(), headed: HashSet::new(), finished: HashSet::new() }
    }

    fn open(&mut self) {
        let tokens = &mut self.tokens;
        let (id, _) = self.machine.open(|_| tokens.give());
        self.forget(id);
    }

    fn send(&mut self, id: i32) {
        let Ok(permit) = self.machine.send(id) else { return };
        assert!(!self.finished.contains(&id), "a message after the end");
        if permit.header_first {
            assert_eq!(self.side, Side::Server);
            assert!(self.headed.insert(id), "a second header");
        }
    }

    fn finish(&mut self, id: i32) {
        if self.machine.finish(id) {
            assert!(self.finished.insert(id), "a second trailer");
        }
    }

    fn give_up(&mut self, id: i32) {
        let ended = match self.side {
            Side::Client => self.machine.reset(id),
            Side::Server => self.machine.end(id),
        };
        let Some((token, flag)) = ended else { return };
        self.tokens.take(token);
        self.check_flag(id, flag);
        self.forget(id);
    }

    /// What is still to be written for a stream that this side ends.
    fn check_flag(&self, id: i32, flag: bool) {
        match self.side {
            Side::Client => assert_eq!(flag, !self.finished.contains(&id), "a trailer behind the reset"),
            Side::Server => assert_eq!(flag, !self.headed.contains(&id), "a header before the trailer"),
        }
    }

    fn receive(&mut self, frame: Frame) -> Result<(), Violation> {
        let id = frame.id;
        let over = match self.machine.receive(frame)? {
            Event::Opened(opened) => {
                assert_eq!((self.side, opened.id), (Side::Server, id));
                self.machine.accept(id, self.tokens.give());
                true
            }
            Event::Duplicate { slot, .. } => {
                self.tokens.take(slot);
                true
            }
            Event::Ended { slot, answer, .. } => {
                self.tokens.take(slot);
                assert_eq!(answer, self.side == Side::Client && !self.finished.contains(&id));
                true
            }
            Event::TooLarge { slot, more, .. } => {
                self.tokens.take(slot);
                self.check_flag(id, more);
                true
            }
            Event::Header { slot, .. }
            | Event::Message { slot, .. }
            | Event::Flow { slot, .. }
            | Event::Finished { slot }
            | Event::Failed { slot, .. } => {
                assert!(self.tokens.live.contains(slot), "an event of a stream that is over");
                false
            }
            Event::Ignored => false,
        };
        if over {
            self.forget(id);
        }
        Ok(())
    }

    fn forget(&mut self, id: i32) {
        self.headed.remove(&id);
        self.finished.remove(&id);
    }
}

const FRAMINGS: [Framing; 6] = [
    Framing::Framed(Form::Strict),
    Framing::Framed(Form::Old),
    Framing::Buffered(Form::Strict),
    Framing::Buffered(Form::Old),
    Framing::TTHeaderFramed,
    Framing::TTHeader,
];

const METHODS: [&str; 3] = ["Echo", "Two", ""];

/// Bytes that choose what happens.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn choice(&mut self) -> u8 {
        self.byte().unwrap_or_default()
    }

    /// Few ids, so that they meet.
    fn id(&mut self) -> i32 {
        i32::from(self.choice() % 8) - 1
    }

    fn bytes(&mut self) -> &'a [u8] {
        let (bytes, rest) =
            self.0.split_at(usize::from(self.choice() % 32).min(self.0.len().saturating_sub(1)));
        self.0 = rest;
        bytes
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// A frame that was written and read again.
    fn frame(&mut self) -> Frame {
        let (kind, id, method) = (self.choice() % 6, self.id(), METHODS[usize::from(self.choice() % 3)]);
        let (keys, value) = (["biz-status", "biz-extra", "biz-message", "isn"], self.text());
        let strings: Vec<_> = keys.into_iter().filter(|_| self.choice().is_multiple_of(2)).collect();
        let strings: Vec<_> = strings.into_iter().map(|key| (key, &*value)).collect();
        let number = i32::from(self.choice());
        let mut out = BytesMut::new();
        match kind {
            0 => frame::put_header(&mut out, id, method, &strings, &[(0x8002, "5")]),
            1 => {
                let mark = DataHead::new(id, method).begin(&mut out);
                out.extend_from_slice(self.bytes());
                frame::end(&mut out, mark);
            }
            2 => frame::put_trailer(&mut out, id, method, Some(&strings), &[], None),
            3 => frame::put_flow(&mut out, id, method, Flow::Credit(u32::from(self.choice()))),
            4 => frame::put_trailer(&mut out, id, method, Some(&strings), &[], Some((&value, number))),
            _ => frame::put_rst(&mut out, id, method, &value, &value, number),
        }
        let max_payload = if self.choice().is_multiple_of(8) { 8 } else { BOUNDS.max_payload };
        match frame::cut(&mut out, &Bounds { max_payload, ..BOUNDS }) {
            Ok(Cut::Whole(frame)) => frame,
            other => panic!("our own frame is {other:?}"),
        }
    }

    /// A reply that was written and read again.
    fn reply(&mut self) -> Unary {
        let kind = [EnvelopeKind::Reply, EnvelopeKind::Exception][usize::from(self.choice() % 2)];
        let framing = FRAMINGS[usize::from(self.choice()) % FRAMINGS.len()];
        let method = match framing {
            // Without a name it is not recognised.
            Framing::Framed(Form::Old) | Framing::Buffered(Form::Old) => METHODS[0],
            _ => METHODS[usize::from(self.choice() % 3)],
        };
        let id = self.id();
        let mut out = BytesMut::new();
        let mark = unary::begin(&mut out, framing, 0, &[], &[], kind, method, id);
        // A Buffered message ends with its struct, so it has to have one.
        unary::put_exception_body(&mut out, &self.text(), id);
        unary::end(&mut out, mark);
        match unary::Cutter::default().cut(&mut out, &BOUNDS) {
            Ok(Cut::Whole(reply)) => reply,
            other => panic!("our own message is {other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_doors_hold(data in prop::collection::vec(any::<u8>(), 0..256)) {
            super::detect(&data);
            super::frames(&data);
            super::unary(&data);
            super::machine(&data);
        }
    }
}
