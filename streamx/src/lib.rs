#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod counters;
mod error;
mod limits;
mod metadata;

pub mod schema;

pub mod codec;

mod wire;

mod call;

mod stream;

mod transport;

#[cfg(feature = "tls")]
pub mod tls;

pub mod client;
pub mod server;

mod in_process;

pub mod health;
pub mod reflection;
pub mod testing;

pub mod guide;

#[doc(hidden)]
pub mod private;

#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;

pub use call::{Context, PeerIdentity, Placement, Protocol, Service, middleware};
pub use client::{Channel, Pool};
pub use codec::Message;
pub use codec::protobuf::well_known;
pub use counters::Counters;
pub use error::{BizError, Code, Error, Result, Side};
pub use limits::Limits;
pub use metadata::Metadata;
pub use server::Server;
pub use stream::{Bidi, Lends, Payload, Sender, Sending, Streaming};
pub use streamx_macros::{Message, service};
#[cfg(feature = "grpc")]
pub use transport::Compression;
