//! The client: channels, calls, and the client's twins of the handles.
//!
//! The method of a generated client returns a [`Call`], a future that gives, by the mode of the method:
//!
//! | mode | what the call gives | dropping it before the end of the call |
//! |---|---|---|
//! | unary | the answer | (dropping the [`Call`] cancels) |
//! | client stream | [`ClientStream`], and from it a [`Reply`] | cancels |
//! | server stream | [`Streaming`] | cancels |
//! | bidirectional | [`Bidi`], which splits into [`Sender`] and [`Streaming`] | cancels; a [`Sender`] after `close_send` does not |
//!
//! To cancel is to tell the server at once: its handler is dropped.

mod backoff;
mod bidi;
mod call;
mod channel;
mod client_stream;
mod connecting;
mod connections;
mod deadline;
mod dial;
mod endpoint;
mod group;
mod grouped;
#[cfg(feature = "grpc")]
mod once_more;
mod options;
mod pool;
mod sender;
mod streaming;
#[cfg(test)]
mod tests;
mod upkeep;

pub use bidi::Bidi;
pub use call::Call;
pub(crate) use call::Prepared;
pub use channel::{Channel, ChannelBuilder};
pub use client_stream::{ClientStream, Reply};
pub(crate) use dial::{Dial, Opened};
pub(crate) use endpoint::Memory;
pub(crate) use options::{Options, Told};
pub use pool::Pool;
pub use sender::Sender;
pub use streaming::Streaming;
