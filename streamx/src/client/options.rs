//! The options of one call, until it is opened.

use std::sync::{Arc, OnceLock};

use crate::call::Context;
use crate::call::context::{check_pair, check_size};
use crate::{Error, Metadata, Result};

const PERSISTENT: &str = "RPC_PERSIST_";
const TRANSIENT: &str = "RPC_TRANSIT_";

/// The header and the trailer of a call, for one who has asked for them.
pub(crate) type Told = Arc<OnceLock<(Metadata, Metadata)>>;

/// What was set on a call; the first mistake is kept.
pub(crate) struct Options {
    /// Whose persistent metainfo goes on.
    context: Option<Context>,
    strings: Metadata,
    mistake: Option<Error>,
    told: Option<Told>,
}

impl Options {
    /// Of a call that is made now: one made by a handler belongs to the call it serves.
    pub(crate) fn new() -> Self {
        Self { context: Context::current(), strings: Metadata::default(), mistake: None, told: None }
    }

    pub(super) fn inherit(&mut self, context: Option<Context>) {
        self.context = context;
    }

    pub(super) fn persistent(&mut self, key: &str, value: &str) {
        self.set(PERSISTENT, key, value);
    }

    pub(super) fn transient(&mut self, key: &str, value: &str) {
        self.set(TRANSIENT, key, value);
    }

    pub(super) fn metadata(&mut self, key: &str, value: &str) {
        self.set("", key, value);
    }

    /// Asks for header and trailer.
    pub(super) fn tell(&mut self) -> Told {
        Arc::clone(self.told.get_or_insert_default())
    }

    /// Who has asked for header and trailer.
    pub(super) fn told(&mut self) -> Option<Told> {
        self.told.take()
    }

    fn set(&mut self, prefix: &str, key: &str, value: &str) {
        match check_pair(key, value) {
            Ok(()) => self.strings.set(&format!("{prefix}{key}"), value),
            Err(error) => _ = self.mistake.get_or_insert(error),
        }
    }

    /// What travels before the first message: what is inherited, and over it what was set. Empty values do not travel
    /// (Kitex v0.16.3 never sends one).
    pub(super) fn strings(self) -> Result<Vec<(Box<str>, Box<str>)>> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let mut all = Metadata::default();
        for (key, value) in self.context.iter().flat_map(Context::persistent_iter) {
            all.set(&format!("{PERSISTENT}{key}"), value);
        }
        for (key, value) in self.strings.iter() {
            all.set(key, value);
        }
        check_size(&all)?;
        let pairs = all.iter().filter(|(_, value)| !value.is_empty());
        Ok(pairs.map(|(key, value)| (key.into(), value.into())).collect())
    }
}
