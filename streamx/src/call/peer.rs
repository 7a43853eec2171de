//! Who is at the other end of a connection.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// What is known of the other side before it has said anything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    pub(crate) addr: Option<SocketAddr>,
    pub(crate) identity: Option<Arc<PeerIdentity>>,
}

/// Who a caller has proved to be, with the certificate of its TLS connection; see
/// [`Context::peer_identity`](crate::Context::peer_identity).
///
/// A certificate is signed by one of the authorities that the server trusts with its clients, and it was valid when the
/// connection was made. Whether its owner may call is for the handler, or a middleware, to say:
///
/// ```
/// # use streamx::{Code, Context, Error, Result};
/// fn only_billing(ctx: &Context) -> Result<()> {
///     let identity = ctx.peer_identity();
///     if identity.is_some_and(|peer| peer.dns_names().any(|name| name == "billing.internal")) {
///         return Ok(());
///     }
///     Err(Error::new(Code::PermissionDenied, "only billing may do this"))
/// }
/// # let _ = only_billing;
/// ```
pub struct PeerIdentity {
    /// At least one.
    certificates: Vec<Vec<u8>>,
    dns_names: Vec<String>,
    uris: Vec<String>,
}

impl PeerIdentity {
    #[cfg(feature = "tls")]
    pub(crate) fn new(certificates: Vec<Vec<u8>>, dns_names: Vec<String>, uris: Vec<String>) -> Self {
        Self { certificates, dns_names, uris }
    }

    /// The certificates that the caller has shown, each as DER: its own first, then those of the authorities between it
    /// and one that the server trusts.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.certificates.iter().map(Vec::as_slice)
    }

    /// The DNS names of the caller's own certificate (its subject alternative names). A name may begin with `*.`.
    pub fn dns_names(&self) -> impl Iterator<Item = &str> {
        self.dns_names.iter().map(String::as_str)
    }

    /// The URIs of the caller's own certificate: with SPIFFE the one that names the workload.
    pub fn uris(&self) -> impl Iterator<Item = &str> {
        self.uris.iter().map(String::as_str)
    }
}

impl fmt::Debug for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerIdentity")
            .field("dns_names", &self.dns_names)
            .field("uris", &self.uris)
            .field("certificates", &self.certificates.len())
            .finish()
    }
}
