//! The connections for calls of one kind, streams or unary ones: which of them takes a call, and which are over.

use std::sync::Arc;

use tokio::time::Instant;

use super::backoff::{Backoff, chance};
use super::connecting::{Dialed, Together, Used};
use super::pool::{Kind, Pool};
use crate::Result;
use crate::call::{Exchange, NewCall};
#[cfg(feature = "grpc")]
use crate::transport::GrpcClient;
use crate::transport::{StreamClient, UnaryClient};

/// A connection as its group sees it.
pub(super) trait Pooled {
    fn is_open(&self) -> bool;
    /// How many calls it carries.
    fn calls(&self) -> usize;
    /// How many more the server is at although nobody waits for them.
    fn abandoned(&self) -> usize {
        0
    }
    /// Whether nothing is left of the calls it has carried.
    fn is_free(&self) -> bool;
    /// Whether the server is known to serve many calls on it at once.
    fn is_shared(&self) -> bool;
    /// Opens a call. `lease` is dropped when the connection is free for another one.
    fn open(&self, call: &NewCall, lease: Lease) -> Result<Exchange>;
    /// Ends it when its last call is over.
    fn retire(&self);
}

/// The use of a connection by a call.
pub(super) type Lease = Arc<()>;

/// How a group gives its connections to calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// So many connections, taken in turn.
    Turns(usize),
    /// One call at a time, until the server is known to serve many on one connection.
    Learned,
    /// One call at a time.
    One,
    /// No connection is used twice.
    Never,
}

pub(super) struct Group<C> {
    sharing: Sharing,
    /// In the order they were made.
    entries: Vec<Entry<C>>,
    /// Whose turn it is.
    turn: usize,
    /// Until when those that are there do although another one is wanted, and for how long after the next failure.
    makes_do: Option<Instant>,
    pauses: Backoff,
    /// The dial that calls share.
    pub(super) dial: Together<Dialed>,
    /// What dials again and again while calls wait for a connection.
    pub(super) attempts: Together<()>,
}

struct Entry<C> {
    client: C,
    lease: Lease,
    used: Used,
    /// When it is too old for further calls.
    until: Option<Instant>,
    /// It has got a call, and no look has found it free since.
    busy: bool,
    /// When a look found it free first.
    idle_since: Instant,
}

impl Sharing {
    pub(super) fn of_streams(kind: Kind) -> Self {
        match kind {
            Kind::Default => Self::Turns(1),
            Kind::Mux(n) => Self::Turns(n),
            Kind::Long => Self::One,
            Kind::Short => Self::Never,
        }
    }

    pub(super) fn of_unary(kind: Kind) -> Self {
        match kind {
            Kind::Default => Self::Learned,
            Kind::Mux(_) | Kind::Long | Kind::Short => Self::of_streams(kind),
        }
    }
}

impl<C: Pooled> Group<C> {
    pub(super) fn new(sharing: Sharing) -> Self {
        Self {
            sharing,
            entries: Vec::new(),
            turn: 0,
            makes_do: None,
            pauses: Backoff::new(),
            dial: Together::default(),
            attempts: Together::default(),
        }
    }

