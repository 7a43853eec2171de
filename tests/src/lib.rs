//! Support for the tests of streamx: sample services, scripted peers, the real Kitex.

pub mod logs;
pub mod probe;
pub mod raw;
pub mod rig;
pub mod schema;
pub mod structs;
pub mod vectors;
