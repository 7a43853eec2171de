//! The life of one direction of one stream.

use super::frame::FrameKind;

/// How far one direction of a stream has come.
///
/// ```text
///          header                    trailer, reset
///  Fresh ─────────▶ Open ────────────────────────────▶ Done
///   ↺ data           ↺ data                             ↺ data, trailer: ignored
///   └──────────────── trailer, reset ──────────────────▶
///
///  A header in Open or Done is one too many. Meta frames are ignored everywhere.
/// ```
///
/// The client's direction is `Open` from the start, since its header frame is what makes the stream. The server's is
/// `Fresh`: a Kitex server sends its header late, and older ones none at all, so data and trailer are good without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    Fresh,
    Open,
    Done,
}

/// What an arriving frame means for its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The frame counts, and the direction is this far now.
    To(Half),
    /// The frame has no effect.
    Ignored,
    /// A second header.
    Twice,
}

impl Half {
    /// A frame of this kind has arrived.
    pub(crate) fn step(self, frame: FrameKind) -> Step {
        match (self, frame) {
            (_, FrameKind::Meta) => Step::Ignored,
            (Self::Fresh, FrameKind::Header) => Step::To(Self::Open),
            (Self::Open | Self::Done, FrameKind::Header) => Step::Twice,
            // A header may still follow data.
            (Self::Fresh | Self::Open, FrameKind::Data) => Step::To(self),
            (Self::Fresh | Self::Open, FrameKind::Trailer) => Step::To(Self::Done),
            (Self::Done, FrameKind::Data | FrameKind::Trailer) => Step::Ignored,
            // A client that has finished can still give up the call.
            (_, FrameKind::Rst) => Step::To(Self::Done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Half::{Done, Fresh, Open};
    use super::Step::{Ignored, To, Twice};
    use super::*;

    #[test]
    fn every_frame_in_every_state() {
        use FrameKind::{Data, Header, Meta, Rst, Trailer};
        let kinds = [Meta, Header, Data, Trailer, Rst];
        let table = [
            (Fresh, [Ignored, To(Open), To(Fresh), To(Done), To(Done)]),
            (Open, [Ignored, Twice, To(Open), To(Done), To(Done)]),
            (Done, [Ignored, Twice, Ignored, Ignored, To(Done)]),
        ];
        for (half, steps) in table {
            for (kind, step) in kinds.into_iter().zip(steps) {
                assert_eq!(half.step(kind), step, "{kind:?} in {half:?}");
            }
        }
    }
}
