//! Thrift binary, as Kitex's FastCodec reads and writes it.

mod reader;
mod writer;

pub use reader::BinaryReader;
pub use writer::BinaryWriter;
