//! The two formats of Thrift.

mod binary;
mod compact;

pub use binary::{BinaryReader, BinaryWriter};
pub use compact::{CompactReader, CompactWriter};
