//! Mutual TLS: both sides prove who they are, a handler sees its caller's name, and certificates are renewed while calls run.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use streamx::tls::{self, Identity, Replaceable, Roots};
use streamx::{Bidi, Channel, Context, Message, Result, Server};

#[derive(Message, Clone, Debug, Default, PartialEq)]
struct Line {
    #[field(1)]
    text: String,
}

#[streamx::service]
trait Echo {
    #[bidi]
    async fn echo(&self, ctx: Context, stream: Bidi<Line, Line>) -> Result<()>;
}

struct Parrot;

impl Echo for Parrot {
    async fn echo(&self, ctx: Context, mut stream: Bidi<Line, Line>) -> Result<()> {
        let name = ctx.peer_identity().and_then(|peer| peer.dns_names().next()).unwrap_or("nobody");
        while let Some(line) = stream.recv().await? {
            stream.send(Line { text: format!("{name} said {}", line.text) }).await?;
        }
        Ok(())
    }
}

/// Signs certificates. In a real system it is elsewhere, and certificates and keys come in files.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> std::result::Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    fn issue(&self, name: &str) -> std::result::Result<(String, String), rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([name.to_owned()])?.signed_by(&key, &self.0)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let authority = Authority::new()?;
    let roots = Roots::from_pem(authority.0.as_ref().pem())?;
    let identity = |name| -> std::result::Result<_, Box<dyn std::error::Error>> {
        let (certificate, key) = authority.issue(name)?;
        Ok(Identity::from_pem(certificate, key)?)
    };

    let current = Replaceable::new(tls::Server::mutual(identity("127.0.0.1")?, roots.clone())?);
    let server = Server::builder().add_service(EchoServer::new(Parrot)).tls(current.clone());
    let server = server.bind("127.0.0.1:0").await?;
    let url = format!("ttheader+tls://{}", server.local_addr());
    tokio::spawn(server.serve());

    let ours = tls::Client::mutual(roots.clone(), identity("alice.internal")?)?;
    let channel = Channel::builder(&url).tls(ours).connect().await?;
    let mut stream = EchoClient::new(channel).echo().await?;
    for text in ["before", "after"] {
        stream.send(Line { text: text.into() }).await?;
        let line = stream.recv().await?.unwrap_or_default();
        println!("{}", line.text);
        assert_eq!(line.text, format!("alice.internal said {text}"));
        // The server has a new certificate now, and the stream goes on.
        current.replace(tls::Server::mutual(identity("127.0.0.1")?, roots.clone())?);
    }

    let error = Channel::builder(&url).connect().await.unwrap_err();
    println!("without certificates: {error}");
    Ok(())
}
