//! Unary Thrift calls over the connection task, in every framing.

mod call;
mod client;
mod running;
mod server;

pub(crate) use client::Client;
pub(crate) use server::Server;

use crate::transport::link::Link;
use crate::wire::Bounds;
use crate::{Error, Limits};

/// The int key that repeats the kind of a message in a TTHeader.
const MESSAGE_TYPE: u16 = 22;
/// The string key of the service's name in a TTHeader.
const SERVICE: &str = "isn";
/// The string key of an answer that tells the client to make its next call on another connection: this one closes soon
/// (spec "Unary" 1.13).
const LEAVE: (&str, &str) = ("crrst", "1");

fn bounds(limits: &Limits) -> Bounds {
    Bounds { max_header: limits.max_header_size, max_payload: limits.max_message_size }
}

fn broken(violation: crate::wire::Violation) -> Error {
    Error::protocol(violation.to_string())
}

/// What the answer of a server says of its connection besides.
fn leave(link: &Link) -> Option<(&'static str, &'static str)> {
    link.is_shutting_down().then_some(LEAVE)
}
