//! The client: channels, calls, and the client's twins of the handles.

mod backoff;
mod bidi;
mod call;
mod channel;
mod client_stream;
mod connections;
mod endpoint;
mod options;
mod sender;
mod streaming;
#[cfg(test)]
mod tests;

pub use bidi::Bidi;
pub use call::Call;
pub(crate) use call::Prepared;
pub use channel::{Channel, ChannelBuilder};
pub use client_stream::{ClientStream, Reply};
pub(crate) use options::{Options, Told};
pub use sender::Sender;
pub use streaming::Streaming;
