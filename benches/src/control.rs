//! The control line: how the process of a contestant speaks with the one that measures.
//!
//! A server prints `listening ADDRESS`. A client prints `ready` when every stream has made its first round trip, then
//! answers every line of its input with the number of round trips so far. Both end when their input does.

use std::fmt::Display;
use std::io::{self, BufRead};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

/// Says where a server listens, and ends the process when the input ends.
pub(crate) fn listening(address: impl Display) {
    println!("listening {address}");
    thread::spawn(|| {
        for _ in io::stdin().lines() {}
        process::exit(0);
    });
}

/// Says that a client is at work, and from then on how many round trips it has made.
pub(crate) fn ready(round_trips: Arc<AtomicU64>) {
    println!("ready");
    thread::spawn(move || {
        for _ in io::stdin().lock().lines() {
            println!("{}", round_trips.load(Relaxed));
        }
        process::exit(0);
    });
}
