//! An `OpenID` provider: its keys are fetched, kept and fetched again, and its tokens say who
//! somebody is and what they may do.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, header};
use serde_json::Value;
use tokio_rustls::TlsConnector;
use url::Url;

use super::Role;
use super::guard;
use super::jwt::{Jwt, PublicKey};
use super::owners::Who;
use super::peer::Peer;
use super::problem::{Code, Problem};
use crate::calls;
use crate::config::Oidc;
use crate::message::{Timestamp, read_json};
use crate::node::MachineClock;
use crate::runtime::Clock as _;

/// Where an issuer says where its keys are.
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// How long keys count before they are asked for again.
const KEYS_AGE_MAX: Duration = Duration::from_secs(3_600);
/// How long they count when the issuer does not answer.
const KEYS_KEPT_MAX: Duration = Duration::from_secs(24 * 3_600);
/// How often an issuer is asked at most, whatever tokens name.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// How long it may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The longest name of a person, as an act takes it.
const NAME_BYTES_MAX: usize = 200;

/// An issuer whose tokens count.
pub(super) struct Issuer {
    settings: Oidc,
    tls: TlsConnector,
    known: Mutex<Known>,
    /// Had by whoever asks the issuer.
    asking: tokio::sync::Mutex<()>,
}

/// What is known of an issuer's keys.
#[derive(Default)]
struct Known {
    keys: Vec<PublicKey>,
    /// When they were fetched.
    fetched: Option<Instant>,
    /// When they were last asked for.
    asked: Option<Instant>,
    /// Why they could not be had then.
    trouble: Option<String>,
}

/// What is known for a token.
struct Look {
    found: Vec<PublicKey>,
    /// Whether the issuer should be asked.
    asks: bool,
    trouble: Option<String>,
}

impl Known {
    fn look(&self, jwt: &Jwt<'_>, now: Instant) -> Look {
        let fits = |key: &&PublicKey| jwt.kid.is_none() || key.kid == jwt.kid;
        let found: Vec<_> = self.keys.iter().filter(fits).cloned().collect();
        let since = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
        let is_old = since(self.fetched).is_none_or(|age| age >= KEYS_AGE_MAX);
        let may_ask = since(self.asked).is_none_or(|age| age >= ASK_EVERY);
        let asks = (is_old || found.is_empty()) && may_ask;
        Look { found, asks, trouble: self.trouble.clone() }
    }

    /// Whether the issuer is to be asked now.
    fn begin(&mut self, jwt: &Jwt<'_>, now: Instant) -> bool {
        let asks = self.look(jwt, now).asks;
        if asks {
            self.asked = Some(now);
        }
        asks
    }

    /// Keeps what the issuer has said. If it has said nothing, its last keys count for a while.
    fn end(&mut self, fetched: Result<Vec<PublicKey>, String>, now: Instant, issuer: &str) {
        match fetched {
            Ok(keys) => {
                (self.keys, self.fetched, self.trouble) = (keys, Some(now), None);
            }
            Err(reason) => {
                tracing::warn!(issuer, reason, "api.issuer_silent");
                self.trouble = Some(reason);
                let age = self.fetched.map(|at| now.saturating_duration_since(at));
                if age.is_some_and(|age| age >= KEYS_KEPT_MAX) {
                    self.keys.clear();
                }
            }
        }
    }
}

impl Issuer {
    /// Where it is, and whom its tokens must be for.
    pub fn address_and_audience(&self) -> (String, String) {
        (self.settings.issuer.clone(), self.settings.audience.clone())
    }

    /// An issuer; nothing is asked of it yet, since it may come up after us.
    ///
    /// # Errors
    /// When the authorities that are to vouch for it cannot be read, in words.
    pub fn new(settings: Oidc) -> Result<Self, String> {
        let tls = match calls::trusting(settings.ca_file.as_deref()) {
            Ok(tls) => tls,
            Err(calls::Error::Authorities { file, reason }) => {
                return Err(format!("`ca-file` {file}: {reason}"));
            }
            Err(error) => return Err(error.to_string()),
        };
        let (known, asking) = (Mutex::default(), tokio::sync::Mutex::new(()));
        Ok(Self { settings, tls, known, asking })
    }

    /// Whose token it is, and what they may do.
    ///
    /// # Errors
    /// When it does not count, or its owner may do nothing, or that cannot be known now.
    pub async fn who(&self, token: &str) -> Result<Who, Problem> {
        self.who_at(token, guard::now(), MachineClock::default().now()).await
    }

    async fn who_at(&self, token: &str, now: Instant, at: Timestamp) -> Result<Who, Problem> {
        let jwt = Jwt::read(token).map_err(|words| unknown(&words))?;
        let keys = self.keys(&jwt, now).await?;
        if !keys.iter().any(|key| jwt.is_signed_by(key)) {
            return Err(unknown("the token is signed with none of the issuer's keys"));
        }
        self.judge(&jwt, at)
    }

