//! Where a channel connects to, and how it speaks there.

use std::sync::Arc;
use std::{fmt, io};

use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::sync::watch;

#[cfg(feature = "grpc")]
use crate::call::Format;
use crate::call::router::Router;
use crate::counters::Meter;
use crate::transport::{Connect, Serve, Socket, Stop, serve};
#[cfg(feature = "grpc")]
use crate::transport::{GrpcServerSettings, GrpcSettings, GrpcTarget};
use crate::wire::unary::{Form, Framing};
use crate::{Code, Error, Limits, Result};

/// What follows the scheme of a URL when the socket is a file.
const UNIX: &str = "unix:";

/// What follows the name of a protocol in a URL when the connection is to have TLS.
const TLS: &str = "+tls";

/// A parsed URL.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    scheme: Scheme,
    place: Place,
    /// Every connection begins with its handshake, if there is one.
    tls: Option<Arc<dyn Connect>>,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Streams over TTHeader Streaming, unary calls in TTHeader-framed messages.
    TTHeader,
    /// Unary calls only, with this around their messages.
    Unary(Framing),
    #[cfg(feature = "grpc")]
    Grpc(Format),
}

/// Every scheme, and what it carries.
const SCHEMES: &[(&str, Scheme)] = &[
    ("ttheader", Scheme::TTHeader),
    ("ttheader+unframed", Scheme::Unary(Framing::TTHeader)),
    ("framed", Scheme::Unary(Framing::Framed(Form::Strict))),
    ("framed+nonstrict", Scheme::Unary(Framing::Framed(Form::Old))),
    ("buffered", Scheme::Unary(Framing::Buffered(Form::Strict))),
    ("buffered+nonstrict", Scheme::Unary(Framing::Buffered(Form::Old))),
    #[cfg(feature = "grpc")]
    ("grpc", Scheme::Grpc(Format::Protobuf)),
    #[cfg(feature = "grpc")]
    ("grpc+thrift", Scheme::Grpc(Format::Thrift)),
];

#[derive(Clone)]
enum Place {
    /// `host:port`.
    Tcp(String),
    #[cfg(unix)]
    Unix(std::path::PathBuf),
    Memory(Arc<Memory>),
}

/// A server of our own, in this process; it lives as long as its connections.
pub(crate) struct Memory {
    pub(crate) router: Arc<Router>,
    pub(crate) limits: Arc<Limits>,
    /// What its connections have done and hold.
    pub(crate) meter: Arc<Meter>,
    /// Makes the two ends of a connection to it.
    pub(crate) connect: Box<dyn Fn() -> io::Result<(Socket, Socket)> + Send + Sync>,
}

impl Endpoint {
    /// What a URL says. Whether to use TLS is said twice, so that neither is forgotten: by the URL, and by what is known
    /// of certificates.
    pub(crate) fn parse(url: &str, tls: Option<Arc<dyn Connect>>) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad(url, "it has no scheme"))?;
        let (name, secure) = scheme.strip_suffix(TLS).map_or((scheme, false), |scheme| (scheme, true));
        let known = SCHEMES.iter().find(|(known, _)| *known == name).map(|(_, scheme)| *scheme);
        let scheme = known.ok_or_else(|| bad(url, &format!("the scheme `{name}` is not known")))?;
        let place = Place::parse(rest).map_err(|why| bad(url, why))?;
        match &tls {
            None if secure => {
                let text = format!(
                    "`{url}` asks for TLS, and the channel does not know which certificates to trust: \
                     Channel::builder(url).tls(…) tells it (feature `tls`)"
                );
                return Err(Error::new(Code::InvalidArgument, text));
            }
            Some(_) if !secure => {
                let text = format!(
                    "the channel was given certificates, but `{url}` asks for no TLS: `{name}{TLS}://` would"
                );
                return Err(Error::new(Code::InvalidArgument, text));
            }
            Some(tls) => tls.check(place.host())?,
            None => {}
        }
        Ok(Self { scheme, place, tls })
    }

    /// A server inside this process.
    pub(crate) fn memory(memory: Memory) -> Self {
        Self { scheme: Scheme::TTHeader, place: Place::Memory(Arc::new(memory)), tls: None }
    }

    /// How it is spoken to.
    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// How and under which name its server is called over gRPC.
    #[cfg(feature = "grpc")]
    pub(crate) fn grpc(&self, settings: GrpcSettings) -> GrpcTarget {
        let format = match self.scheme {
            Scheme::Grpc(format) => format,
            _ => Format::Thrift,
        };
        let authority = match &self.place {
            Place::Tcp(address) => address,
            _ => "localhost",
        };
        GrpcTarget { format, is_secure: self.tls.is_some(), authority: authority.into(), settings }
    }

    pub(crate) async fn dial(&self) -> Result<Socket> {
        let socket = match &self.place {
            Place::Tcp(address) => TcpStream::connect(address).await.and_then(Socket::tcp),
            #[cfg(unix)]
            Place::Unix(path) => UnixStream::connect(path).await.map(Socket::Unix),
            Place::Memory(memory) => (memory.connect)().map(|(near, far)| {
                let Memory { router, limits, meter, .. } = &**memory;
                let (router, limits, meter) = (Arc::clone(router), Arc::clone(limits), Arc::clone(meter));
                tokio::spawn(async move {
                    // Never told to stop: it ends with the connection.
                    let stop = watch::Sender::new(Stop::No);
                    let stop = stop.subscribe();
                    let serving = Serve {
                        router,
                        limits,
                        meter,
                        stop,
                        tls: None,
                        #[cfg(feature = "grpc")]
                        grpc: GrpcServerSettings::default(),
                    };
                    serve(far, serving).await;
                });
                near
            }),
        };
        let socket = match (socket, &self.tls) {
            (Ok(socket), Some(tls)) => tls.connect(socket, self.place.host(), self.scheme.protocol()).await,
            (socket, _) => socket,
        };
        socket.map_err(|error| {
            let in_vain = error.kind() == io::ErrorKind::InvalidData;
            let text = format!("cannot connect to {self}: {error}");
            let error = Error::transport(text).with_source(error);
            if in_vain { error } else { error.retryable() }
        })
    }
}

