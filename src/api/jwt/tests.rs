use std::collections::BTreeMap;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::json;

use super::*;

/// A token that was signed by `openssl dgst -sha256 -sign`, and the modulus of its key.
const RS256: &str = "\
    eyJhbGciOiJSUzI1NiIsImtpZCI6InIxIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUub3JnIiwiYXVkIjoi\
    c2VndWUiLCJzdWIiOiJhbmEiLCJleHAiOjQxMDI0NDQ4MDB9.Eshk4sNeYCMqKNPFo14CCm5tn5bKZvCAyuyhv3A\
    r-Rfs5RG6qJN8SJxNV6nHtgOEjWHsYNhURKhrqNAnCIfmo7Qrl0TDA1dEDh-d229yBSSoKY3lvMFlkFH1YDG1Q8F\
    tfE7OTaDPHFwolRjAvOKFoyvg7RRJI-6kSQvZBmydwH6nRkeM-Gk3tTJFPZSBWrTZGrm6DyvYsvBMuLQ8aaxALam\
    Zr_mk6-Rinm7tF-fkRV1Eww6SsLnrOHQ3Qoh3pUrrY0Ni3UkkI6Ml41Qj2PsTJ2E9WTMU4wV1uf3-cqgqPxnUFUj\
    nneK89QZVbcp41Mf4tHYFs6Z0yIIGBi1D26lVeA";
/// The same by RSASSA-PSS.
const PS256: &str = "\
    eyJhbGciOiJQUzI1NiIsImtpZCI6InIxIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUub3JnIiwiYXVkIjoi\
    c2VndWUiLCJzdWIiOiJhbmEiLCJleHAiOjQxMDI0NDQ4MDB9.nQMSNuHM6q9QvSyEG2DR1HvI4fI9v8uOLUw2OJ1\
    wkJ4K5w32PvbZ_kpcNFKdN8g6NqvTWwZCBszrFBw8fW_hLbJW7NSfMjR2lJUmKCJFywk-PdPjko5TmP5vtZVxgAR\
    BiP-2dEiVX8qtd51aaOfjv_SWYhS4etx0N6X_duwYM4ZaGgY4AopBZLxqhGSbB-jHBdaD_mBpx83_kdGAnG7LMSa\
    ZmLNK1GGAeUipiLno-2i5MeaYMsviEL0esrDNFm15taktmkXUuYb_hJ6-rFEe4LmuVo_lN-6Q2nTf-asqqk1tHo7\
    UGarZs2_jH9PzdVIsBdAgEJmMCX24d9i7Xlwx1w";
const MODULUS: &str = "\
    reLiWn5H-dVuRY0z73JQccXnlCkWFsijaKFoTXm4aWudG1SrKtLfyNTeqkiho-gVPdHyMwior9TNRkaqqLAjc8Wi\
    8dSmhM9O9U8dR5Kf_6BHKgkbJctT1mXrye5P_jVK4MOO_1ic2LddsTg_JE6GtcxCeZAKRoptl62nOVb8MQEzGvHo\
    YRN-BA9oTdxLPuiOhlQsrCcgFv0KL2-5PmcwdrN-kdK_lAaQyWsGzzUx63r2Rpg30wZL7OQd13v8fsEoISp7Sv8R\
    k1_qiUcPGv6n6IWgj-m1qNDtbEAC6IEKd_Gw3w_pbjJyjMQnxEkWRTD6sA-iYYn5IleVQGhcrlTH-w";

fn settings() -> Oidc {
    Oidc {
        issuer: "https://id.example.org".to_owned(),
        audience: "segue".to_owned(),
        name_claim: "sub".to_owned(),
        role_claim: "groups".to_owned(),
        roles: BTreeMap::new(),
        ca_file: None,
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token over some claims, signed by somebody.
fn token(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(sign(message.as_bytes())))
}

struct Signer {
    pair: Ed25519KeyPair,
}

impl Signer {
    fn new() -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("randomness");
        Self { pair: Ed25519KeyPair::from_pkcs8(pair.as_ref()).expect("a key") }
    }

    fn key(&self) -> PublicKey {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref());
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "e1"});
        PublicKey::read(&key).expect("a key")
    }

    fn token(&self, claims: &Value) -> String {
        let sign = |message: &[u8]| self.pair.sign(message).as_ref().to_vec();
        token(&json!({"alg": "EdDSA", "kid": "e1"}), claims, sign)
    }
}

/// What comes of claims at the second 1,000.
fn checked(claims: &Value) -> Result<(), String> {
    let token = Signer::new().token(claims);
    Jwt::read(&token).expect("a token").check(&settings(), Timestamp(1_000_000))
}

fn claims(more: &Value) -> Value {
    let mut claims = json!({"iss": "https://id.example.org", "aud": "segue", "exp": 2_000});
    let fields = claims.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    claims
}

