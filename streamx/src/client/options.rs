//! The options of one call, until it is opened.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::deadline::Deadline;
use crate::call::context::{check_pair, check_size};
use crate::call::recv_timeout::Patient;
use crate::call::{Context, Exchange};
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
    times: Times,
}

/// How long a call, and each `recv` of it, may take, and whether it waits for a connection: as set on the call, or by
/// default on its channel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    pub(super) timeout: Option<Duration>,
    pub(super) recv_timeout: Option<Duration>,
    pub(super) wait_for_ready: Option<bool>,
    pub(super) keep_open: Option<bool>,
}

impl Times {
    /// Bounds how long each message of the call is waited for.
    pub(super) fn bound_recv(self, exchange: Exchange) -> Exchange {
        let Exchange { mut incoming, outgoing } = exchange;
        if let Some(timeout) = self.recv_timeout {
            incoming = Box::new(Patient::caller(incoming, timeout, self.keep_open.unwrap_or_default()));
        }
        Exchange { incoming, outgoing }
    }
}

impl Options {
    /// Of a call that is made now: one made by a handler belongs to the call it serves.
    pub(crate) fn new() -> Self {
        Self {
            context: Context::current(),
            strings: Metadata::default(),
            mistake: None,
            told: None,
            times: Times::default(),
        }
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

    pub(super) fn timeout(&mut self, timeout: Duration) {
        self.times.timeout = Some(timeout);
    }

    pub(super) fn recv_timeout(&mut self, timeout: Duration) {
        self.times.recv_timeout = Some(timeout);
    }

    pub(super) fn wait_for_ready(&mut self, wait: bool) {
        self.times.wait_for_ready = Some(wait);
    }

    pub(super) fn keep_open(&mut self, keep_open: bool) {
        self.times.keep_open = Some(keep_open);
    }

    /// The times of the call, over those of its channel.
    pub(super) fn times(&self, defaults: Times) -> Times {
        Times {
            timeout: self.times.timeout.or(defaults.timeout),
            recv_timeout: self.times.recv_timeout.or(defaults.recv_timeout),
            wait_for_ready: self.times.wait_for_ready.or(defaults.wait_for_ready),
            keep_open: self.times.keep_open.or(defaults.keep_open),
        }
    }

    /// When a call that begins now has to be over: at its own time, and at that of the handler that makes it.
    pub(super) fn deadline(&self, timeout: Option<Duration>) -> Option<Deadline> {
        let own = timeout.and_then(Deadline::after);
        let inherited = self.context.as_ref().and_then(Context::deadline).map(Deadline::inherited);
        own.into_iter().chain(inherited).reduce(Deadline::min)
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

    /// The call that this one ends with.
    pub(super) fn parent(&self) -> Option<Context> {
        self.context.clone()
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
