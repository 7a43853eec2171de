//! Thrift compact: smaller numbers, field numbers as differences, a `bool` field inside its header.

mod reader;
mod writer;

pub use reader::CompactReader;
pub use writer::CompactWriter;

use crate::codec::{Kind, MAX_DEPTH};

const TRUE: u8 = 1;
const FALSE: u8 = 2;

/// The number of a kind; elements that are truth values have the number of `true`, as the Apache libraries write it.
fn number_of(kind: Kind) -> u8 {
    match kind {
        Kind::Bool => TRUE,
        Kind::I8 => 3,
        Kind::I16 => 4,
        Kind::I32 => 5,
        Kind::I64 => 6,
        Kind::F64 => 7,
        Kind::Binary => 8,
        Kind::List => 9,
        Kind::Set => 10,
        Kind::Map => 11,
        Kind::Struct => 12,
    }
}

fn kind_of(number: u8) -> Option<Kind> {
    Some(match number {
        TRUE | FALSE => Kind::Bool,
        3 => Kind::I8,
        4 => Kind::I16,
        5 => Kind::I32,
        6 => Kind::I64,
        7 => Kind::F64,
        8 => Kind::Binary,
        9 => Kind::List,
        10 => Kind::Set,
        11 => Kind::Map,
        12 => Kind::Struct,
        _ => return None,
    })
}

/// The number of the last field of every struct that is open; the outermost place is never used.
#[derive(Debug)]
struct LastNumbers {
    numbers: [i16; MAX_DEPTH as usize + 1],
    depth: usize,
}

impl LastNumbers {
    fn new() -> Self {
        Self { numbers: [0; MAX_DEPTH as usize + 1], depth: 0 }
    }

    /// `false` when structs are nested too deep.
    fn open(&mut self) -> bool {
        let fits = self.depth + 1 < self.numbers.len();
        if fits {
            self.depth += 1;
            self.numbers[self.depth] = 0;
        }
        fits
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn last(&mut self) -> &mut i16 {
        &mut self.numbers[self.depth]
    }
}
