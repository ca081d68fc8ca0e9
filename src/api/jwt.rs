//! Tokens of an `OpenID` provider (JWT, RFC 7519): read, and held against a key and the claims that
//! must hold. What a token says of its own key (`jku`, `jwk`, `x5c`) is not looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

use crate::config::Oidc;
use crate::message::{Span, Timestamp, read_json};

/// The longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// How far the issuer's clock and ours may be apart.
const LEEWAY: Span = Span(60_000);

/// How a token is signed. There is neither `none` nor a shared secret: whoever can verify those
/// can make them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    const WORDS: [(&'static str, Self); 5] = [
        ("RS256", Self::Rs256),
        ("PS256", Self::Ps256),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
    ];

    fn named(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(name, _)| *name == word).map(|(_, algorithm)| *algorithm)
    }
}

/// A token that was read and is not believed yet.
#[derive(Debug)]
pub(super) struct Jwt<'t> {
    algorithm: Algorithm,
    /// Which key of the issuer's has signed it, as it says.
    pub kid: Option<String>,
    message: &'t str,
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

/// A key that an issuer signs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    /// Its name.
    pub kid: Option<String>,
    /// The one algorithm that it is for, if it says so.
    algorithm: Option<Algorithm>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl<'t> Jwt<'t> {
    /// Whether a token may be one.
    pub fn is_one(token: &str) -> bool {
        token.matches('.').count() == 2
    }

    /// Reads a token.
    ///
    /// # Errors
    /// When it is none that may be believed at all, in words that do not show it.
    pub fn read(token: &'t str) -> Result<Self, String> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(format!("the token is longer than {TOKEN_BYTES_MAX} bytes"));
        }
        let odd = || "the token is no JWT".to_owned();
        let (message, signature) = token.rsplit_once('.').ok_or_else(odd)?;
        let (header, claims) = message.split_once('.').ok_or_else(odd)?;
        let (header, claims) = (object(header).ok_or_else(odd)?, object(claims).ok_or_else(odd)?);
        let word = header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let algorithm = Algorithm::named(word).ok_or_else(|| {
            let known: Vec<_> = Algorithm::WORDS.iter().map(|(word, _)| *word).collect();
            format!("the token is not signed in a way that counts here: {}", known.join(", "))
        })?;
        if header.contains_key("crit") {
            return Err("the token asks for what is not known here (`crit`)".to_owned());
        }
        let kid = header.get("kid").and_then(Value::as_str).map(str::to_owned);
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| odd())?;
        Ok(Self { algorithm, kid, message, signature, claims })
    }

    /// Whether the owner of that key has signed it.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        if key.algorithm.is_some_and(|only| only != self.algorithm) {
            return false;
        }
        let message = self.message.as_bytes();
        let verify = |how: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(how, key).verify(message, &self.signature).is_ok()
        };
        match (self.algorithm, &key.kind) {
            (Algorithm::Rs256, Kind::Rsa { n, e }) => RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, &self.signature)
                .is_ok(),
            (Algorithm::Ps256, Kind::Rsa { n, e }) => RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PSS_2048_8192_SHA256, message, &self.signature)
                .is_ok(),
            (Algorithm::Es256, Kind::P256(point)) => {
                verify(&signature::ECDSA_P256_SHA256_FIXED, point)
            }
            (Algorithm::Es384, Kind::P384(point)) => {
                verify(&signature::ECDSA_P384_SHA384_FIXED, point)
            }
            (Algorithm::EdDsa, Kind::Ed25519(point)) => verify(&signature::ED25519, point),
            (
                Algorithm::Rs256
                | Algorithm::Ps256
                | Algorithm::Es256
                | Algorithm::Es384
                | Algorithm::EdDsa,
                _,
            ) => false,
        }
    }

    /// Whether it is that issuer's, for us, and its time has come and is not over.
    ///
    /// # Errors
    /// When it is not, in words.
    pub fn check(&self, settings: &Oidc, now: Timestamp) -> Result<(), String> {
        let issuer = self.text("iss").unwrap_or_default();
        if issuer.trim_end_matches('/') != settings.issuer {
            return Err("the token is of another issuer than `api.auth.oidc.issuer`".to_owned());
        }
        let is_for_us = match self.claims.get("aud") {
            Some(Value::String(one)) => *one == settings.audience,
            Some(Value::Array(all)) => all.iter().any(|one| one == settings.audience.as_str()),
            Some(_) | None => false,
        };
        if !is_for_us {
            let words = "the token is for others: its `aud` is not `api.auth.oidc.audience`";
            return Err(words.to_owned());
        }
        let expires = self.moment("exp")?.ok_or("the token says no `exp`: it would never end")?;
        if now.since(expires) >= LEEWAY {
            return Err(format!("the token has expired at {expires}"));
        }
        match self.moment("nbf")? {
            Some(begins) if begins.since(now) > LEEWAY => {
                Err(format!("the token counts only from {begins} on"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A claim that is text.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// The values of a claim that is text or a list of texts; dots lead into objects, unless a
    /// claim has that very name.
    pub fn texts(&self, claim: &str) -> Vec<&str> {
        let found = self.claims.get(claim).or_else(|| {
            let mut names = claim.split('.');
            let first = self.claims.get(names.next()?)?;
            names.try_fold(first, |found, name| found.get(name))
        });
        match found {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            Some(_) | None => Vec::new(),
        }
    }

    /// A claim that is a moment, in seconds since 1970.
    fn moment(&self, claim: &str) -> Result<Option<Timestamp>, String> {
        let Some(said) = self.claims.get(claim) else { return Ok(None) };
        let wrong = || format!("the token's `{claim}` is no moment");
        // A fraction is allowed, and of no use.
        let digits = said.as_number().map(ToString::to_string).ok_or_else(wrong)?;
        let seconds: i64 =
            digits.split('.').next().unwrap_or_default().parse().map_err(|_| wrong())?;
        Ok(Some(Timestamp(seconds.saturating_mul(1_000))))
    }
}

impl PublicKey {
    /// Reads a key of a JWK set; none if it is of no use here.
    pub fn read(key: &Value) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        // An uncompressed point, as SEC 1 writes it.
        let point = || Some([vec![4], bytes("x")?, bytes("y")?].concat());
        let kind = match (text("kty")?, text("crv")) {
            ("RSA", _) => Kind::Rsa { n: bytes("n")?, e: bytes("e")? },
            ("EC", Some("P-256")) => Kind::P256(point()?),
            ("EC", Some("P-384")) => Kind::P384(point()?),
            ("OKP", Some("Ed25519")) => Kind::Ed25519(bytes("x")?),
            _ => return None,
        };
        let algorithm = match text("alg") {
            None => None,
            Some(word) => Some(Algorithm::named(word)?),
        };
        Some(Self { kid: text("kid").map(str::to_owned), algorithm, kind })
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    match read_json(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
