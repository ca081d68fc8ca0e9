use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use super::*;

/// The second at which all tokens are shown.
const AT: Timestamp = Timestamp(1_000_000);

/// A small issuer on loopback.
#[derive(Clone)]
struct Provider {
    address: SocketAddr,
    said: Arc<Mutex<Said>>,
    /// How often its keys were asked for.
    asked: Arc<AtomicUsize>,
}

/// What it says.
struct Said {
    issuer: Option<String>,
    keys: Vec<Value>,
}

impl Provider {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let issuer = Some(format!("http://{address}"));
        let said = Arc::new(Mutex::new(Said { issuer, keys: Vec::new() }));
        let provider = Self { address, said, asked: Arc::default() };
        let router = Router::new()
            .route(DISCOVERY, get(discovery))
            .route("/keys", get(keys))
            .with_state(provider.clone());
        tokio::spawn(async { axum::serve(listener, router).await.expect("it serves") });
        provider
    }

    fn issuer(&self) -> Issuer {
        let roles = [("ops", "operator"), ("all", "viewer"), ("root", "admin")];
        let roles = roles.map(|(group, role)| (group.to_owned(), role.to_owned()));
        Issuer::new(Oidc {
            issuer: format!("http://{}", self.address),
            audience: "segue".to_owned(),
            name_claim: "sub".to_owned(),
            role_claim: "groups".to_owned(),
            roles: BTreeMap::from(roles),
            ca_file: None,
        })
        .expect("an issuer")
    }

    fn says(&self, issuer: Option<&str>, keys: &[&Key]) {
        let keys = keys.iter().map(|key| key.public()).collect();
        let issuer = issuer.map(str::to_owned);
        *self.said.lock().expect("no test panics inside") = Said { issuer, keys };
    }

    fn own(&self) -> String {
        format!("http://{}", self.address)
    }

    fn claims(&self, more: &Value) -> Value {
        let mut claims = json!({
            "iss": self.own(), "aud": "segue", "sub": "ana", "exp": 2_000, "groups": ["ops", "all"],
        });
        let fields = claims.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        claims
    }
}

async fn discovery(State(provider): State<Provider>) -> Result<Json<Value>, StatusCode> {
    let said = provider.said.lock().expect("no test panics inside");
    let issuer = said.issuer.as_ref().ok_or(StatusCode::BAD_GATEWAY)?;
    let keys = format!("http://{}/keys", provider.address);
    Ok(Json(json!({"issuer": issuer, "jwks_uri": keys})))
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    provider.asked.fetch_add(1, Ordering::Relaxed);
    let said = provider.said.lock().expect("no test panics inside");
    Json(json!({"keys": said.keys}))
}

struct Key {
    kid: &'static str,
    pair: Ed25519KeyPair,
}

impl Key {
    fn new(kid: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("randomness");
        Self { kid, pair: Ed25519KeyPair::from_pkcs8(pair.as_ref()).expect("a key") }
    }

    fn public(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "use": "sig"})
    }

    fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "EdDSA", "kid": self.kid});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Why a token does not count.
async fn refused(issuer: &Issuer, token: &str, now: Instant) -> Value {
    let problem = issuer.who_at(token, now, AT).await.expect_err("it does not count");
    serde_json::to_value(problem).expect("JSON")
}

#[tokio::test]
async fn a_token_says_who_somebody_is_and_the_highest_of_their_roles() {
    let (provider, key) = (Provider::start().await, Key::new("k1"));
    provider.says(Some(&provider.own()), &[&key]);
    let (issuer, now) = (provider.issuer(), guard::now());
    let who = |groups: Value| {
        let token = key.token(&provider.claims(&json!({"groups": groups})));
        let issuer = &issuer;
        async move { issuer.who_at(&token, now, AT).await }
    };
    let ana = |role| Ok(Who { name: "ana".to_owned(), role, has_token: true });
    assert_eq!(who(json!(["all", "ops"])).await, ana(Role::Operator));
    assert_eq!(who(json!("root")).await, ana(Role::Admin));
    let nobody = who(json!(["others"])).await.expect_err("no role");
    assert_eq!(serde_json::to_value(nobody).expect("JSON")["status"], 403);
    assert_eq!(provider.asked.load(Ordering::Relaxed), 1, "its keys are kept");
    for name in [json!(""), json!(7), json!("a\nb"), json!("x".repeat(201))] {
        let token = key.token(&provider.claims(&json!({"sub": name})));
        assert_eq!(refused(&issuer, &token, now).await["status"], 401, "{name}");
    }
}

