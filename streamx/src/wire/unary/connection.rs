//! The client's side of a connection of unary calls: which reply belongs to which call (spec "Unary" 1.8).
//!
//! A server needs nothing of the kind: it answers a request with the sequence the request has.

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::RandomState;

use super::framing::Unary;
use crate::wire::Violation;
use crate::wire::envelope::EnvelopeKind;

/// The calls in flight on one connection. `S` is what the owner attaches to a call.
pub(crate) struct Calls<S> {
    /// The sequence that was given out last.
    last: i32,
    calls: HashMap<i32, Call<S>, RandomState>,
}

struct Call<S> {
    method: &'static str,
    slot: S,
}

/// What an arriving reply means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Matched<S> {
    /// It answers this call, which is forgotten.
    Call(S),
    /// It answers a call that was given up, or none that could be meant.
    Ignored,
}

impl<S> Calls<S> {
    pub(crate) fn new() -> Self {
        Self { last: 0, calls: HashMap::default() }
    }

    /// Begins a call. Sequences go up from 1, wrap around, and leave out 0 and those of calls in flight.
    pub(crate) fn begin(&mut self, method: &'static str, slot: impl FnOnce(i32) -> S) -> i32 {
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last != 0 && !self.calls.contains_key(&self.last) {
                break;
            }
        }
        self.calls.insert(self.last, Call { method, slot: slot(self.last) });
        self.last
    }

    /// A message has arrived. A violation ends the connection, and with it every call in flight.
    ///
    /// As Kitex does, a reply must name the sequence and the method of a call; an exception answers the only call in
    /// flight whatever it names, since a server that could not read the request may know neither.
    pub(crate) fn receive(&mut self, reply: &Unary) -> Result<Matched<S>, Violation> {
        let exception = match reply.kind {
            EnvelopeKind::Reply => false,
            EnvelopeKind::Exception => true,
            EnvelopeKind::Call | EnvelopeKind::Oneway => {
                return Err(Violation::frame(format!("a reply of message type {:?}", reply.kind)));
            }
        };
        let sequence = match self.calls.get(&reply.sequence) {
            Some(call) if exception || call.method == reply.method.as_str() => reply.sequence,
            Some(call) => {
                let (expected, actual) = (call.method, reply.method.as_str());
                return Err(Violation::sequence(format!(
                    "wrong method name in a reply: expected {expected}, got {actual:.100}"
                )));
            }
            None => match self.only_call() {
                Some(only) if !self.was_given_out(reply.sequence) => {
                    if !exception {
                        return Err(Violation::sequence(format!(
                            "out of order sequence in a reply: expected {only}, got {}",
                            reply.sequence
                        )));
                    }
                    only
                }
                _ => return Ok(Matched::Ignored),
            },
        };
        Ok(self.give_up(sequence).map_or(Matched::Ignored, Matched::Call))
    }

    /// Forgets a call; a reply to it is ignored. `None` when it is over already.
    pub(crate) fn give_up(&mut self, sequence: i32) -> Option<S> {
        self.calls.remove(&sequence).map(|call| call.slot)
    }

    /// The connection is lost: every call in flight, forgotten.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = S> {
        self.calls.drain().map(|(_, call)| call.slot)
    }

    /// How many calls are in flight.
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    fn only_call(&self) -> Option<i32> {
        match self.calls.len() {
            1 => self.calls.keys().next().copied(),
            _ => None,
        }
    }

    /// Whether a sequence was that of an earlier call. 0 counts as one: a server that multiplexes says goodbye with
    /// it (spec "Unary" 1.15).
    fn was_given_out(&self, sequence: i32) -> bool {
        sequence == 0 || self.last.wrapping_sub(sequence) >= 0
    }
}

impl<S> fmt::Debug for Calls<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").field("in_flight", &self.len()).finish_non_exhaustive()
    }
}
