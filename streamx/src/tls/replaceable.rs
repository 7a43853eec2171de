use std::sync::{Arc, Mutex, PoisonError};

/// A [`tls::Server`](super::Server) or [`tls::Client`](super::Client) that can be exchanged for another one while it is in
/// use, for example when certificates were renewed: connections made from then on use the new one, those that are there
/// go on with their calls. A clone is a handle to the same.
///
/// ```no_run
/// # fn main() -> streamx::Result<()> {
/// use streamx::{Server, tls};
///
/// let load = || tls::Server::new(tls::Identity::from_files("server.pem", "server.key")?);
/// let current = tls::Replaceable::new(load()?);
/// let server = Server::builder().tls(current.clone());
/// # let _ = server;
///
/// // Whenever the files have changed. If they are broken the old ones stay.
/// current.replace(load()?);
/// # Ok(())
/// # }
/// ```
///
/// All of it is replaced, the authorities too: with what is made by `new` and `mutual` no session that began before is
/// resumed.
#[derive(Debug)]
pub struct Replaceable<T>(Arc<Mutex<T>>);

impl<T> Replaceable<T> {
    /// This one, until it is replaced.
    pub fn new(first: T) -> Self {
        Self(Arc::new(Mutex::new(first)))
    }

    /// From the next connection on, this one.
    pub fn replace(&self, next: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    pub(super) fn current(&self) -> T
    where
        T: Clone,
    {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<T> Clone for Replaceable<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> From<T> for Replaceable<T> {
    fn from(first: T) -> Self {
        Self::new(first)
    }
}
