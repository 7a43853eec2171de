//! Where a value of Thrift binary ends: a walk over it that stops where the bytes stop, and goes on there.
//!
//! A Buffered message has no length, so this is how its end is found. What was walked over is not looked at again: a
//! message that arrives in many small reads costs as much as one that arrives at once. Nothing is held but the
//! containers that are open, at most 64.

use super::{Bounds, Cut, Violation};

/// How deep values may nest, the outermost one included; the number of Kitex.
const MAX_DEPTH: usize = 64;

/// The type bytes of Thrift binary.
pub(crate) mod wire {
    pub(crate) const STOP: u8 = 0;
    pub(crate) const BOOL: u8 = 2;
    pub(crate) const I8: u8 = 3;
    pub(crate) const DOUBLE: u8 = 4;
    pub(crate) const I16: u8 = 6;
    pub(crate) const I32: u8 = 8;
    pub(crate) const I64: u8 = 10;
    pub(crate) const STRING: u8 = 11;
    pub(crate) const STRUCT: u8 = 12;
    pub(crate) const MAP: u8 = 13;
    pub(crate) const SET: u8 = 14;
    pub(crate) const LIST: u8 = 15;
}

/// A walk over one value.
#[derive(Debug)]
pub(crate) struct Skip {
    /// Where the value begins in the input.
    start: usize,
    /// Where to go on. Behind the input while the bytes of a string or of numbers have not arrived.
    at: usize,
    /// The type of the value that begins there, if one does.
    next: Option<u8>,
    /// The containers that are open, the outermost first.
    open: Vec<Open>,
}

/// A container whose end was not reached.
#[derive(Debug)]
enum Open {
    /// A struct: another field or its end comes next.
    Fields,
    /// A list, a set or a map: so many values are left, of these types in turn.
    Values { types: [u8; 2], left: usize },
}

impl Skip {
    /// The walk over a value of this type that begins here in the input.
    pub(crate) fn over(kind: u8, start: usize) -> Self {
        Self { start, at: start, next: Some(kind), open: Vec::new() }
    }

    /// Goes on with the input, which is that of the last time and what has arrived since. Gives the end of the value, or
    /// how many bytes must be there before it is worth going on.
    ///
    /// A value that is larger than `max_payload` is a violation as soon as that is known, before its bytes are there.
    pub(crate) fn walk(&mut self, input: &[u8], bounds: &Bounds) -> Result<Cut<usize>, Violation> {
        loop {
            let size = self.at - self.start;
            if size > bounds.max_payload {
                return Err(Violation::too_large(size, bounds));
            }
            let rest = input.get(self.at..).unwrap_or_default();
            let step = match (self.next, self.open.last_mut()) {
                (Some(kind), _) => self.value(kind, rest)?,
                (None, Some(Open::Fields)) => self.field(rest),
                (None, Some(Open::Values { left: 0, .. })) => {
                    self.open.pop();
                    continue;
                }
                (None, Some(Open::Values { types, left })) => {
                    *left -= 1;
                    self.next = Some(types[0]);
                    types.reverse();
                    continue;
                }
                (None, None) if self.at > input.len() => Step::Lacks(0),
                (None, None) => return Ok(Cut::Whole(self.at)),
            };
            match step {
                Step::Taken(bytes) => self.at = self.at.saturating_add(bytes),
                Step::Lacks(bytes) => return Ok(Cut::Need(self.at.saturating_add(bytes))),
            }
        }
    }

    /// The head of a field, or the end of its struct.
    fn field(&mut self, rest: &[u8]) -> Step {
        match rest.first() {
            None => Step::Lacks(1),
            Some(&wire::STOP) => {
                self.open.pop();
                Step::Taken(1)
            }
            Some(&kind) => {
                self.next = Some(kind);
                Step::Taken(3)
            }
        }
    }

