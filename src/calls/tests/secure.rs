use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// A server over TLS whose certificate is good for some names.
async fn serve(authority: &Authority, names: &[&str], past: bool) -> Server {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    if past {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let secret = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret)
        .expect("a server");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Server::start(move |wire| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(wire.stream).await else { return };
            let mut wire = Wire { stream };
            while let Some(asked) = wire.request().await {
                let place = if asked.contains("/away") { "http" } else { "https" };
                let host = header(&asked, "host").expect("a host").to_owned();
                let redirect = format!("HTTP/1.1 307 X\r\nlocation: {place}://{host}/\r\n\r\n");
                wire.send(if asked.contains("GET / ") { OK } else { &redirect }).await;
            }
        }
    })
    .await
}

fn trusting(server: &Server, ca_file: &Path) -> (Settings, Arc<Names>) {
    let hosts = [format!("a.example:{}", server.port()), format!("b.example:{}", server.port())];
    let settings = Settings {
        ca_file: Some(ca_file.to_owned()),
        ..near(&[&hosts[0], &hosts[1], &server.address.to_string()])
    };
    let here: &[&[&str]] = &[&["127.0.0.1"]];
    (settings, Arc::new(Names::of(&[("a.example", here), ("b.example", here)])))
}

#[tokio::test]
async fn a_certificate_is_verified_by_the_named_authorities() {
    let (authority, stranger) = (authority(), authority());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).expect("a file");
    let server = serve(&authority, &["a.example", "127.0.0.1"], false).await;
    let (settings, names) = trusting(&server, &file);
    let mut queue = queue_with(settings, names);
    let port = server.port();
    for url in ["a.example", "A.Example", "a.example.", "127.0.0.1"] {
        let url = format!("https://{url}:{port}/");
        assert_eq!(answered(made(&mut queue, get(&url)).await), (200, json!({})), "{url}");
    }
    let to_tls = made(&mut queue, get(&format!("https://a.example:{port}/there"))).await;
    assert_eq!(answered(to_tls).0, 200);
    let away = made(&mut queue, get(&format!("https://a.example:{port}/away"))).await;
    assert_eq!(reason(away), "it redirects from https to http; that is never followed");
    let other = reason(made(&mut queue, get(&format!("https://b.example:{port}/"))).await);
    assert!(other.starts_with(&format!("b.example:{port} cannot be trusted: ")), "{other}");

    for (signer, past) in [(&stranger, false), (&authority, true)] {
        let server = serve(signer, &["a.example"], past).await;
        let (settings, names) = trusting(&server, &file);
        let url = format!("https://a.example:{}/", server.port());
        let reason = reason(made(&mut queue_with(settings, names), get(&url)).await);
        assert!(reason.contains("cannot be trusted: "), "{reason}");
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_speaks_no_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority().pem()).expect("a file");
    let server = Server::start(|mut wire| async move { wire.send(OK).await }).await;
    let (settings, names) = trusting(&server, &file);
    let url = format!("https://a.example:{}/", server.port());
    let reason = reason(made(&mut queue_with(settings, names), get(&url)).await);
    assert!(reason.contains("cannot be trusted: "), "{reason}");
}

#[tokio::test]
async fn a_file_of_authorities_must_hold_some() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    let open = || {
        let settings = Settings { ca_file: Some(file.clone()), ..near(&["a.example"]) };
        Shared::new(settings, Arc::new(Names::default())).err().map(|e| e.to_string())
    };
    let missing = open().expect("it is refused");
    assert!(missing.contains("ca.pem: No such file"), "{missing}");
    for text in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&file, text).expect("a file");
        assert!(open().is_some_and(|e| e.starts_with("calls.ca-file ")), "{text}");
    }
    std::fs::write(&file, authority().pem()).expect("a file");
    assert_eq!(open(), None);
}
