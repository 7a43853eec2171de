//! What both sides do with the bytes that arrive, before they differ in what a frame means.

use bytes::{Buf, BytesMut};

use super::{Peer, Stream, broken};
use crate::Result;
use crate::transport::lock;
use crate::wire::ttheader::frame::{Cutter, Frame};
use crate::wire::{Bounds, Cut};

#[derive(Default)]
pub(super) struct Intake {
    cutter: Cutter,
    /// Bytes of a message that was too large, still to be dropped.
    excess: usize,
    /// The streams that got messages out of the present read buffer.
    touched: Vec<i32>,
}

impl Intake {
    /// The next whole frame of the input.
    #[inline(always)]
    pub(super) fn next(&mut self, input: &mut BytesMut, bounds: &Bounds) -> Result<Cut<Frame>> {
        let dropped = input.len().min(self.excess);
        input.advance(dropped);
        self.excess -= dropped;
        if self.excess > 0 {
            return Ok(Cut::Need(1));
        }
        let cut = self.cutter.cut(input, bounds).map_err(broken)?;
        if let Cut::Whole(frame) = &cut {
            self.excess = frame.excess;
        }
        Ok(cut)
    }

    /// A stream got a message.
    pub(super) fn touched(&mut self, stream: &Stream) {
        self.touched.push(stream.id);
    }

    /// See [`Protocol::settle`](crate::transport::connection::Protocol::settle).
    pub(super) fn settle(&mut self, peer: &Peer, pinned: Option<usize>) {
        if let Some(buffer) = pinned {
            let machine = lock(&peer.machine);
            for stream in self.touched.iter().filter_map(|id| machine.slot(*id)) {
                stream.inbox.unpin_small(buffer);
            }
        }
        self.touched.clear();
    }
}
