//! Certificates, made anew for each test.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, SanType,
    date_time_ymd,
};
use streamx::tls::{self, Identity, Roots};

/// An authority that signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let mut params = CertificateParams::default();
        // An authority is told from others by its name.
        let name = format!("authority {}", MADE.fetch_add(1, Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, key()).expect("an authority"))
    }

    /// What trusts this authority.
    pub fn roots(&self) -> Roots {
        Roots::from_pem(self.pem()).expect("a certificate")
    }

    pub fn pem(&self) -> String {
        self.0.as_ref().pem()
    }

    /// A certificate for these DNS names, IP addresses and URIs, and its key, in PEM.
    pub fn issue_pem(&self, names: &[&str]) -> (String, String) {
        self.sign(params(names))
    }

    /// A certificate for these DNS names, IP addresses and URIs.
    pub fn issue(&self, names: &[&str]) -> Identity {
        identity(self.issue_pem(names))
    }

    /// A certificate that was good until the year 2020.
    pub fn issue_expired(&self, names: &[&str]) -> Identity {
        let mut params = params(names);
        params.not_after = date_time_ymd(2020, 1, 1);
        identity(self.sign(params))
    }

    /// A server on this machine.
    pub fn server(&self) -> tls::Server {
        tls::Server::new(self.issue(&["127.0.0.1"])).expect("a server")
    }

    /// A server on this machine that asks clients for a certificate of this authority.
    pub fn mutual_server(&self) -> tls::Server {
        tls::Server::mutual(self.issue(&["127.0.0.1"]), self.roots()).expect("a server")
    }

    /// A client that trusts this authority.
    pub fn client(&self) -> tls::Client {
        tls::Client::new(self.roots()).expect("a client")
    }

    /// A client that trusts this authority and is known to it as this.
    pub fn mutual_client(&self, names: &[&str]) -> tls::Client {
        tls::Client::mutual(self.roots(), self.issue(names)).expect("a client")
    }

    /// A certificate of a server on this machine, in files as programs of other makes want it.
    pub fn files(&self) -> Files {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("streamx-{}-{}", std::process::id(), MADE.fetch_add(1, Relaxed));
        let files = Files(std::env::temp_dir().join(name));
        let (certificate, key) = self.issue_pem(&["127.0.0.1"]);
        std::fs::create_dir(&files.0).expect("a new folder");
        for (path, pem) in
            [(files.roots(), self.pem()), (files.certificate(), certificate), (files.key(), key)]
        {
            std::fs::write(path, pem).expect("a new file");
        }
        files
    }

    fn sign(&self, params: CertificateParams) -> (String, String) {
        let key = key();
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// Files in PEM, which are gone when this is dropped.
#[derive(Debug)]
pub struct Files(PathBuf);

impl Files {
    /// The authority.
    pub fn roots(&self) -> PathBuf {
        self.0.join("roots.pem")
    }

    pub fn certificate(&self) -> PathBuf {
        self.0.join("certificate.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.0.join("key.pem")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_dir_all(&self.0);
    }
}

/// A certificate that is signed by itself, and its key, in PEM.
pub fn self_signed_pem(name: &str) -> (String, String) {
    let key = key();
    let certificate = params(&[name]).self_signed(&key).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

fn params(names: &[&str]) -> CertificateParams {
    let (uris, others): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.contains("://"));
    let others: Vec<_> = others.into_iter().map(str::to_owned).collect();
    let mut params = CertificateParams::new(others).expect("names");
    let uris = uris.into_iter().map(|uri| SanType::URI(uri.try_into().expect("ASCII")));
    params.subject_alt_names.extend(uris);
    params
}

fn identity((certificate, key): (String, String)) -> Identity {
    Identity::from_pem(certificate, key).expect("a certificate and its key")
}
