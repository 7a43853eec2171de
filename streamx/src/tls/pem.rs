//! Certificates and keys, as they lie in files.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::rustls::RootCertStore;
use super::rustls::pki_types::pem::PemObject;
use super::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use super::rustls::sign::{CertifiedKey, SingleCertAndKey};
use super::{provider, unfit};
use crate::{Code, Error, Result};

/// What one side proves with who it is: a certificate and its private key.
#[derive(Clone)]
pub struct Identity(Arc<CertifiedKey>);

/// The certificates of the authorities that one side trusts: it accepts those that they have signed. A certificate that
/// is signed by itself can be here too, and is then accepted by itself.
#[derive(Clone, Debug)]
pub struct Roots(Arc<RootCertStore>);

impl Identity {
    /// Takes a certificate and its private key in PEM. Further certificates follow the first if authorities stand between
    /// it and one that the other side trusts. A key is PKCS #8, PKCS #1 or SEC 1, and not encrypted.
    ///
    /// # Errors
    ///
    /// The certificate or the key is missing or damaged, or one is not of the other.
    pub fn from_pem(certificates: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self> {
        let certificates = certificates_in(certificates.as_ref(), "the certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key.as_ref())
            .map_err(|error| unfit("the private key cannot be read", error))?;
        let certified = CertifiedKey::from_der(certificates, key, &provider())
            .map_err(|error| unfit("the certificate and the private key do not fit", error))?;
        Ok(Self(Arc::new(certified)))
    }

    /// Reads both from files; see [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    ///
    /// A file cannot be read, or as above.
    pub fn from_files(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self> {
        Self::from_pem(read(certificates.as_ref())?, read(key.as_ref())?)
    }

    pub(super) fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::new(Arc::clone(&self.0).into())
    }
}

impl Roots {
    /// Takes one or several certificates in PEM.
    ///
    /// # Errors
    ///
    /// There is none, or one is damaged.
    pub fn from_pem(certificates: impl AsRef<[u8]>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates_in(certificates.as_ref(), "the certificates to trust")? {
            roots.add(certificate).map_err(|error| unfit("a certificate cannot be trusted", error))?;
        }
        Ok(Self(Arc::new(roots)))
    }

    /// Reads them from a file; see [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    ///
    /// The file cannot be read, or as above.
    pub fn from_file(certificates: impl AsRef<Path>) -> Result<Self> {
        Self::from_pem(read(certificates.as_ref())?)
    }

    pub(super) fn store(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.0)
    }
}

fn certificates_in(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| unfit(&format!("{what} cannot be read"), error))?;
    if certificates.is_empty() {
        let text = format!("{what} cannot be read: there is no `BEGIN CERTIFICATE` in it");
        return Err(Error::new(Code::InvalidArgument, text));
    }
    Ok(certificates)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| unfit(&format!("cannot read {}", path.display()), error))
}

impl fmt::Debug for Identity {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.0.cert.len()).finish_non_exhaustive()
    }
}