impl Scheme {
    /// Its name in the handshake of TLS (ALPN).
    fn protocol(self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "grpc")]
            Self::Grpc(_) => Some("h2"),
            _ => None,
        }
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self, &'static str> {
        #[cfg(unix)]
        if let Some(path) = text.strip_prefix(UNIX) {
            return if path.is_empty() { Err("it has no path") } else { Ok(Self::Unix(path.into())) };
        }
        let (host, port) = text.rsplit_once(':').ok_or("it has no port")?;
        if host.is_empty() {
            return Err("it has no host");
        }
        port.parse::<u16>().map_err(|_| "its port is not a number from 0 to 65535")?;
        Ok(Self::Tcp(text.to_owned()))
    }

    /// The name or address of the server's machine, which its certificate has to be of. A file has none.
    fn host(&self) -> Option<&str> {
        match self {
            Self::Tcp(address) => {
                let host = address.rsplit_once(':').map_or(&**address, |(host, _)| host);
                Some(host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host))
            }
            #[cfg(unix)]
            Self::Unix(_) => None,
            Self::Memory(..) => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = SCHEMES.iter().find(|(_, scheme)| *scheme == self.scheme).map_or("", |(name, _)| name);
        let tls = if self.tls.is_some() { TLS } else { "" };
        match &self.place {
            Place::Tcp(address) => write!(f, "{scheme}{tls}://{address}"),
            #[cfg(unix)]
            Place::Unix(path) => write!(f, "{scheme}{tls}://{UNIX}{}", path.display()),
            Place::Memory(..) => f.write_str("the server in this process"),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.debug_tuple("Tcp").field(address).finish(),
            #[cfg(unix)]
            Self::Unix(path) => f.debug_tuple("Unix").field(path).finish(),
            Self::Memory(..) => f.write_str("Memory"),
        }
    }
}

#[cfg(feature = "grpc")]
const GRPC: &str = "grpc://host:port and grpc+thrift://host:port (both), ";
#[cfg(not(feature = "grpc"))]
const GRPC: &str = "";

fn bad(url: &str, why: &str) -> Error {
    let text = format!(
        "`{url}` is not the URL of a server: {why}. What is possible: ttheader://host:port (streams and unary calls), \
         {GRPC}framed://host:port, buffered://host:port, ttheader+unframed://host:port, framed+nonstrict://host:port \
         and buffered+nonstrict://host:port (unary calls), ttheader://unix:/path, and with TLS ttheader+tls:// and so on"
    );
    Error::new(Code::InvalidArgument, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URLS: &[&str] = &[
        "ttheader://127.0.0.1:8888",
        "framed://[::1]:1",
        "buffered://a:1",
        "ttheader+unframed://a:1",
        "framed+nonstrict://a:1",
        "buffered+nonstrict://unix:/run/echo.sock",
        "ttheader://unix:/run/echo.sock",
        #[cfg(feature = "grpc")]
        "grpc://localhost:8888",
        #[cfg(feature = "grpc")]
        "grpc+thrift://localhost:8888",
    ];

    #[test]
    fn a_url_prints_as_it_was_given() {
        for &url in URLS {
            assert_eq!(Endpoint::parse(url, None).unwrap().to_string(), url);
        }
    }

    #[test]
    fn a_bad_url_is_named_with_what_is_possible() {
        for (url, why) in [
            ("127.0.0.1:8888", "it has no scheme"),
            ("http://a:1", "the scheme `http` is not known"),
            ("http+tls://a:1", "the scheme `http` is not known"),
            ("ttheader+nonstrict://a:1", "the scheme `ttheader+nonstrict` is not known"),
            ("framed+tls+nonstrict://a:1", "the scheme `framed+tls+nonstrict` is not known"),
            ("ttheader://a", "it has no port"),
            ("ttheader://:1", "it has no host"),
            ("ttheader://a:x", "its port is not a number from 0 to 65535"),
            ("ttheader://unix:", "it has no path"),
        ] {
            let error = Endpoint::parse(url, None).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert!(error.to_string().contains(why), "{error}");
            assert!(error.to_string().contains("ttheader://host:port"), "{error}");
        }
    }
}
