//! The methods of a service as typed statics: all that an expansion of `#[streamx::service]` calls.
//!
//! A static has the types of the user's signature as written, and dictionaries of function pointers for what the types
//! can do. That they can do it is asked for in one place each, the function that makes the dictionary (`arg`,
//! `whole`, `bidi`, `result`, `response`, `nothing`), so that one wrong type is one error of
//! the compiler, at that type.
//!
//! A unary call is a stream of one message each way. All calls go through `Names::open`, all handlers through
//! `Names::method`.

#![allow(missing_debug_implementations, reason = "nobody but generated code holds them")]

mod arguments;
mod asking;
mod context;
mod describe;
mod exceptions;
mod names;
mod outcome;
mod run;
mod shape;
mod streams;
mod unary;

pub use arguments::{Arg, Arguments, Passed, arg};
pub use context::{Alone, First, IsContext, Passes, context};
pub use names::{Names, names};
pub use outcome::{Answer, Nothing, Outcome, Response, Results, Returned, Unit, nothing, response, result};
pub use run::{Runs, Shared, With};
pub use shape::{FarBidi, FarSender, FarStreaming, IsBidi, IsSender, IsStreaming, Whole, bidi, whole};
pub use streams::{Bidi, ClientStream, ServerStream};
pub use unary::{Oneway, Unary};

pub use super::half::Codec;