    /// Whether calls that need a connection at the same moment wait for one dial.
    pub(super) fn shares_dials(&self) -> bool {
        matches!(self.sharing, Sharing::Turns(_))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether all connections are there that calls share.
    pub(super) fn is_complete(&mut self) -> bool {
        self.drop_lost();
        matches!(self.sharing, Sharing::Turns(wanted) if self.entries.len() >= wanted)
    }

    /// Opens a call on a new connection and keeps that for further ones.
    pub(super) fn open_new(&mut self, client: C, pool: &Pool, call: &NewCall) -> Result<Exchange> {
        let mut entry = Entry::new(client, pool);
        let exchange = entry.open(call).map_err(|error| {
            // A connection that has ended already has carried nothing.
            if entry.client.is_open() { error } else { error.retryable() }
        })?;
        if self.sharing == Sharing::Never {
            entry.client.retire();
        } else {
            self.keep(entry);
        }
        Ok(exchange)
    }

    /// Keeps a new connection for the calls to come; when it was made `for_call`, the next one takes it before any other.
    pub(super) fn add(&mut self, client: C, pool: &Pool, for_call: bool) -> Used {
        let entry = Entry::new(client, pool);
        let used = entry.used.clone();
        if !for_call {
            used.set();
        }
        if for_call || self.sharing != Sharing::Never {
            self.keep(entry);
        }
        used
    }

    /// The connection that was wanted could not be made. Calls need not wait for the next attempt as long as there are
    /// others.
    pub(super) fn make_do(&mut self) {
        self.makes_do = Instant::now().checked_add(self.pauses.next());
    }

    /// Opens a call on one of the connections. None when no connection takes it, or another one is to be made first;
    /// in that case `any` accepts those there are. An error is that of a call that no connection would take.
    pub(super) fn open(
        &mut self,
        pool: &Pool,
        max_streams: usize,
        any: bool,
        call: &NewCall,
    ) -> Option<Result<Exchange>> {
        self.drop_lost();
        if pool.max_age.is_some() {
            let now = Instant::now();
            self.retire_where(|_, entry| entry.is_too_old(now));
        }
        self.trim(pool);
        while let Some(index) = self.pick(max_streams, any) {
            match self.entries[index].open(call) {
                Ok(exchange) => {
                    if self.sharing == Sharing::Never {
                        self.entries.remove(index).client.retire();
                    }
                    return Some(Ok(exchange));
                }
                Err(error) if self.entries[index].client.is_open() => return Some(Err(error)),
                // It has ended just now, and nothing was sent.
                Err(_) => drop(self.entries.remove(index)),
            }
        }
        None
    }

    /// Closes what has been idle for too long or is too old.
    pub(super) fn look(&mut self, pool: &Pool) {
        let now = Instant::now();
        self.drop_lost();
        for entry in &mut self.entries {
            if entry.is_free() && std::mem::take(&mut entry.busy) {
                entry.idle_since = now;
            }
        }
        let learned = self.entries.iter().position(|entry| entry.client.is_shared());
        let sharing = self.sharing;
        self.retire_where(|index, entry| {
            let shared = match sharing {
                Sharing::Turns(wanted) => index < wanted,
                Sharing::Learned => learned == Some(index),
                Sharing::One | Sharing::Never => false,
            };
            let idle = !entry.busy && now.duration_since(entry.idle_since) >= pool.idle(shared);
            entry.is_too_old(now) || idle
        });
        self.trim(pool);
    }

    /// Every connection ends when its last call is over.
    pub(super) fn retire_all(&mut self) {
        self.retire_where(|_, _| true);
    }

    fn keep(&mut self, entry: Entry<C>) {
        self.entries.push(entry);
        self.makes_do = None;
        self.pauses = Backoff::new();
    }

    fn pick(&mut self, max_streams: usize, any: bool) -> Option<usize> {
        if let Some(made_for_calls) = self.entries.iter().position(|entry| !entry.used.get()) {
            return Some(made_for_calls);
        }
        let count = self.entries.len();
        match self.sharing {
            Sharing::Turns(wanted) => {
                let makes_do = || self.makes_do.is_some_and(|until| Instant::now() < until);
                if count == 0 || (count < wanted && !any && !makes_do()) {
                    return None;
                }
                let wanted = wanted.min(count);
                let first = self.turn % wanted;
                self.turn = first + 1;
                // The more calls share a connection, the more frames share a write: a connection above the wanted
                // number gets a call only when the others are full.
                let order = (first..wanted).chain(0..first).chain(wanted..count);
                order.into_iter().find(|&index| self.entries[index].load() < max_streams)
            }
            Sharing::Learned => {
                let has_room = |entry: &Entry<C>| entry.client.is_shared() && entry.load() < max_streams;
                self.entries.iter().position(has_room).or_else(|| self.free())
            }
            Sharing::One => self.free(),
            Sharing::Never => None,
        }
    }

    /// The free connection that was made last: the others get a chance to become idle.
    fn free(&self) -> Option<usize> {
        self.entries.iter().rposition(Entry::is_free)
    }

    fn drop_lost(&mut self) {
        self.entries.retain(|entry| entry.client.is_open());
    }

    /// Closes free connections that are too many, those made first before the others.
    fn trim(&mut self, pool: &Pool) {
        if matches!(self.sharing, Sharing::Turns(_)) || self.entries.len() <= pool.max_idle {
            return;
        }
        let learned = self.sharing == Sharing::Learned;
        let is_idle = |entry: &Entry<C>| entry.is_free() && !(learned && entry.client.is_shared());
        let mut surplus = self.entries.iter().filter(|entry| is_idle(entry)).count();
        surplus = surplus.saturating_sub(pool.max_idle);
        self.retire_where(|_, entry| {
            let too_many = surplus > 0 && is_idle(entry);
            surplus -= usize::from(too_many);
            too_many
        });
    }

    fn retire_where(&mut self, mut is_over: impl FnMut(usize, &Entry<C>) -> bool) {
        let mut index = 0;
        self.entries.retain(|entry| {
            let over = is_over(index, entry);
            index += 1;
            if over {
                entry.client.retire();
            }
            !over
        });
    }
}

impl<C: Pooled> Entry<C> {
    fn new(client: C, pool: &Pool) -> Self {
        let now = Instant::now();
        let until = pool.max_age.and_then(|age| now.checked_add(age - age.mul_f64(chance() / 10.0)));
        let used = Used::default();
        Self { client, lease: Lease::default(), used, until, busy: false, idle_since: now }
    }

