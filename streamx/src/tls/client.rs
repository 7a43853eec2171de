use std::io;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio_rustls::TlsConnector;

use super::rustls::pki_types::ServerName;
use super::rustls::{self, ClientConfig, ConfigBuilder, InvalidMessage};
use super::{Identity, Replaceable, Roots, provider, unfit};
use crate::call::peer::Peer;
use crate::transport::{Connect, Socket};
use crate::{Code, Error, Result};

/// How a client speaks TLS; for [`ChannelBuilder::tls`](crate::client::ChannelBuilder::tls). Cheap to clone.
///
/// A server is accepted if its certificate comes from one of the roots, is valid now, and is for the host of the URL, or for
/// [`server_name`](Self::server_name) where that is set.
///
/// Made from a [`ClientConfig`] of rustls it is exactly that, certificates of the operating system or another check
/// included; but where it names no protocols (ALPN), gRPC is offered as `h2`, which many servers demand.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<ClientConfig>,
    server_name: Option<String>,
}

impl Client {
    /// A client that trusts these authorities, and has no certificate of its own.
    ///
    /// # Errors
    ///
    /// None that roots can cause.
    pub fn new(roots: Roots) -> Result<Self> {
        Ok(Self::from(builder(&roots)?.with_no_client_auth()))
    }

    /// As [`new`](Self::new), with a certificate of its own for a server that asks for one: mutual TLS.
    ///
    /// # Errors
    ///
    /// None that its arguments can cause.
    pub fn mutual(roots: Roots, identity: Identity) -> Result<Self> {
        Ok(Self::from(builder(&roots)?.with_client_cert_resolver(identity.resolver())))
    }

    /// The name that the certificate of the server has to be for, in place of the host of the URL: a DNS name or an IP
    /// address. A server at a unix socket has no host, so there it is needed.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// The configuration for a connection whose protocol has this name.
    fn config(&self, protocol: Option<&str>) -> Arc<ClientConfig> {
        let Some(protocol) = protocol.filter(|_| self.config.alpn_protocols.is_empty()) else {
            return Arc::clone(&self.config);
        };
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = vec![protocol.into()];
        Arc::new(config)
    }

    fn name(&self, host: Option<&str>) -> Result<ServerName<'static>> {
        let Some(name) = self.server_name.as_deref().or(host) else {
            let text = "a unix socket has no host that the certificate of its server could be for: \
                        tls::Client::server_name says what it is for";
            return Err(Error::new(Code::InvalidArgument, text));
        };
        ServerName::try_from(name.to_owned())
            .map_err(|error| unfit(&format!("`{name}` cannot be the name of a TLS server"), error))
    }
}

impl From<ClientConfig> for Client {
    fn from(config: ClientConfig) -> Self {
        Self { config: Arc::new(config), server_name: None }
    }
}

fn builder(roots: &Roots) -> Result<ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>> {
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|error| unfit("TLS cannot be spoken", error))?;
    Ok(builder.with_root_certificates(roots.store()))
}

impl Connect for Replaceable<Client> {
    fn check(&self, host: Option<&str>) -> Result<()> {
        self.current().name(host).map(drop)
    }

    fn connect(
        &self,
        socket: Socket,
        host: Option<&str>,
        protocol: Option<&str>,
    ) -> BoxFuture<'static, io::Result<Socket>> {
        let client = self.current();
        let config = client.config(protocol);
        let name = client.name(host).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error));
        async move {
            let name = name?;
            let peer = Peer { identity: None, ..socket.peer() };
            let (reader, writer) = socket.split();
            let connecting = TlsConnector::from(config).connect(name, tokio::io::join(reader, writer));
            let stream = connecting.await.map_err(failed)?;
            let (reader, writer) = tokio::io::split(stream);
            Ok(Socket::Made(Box::new(reader), Box::new(writer), peer))
        }
        .boxed()
    }
}

/// The error of a handshake, in words. Its kind stays: what rustls objects to is `InvalidData`.
fn failed(error: io::Error) -> io::Error {
    let tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    let text = match tls {
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "the server does not speak TLS".to_owned()
        }
        Some(error) => format!("the TLS handshake failed: {error}"),
        None => format!("the connection broke during the TLS handshake, does the server speak TLS? {error}"),
    };
    io::Error::new(error.kind(), text)
}
