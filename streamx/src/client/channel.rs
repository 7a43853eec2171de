//! What carries the calls of a client.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::Result;
use crate::call::{Exchange, Open, Opening};

/// Connections to one address. Cheap to clone; all clones share the connections.
#[derive(Clone)]
pub struct Channel(Arc<dyn Open>);

impl Channel {
    /// A channel over anything that opens calls.
    pub(crate) fn over(open: impl Open) -> Self {
        Self(Arc::new(open))
    }

    /// Opens a call.
    pub(crate) fn open(&self, opening: Opening) -> BoxFuture<'static, Result<Exchange>> {
        self.0.open(opening)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}
