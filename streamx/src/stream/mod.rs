//! The typed handles over the seam, as a handler holds them, and the methods of a service as typed statics.

mod bidi;
mod half;
mod passing;
mod sender;
mod sending;
mod streaming;

pub(crate) mod method;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

pub use bidi::Bidi;
pub(crate) use half::{Rx, Tx};
pub use sender::Sender;
pub use sending::{Lends, Payload, Sending};
pub use streaming::Streaming;
