//! How to use streamx, one page for each subject.

#[doc = include_str!("streams.md")]
pub mod streams {}
#[doc = include_str!("context.md")]
pub mod context {}
#[doc = include_str!("errors.md")]
pub mod errors {}
#[doc = include_str!("cancel.md")]
pub mod cancel {}
#[doc = include_str!("time.md")]
pub mod time {}
#[doc = include_str!("testing.md")]
pub mod testing {}
#[doc = include_str!("connections.md")]
pub mod connections {}
#[doc = include_str!("one_port.md")]
pub mod one_port {}
#[doc = include_str!("unary.md")]
pub mod unary {}
#[doc = include_str!("schema.md")]
pub mod schema {}
#[doc = include_str!("shutdown.md")]
pub mod shutdown {}
#[doc = include_str!("health.md")]
pub mod health {}
#[doc = include_str!("middleware.md")]
pub mod middleware {}
#[cfg(feature = "tls")]
#[doc = include_str!("tls.md")]
pub mod tls {}
