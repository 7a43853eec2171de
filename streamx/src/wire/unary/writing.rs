//! Writing a message in its framing.

use bytes::{BufMut, BytesMut};

use super::framing::Framing;
use crate::wire::envelope::{EnvelopeKind, put_envelope};
use crate::wire::ttheader::header;

/// The place of the lengths of a message that is being written.
#[derive(Debug)]
#[must_use]
pub(crate) struct Mark {
    header: Option<usize>,
    length: Option<usize>,
}

/// Appends what is in front of the struct, which follows, and then [`end`]. Flags, strings and numbers are those of
/// a TTHeader. The sequence goes into both envelopes.
#[expect(
    clippy::too_many_arguments,
    reason = "the fields of two envelopes, each once and in the order of the wire"
)]
pub(crate) fn begin(
    out: &mut BytesMut,
    framing: Framing,
    flags: u16,
    strings: &[(&str, &str)],
    ints: &[(u16, &str)],
    kind: EnvelopeKind,
    method: &str,
    sequence: i32,
) -> Mark {
    let header = framing.has_header().then(|| {
        let ints = ints.iter().copied();
        let strings = header::filled(strings).map(|strings| strings.iter().copied());
        header::begin(out, (flags, sequence, THRIFT_BINARY), strings, ints)
    });
    let length = framing.has_length().then(|| {
        out.put_u32(0);
        out.len() - 4
    });
    put_envelope(out, framing.form(), kind, method, sequence);
    Mark { header, length }
}

/// Writes the lengths, now that the struct is there.
pub(crate) fn end(out: &mut BytesMut, mark: Mark) {
    // An inner length is written as an outer one is: it counts everything behind itself.
    for place in [mark.length, mark.header].into_iter().flatten() {
        header::end(out, place);
    }
}

/// The protocol id of unary TTHeader.
const THRIFT_BINARY: u8 = 0x00;
