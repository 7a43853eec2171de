//! Support for the tests of streamx: sample services, scripted peers, the real Kitex.

pub mod kitex;
pub mod process;
