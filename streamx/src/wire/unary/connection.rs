//! The client's side of a connection of unary calls: which reply belongs to which call (spec "Unary" 1.8).
//!
//! A server needs nothing of the kind: it answers a request with the sequence the request has.

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::RandomState;

use super::cutting::Unary;
use crate::wire::Violation;
use crate::wire::envelope::EnvelopeKind;

/// The calls in flight on one connection. `S` is what the owner attaches to a call.
pub(crate) struct Calls<S> {
    /// The sequence that was given out last.
    last: i32,
    calls: HashMap<i32, Call<S>, RandomState>,
    /// How many of them nobody waits for.
    abandoned: usize,
}

struct Call<S> {
    method: &'static str,
    /// None when nobody waits for the answer.
    slot: Option<S>,
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
        Self { last: 0, calls: HashMap::default(), abandoned: 0 }
    }

    /// Begins a call. Sequences go up from 1, wrap around, and leave out 0 and those of calls in flight.
    pub(crate) fn begin(&mut self, method: &'static str, slot: impl FnOnce(i32) -> S) -> i32 {
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last != 0 && !self.calls.contains_key(&self.last) {
                break;
            }
        }
        self.calls.insert(self.last, Call { method, slot: Some(slot(self.last)) });
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

    /// Forgets a call; a reply to it is ignored. `None` when it is over already, or nobody waits for it.
    pub(crate) fn give_up(&mut self, sequence: i32) -> Option<S> {
        let call = self.calls.remove(&sequence)?;
        self.abandoned -= usize::from(call.slot.is_none());
        call.slot
    }

    /// Nobody waits for this call any more, but the server is still at it: it is in flight until its answer comes. `None`
    /// when it is over already.
    pub(crate) fn abandon(&mut self, sequence: i32) -> Option<S> {
        let slot = self.calls.get_mut(&sequence)?.slot.take();
        self.abandoned += usize::from(slot.is_some());
        slot
    }

    /// The connection is lost: every call that somebody waits for; all are forgotten.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = S> {
        self.abandoned = 0;
        self.calls.drain().filter_map(|(_, call)| call.slot)
    }

    /// How many calls are in flight.
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// How many of those nobody waits for.
    pub(crate) fn abandoned(&self) -> usize {
        self.abandoned
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

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::wire::Cut;
    use crate::wire::envelope::EnvelopeKind::*;
    use crate::wire::unary::{Cutter, Form, Framing, begin, end};
    use crate::wire::vectors::BOUNDS;

    fn message(kind: EnvelopeKind, method: &str, sequence: i32) -> Unary {
        let mut out = BytesMut::new();
        let mark = begin(&mut out, Framing::Framed(Form::Strict), 0, &[], &[], kind, method, sequence);
        out.extend_from_slice(&[0]);
        end(&mut out, mark);
        match Cutter::default().cut(&mut out, &BOUNDS).unwrap() {
            Cut::Whole(message) => message,
            Cut::Need(bytes) => panic!("{bytes} bytes wanted"),
        }
    }

    fn receive(calls: &mut Calls<i32>, kind: EnvelopeKind, method: &str, sequence: i32) -> String {
        match calls.receive(&message(kind, method, sequence)) {
            Ok(Matched::Call(slot)) => format!("call {slot}"),
            Ok(Matched::Ignored) => "ignored".to_owned(),
            Err(violation) => format!("violation {}: {violation}", violation.kitex_code()),
        }
    }

    /// Calls in flight: `Echo` as 1, then `Two` as 2, and so on.
    fn calls(count: usize) -> Calls<i32> {
        let mut calls = Calls::new();
        for method in ["Echo", "Two", "Nothing"].into_iter().take(count) {
            calls.begin(method, |sequence| sequence);
        }
        calls
    }

    #[test]
    fn replies_in_any_order() {
        let mut calls = calls(3);
        assert_eq!(receive(&mut calls, Reply, "Two", 2), "call 2");
        assert_eq!(receive(&mut calls, Exception, "", 3), "call 3");
        assert_eq!(receive(&mut calls, Reply, "Two", 2), "ignored");
        assert_eq!(receive(&mut calls, Reply, "Echo", 1), "call 1");
        assert_eq!(receive(&mut calls, Reply, "Echo", 1), "ignored");
        assert_eq!(calls.len(), 0);
    }

    #[test]
    fn a_reply_to_nothing_of_ours() {
        let violation = "violation 4: out of order sequence in a reply: expected 1, got 2";
        assert_eq!(receive(&mut calls(1), Reply, "Echo", 2), violation);
        assert_eq!(receive(&mut calls(2), Reply, "Echo", 3), "ignored", "several calls in flight");
        assert_eq!(receive(&mut calls(1), Reply, "none", 0), "ignored", "a multiplexing server says goodbye");
        let violation = "violation 4: wrong method name in a reply: expected Echo, got Ecco";
        assert_eq!(receive(&mut calls(2), Reply, "Ecco", 1), violation);
        assert_eq!(receive(&mut calls(1), Call, "Echo", 1), "violation 12004: a reply of message type Call");
        assert_eq!(
            receive(&mut calls(1), Oneway, "Echo", 1),
            "violation 12004: a reply of message type Oneway"
        );
    }

    #[test]
    fn an_exception_answers_the_only_call_whatever_it_names() {
        assert_eq!(receive(&mut calls(1), Exception, "Ecco", 2), "call 1");
        assert_eq!(receive(&mut calls(2), Exception, "Ecco", 2), "call 2");
        assert_eq!(receive(&mut calls(2), Exception, "Echo", 9), "ignored");
    }

    #[test]
    fn a_late_answer_to_a_call_that_was_given_up_hurts_no_other() {
        let mut calls = calls(2);
        assert_eq!(calls.give_up(1), Some(1));
        assert_eq!(calls.give_up(1), None);
        assert_eq!(receive(&mut calls, Reply, "Echo", 1), "ignored");
        assert_eq!(receive(&mut calls, Exception, "Echo", 1), "ignored");
        assert_eq!(receive(&mut calls, Reply, "Two", 2), "call 2");
    }

    #[test]
    fn a_call_that_nobody_waits_for_is_in_flight_until_its_answer() {
        let mut calls = calls(2);
        assert_eq!(calls.abandon(1), Some(1));
        assert_eq!((calls.abandon(1), calls.abandon(9)), (None, None));
        assert_eq!((calls.len(), calls.abandoned()), (2, 1));
        assert_eq!(receive(&mut calls, Reply, "Echo", 1), "ignored");
        assert_eq!((calls.len(), calls.abandoned()), (1, 0));
        calls.abandon(2);
        assert_eq!(calls.give_up(2), None);
        assert_eq!((calls.len(), calls.abandoned()), (0, 0));
    }

    #[test]
    fn sequences_wrap_and_leave_out_zero_and_live_ones() {
        let mut calls = calls(1);
        calls.last = i32::MAX;
        assert_eq!(calls.begin("Two", |sequence| sequence), i32::MIN);
        calls.last = -1;
        assert_eq!(calls.begin("Two", |sequence| sequence), 2);
        let mut slots: Vec<_> = calls.drain().collect();
        slots.sort_unstable();
        assert_eq!(slots, [i32::MIN, 1, 2]);
    }

    #[test]
    fn what_was_given_out_before_the_wrap_is_remembered() {
        let mut calls = Calls { last: i32::MAX, ..Calls::new() };
        assert_eq!(calls.begin("Echo", |sequence| sequence), i32::MIN);
        assert_eq!(receive(&mut calls, Reply, "Echo", i32::MAX), "ignored");
        assert_eq!(receive(&mut calls, Reply, "none", 0), "ignored");
        assert!(receive(&mut calls, Reply, "Echo", i32::MIN + 1).starts_with("violation 4"));
    }
}
