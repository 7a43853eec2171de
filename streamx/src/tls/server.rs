use std::io::{self, Cursor};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::AsyncReadExt;
use tokio_rustls::TlsAcceptor;

use super::rustls::pki_types::CertificateDer;
use super::rustls::server::WebPkiClientVerifier;
use super::rustls::{ServerConfig, server};
use super::{Identity, Replaceable, Roots, protocols, provider, unfit};
use crate::call::peer::{Peer, PeerIdentity};
use crate::transport::{Accept, Socket, linger};
use crate::{Error, Result};

/// How many of the first bytes are read at once; a usual ClientHello fits.
const FIRST_READ: usize = 2 << 10;
/// How a TLS client begins: with a record of its handshake.
const HANDSHAKE: u8 = 22;

/// How a server speaks TLS; for [`ServerBuilder::tls`](crate::server::ServerBuilder::tls). Cheap to clone.
///
/// Made from a [`ServerConfig`] of rustls it is exactly that. Protocols that have a name of their own in the handshake
/// (ALPN) are then offered if that configuration offers them: gRPC, as `h2`. TTHeader, Framed and Buffered have none.
#[derive(Clone, Debug)]
pub struct Server(Arc<ServerConfig>);

impl Server {
    /// A server with this identity, for every client.
    ///
    /// # Errors
    ///
    /// None that an identity can cause.
    pub fn new(identity: Identity) -> Result<Self> {
        let config = builder()?.with_no_client_auth();
        Ok(Self::from(with_identity(config, &identity)))
    }

    /// As [`new`](Self::new), for clients that have a certificate of one of these authorities: mutual TLS. Others are
    /// refused in the handshake, and no handler knows of them.
    ///
    /// # Errors
    ///
    /// None of the certificates can be the root of others.
    pub fn mutual(identity: Identity, clients: Roots) -> Result<Self> {
        let verifier = WebPkiClientVerifier::builder_with_provider(clients.store(), provider());
        let verifier = verifier.build().map_err(|error| unfit("clients cannot be verified", error))?;
        let config = builder()?.with_client_cert_verifier(verifier);
        Ok(Self::from(with_identity(config, &identity)))
    }
}

impl From<ServerConfig> for Server {
    fn from(config: ServerConfig) -> Self {
        Self(Arc::new(config))
    }
}

type Builder<State> = super::rustls::ConfigBuilder<ServerConfig, State>;

fn builder() -> Result<Builder<super::rustls::WantsVerifier>> {
    let builder = ServerConfig::builder_with_provider(provider());
    builder.with_safe_default_protocol_versions().map_err(|error| unfit("TLS cannot be served", error))
}

fn with_identity(config: Builder<server::WantsServerCert>, identity: &Identity) -> ServerConfig {
    let mut config = config.with_cert_resolver(identity.resolver());
    config.alpn_protocols = protocols();
    config
}

impl Accept for Replaceable<Server> {
    fn accept(&self, socket: Socket) -> BoxFuture<'static, Result<Option<Socket>>> {
        accept(self.current().0, socket).boxed()
    }
}

async fn accept(config: Arc<ServerConfig>, socket: Socket) -> Result<Option<Socket>> {
    let addr = socket.peer().addr;
    let (mut reader, writer) = socket.split();
    let mut first = Vec::with_capacity(FIRST_READ);
    match reader.read_buf(&mut first).await {
        Ok(0) => return Ok(None),
        Ok(_) => {}
        Err(error) => return Err(failed(error)),
    }
    let is_plain = first[0] != HANDSHAKE;
    let socket = tokio::io::join(Cursor::new(first).chain(reader), writer);
    match TlsAcceptor::from(config).accept(socket).into_fallible().await {
        Ok(stream) => {
            let identity = stream.get_ref().1.peer_certificates().and_then(identity).map(Arc::new);
            let (reader, writer) = tokio::io::split(stream);
            Ok(Some(Socket::Made(Box::new(reader), Box::new(writer), Peer { addr, identity })))
        }
        Err((error, socket)) => {
            linger(socket).await;
            if is_plain {
                let text = "the client does not speak TLS, and this port serves nothing else";
                return Err(Error::transport(text).with_source(error));
            }
            Err(failed(error))
        }
    }
}

fn failed(error: io::Error) -> Error {
    Error::transport(format!("the TLS handshake failed: {error}")).with_source(error)
}

/// Who has shown these certificates. That they are good was checked in the handshake.
fn identity(certificates: &[CertificateDer<'_>]) -> Option<PeerIdentity> {
    let own = webpki::EndEntityCert::try_from(certificates.first()?).ok()?;
    let dns_names = own.valid_dns_names().map(str::to_owned).collect();
    let uris = own.valid_uri_names().map(str::to_owned).collect();
    let certificates = certificates.iter().map(|certificate| certificate.to_vec()).collect();
    Some(PeerIdentity::new(certificates, dns_names, uris))
}
