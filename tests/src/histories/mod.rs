//! Random histories of streams, and the invariants that hold in all of them.
//!
//! A history is a list of things that happen to a few streams between one client and one server: either side sends,
//! receives, gives up a `send` or a `recv` half-way, drops a handle or a half of it; the client cancels, closes, or
//! runs out of time; the handler returns, fails or panics; the network holds everything back, is cut, or breaks. The
//! network splits and delays by chance. Time is stopped, so a history takes a third of a millisecond, and is the same each
//! time.
//!
//! Nothing is awaited: every future is polled by hand, and again only when its waker was woken. So a waker that is
//! forgotten is a stream that never ends.
//!
//! The invariants, with the numbers that the violations name:
//!
//! 1. Each side of a stream sees one terminal event, and nothing after it.
//! 2. Messages of one direction arrive in order, whole, at most once; before an end all of them, and with it the header
//!    and the trailer that were set.
//! 3. Handlers that have begun have ended or are alive; in the end none is, and no stream, connection or queued byte. The
//!    handler of a caller that is gone is dropped.
//! 4. A stream fails only for what was done to it or to its connection.
//! 5. Everything ends: with a time limit within 100 ms after it, and without one when the other side has ended.
//! 6. No more bytes are queued than the limits allow, nor than were sent and not received.
//! 7. A side writes nothing for a stream after its last frame.
//! 8. What either side is told is what was done.

mod handles;
mod op;
mod player;
mod shrink;
mod stream;
mod waits;
mod wires;
mod world;

pub use op::{Half, History, How, Mode, Op, STREAMS, Setting, Who};
pub use shrink::shrink;
pub use world::play;
