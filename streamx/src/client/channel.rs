//! What carries the calls of a client.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::connections::Connections;
use super::endpoint::Endpoint;
use crate::call::router::Router;
use crate::call::{Exchange, Open, Opening, Service};
use crate::counters::Counters;
use crate::{Limits, Result};

/// Connections to one address. Cheap to clone; all clones share the connections.
///
/// All streams go over one connection, until it carries `max_streams` of them. A unary call goes over a connection of
/// its own, which the next call uses again; over `ttheader://` unary calls share one connection too, as soon as the
/// server has shown that it is a streamx server (a Kitex server answers the calls of one connection one by one).
///
/// A connection that is lost ends its calls with an error, and a new one is made, with growing pauses while that
/// fails. A call that finds no connection dials at once.
///
/// # Dropping
///
/// The connections close when the last clone, the last client and the last handle of a stream are dropped.
#[derive(Clone)]
pub struct Channel {
    connections: Arc<dyn Open>,
}

/// Sets up a [`Channel`].
#[derive(Debug)]
pub struct ChannelBuilder {
    url: String,
    limits: Limits,
}

impl Channel {
    /// Connects to `ttheader://host:port`, `framed://host:port` (unary calls only) or `ttheader://unix:/path`.
    ///
    /// # Errors
    ///
    /// The URL is none of these, or nobody listens there.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self> {
        Self::builder(url).connect().await
    }

    /// A channel with other than the default options.
    pub fn builder(url: impl AsRef<str>) -> ChannelBuilder {
        ChannelBuilder { url: url.as_ref().to_owned(), limits: Limits::default() }
    }

    /// A channel to a service in this process, without a network and through the same code: an in-memory connection,
    /// both connection tasks, and the codec.
    ///
    /// Calls need a tokio runtime, as over a network.
    ///
    /// # Panics
    ///
    /// If two methods of the service have one wire name, which only `#[cfg]` can bring about.
    pub fn in_process(service: impl Into<Service>) -> Self {
        let mut router = Router::default();
        if let Err(error) = router.add(service.into()) {
            panic!("{error}");
        }
        let endpoint = Endpoint::memory(router);
        let connections = Connections::new(endpoint, Limits::default());
        Self { connections: Arc::new(connections) }
    }

    /// A channel over anything that opens calls.
    #[cfg(test)]
    pub(crate) fn over(open: impl Open) -> Self {
        Self { connections: Arc::new(open) }
    }

    /// What the connections of this channel have done and hold.
    pub fn counters(&self) -> Counters {
        self.connections.counters()
    }

    /// Opens a call.
    pub(crate) fn open(&self, opening: Opening) -> BoxFuture<'static, Result<Exchange>> {
        self.connections.open(opening)
    }
}

impl ChannelBuilder {
    /// The bounds on what a server can make this side hold or wait for.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Makes the first connection now.
    ///
    /// # Errors
    ///
    /// The URL is not one of [`Channel::connect`], or nobody listens there.
    pub async fn connect(self) -> Result<Channel> {
        let connections = self.connections()?;
        connections.connect().await?;
        Ok(Channel { connections: Arc::new(connections) })
    }

    /// Makes the first connection with the first call, which fails if nobody listens.
    ///
    /// # Errors
    ///
    /// The URL is not one of [`Channel::connect`].
    pub fn connect_lazy(self) -> Result<Channel> {
        Ok(Channel { connections: Arc::new(self.connections()?) })
    }

    fn connections(self) -> Result<Connections> {
        Ok(Connections::new(Endpoint::parse(&self.url)?, self.limits))
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}