    fn open(&mut self, call: &NewCall) -> Result<Exchange> {
        self.busy = true;
        self.used.set();
        self.client.open(call, Arc::clone(&self.lease))
    }

    fn leases(&self) -> usize {
        Arc::strong_count(&self.lease) - 1
    }

    /// How many calls it has, those included that are about to begin.
    fn load(&self) -> usize {
        self.leases().max(self.client.calls()) + self.client.abandoned()
    }

    fn is_free(&self) -> bool {
        self.leases() == 0 && self.client.is_free()
    }

    fn is_too_old(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Pooled for StreamClient {
    fn is_open(&self) -> bool {
        self.is_open()
    }

    fn calls(&self) -> usize {
        self.streams()
    }

    fn is_free(&self) -> bool {
        self.is_free()
    }

    fn is_shared(&self) -> bool {
        true
    }

    /// A stream is a call of the connection from here on, so nothing else need tell that.
    fn open(&self, call: &NewCall, _lease: Lease) -> Result<Exchange> {
        self.open(call)
    }

    fn retire(&self) {
        self.retire();
    }
}

#[cfg(feature = "grpc")]
impl Pooled for GrpcClient {
    fn is_open(&self) -> bool {
        self.is_open()
    }

    fn calls(&self) -> usize {
        self.streams()
    }

    fn is_free(&self) -> bool {
        self.is_free()
    }

    fn is_shared(&self) -> bool {
        true
    }

    /// As for a stream.
    fn open(&self, call: &NewCall, _lease: Lease) -> Result<Exchange> {
        self.open(call)
    }

    fn retire(&self) {
        self.retire();
    }
}

impl Pooled for UnaryClient {
    fn is_open(&self) -> bool {
        self.is_open()
    }

    fn calls(&self) -> usize {
        self.in_flight().saturating_sub(self.abandoned())
    }

    fn abandoned(&self) -> usize {
        self.abandoned()
    }

    fn is_free(&self) -> bool {
        self.in_flight() == 0
    }

    fn is_shared(&self) -> bool {
        self.multiplexes()
    }

    /// A call begins when its arguments are there.
    fn open(&self, call: &NewCall, lease: Lease) -> Result<Exchange> {
        Ok(self.open(call, Box::new(move || drop(lease))))
    }

    /// Nothing to do: no handle keeps a connection open after its unary call.
    fn retire(&self) {}
}
