//! The two formats of Thrift.

mod binary;

pub use binary::{BinaryReader, BinaryWriter};
