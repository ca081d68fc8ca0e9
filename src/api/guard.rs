use std::any::Any;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::issuer::Issuer;
use super::jwt::Jwt;
use super::owners::{Owners, Who};
use super::problem::{Code, Problem};
use super::rates::Rates;
use super::rules::{self, Rule};
use super::sessions::Sessions;
use super::{Role, session};

/// The header that names who asks where nobody has to prove it.
const BY: &str = "segue-by";
/// The name of whoever asks on this machine without a token.
const LOCAL: &str = "local";
const NAME_CHARS_MAX: usize = 64;

/// What stands between a request and its handler.
pub(crate) struct Door {
    /// Whoever has a token; without them and an issuer, the address is on loopback and whoever
    /// reaches it is let in.
    pub(super) owners: Option<Owners>,
    /// Whose tokens count beside those of the file.
    pub(super) issuer: Option<Issuer>,
    pub(super) sessions: Sessions,
    /// Whether the address is reached over TLS.
    pub(super) is_secure: bool,
    pub(super) rates: Rates,
    /// When the server began: rates are counted from here.
    pub(super) begun: Instant,
}

/// Which tokens let somebody in, for a page that asks for one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct WaysIn {
    /// Whether those of the file of `api.auth.tokens` do.
    pub tokens: bool,
    /// The `OpenID` provider whose tokens do, and whom they must be for.
    pub issuer: Option<(String, String)>,
}

/// Why a request is not let through.
struct Refusal {
    /// Who asked, as far as that is known.
    name: String,
    problem: Problem,
}

/// Lets a request through that its rule allows, with who asks; tells what came of it.
pub(super) async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let begun = now();
    match door.admit(request).await {
        Ok((name, request)) => {
            let response = contained(next.run(request)).await;
            let (status, ms) = (response.status().as_u16(), begun.elapsed().as_millis());
            tracing::debug!(%method, path, name, status, ms, "api.answered");
            response
        }
        Err(refusal) => {
            let Refusal { name, problem } = *refusal;
            let reason = problem.detail();
            tracing::warn!(%method, path, name, reason, "api.refused");
            let is_unknown = problem.status() == StatusCode::UNAUTHORIZED;
            let mut response = problem.into_response();
            if is_unknown {
                response.extensions_mut().insert(door.ways_in());
            }
            response
        }
    }
}

impl Door {
    /// Looks for the rule and for who asks.
    ///
    /// # Errors
    /// When the rule does not allow it.
    async fn admit(&self, mut request: Request) -> Result<(String, Request), Box<Refusal>> {
        let nobody = |problem: Problem| Box::new(Refusal { name: String::new(), problem });
        let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let rule = path.and_then(|path| rules::find(request.method(), path));
        let Some(rule) = rule else {
            return Err(nobody(Problem::defect("nobody has said who may ask for this")));
        };
        let needed = match rule {
            Rule::Anybody => return Ok((String::new(), request)),
            Rule::OwnPage => {
                self.check_origin(request.method(), request.headers()).map_err(nobody)?;
                says_origin(request.headers()).map_err(nobody)?;
                return Ok((String::new(), request));
            }
            Rule::Of(role) => role,
        };
        self.check_origin(request.method(), request.headers()).map_err(nobody)?;
        let who = self.who(request.method(), request.headers()).await.map_err(nobody)?;
        let name = who.name.clone();
        let counted = if self.is_open() { LOCAL } else { name.as_str() };
        if let Err(wait) = self.rates.take(counted, self.begun.elapsed()) {
            let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            let mend = format!("ask again in {seconds} s; `api.requests-max` is the limit");
            let problem = Problem::new(Code::TooMany, format!("{name} asks too often"), mend);
            return Err(Box::new(Refusal { name, problem: problem.after(seconds) }));
        }
        if who.role < needed {
            let detail = format!("{name} is {}; this needs {needed}", who.role);
            let mend = format!("use a token of a person who is {needed}");
            let problem = Problem::new(Code::Forbidden, detail, mend);
            return Err(Box::new(Refusal { name, problem }));
        }
        request.extensions_mut().insert(who);
        Ok((name, request))
    }

    /// Whether nobody needs a token.
    pub fn is_open(&self) -> bool {
        self.owners.is_none() && self.issuer.is_none()
    }

    /// Who asks.
    async fn who(&self, method: &Method, headers: &HeaderMap) -> Result<Who, Problem> {
        if self.is_open() {
            return Ok(local(headers));
        }
        self.owner(&self.token(method, headers)?).await
    }

