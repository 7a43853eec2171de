//! The connections of a channel by what they carry.

use std::sync::Arc;

use super::connecting::SHUT_DOWN;
use super::connections::Inner;
use super::endpoint::Scheme;
use super::group::{Group, Pooled, Sharing};
use super::pool::{Kind, Pool};
use crate::transport::{Cutter, Socket, StreamClient, UnaryClient, stream_client, unary_client};
#[cfg(feature = "grpc")]
use crate::transport::{GrpcClient, grpc_client};
use crate::wire::unary::Framing;
use crate::{Error, Result};

/// What a lock holds together.
pub(super) struct Groups {
    pub(super) streams: Group<StreamClient>,
    #[cfg(feature = "grpc")]
    pub(super) grpc: Group<GrpcClient>,
    pub(super) unary: Group<UnaryClient>,
    /// Of every connection that has not ended.
    pub(super) cutters: Vec<Cutter>,
    /// The channel is shut down.
    pub(super) over: bool,
    /// Somebody looks for connections whose time is over.
    pub(super) looking: bool,
}

/// A connection that the groups of a channel hold.
pub(super) trait Grouped: Pooled + Send + Sized + 'static {
    fn group(groups: &mut Groups) -> &mut Group<Self>;

    /// Starts a connection on a socket.
    fn start(socket: Socket, inner: &Arc<Inner>) -> (Self, Cutter);
}

impl Groups {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            streams: Group::new(Sharing::of_streams(kind)),
            #[cfg(feature = "grpc")]
            grpc: Group::new(Sharing::of_streams(kind)),
            unary: Group::new(Sharing::of_unary(kind)),
            cutters: Vec::new(),
            over: false,
            looking: false,
        }
    }

    pub(super) fn are_empty(&self) -> bool {
        #[cfg(feature = "grpc")]
        if !self.grpc.is_empty() {
            return false;
        }
        self.streams.is_empty() && self.unary.is_empty()
    }

    pub(super) fn look(&mut self, pool: &Pool) {
        self.streams.look(pool);
        self.unary.look(pool);
        #[cfg(feature = "grpc")]
        self.grpc.look(pool);
    }

    pub(super) fn retire_all(&mut self) {
        self.streams.retire_all();
        self.unary.retire_all();
        #[cfg(feature = "grpc")]
        self.grpc.retire_all();
    }

    pub(super) fn check_open(&self) -> Result<()> {
        if self.over { Err(Error::closed(SHUT_DOWN)) } else { Ok(()) }
    }
}

impl Grouped for StreamClient {
    fn group(groups: &mut Groups) -> &mut Group<Self> {
        &mut groups.streams
    }

    fn start(socket: Socket, inner: &Arc<Inner>) -> (Self, Cutter) {
        let (client, cutter, ended) = stream_client(socket, inner.calling());
        inner.look_after::<Self>(ended);
        (client, cutter)
    }
}

#[cfg(feature = "grpc")]
impl Grouped for GrpcClient {
    fn group(groups: &mut Groups) -> &mut Group<Self> {
        &mut groups.grpc
    }

    fn start(socket: Socket, inner: &Arc<Inner>) -> (Self, Cutter) {
        let target = inner.dialer.endpoint.grpc(inner.grpc);
        let (client, cutter, ended) = grpc_client(socket, target, inner.calling());
        inner.look_after::<Self>(ended);
        (client, cutter)
    }
}

impl Grouped for UnaryClient {
    fn group(groups: &mut Groups) -> &mut Group<Self> {
        &mut groups.unary
    }

    fn start(socket: Socket, inner: &Arc<Inner>) -> (Self, Cutter) {
        let framing = match inner.dialer.endpoint.scheme() {
            Scheme::Unary(framing) => framing,
            _ => Framing::TTHeaderFramed,
        };
        let (client, cutter) = unary_client(socket, framing, inner.calling());
        if matches!(inner.pool.kind, Kind::Mux(_)) {
            client.multiplex();
        }
        (client, cutter)
    }
}
