//! Unary Thrift calls over the connection task: Framed, and TTHeader with an inner frame.

mod call;
mod client;
mod server;

pub(crate) use client::Client;
pub(crate) use server::Server;

use crate::wire::Bounds;
use crate::{Error, Limits};

/// The int key that repeats the kind of a message in a TTHeader.
const MESSAGE_TYPE: u16 = 22;
/// The string key of the service's name in a TTHeader.
const SERVICE: &str = "isn";

fn bounds(limits: &Limits) -> Bounds {
    Bounds { max_header: limits.max_header_size, max_payload: limits.max_message_size }
}

fn broken(violation: crate::wire::Violation) -> Error {
    Error::protocol(violation.to_string())
}
