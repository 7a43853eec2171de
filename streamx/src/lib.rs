#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod counters;
mod error;
mod limits;

pub mod schema;

pub mod codec;

#[cfg_attr(not(test), expect(dead_code, reason = "used by the transport"))]
mod wire;

mod call;

mod stream;

mod transport;

pub mod client;
pub mod server;

#[doc(hidden)]
pub mod private;

pub use client::Channel;
pub use counters::Counters;
pub use error::{Code, Error, Result, Side};
pub use limits::Limits;
pub use streamx_macros::{Message, service};
pub use server::Server;
