//! The machine against the bytes of Kitex, and against everything else.

mod dialogues;
mod golden;
mod hostile;
mod probes;

use bytes::BytesMut;

use super::connection::{Connection, Event};
use super::frame::{Frame, cut};
use super::outcome::Outcome;
use crate::wire::vectors::BOUNDS;
use crate::wire::{Cut, Violation};

/// Every whole frame of the input, and the violation it ends with if it does.
fn cut_all(input: &[u8]) -> (Vec<Frame>, Option<Violation>) {
    let mut input = BytesMut::from(input);
    let mut frames = Vec::new();
    loop {
        match cut(&mut input, &BOUNDS) {
            Ok(Cut::Whole(frame)) => frames.push(frame),
            Ok(Cut::Need(bytes)) => {
                assert!(bytes > input.len(), "no progress: {bytes} bytes wanted of {}", input.len());
                return (frames, None);
            }
            Err(violation) => return (frames, Some(violation)),
        }
    }
}

/// The one frame that the input is.
fn frame(input: &[u8]) -> Frame {
    let (mut frames, violation) = cut_all(input);
    assert!(violation.is_none() && frames.len() == 1, "{violation:?} after {frames:?}");
    frames.remove(0)
}

/// A stream in a test is known by its id, and an event by a line of text.
fn describe(event: Result<Event<'_, i32>, Violation>) -> String {
    let event = match event {
        Ok(event) => event,
        Err(violation) => return format!("violation {}: {violation}", violation.kitex_code()),
    };
    match event {
        Event::Opened(opened) => format!("opened {} {}/{}", opened.id, opened.service, opened.method),
        Event::Duplicate { id, slot } => format!("duplicate {id}: {slot} ends"),
        Event::Header { slot, strings, .. } => format!("{slot}: header{}", pairs(&strings)),
        Event::Message { slot, payload } => format!("{slot}: message of {}", payload.len()),
        Event::Flow { slot, flow } => format!("{slot}: {flow:?}"),
        Event::Finished { slot } => format!("{slot}: finished"),
        Event::Failed { slot, outcome } => format!("{slot}: failed, {}", outcome_text(&outcome)),
        Event::Ended { slot, id, outcome, answer, strings } => {
            assert_eq!(slot, id);
            let answer = if answer { ", answer" } else { "" };
            format!("{slot}: ended, {}{}{answer}", outcome_text(&outcome), pairs(&strings))
        }
        Event::TooLarge { slot, size, more } => {
            format!("{slot}: {size} bytes are too many{}", if more { ", more" } else { "" })
        }
        Event::Ignored => "ignored".to_owned(),
    }
}

fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok => "ok".to_owned(),
        Outcome::Application { text, kind, .. } => format!("exception {kind} {text:?}"),
        Outcome::Business { code, message, extra } => format!("business {code} {message:?}{}", pairs(extra)),
        Outcome::Reset { text, code, path } => format!("reset {code} {text:?} path {path:?}"),
        Outcome::Broken { kitex_code, text } => format!("broken {kitex_code}: {text}"),
    }
}

fn pairs(pairs: &[(Box<str>, Box<str>)]) -> String {
    pairs.iter().map(|(key, value)| format!(" {key}={value}")).collect()
}

/// A client with stream 1 open.
fn client() -> Connection<i32> {
    let mut client = Connection::client();
    assert_eq!(client.open(|id| id), (1, &1));
    client
}

/// A server with stream 1 open.
fn server() -> Connection<i32> {
    let mut server = Connection::server();
    server.accept(1, 1);
    server
}