    /// What a token that is the issuer's says.
    fn judge(&self, jwt: &Jwt<'_>, now: Timestamp) -> Result<Who, Problem> {
        jwt.check(&self.settings, now).map_err(|words| unknown(&words))?;
        let Oidc { name_claim, role_claim, roles, .. } = &self.settings;
        let is_odd = |name: &&str| {
            let is_long = name.len() > NAME_BYTES_MAX;
            is_long || name.trim().is_empty() || name.contains(char::is_control)
        };
        let name = jwt.text(name_claim).filter(|name| !is_odd(name));
        let name = name.ok_or_else(|| {
            unknown(&format!(
                "the token's `{name_claim}` is no name of 1 to {NAME_BYTES_MAX} bytes"
            ))
        })?;
        let groups = jwt.texts(role_claim);
        let roles = groups.iter().filter_map(|group| roles.get(*group)?.parse::<Role>().ok());
        let Some(role) = roles.max() else {
            let detail = format!("{name} is in none of the groups that may ask (`{role_claim}`)");
            return Err(Problem::new(Code::Forbidden, detail, "see `api.auth.oidc.roles`"));
        };
        Ok(Who { name: name.to_owned(), role, has_token: true })
    }

    /// The keys that may have signed a token: that which it names, else all. One that is not
    /// known is asked for, for the issuer may have changed its keys. Whose key is known waits for
    /// nobody else's.
    async fn keys(&self, jwt: &Jwt<'_>, now: Instant) -> Result<Vec<PublicKey>, Problem> {
        let look = self.known().look(jwt, now);
        if !look.asks {
            return self.answer(look);
        }
        let turn = match self.asking.try_lock() {
            Ok(turn) => turn,
            Err(_) if !look.found.is_empty() => return Ok(look.found),
            Err(_) => self.asking.lock().await,
        };
        // Whoever was before us may have fetched them.
        if self.known().begin(jwt, now) {
            let fetched = self.fetch().await;
            self.known().end(fetched, now, &self.settings.issuer);
        }
        drop(turn);
        let look = self.known().look(jwt, now);
        self.answer(look)
    }

    fn answer(&self, look: Look) -> Result<Vec<PublicKey>, Problem> {
        match look.trouble {
            Some(reason) if look.found.is_empty() => {
                let detail = format!("{} does not say its keys: {reason}", self.settings.issuer);
                let mend = "ask again in some seconds, or use a token of `segue token new`";
                Err(Problem::new(Code::Unavailable, detail, mend))
            }
            Some(_) | None => Ok(look.found),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> Result<Vec<PublicKey>, String> {
        let issuer = &self.settings.issuer;
        let said = self.get(&format!("{issuer}{DISCOVERY}")).await?;
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        // An issuer that answers for another one would lend it its keys.
        if text("issuer").is_none_or(|named| named.trim_end_matches('/') != issuer) {
            return Err(format!("{DISCOVERY} is of another issuer"));
        }
        let place = text("jwks_uri").ok_or_else(|| format!("{DISCOVERY} says no `jwks_uri`"))?;
        if issuer.starts_with("https://") && !place.starts_with("https://") {
            return Err("`jwks_uri` is not encrypted".to_owned());
        }
        let set = self.get(place).await?;
        let keys =
            set.get("keys").and_then(Value::as_array).ok_or("`jwks_uri` is no set of keys")?;
        Ok(keys.iter().filter_map(PublicKey::read).collect())
    }

    async fn get(&self, place: &str) -> Result<Value, String> {
        let url = Url::parse(place).map_err(|e| format!("{place}: {e}"))?;
        let (host, port) = (url.host_str(), url.port_or_known_default());
        let (Some(host), Some(port)) = (host, port) else {
            return Err(format!("{place} is no address"));
        };
        let tls = (url.scheme() == "https").then(|| self.tls.clone());
        let peer = Peer { authority: format!("{host}:{port}"), tls };
        let target = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
        let request = Request::get(target)
            .header(header::HOST, &peer.authority)
            .header(header::ACCEPT, "application/json")
            .body(Full::<Bytes>::default())
            .map_err(|e| e.to_string())?;
        let asked = tokio::time::timeout(ANSWER_MAX, async {
            let (answer, _driven) = peer.send(request).await?;
            let status = answer.status();
            if !status.is_success() {
                return Err(format!("{place} answers with {status}"));
            }
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok(body.map_err(|e| e.to_string())?.to_bytes())
        });
        let body = asked.await.map_err(|_| format!("{place} does not answer"))??;
        read_json(&body).map_err(|_| format!("{place} answers no JSON"))
    }
}

fn unknown(detail: &str) -> Problem {
    Problem::new(Code::Unauthenticated, detail, "get a new token of the issuer")
}

#[cfg(test)]
mod tests;
