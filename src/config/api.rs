use std::net::SocketAddr;

use super::read::{file, number};
use super::settings::Settings;
use super::{Identity, Listening};

/// Reads how people and programs look at sagas and act on them.
pub(super) fn read(from: &mut Settings) -> Listening {
    let api = Listening {
        listen: from.optional("api.listen", listen),
        tokens: from.optional("api.auth.tokens", file),
        requests_max: from.take("api.requests-max", number(1, 1_000_000)),
        tls: tls(from),
    };
    let is_open = api.tokens.is_none();
    if let Some(address) = api.listen.filter(|address| is_open && !address.ip().is_loopback()) {
        let words = format!(
            "is {address}, which others can reach; needs `api.auth.tokens`, a file with a line of \
             `segue token new` for each who may ask"
        );
        from.refuse_key("api.listen", &words);
    }
    api
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    let wrong = || format!("`{text}` is no address; write such as 127.0.0.1:8900 or [::1]:8900");
    text.parse().map_err(|_| wrong())
}

fn tls(from: &mut Settings) -> Option<Identity> {
    let certificate = from.optional("api.tls.certificate", file);
    let key = from.optional("api.tls.key", file);
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
        (None, None) => None,
        (Some(_), None) => {
            // A key that was refused has said so itself.
            if !from.is_set("api.tls.key") {
                from.refuse_key("api.tls.certificate", "needs `api.tls.key` beside it");
            }
            None
        }
        (None, Some(_)) => {
            if !from.is_set("api.tls.certificate") {
                from.refuse_key("api.tls.key", "needs `api.tls.certificate` beside it");
            }
            None
        }
    }
}
