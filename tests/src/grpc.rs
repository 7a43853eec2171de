//! The interop tests of gRPC: the service that every implementation of gRPC serves for them, the cases that every client
//! runs, and the programs of other makes that do so too.

pub mod cases;
pub mod go;
pub mod handlers;
pub mod python;
pub mod test_service;

pub use handlers::Handlers;
