//! The API over TLS, asked by its own client.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::*;
use crate::api::tls;
use crate::config::Identity;

/// Writes a certificate for this machine and its key; answers who vouches for it, PEM.
fn certify(identity: &Identity) -> String {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let secret = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = names.signed_by(&secret, &authority).expect("a certificate");
    std::fs::write(&identity.certificate, certificate.pem()).expect("written");
    std::fs::write(&identity.key, secret.serialize_pem()).expect("written");
    authority.pem()
}

#[test]
fn the_api_proves_itself_and_shows_a_renewed_certificate_at_once() {
    let closed = Setting::new(CLOSED);
    let place = |name: &str| closed.folder.path().join(name);
    let identity = Identity { certificate: place("c.pem"), key: place("k.pem") };
    let first = certify(&identity);
    let acceptor = tls::acceptor(&identity).expect("a pair");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let (stop, _) = watch::channel(false);
    let server = Server::start(listener, Some(acceptor), closed.router.clone(), stop);
    let server = server.expect("a server");
    let token = closed.token(Role::Viewer).to_owned();
    let asked = |address: String, authority: &str| {
        let file = place("authority.pem");
        std::fs::write(&file, authority).expect("written");
        let client = Client::trusting(&address, Some(token.clone()), "", Some(&file));
        client.expect("a client").get(&Endpoint::at(&["whoami"]))
    };
    let secure = || format!("https://localhost:{port}");
    let who = asked(secure(), &first).expect("an answer");
    assert_eq!(who["name"], "the-viewer");
    let second = certify(&identity);
    assert!(asked(secure(), &second).is_ok(), "the new one is shown");
    let untrusted = asked(secure(), &first).expect_err("nobody vouches for the new one");
    assert!(untrusted.to_string().contains("its certificate is not to be trusted"), "{untrusted}");
    let plain = asked(format!("http://localhost:{port}"), &second);
    assert!(matches!(plain, Err(NoAnswer::Silent { .. })), "nothing is answered in the clear");
    drop(server);
}
