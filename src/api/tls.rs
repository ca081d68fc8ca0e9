//! What the API proves itself with, and how connections over TLS come in.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::server::TlsStream;

use crate::config::Identity;
use crate::node::FileStamp;

/// The most connections that prove themselves at once; further ones wait in the system's queue.
const HANDSHAKES_MAX: usize = 128;
/// How long that may take one of them.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long to wait when the system gives no more sockets.
const PAUSE: Duration = Duration::from_millis(200);

/// What answers over TLS with that certificate, and with another one as soon as it lies there.
///
/// # Errors
/// When certificate or key cannot be read, or do not fit, in words.
pub(super) fn acceptor(identity: &Identity) -> Result<TlsAcceptor, String> {
    let renewed = Renewed::open(identity)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(renewed));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A certificate that is read again when its file or its key's has changed. As long as the two do
/// not fit, since only one of them is renewed yet, the last pair that did is shown.
#[derive(Debug)]
struct Renewed {
    identity: Identity,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    stamps: [Option<FileStamp>; 2],
    key: Arc<CertifiedKey>,
}

impl Renewed {
    fn open(identity: &Identity) -> Result<Self, String> {
        let stamps = stamps(identity);
        let known = Known { stamps, key: read(identity)? };
        Ok(Self { identity: identity.clone(), known: Mutex::new(known) })
    }

    fn key(&self) -> Arc<CertifiedKey> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.identity);
        if known.stamps != stamps {
            known.stamps = stamps;
            match read(&self.identity) {
                Ok(key) => {
                    known.key = key;
                    tracing::info!("api.certificate_renewed");
                }
                Err(reason) => tracing::warn!(reason, "api.certificate_not_renewed"),
            }
        }
        Arc::clone(&known.key)
    }
}

impl ResolvesServerCert for Renewed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key())
    }
}

fn stamps(identity: &Identity) -> [Option<FileStamp>; 2] {
    [FileStamp::of(&identity.certificate), FileStamp::of(&identity.key)]
}

fn read(identity: &Identity) -> Result<Arc<CertifiedKey>, String> {
    let Identity { certificate, key } = identity;
    let chain = CertificateDer::pem_slice_iter(&text(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| format!("{}: {e}", certificate.display()))?;
    if chain.is_empty() {
        return Err(format!("{} holds no certificate in PEM", certificate.display()));
    }
    // What is wrong with a key is said without a byte of it.
    let secret = PrivateKeyDer::from_pem_slice(&text(key)?);
    let secret = secret.map_err(|_| format!("{} holds no private key in PEM", key.display()))?;
    let certified = CertifiedKey::from_der(chain, secret, &default_provider());
    let unfit = |e| format!("{} and {} do not fit: {e}", certificate.display(), key.display());
    certified.map(Arc::new).map_err(unfit)
}

fn text(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))
}

/// Connections that have proved themselves, in the order in which they have.
pub(super) struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Listens; must be called on a runtime. One that is slow to prove itself holds up no other.
    pub fn new(listener: TcpListener, acceptor: TlsAcceptor) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (tell, ready) = mpsc::channel(1);
        tokio::spawn(listen(listener, acceptor, tell));
        Ok(Self { address, ready })
    }
}

async fn listen(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    tell: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let room = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "api.connection_lost");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (acceptor, tell) = (acceptor.clone(), tell.clone());
        tokio::spawn(async move {
            let shaken = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await;
            drop(place);
            match shaken {
                // Nobody listens any more when the server ends.
                Ok(Ok(stream)) => drop(tell.send((stream, from)).await),
                Ok(Err(error)) => tracing::debug!(%from, %error, "api.connection_refused"),
                Err(_) => tracing::debug!(%from, "api.connection_refused: it took too long"),
            }
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // Its task is gone with the runtime.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn write(identity: &Identity, certificate: bool, key: bool) -> Vec<u8> {
        let secret = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let made = params.self_signed(&secret).expect("a certificate");
        if certificate {
            fs::write(&identity.certificate, made.pem()).expect("written");
        }
        if key {
            fs::write(&identity.key, secret.serialize_pem()).expect("written");
        }
        made.der().to_vec()
    }

    #[test]
    fn a_renewed_certificate_is_shown_as_soon_as_it_fits_its_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        let identity = Identity { certificate, key };
        assert!(Renewed::open(&identity).expect_err("no file").contains("cannot be read"));
        let first = write(&identity, true, true);
        let renewed = Renewed::open(&identity).expect("a pair");
        let shown = || renewed.key().cert[0].to_vec();
        assert_eq!(shown(), first);
        write(&identity, true, false);
        assert_eq!(shown(), first, "its key is not there yet");
        assert!(Renewed::open(&identity).expect_err("a pair that is none").contains("do not fit"));
        let third = write(&identity, true, true);
        assert_eq!(shown(), third);
        fs::write(&identity.key, "no key").expect("written");
        let wrong = Renewed::open(&identity).expect_err("no key");
        assert!(wrong.ends_with("k.pem holds no private key in PEM"), "{wrong}");
        fs::write(&identity.certificate, "").expect("written");
        assert!(Renewed::open(&identity).expect_err("none").contains("holds no certificate"));
        assert_eq!(shown(), third, "a damage does not end the service");
    }
}