    /// A value, or the head of one that holds others.
    fn value(&mut self, kind: u8, rest: &[u8]) -> Result<Step, Violation> {
        let nests = matches!(kind, wire::STRUCT | wire::MAP | wire::SET | wire::LIST);
        if nests && self.open.len() == MAX_DEPTH {
            return Err(Violation::frame(format!("Thrift values nested deeper than {MAX_DEPTH}")));
        }
        let taken = match kind {
            wire::STRING => {
                let Some(length) = rest.first_chunk() else { return Ok(Step::Lacks(4)) };
                count(*length)?.saturating_add(4)
            }
            wire::STRUCT => {
                self.open.push(Open::Fields);
                0
            }
            wire::SET | wire::LIST => {
                let Some(&[element, c0, c1, c2, c3]) = rest.first_chunk() else { return Ok(Step::Lacks(5)) };
                self.values([element, element], count([c0, c1, c2, c3])?).saturating_add(5)
            }
            wire::MAP => {
                let Some(&[key, value, c0, c1, c2, c3]) = rest.first_chunk() else {
                    return Ok(Step::Lacks(6));
                };
                self.values([key, value], count([c0, c1, c2, c3])?.saturating_mul(2)).saturating_add(6)
            }
            _ => fixed_size(kind)
                .ok_or_else(|| Violation::frame(format!("a Thrift value of the unknown type {kind}")))?,
        };
        self.next = None;
        Ok(Step::Taken(taken))
    }

    /// Enters a container of so many values, of two types in turn. Numbers are not entered: this is what they take.
    /// The types of an empty one may be anything, as Kitex allows.
    fn values(&mut self, types: [u8; 2], left: usize) -> usize {
        match types.map(fixed_size) {
            [Some(first), Some(second)] => {
                (left / 2).saturating_mul(first + second).saturating_add(left % 2 * first)
            }
            _ => {
                self.open.push(Open::Values { types, left });
                0
            }
        }
    }
}

/// What a look at the next bytes has led to.
enum Step {
    /// So many bytes are done.
    Taken(usize),
    /// So many bytes are needed.
    Lacks(usize),
}

/// The size of a value that is no string and holds no others.
fn fixed_size(kind: u8) -> Option<usize> {
    match kind {
        wire::BOOL | wire::I8 => Some(1),
        wire::I16 => Some(2),
        wire::I32 => Some(4),
        wire::I64 | wire::DOUBLE => Some(8),
        _ => None,
    }
}

