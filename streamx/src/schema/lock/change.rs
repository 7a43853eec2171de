//! What changed, whom it breaks and what to do instead, as sentences.

use std::fmt::{self, Display, Formatter};

/// One difference between a lock file and the code, or between two lock files.
///
/// It prints as a few lines: what changed and where, then what becomes of whom, then what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Where it is, like `Request.count` or `TestService.Echo`.
    pub path: String,
    /// What it is, like ``field 3 was `i32` and is `i64` ``.
    pub what: String,
    /// What it does to whom.
    pub effects: Vec<Effect>,
    /// What to do instead, if it breaks somebody.
    pub instead: Option<&'static str>,
}

/// What a change does to some.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Effect {
    /// To whom.
    pub who: Who,
    /// In which format; `None` where it does not depend on it.
    pub wire: Option<Wire>,
    /// Whether something that worked does not work any more. What is new on both sides has not worked before.
    pub breaks: bool,
    /// What happens.
    pub text: &'static str,
}

/// Whom a change meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Who {
    /// Clients that are not yet built anew, when they call a server that is.
    OldClients,
    /// Clients that are built anew, when they call a server that is not.
    NewClients,
    /// Messages that were written before, to a file or a queue, and are read now.
    StoredMessages,
    /// Peers that still have what was removed in the meantime.
    OldestPeers,
    /// Those who use names: code made from the exported schema, JSON and the text form of protobuf.
    UsersOfNames,
}

/// The formats of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Wire {
    /// Thrift, binary or compact.
    Thrift,
    /// Protobuf.
    Protobuf,
}

impl Change {
    /// Whether something that worked does not work any more, unless both sides change at once.
    pub fn is_breaking(&self) -> bool {
        self.effects.iter().any(|effect| effect.breaks)
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)?;
        for text in distinct(self.effects.iter().map(|effect| (effect.text, effect.breaks))) {
            let alike = || self.effects.iter().filter(|effect| (effect.text, effect.breaks) == text);
            // Those who are met in the same formats share a line.
            let wires = |who| distinct(alike().filter(|it| it.who == who).map(|it| it.wire));
            for wires_of_line in distinct(distinct(alike().map(|it| it.who)).into_iter().map(wires)) {
                let whos = distinct(alike().map(|it| it.who).filter(|who| wires(*who) == wires_of_line));
                let whos: Vec<_> = whos.iter().map(|who| who.name()).collect();
                let wires: Vec<_> = wires_of_line.iter().flatten().map(|wire| wire.name()).collect();
                write!(f, "\n    {}{}: ", if text.1 { "breaks " } else { "" }, whos.join(", "))?;
                if !wires.is_empty() {
                    write!(f, "in {} ", wires.join(" and "))?;
                }
                f.write_str(text.0)?;
            }
        }
        self.instead.iter().try_for_each(|instead| write!(f, "\n    instead: {instead}"))
    }
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::OldClients => "old clients of a new server",
            Self::NewClients => "new clients of an old server",
            Self::StoredMessages => "stored messages",
            Self::OldestPeers => "peers from before the removal",
            Self::UsersOfNames => "users of the exported schema and of JSON",
        }
    }
}

impl Wire {
    pub(super) const ALL: [Self; 2] = [Self::Thrift, Self::Protobuf];

    fn name(self) -> &'static str {
        match self {
            Self::Thrift => "Thrift",
            Self::Protobuf => "protobuf",
        }
    }
}

/// Each once, in the order in which they come.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}
