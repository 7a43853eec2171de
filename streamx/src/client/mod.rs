//! The client: channels, calls, and the client's twins of the handles.

mod backoff;
mod channel;
mod connections;
mod endpoint;

pub use channel::{Channel, ChannelBuilder};
