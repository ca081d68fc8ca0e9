use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::read::{file, number, url};
use super::settings::Settings;
use super::{Identity, Listening, Oidc};

/// What the roles of the API are called.
const ROLES: [&str; 3] = ["viewer", "operator", "admin"];

/// Reads how people and programs look at sagas and act on them.
pub(super) fn read(from: &mut Settings) -> Listening {
    let api = Listening {
        listen: from.optional("api.listen", listen),
        tokens: from.optional("api.auth.tokens", file),
        requests_max: from.take("api.requests-max", number(1, 1_000_000)),
        tls: tls(from),
        oidc: oidc(from),
    };
    let is_open = api.tokens.is_none() && api.oidc.is_none();
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

fn oidc(from: &mut Settings) -> Option<Oidc> {
    let issuer = from.optional("api.auth.oidc.issuer", issuer);
    let audience = from.optional("api.auth.oidc.audience", text);
    let name_claim = from.take("api.auth.oidc.name-claim", text);
    let role_claim = from.take("api.auth.oidc.role-claim", text);
    let ca_file = from.optional("api.auth.oidc.ca-file", file);
    let mut roles = BTreeMap::new();
    for (value, role) in from.map("api.auth.oidc.roles") {
        if ROLES.contains(&role.as_str()) {
            roles.insert(value, role);
            continue;
        }
        let words = format!("`{value}`: `{role}` is no role; write {}", ROLES.join(", "));
        from.refuse_key("api.auth.oidc.roles", &words);
    }
    let Some(issuer) = issuer else {
        if audience.is_some() || !roles.is_empty() {
            from.refuse_key("api.auth.oidc.audience", "needs `api.auth.oidc.issuer` beside it");
        }
        return None;
    };
    if roles.is_empty() {
        from.refuse_key("api.auth.oidc.issuer", "needs `api.auth.oidc.roles`, or nobody may ask");
    }
    let Some(audience) = audience else {
        let words = "needs `api.auth.oidc.audience`: tokens for others must not count here";
        from.refuse_key("api.auth.oidc.issuer", words);
        return None;
    };
    let issuer = issuer.trim_end_matches('/').to_owned();
    Some(Oidc { issuer, audience, name_claim, role_claim, roles, ca_file })
}

/// An issuer's address. What it says lets people in, so nobody on the way may change it.
fn issuer(text: &str) -> Result<String, String> {
    let address = url(text)?;
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let is_local = |beginning: &&str| {
        let rest = address.strip_prefix(*beginning);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    };
    if address.starts_with("https://") || local.iter().any(is_local) {
        return Ok(address);
    }
    Err(format!("`{text}` is not encrypted; an issuer's address begins with https://"))
}

#[allow(clippy::unnecessary_wraps, reason = "it is what the other readers answer")]
fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}
