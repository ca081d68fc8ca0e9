use std::fs;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::{Allow, Error, Settings};

/// What makes TLS of a connection of a call: certificates are always verified.
pub(super) fn connector(settings: &Settings) -> Result<TlsConnector, Error> {
    match &settings.ca_file {
        // Nobody may be called: why read some hundred files?
        None if settings.allow == Allow::default() => of_roots(RootCertStore::empty()),
        ca_file => trusting(ca_file.as_deref()),
    }
}

/// What makes TLS of a connection to whom these authorities vouch for; without a file, the
/// machine's.
///
/// # Errors
/// When the file is not what it should be.
pub fn trusting(ca_file: Option<&Path>) -> Result<TlsConnector, Error> {
    of_roots(match ca_file {
        Some(file) => from_file(file)?,
        None => of_machine(),
    })
}

fn of_roots(roots: RootCertStore) -> Result<TlsConnector, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::Tls(e.to_string()))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn from_file(file: &Path) -> Result<RootCertStore, Error> {
    let wrong = |reason: String| Error::Authorities { file: file.display().to_string(), reason };
    let text = fs::read(file).map_err(|e| wrong(e.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
        roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("it holds no certificate in PEM".to_owned()));
    }
    Ok(roots)
}

/// The machine's authorities, as many of them as can be read.
fn of_machine() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (_, refused) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let errors = found.errors.len();
        tracing::warn!(refused, errors, "calls.no_authorities: set calls.ca-file to call https");
    }
    roots
}
