//! For tests of services: a handler without a server, and a server without a network.
//!
//! | to test | there is |
//! |---|---|
//! | what a handler does with its messages and its caller | [`bidi`], [`client_stream`], [`server_stream`], [`unary`]: its handle or context, and a [`Caller`] that the test plays |
//! | what client and server do together | [`Channel::in_process`](crate::Channel::in_process) |
//! | what they do when the network is slow or fails | [`Network`] |
//!
//! All of it works in memory and with tokio's clock, so a test may stop that: with `#[tokio::test(start_paused = true)]`,
//! which needs the feature `test-util` of tokio, an hour's timeout passes at once. The
//! [guide](crate::guide::testing) has a test of each kind.

mod call;
mod caller;
mod network;
mod pipe;

pub use caller::{Caller, bidi, client_stream, server_stream, unary};
pub use network::Network;
