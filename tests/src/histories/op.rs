//! What can happen in a history, and histories by chance.

use std::time::Duration;

/// At most so many streams take part in one history.
pub const STREAMS: usize = 6;

/// The largest body of a message where receive buffers are small.
pub(super) const LARGEST_IF_TIGHT: usize = 1500;

/// What happens when a test plays the same history again: the seed of the network, and what the seed decides about it.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a plain value of the tests")]
pub struct History {
    pub seed: u64,
    pub setting: Setting,
    pub ops: Vec<Op>,
}

/// Under which conditions a history takes place.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value of the tests")]
pub struct Setting {
    /// Receive buffers are so small that streams end for them.
    pub tight: bool,
    /// Handlers are polled by the task of their connection, not in tasks of their own.
    pub in_connection: bool,
    /// The largest piece of bytes that arrives at once.
    pub pieces: usize,
    /// The longest that a piece is under way.
    pub delay: Duration,
    /// How many bytes are under way at most.
    pub room: usize,
}

/// The half of a stream's handle on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a plain value of the tests")]
pub enum Half {
    Tx,
    Rx,
    Both,
}

/// The side that does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a plain value of the tests")]
pub enum Who {
    Client,
    Handler,
}

/// The method that a stream calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a plain value of the tests")]
pub enum Mode {
    /// Bidirectional.
    Both,
    /// Bidirectional, and the handler does not take the context. Only stream 0: nothing else says which one it is.
    Plain,
    /// A client stream, whose answer is a message.
    Up,
    /// A server stream, whose request is the first message.
    Down,
}

/// How a handler ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a plain value of the tests")]
pub enum How {
    Well,
    Failed,
    Business,
    Panicked,
}

/// One thing that happens. What a stream cannot do at that moment does not happen.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "a plain value of the tests")]
pub enum Op {
    /// The client opens a stream, with limits in milliseconds.
    Open {
        stream: usize,
        mode: Mode,
        timeout: Option<u64>,
        recv_timeout: Option<u64>,
        keep_open: bool,
    },
    /// The client takes its handle apart.
    Split {
        stream: usize,
    },
    /// Begins to send; is done at once when there is room.
    Send {
        stream: usize,
        who: Who,
        size: usize,
    },
    /// Drops the future of a `send` that waits.
    GiveUpSend {
        stream: usize,
        who: Who,
    },
    /// Begins to receive; is done at once when there is something.
    Recv {
        stream: usize,
        who: Who,
    },
    /// Drops the future of a `recv` that waits.
    GiveUpRecv {
        stream: usize,
        who: Who,
    },
    CloseSend {
        stream: usize,
    },
    Drop {
        stream: usize,
        who: Who,
        half: Half,
    },
    Cancel {
        stream: usize,
    },
    SetHeader {
        stream: usize,
    },
    SendHeader {
        stream: usize,
    },
    SetTrailer {
        stream: usize,
    },
    /// The client asks for the header.
    Header {
        stream: usize,
    },
    /// The handler returns.
    End {
        stream: usize,
        how: How,
    },
    /// Lets the tasks that are ready run once.
    Yield,
    /// Lets milliseconds pass, and everything happen that happens in them.
    Pass {
        millis: u64,
    },
    Hold,
    Release,
    Cut,
    CutAfter {
        bytes: usize,
    },
    Reset,
}

impl History {
    /// The history of this seed.
    pub fn by_chance(seed: u64) -> Self {
        let mut chance = Chance(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5bd1_e995);
        let setting = Setting {
            tight: chance.one_in(5),
            in_connection: chance.one_in(3),
            pieces: if chance.one_in(2) { usize::MAX } else { 1 + chance.below(60) },
            delay: Duration::from_millis(if chance.one_in(2) { 0 } else { chance.below(20) as u64 }),
            room: if chance.one_in(2) { 64 << 10 } else { 100 + chance.below(2000) },
        };
        let (streams, faulty, slow) = (1 + chance.below(STREAMS), chance.one_in(3), chance.one_in(3));
        let mut opened = 0;
        let length = 6 + chance.below(8 + 10 * streams);
        let ops = (0..length).map(|_| {
            let mut op = if opened == 0 {
                open(0, &mut chance)
            } else {
                op(opened, streams, faulty, slow, &mut chance)
            };
            if let Op::Send { size, .. } = &mut op
                && setting.tight
            {
                *size = (*size).min(LARGEST_IF_TIGHT);
            }
            opened += usize::from(matches!(op, Op::Open { .. }));
            op
        });
        Self { seed, setting, ops: ops.collect() }
    }
}

fn open(stream: usize, chance: &mut Chance) -> Op {
    let mode = match chance.below(8) {
        0 if stream == 0 => Mode::Plain,
        1 => Mode::Up,
        2 => Mode::Down,
        _ => Mode::Both,
    };
    let timeout = chance.one_in(6).then(|| 1 + chance.below(100) as u64);
    let recv_timeout = chance.one_in(8).then(|| 1 + chance.below(100) as u64);
    Op::Open { stream, mode, timeout, recv_timeout, keep_open: chance.one_in(2) }
}

fn op(opened: usize, streams: usize, faulty: bool, slow: bool, chance: &mut Chance) -> Op {
    let stream = chance.below(opened);
    let who = if chance.one_in(2) { Who::Client } else { Who::Handler };
    match chance.below(100) {
        0..9 if opened < streams => open(opened, chance),
        0..28 => Op::Send { stream, who, size: size(chance) },
        28..48 => Op::Recv { stream, who },
        48..50 => Op::GiveUpSend { stream, who },
        50..53 => Op::GiveUpRecv { stream, who },
        53..57 => Op::CloseSend { stream },
        57..60 => {
            let half = [Half::Tx, Half::Rx, Half::Both][chance.below(3)];
            Op::Drop { stream, who, half }
        }
        60..62 => Op::Cancel { stream },
        62..64 => Op::SetHeader { stream },
        64..65 => Op::SendHeader { stream },
        65..68 => Op::SetTrailer { stream },
        68..70 => Op::Header { stream },
        70..75 => {
            let how = match chance.below(6) {
                0 => How::Failed,
                1 => How::Business,
                2 => How::Panicked,
                _ => How::Well,
            };
            Op::End { stream, how }
        }
        75..77 => Op::Split { stream },
        77..79 => Op::Hold,
        79..82 => Op::Release,
        82..84 if faulty => Op::Cut,
        84..86 if faulty => Op::Reset,
        86..88 if faulty => Op::CutAfter { bytes: chance.below(1000) },
        88..90 if faulty && slow => Op::Pass { millis: 4000 },
        82..88 if slow => Op::Pass { millis: 20 + chance.below(200) as u64 },
        82..92 => Op::Pass { millis: 1 + chance.below(20) as u64 },
        _ => Op::Yield,
    }
}

fn size(chance: &mut Chance) -> usize {
    match chance.below(100) {
        0..75 => chance.below(60),
        75..93 => chance.below(1500),
        93..99 => chance.below(9000),
        _ => (64 << 10) + chance.below(9000),
    }
}

/// Numbers by chance, always the same after the same seed (xorshift64*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).expect("31 bits") % end
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}
