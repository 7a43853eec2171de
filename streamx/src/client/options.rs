//! The options of one call, until it is opened.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::deadline::Deadline;
use crate::call::context::{check_bytes, check_pair, check_transient};
use crate::call::middleware::{Opening, Pairs};
use crate::call::recv_timeout::Patient;
use crate::call::{Context, Exchange, MethodName, Mode};
use crate::metadata::Value;
use crate::{Error, Metadata, Result};

/// The header and the trailer of a call, for one who has asked for them.
pub(crate) type Told = Arc<OnceLock<(Metadata, Metadata)>>;

/// What was set on a call; the first mistake is kept.
pub(crate) struct Options {
    /// Whose persistent metainfo goes on.
    context: Option<Context>,
    /// In the order in which they were set.
    pairs: Vec<(Pairs, Box<str>, Value)>,
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
        let Exchange { format, mut incoming, outgoing } = exchange;
        if let Some(timeout) = self.recv_timeout {
            incoming = Box::new(Patient::caller(incoming, timeout, self.keep_open.unwrap_or_default()));
        }
        Exchange { format, incoming, outgoing }
    }
}

impl Options {
    /// Of a call that is made now: one made by a handler belongs to the call it serves.
    pub(crate) fn new() -> Self {
        Self {
            context: Context::current(),
            pairs: Vec::new(),
            mistake: None,
            told: None,
            times: Times::default(),
        }
    }

    pub(super) fn inherit(&mut self, context: Option<Context>) {
        self.context = context;
    }

    pub(super) fn persistent(&mut self, key: &str, value: &str) {
        self.set(Opening::PERSISTENT, key, value);
    }

    pub(super) fn transient(&mut self, key: &str, value: &str) {
        match check_transient(key, value) {
            Ok(()) => self.set(Opening::TRANSIENT, key, value),
            Err(error) => _ = self.mistake.get_or_insert(error),
        }
    }

    pub(super) fn metadata(&mut self, key: &str, value: &str) {
        self.set(Opening::METADATA, key, value);
    }

    pub(super) fn metadata_bin(&mut self, key: &str, value: Bytes) {
        self.put(Opening::METADATA, key, check_bytes(key, &value).map(|()| Value::Bytes(value)));
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
    pub(super) fn deadline(&self, timeout: Option<Duration>, mode: Mode) -> Option<Deadline> {
        let own = timeout.and_then(|timeout| Deadline::after(timeout, mode));
        let inherited = self.context.as_ref().and_then(Context::deadline);
        let inherited = inherited.map(|at| Deadline::inherited(at, mode));
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

    fn set(&mut self, pairs: Pairs, key: &str, value: &str) {
        self.put(pairs, key, check_pair(key, value).map(|()| value.into()));
    }

    fn put(&mut self, pairs: Pairs, key: &str, value: Result<Value>) {
        match value {
            Ok(value) => self.pairs.push((pairs, key.into(), value)),
            Err(error) => _ = self.mistake.get_or_insert(error),
        }
    }

    /// What the call begins with: what is inherited, and over it what was set.
    pub(super) fn opening(self, name: &MethodName, mode: Mode, deadline: Option<Instant>) -> Result<Opening> {
        let Self { context, pairs, mistake, .. } = self;
        mistake.map_or(Ok(()), Err)?;
        Ok(Opening::calling(name, mode, context).with(pairs, deadline))
    }
}