#[test]
fn a_token_counts_if_its_issuers_key_has_signed_it() {
    let rsa = |algorithm: Option<&str>| {
        let mut key = json!({"kty": "RSA", "use": "sig", "n": MODULUS, "e": "AQAB"});
        if let Some(algorithm) = algorithm {
            key["alg"] = algorithm.into();
        }
        PublicKey::read(&key).expect("a key")
    };
    for (token, own, other) in [(RS256, "RS256", "PS256"), (PS256, "PS256", "RS256")] {
        let read = Jwt::read(token).expect("a token");
        assert!(read.is_signed_by(&rsa(None)) && read.is_signed_by(&rsa(Some(own))));
        assert!(!read.is_signed_by(&rsa(Some(other))), "the key is for {other} alone");
        assert_eq!(read.check(&settings(), Timestamp(1_000_000)), Ok(()));
        assert_eq!((read.text("sub"), read.kid.as_deref()), (Some("ana"), Some("r1")));
    }
    let random = SystemRandom::new();
    let how = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::generate_pkcs8(how, &random).expect("randomness");
    let pair = EcdsaKeyPair::from_pkcs8(how, pair.as_ref(), &random).expect("a key");
    let point = pair.public_key().as_ref();
    let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (x, y) = (coordinate(&point[1..33]), coordinate(&point[33..]));
    let key = PublicKey::read(&json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}));
    let sign = |message: &[u8]| pair.sign(&random, message).expect("signed").as_ref().to_vec();
    let text = token(&json!({"alg": "ES256"}), &claims(&json!({})), sign);
    let read = Jwt::read(&text).expect("a token");
    assert!(read.is_signed_by(&key.expect("a key")));
    let signer = Signer::new();
    let text = signer.token(&claims(&json!({})));
    let read = Jwt::read(&text).expect("a token");
    assert!(read.is_signed_by(&signer.key()));
    assert!(!read.is_signed_by(&Signer::new().key()), "another key");
    assert!(!read.is_signed_by(&rsa(None)), "a key of another kind");
}

#[test]
fn nobody_can_change_a_token() {
    let signer = Signer::new();
    let honest = signer.token(&claims(&json!({"sub": "ana"})));
    let forged = signer.token(&claims(&json!({"sub": "eve"})));
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (honest, forged) = (parts(&honest), parts(&forged));
    let mixed = format!("{}.{}.{}", honest[0], forged[1], honest[2]);
    assert!(!Jwt::read(&mixed).expect("a token").is_signed_by(&signer.key()));
}

#[test]
fn what_nobody_has_signed_is_no_token() {
    let unsigned = |header: Value| token(&header, &claims(&json!({})), |_| Vec::new());
    for algorithm in ["none", "None", "HS256", "", "RS1"] {
        let refused = Jwt::read(&unsigned(json!({"alg": algorithm}))).err();
        assert!(refused.is_some_and(|words| words.contains("counts here")), "{algorithm}");
    }
    let critical = unsigned(json!({"alg": "EdDSA", "crit": ["b64"], "b64": false}));
    assert!(Jwt::read(&critical).expect_err("it asks for more").contains("crit"));
    for odd in ["", "a.b", "a.b.c", "..", "e30.e30.", "e30=.e30.e30", &"a".repeat(20_000)] {
        assert!(Jwt::read(odd).is_err(), "{odd}");
    }
}

#[test]
fn a_token_must_be_for_us_and_of_our_issuer_and_of_now() {
    assert_eq!(checked(&claims(&json!({}))), Ok(()));
    assert_eq!(checked(&claims(&json!({"aud": ["other", "segue"], "nbf": 1_000.5}))), Ok(()));
    assert_eq!(checked(&claims(&json!({"iss": "https://id.example.org/"}))), Ok(()));
    let refused = |more: Value| checked(&claims(&more)).expect_err("it does not count");
    for issuer in
        [json!("https://evil.example.org"), json!(null), json!(["https://id.example.org"])]
    {
        assert!(refused(json!({"iss": issuer})).contains("another issuer"));
    }
    for audience in [json!("segue2"), json!(["other"]), json!(null), json!({"segue": 1}), json!([])]
    {
        assert!(refused(json!({"aud": audience})).contains("is for others"));
    }
    assert_eq!(checked(&claims(&json!({"exp": 941}))), Ok(()), "clocks may differ by a minute");
    assert!(refused(json!({"exp": 940})).starts_with("the token has expired at 1970"));
    for odd in [json!("2000"), json!(null), json!(1e300), json!({})] {
        assert!(refused(json!({"exp": odd})).contains("`exp` is no moment"), "{odd}");
    }
    assert!(refused(json!({"nbf": 1_061})).contains("counts only from"));
    let mut endless = claims(&json!({}));
    endless.as_object_mut().expect("an object").remove("exp");
    assert!(checked(&endless).expect_err("it never ends").contains("no `exp`"));
}

#[test]
fn groups_are_found_inside_objects_too() {
    let more = json!({"groups": ["a", 1, "b"], "realm_access": {"roles": ["c"]}, "x.y": "d"});
    let token = Signer::new().token(&claims(&more));
    let read = Jwt::read(&token).expect("a token");
    assert_eq!(read.texts("groups"), ["a", "b"]);
    assert_eq!(read.texts("realm_access.roles"), ["c"]);
    assert_eq!(read.texts("x.y"), ["d"]);
    assert!(read.texts("realm_access").is_empty() && read.texts("none.of.it").is_empty());
}

#[test]
fn a_key_that_is_of_no_use_is_passed_over() {
    for key in [
        json!({"kty": "RSA", "use": "enc", "n": MODULUS, "e": "AQAB"}),
        json!({"kty": "oct", "k": "c2VjcmV0"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        json!({"kty": "RSA", "alg": "RS1", "n": MODULUS, "e": "AQAB"}),
        json!({"kty": "RSA", "n": "!", "e": "AQAB"}),
        json!({}),
        json!(null),
    ] {
        assert_eq!(PublicKey::read(&key), None, "{key}");
    }
}