#[tokio::test]
async fn what_is_expired_or_for_others_or_unsigned_does_not_count() {
    let (provider, key) = (Provider::start().await, Key::new("k1"));
    provider.says(Some(&provider.own()), &[&key]);
    let (issuer, now) = (provider.issuer(), guard::now());
    for (more, words) in [
        (json!({"exp": 900}), "has expired"),
        (json!({"aud": "other"}), "is for others"),
        (json!({"iss": "http://127.0.0.1:1"}), "another issuer"),
    ] {
        let problem = refused(&issuer, &key.token(&provider.claims(&more)), now).await;
        assert_eq!(problem["status"], 401);
        assert!(problem["detail"].as_str().is_some_and(|said| said.contains(words)), "{problem}");
    }
    let honest = key.token(&provider.claims(&json!({})));
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let claims = honest.split('.').nth(1).expect("three parts");
    assert_eq!(refused(&issuer, &format!("{none}.{claims}."), now).await["status"], 401);
    // Another's key under the same name.
    let forged = Key::new("k1").token(&provider.claims(&json!({"groups": ["root"]})));
    let problem = refused(&issuer, &forged, now).await;
    assert_eq!(problem["detail"], "the token is signed with none of the issuer's keys");
}

#[tokio::test]
async fn changed_keys_are_asked_for_but_not_as_often_as_anybody_likes() {
    let (provider, old, new) = (Provider::start().await, Key::new("k1"), Key::new("k2"));
    provider.says(Some(&provider.own()), &[&old]);
    let (issuer, now) = (provider.issuer(), guard::now());
    let of = |key: &Key| key.token(&provider.claims(&json!({})));
    let asked = || provider.asked.load(Ordering::Relaxed);
    assert!(issuer.who_at(&of(&old), now, AT).await.is_ok());
    provider.says(Some(&provider.own()), &[&new]);
    for _ in 0..20 {
        assert_eq!(refused(&issuer, &of(&new), now + ASK_EVERY / 2).await["status"], 401);
    }
    assert_eq!(asked(), 1, "whoever names a key that is not there cannot have it asked for");
    let later = now + ASK_EVERY;
    assert!(issuer.who_at(&of(&new), later, AT).await.is_ok(), "the new key counts");
    assert_eq!(refused(&issuer, &of(&old), later).await["status"], 401, "the old one is over");
    assert_eq!(asked(), 2);
    let hour = later + KEYS_AGE_MAX;
    assert!(issuer.who_at(&of(&new), hour, AT).await.is_ok());
    assert_eq!(asked(), 3, "what is taken back is noticed");
}

#[tokio::test]
async fn keys_that_are_known_count_while_the_issuer_is_away() {
    let (provider, key) = (Provider::start().await, Key::new("k1"));
    let (issuer, now) = (provider.issuer(), guard::now());
    let token = key.token(&provider.claims(&json!({})));
    provider.says(None, &[]);
    let problem = refused(&issuer, &token, now).await;
    assert_eq!(problem["status"], 503);
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("does not say its keys") && detail.contains("502"), "{detail}");
    provider.says(Some("http://evil.example"), &[&key]);
    let problem = refused(&issuer, &token, now + ASK_EVERY).await;
    assert!(problem["detail"].as_str().is_some_and(|said| said.contains("of another issuer")));
    provider.says(Some(&provider.own()), &[&key]);
    let back = now + ASK_EVERY * 2;
    assert!(issuer.who_at(&token, back, AT).await.is_ok());
    provider.says(None, &[]);
    let late = back + KEYS_AGE_MAX;
    assert!(issuer.who_at(&token, late, AT).await.is_ok(), "its last keys count for a while");
    let too_late = back + KEYS_KEPT_MAX;
    assert_eq!(refused(&issuer, &token, too_late).await["status"], 503, "but not for ever");
}
