//! The client: channels, calls, and the client's twins of the handles.

mod channel;

pub use channel::Channel;