    /// Which tokens let somebody in.
    pub fn ways_in(&self) -> WaysIn {
        let issuer = self.issuer.as_ref().map(Issuer::address_and_audience);
        WaysIn { tokens: self.owners.is_some(), issuer }
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// When it is nobody's, or that cannot be known now.
    pub(super) async fn owner(&self, token: &str) -> Result<Who, Problem> {
        if let Some(issuer) = &self.issuer
            && Jwt::is_one(token)
        {
            return issuer.who(token).await;
        }
        let found = match &self.owners {
            None => None,
            Some(owners) => owners.find(token).map_err(|reason| {
                let mend = "mend the file of `api.auth.tokens`; until then nobody is let in";
                Problem::new(Code::Unavailable, reason, mend)
            })?,
        };
        found.ok_or_else(|| unknown("nobody has this token"))
    }

    /// The token that a request shows, or that its session stands for.
    fn token(&self, method: &Method, headers: &HeaderMap) -> Result<String, Problem> {
        if let Some(token) = bearer(headers)? {
            return Ok(token.to_owned());
        }
        let shown = session::shown(headers).ok_or_else(|| unknown("there is no token"))?;
        if !method.is_safe() {
            says_origin(headers)?;
        }
        let token = self.sessions.token(shown, now());
        token.ok_or_else(|| unknown("this session has ended"))
    }

    /// A page of somebody else's, open in a browser on this machine, must not act in the name of
    /// whoever looks at it: neither by a name that it lets point here, nor from its own origin.
    fn check_origin(&self, method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST);
        if self.is_open() && host.is_some_and(|host| !is_loopback(host)) {
            let detail = "this address has no authentication and is not asked by that name";
            let mend = "ask 127.0.0.1 or localhost, or set `api.auth.tokens`";
            return Err(Problem::new(Code::Forbidden, detail, mend));
        }
        let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
        let own = origin.split_once("://").map(|(_, authority)| authority);
        if method.is_safe() || own == host {
            return Ok(());
        }
        let detail = "a page of another origin may not act";
        Err(Problem::new(Code::Forbidden, detail, "act from the API's own address"))
    }
}

/// The token that a request shows, if it shows any.
///
/// # Errors
/// When it is shown in another way.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(said) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let said = said.to_str().unwrap_or_default();
    let (scheme, token) = said.split_once(' ').unwrap_or((said, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unknown("this is no bearer token"));
    }
    Ok(Some(token.trim()))
}

/// A browser says where a page that acts is from; `check_origin` has looked at it.
fn says_origin(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(header::ORIGIN) {
        return Ok(());
    }
    let detail = "with a session only a page may act, and it says its origin";
    Err(Problem::new(Code::Forbidden, detail, "send a token instead"))
}

fn unknown(detail: &str) -> Problem {
    let mend = "send `Authorization: Bearer <token>`; `segue token new` makes one";
    Problem::new(Code::Unauthenticated, detail, mend)
}

/// Whoever reaches an address without authentication may do everything; what they call themselves
/// is kept with a word that says that nobody has proved it.
fn local(headers: &HeaderMap) -> Who {
    let said = headers.get(BY).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let said: String = said.trim().chars().take(NAME_CHARS_MAX).collect();
    let name = if said.is_empty() { LOCAL.to_owned() } else { format!("{LOCAL}/{said}") };
    Who { name, role: Role::Admin, has_token: false }
}

/// Whether a `Host` is this machine, whatever its port.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let address = name.parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// What a handler answers; one that panics answers that there is a mistake.
async fn contained(answering: impl Future<Output = Response>) -> Response {
    let mut answering = pin!(answering);
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(context)));
        polled.unwrap_or_else(|panic| {
            let words = words(&*panic);
            tracing::error!(words, "api.panicked");
            Poll::Ready(Problem::defect("the handler of this request failed").into_response())
        })
    })
    .await
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}

#[allow(clippy::disallowed_methods)] // The edge is where time comes from.
pub(super) fn now() -> Instant {
    Instant::now()
}

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let who = parts.extensions.get::<Self>().cloned();
        who.ok_or_else(|| Problem::defect("a handler asks who it is where anybody may ask"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names() {
        for host in
            ["localhost", "LOCALHOST:8900", "127.0.0.1:8900", "127.3.2.1", "[::1]:1", "[::1]"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example:8900", "10.0.0.1", "127.0.0.1.nip.io", ""]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_handler_that_panics_is_a_mistake_that_is_told() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let fails = runtime.block_on(contained(async { panic!("on purpose") }));
        assert_eq!(fails.status(), axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        let well = runtime.block_on(contained(async { "well".into_response() }));
        assert_eq!(well.status(), axum::http::StatusCode::OK);
    }
}
