//! Support for the tests of streamx: sample services, scripted peers, the real Kitex, gRPC and Thrift of other makes.

pub mod apache;
pub mod authority;
pub mod batching;
pub mod cases;
pub mod counting;
pub mod foreign;
pub mod foreign_server;
pub mod grpc;
pub mod histories;
pub mod interop;
pub mod kitex;
pub mod logs;
pub mod noting;
pub mod passed;
pub mod peers;
pub mod place;
pub mod probe;
pub mod process;
pub mod raw;
pub mod rig;
pub mod schema;
pub mod structs;
pub mod vectors;
