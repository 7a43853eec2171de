//! The programs of the contract with users, word for word, as one test.

#![allow(
    clippy::allow_attributes_without_reason,
    clippy::use_self,
    reason = "the programs are kept as users write them"
)]
#![allow(clippy::exhaustive_structs, clippy::exhaustive_enums, reason = "as above")]
#![allow(unused_qualifications, unnameable_types, unreachable_pub, reason = "as above")]

#[rustfmt::skip]
mod client;
#[rustfmt::skip]
mod messages;
#[rustfmt::skip]
mod middleware;
#[rustfmt::skip]
mod server;
#[rustfmt::skip]
mod service;