/// A length of a string or a number of elements.
fn count(bytes: [u8; 4]) -> Result<usize, Violation> {
    let count = i32::from_be_bytes(bytes);
    usize::try_from(count)
        .map_err(|_| Violation::frame(format!("a Thrift value with the length or count {count}")))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::codec::thrift::BinaryReader;
    use crate::codec::{Kind, Reader};
    use crate::wire::vectors::{BOUNDS, dialogues, hex};

    /// The end of a struct, `None` while it is not there.
    fn end(bytes: &[u8]) -> Result<Option<usize>, String> {
        match Skip::over(wire::STRUCT, 0).walk(bytes, &BOUNDS) {
            Ok(Cut::Whole(end)) => Ok(Some(end)),
            Ok(Cut::Need(need)) => {
                assert!(need > bytes.len(), "{need} bytes wanted of {}", bytes.len());
                Ok(None)
            }
            Err(violation) => Err(violation.to_string()),
        }
    }

    /// The same, of the codec: it has to have all, so there is no telling what is missing from what is wrong.
    fn end_for_codec(bytes: &[u8]) -> Option<usize> {
        let bytes = Bytes::copy_from_slice(bytes);
        let mut reader = BinaryReader::new(&bytes);
        reader.skip(Kind::Struct).ok().map(|()| bytes.len() - reader.rest().len())
    }

    /// The same, byte by byte, and with what was walked over wiped out: nothing is looked at again, so a message costs
    /// as much in a thousand pieces as in one.
    fn end_in_pieces(bytes: &[u8]) -> Result<Option<usize>, String> {
        let mut skip = Skip::over(wire::STRUCT, 0);
        let mut input = bytes.to_vec();
        for arrived in 0..=input.len() {
            input[..skip.at.min(arrived)].fill(0xee);
            match skip.walk(&input[..arrived], &BOUNDS) {
                Ok(Cut::Whole(end)) => return Ok(Some(end)),
                Ok(Cut::Need(need)) => assert!(need > arrived, "{need} bytes wanted of {arrived}"),
                Err(violation) => return Err(violation.to_string()),
            }
        }
        Ok(None)
    }

    fn same_end_as_the_codec(bytes: &[u8]) {
        let seen = end(bytes);
        assert_eq!(end_in_pieces(bytes), seen, "{bytes:02x?}");
        assert_eq!(seen.ok().flatten(), end_for_codec(bytes), "{bytes:02x?}");
    }

    /// Every struct that Kitex wrote.
    fn recorded() -> Vec<Vec<u8>> {
        let mut structs = Vec::new();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/structs");
        for file in std::fs::read_dir(folder).unwrap() {
            let file: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
            let cases = file["cases"].as_array().into_iter().flatten();
            structs.extend(cases.filter_map(|case| Some(hex(case["hex"].as_str()?))));
        }
        for dialogue in dialogues("unary", "") {
            let bodies =
                dialogue.frames.iter().map(|frame| hex(frame.fields["message"]["body"].as_str().unwrap()));
            structs.extend(bodies);
        }
        structs.retain(|bytes| bytes.len() <= 1024);
        assert!(structs.len() > 150, "{} structs", structs.len());
        structs
    }

    #[test]
    fn the_end_of_every_recorded_struct_and_of_its_prefixes_and_flips_is_that_of_the_codec() {
        for bytes in recorded() {
            same_end_as_the_codec(&[&bytes[..], b"more"].concat());
            for end in 0..bytes.len() {
                same_end_as_the_codec(&bytes[..end]);
            }
            if bytes.len() > 200 {
                continue;
            }
            let mut changed = bytes.clone();
            for place in 0..bytes.len() {
                for flip in [0x01, 0x02, 0x04, 0x08, 0x10, 0x80, 0xff, bytes[place]] {
                    changed[place] = bytes[place] ^ flip;
                    same_end_as_the_codec(&changed);
                }
                changed[place] = bytes[place];
            }
        }
    }

    #[test]
    fn values_end_where_they_should() {
        let table: [(&str, usize); 10] = [
            ("00", 1),
            ("02 0001 01 00", 5),
            ("0a 0001 0000000000000000 00", 12),
            ("0b 0001 00000000 00", 8),
            ("0c 0001 00 00", 5),
            // Numbers at once, strings one by one, nothing of any type.
            ("0f 0001 06 00000003 000000000000 00", 15),
            ("0e 0001 0b 00000002 00000001 61 00000000 00", 18),
            ("0f 0001 63 00000000 00", 9),
            ("0d 0001 03 0a 00000002 010000000000000000 020000000000000000 00", 28),
            ("0d 0001 0b 0c 00000001 00000001 61 00 00", 16),
        ];
        for (bytes, size) in table {
            let bytes = hex(bytes);
            assert_eq!((end(&bytes), bytes.len()), (Ok(Some(size)), size), "{bytes:02x?}");
        }
    }

    #[test]
    fn nesting_ends_at_64() {
        let structs = |levels: usize| [b"\x0c\0\x01".repeat(levels - 1), vec![0; levels]].concat();
        let lists = |levels: usize| {
            [b"\x0f\0\x01".to_vec(), b"\x0f\0\0\0\x01".repeat(levels - 2), b"\x03\0\0\0\0\0".to_vec()]
                .concat()
        };
        let maps =
            |levels: usize| [b"\x0d\0\x01".to_vec(), b"\x0d\x03\0\0\0\x01".repeat(levels - 2)].concat();
        let too_deep = Err("Thrift values nested deeper than 64".to_owned());
        for nested in [&structs as &dyn Fn(usize) -> Vec<u8>, &lists] {
            assert_eq!(end(&nested(64)), Ok(Some(nested(64).len())));
            assert_eq!(end(&nested(65)), too_deep);
            assert_eq!(end(&nested(100_000)), too_deep);
        }
        assert_eq!(end(&maps(64)), Ok(None));
        assert_eq!(end(&maps(65)), too_deep);
    }

    /// Nothing is held for what is only announced.
    #[test]
    fn a_walk_holds_at_most_its_open_containers() {
        let announced =
            [b"\x0f\0\x01".to_vec(), b"\x0f\x7f\xff\xff\xff".repeat(62), b"\x0b\x7f\xff\xff\xff".to_vec()]
                .concat();
        let held = allocation_counter::measure(|| assert_eq!(end(&announced), Ok(None)));
        assert!(held.bytes_max <= 4096, "{} bytes", held.bytes_max);
    }

    proptest! {
        #[test]
        fn bytes_at_random_end_where_the_codec_says(bytes: Vec<u8>) {
            same_end_as_the_codec(&bytes);
        }

        /// Bytes that are often types and small counts.
        #[test]
        fn likely_bytes_end_where_the_codec_says(bytes in proptest::collection::vec(0u8..16, 0..200)) {
            same_end_as_the_codec(&bytes);
        }
    }
}
