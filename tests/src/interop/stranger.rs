//! Methods and a service that no server of these tests has.

use streamx::{Bidi, Result};

use super::Packet;

/// Interop as somebody knows it whose methods no server has.
#[streamx::service(name = "Interop", namespace = "stranger")]
pub trait Lacking {
    async fn absent(&self, packet: Packet) -> Result<Packet>;

    #[bidi]
    async fn missing(&self, stream: Bidi<Packet, Packet>) -> Result<()>;
}

/// A service that no server has.
#[streamx::service(namespace = "stranger")]
pub trait Stranger {
    async fn gone(&self, packet: Packet) -> Result<Packet>;

    #[bidi]
    async fn lost(&self, stream: Bidi<Packet, Packet>) -> Result<()>;
}
