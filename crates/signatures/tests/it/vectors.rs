//! The tokens in `vectors/japikey.json`, which the published `japikey` minted.

use keyward_core::jose::{
    BaseIssuer, Claims, Issuers, KeySet, PublicKey, SignedFault, SignedToken,
};
use keyward_signatures::verifying_key;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::support::{decode, encode};

#[derive(Deserialize)]
struct Vectors {
    valid: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    base_issuer: BaseIssuer,
    kid: String,
    jwk: Box<RawValue>,
    token: String,
    claims: Box<RawValue>,
}

impl Vectors {
    fn read() -> Vec<Vector> {
        let json = include_str!("../../../../vectors/japikey.json");
        let Self { valid } = serde_json::from_str(json).unwrap();
        assert_eq!(valid.len(), 4);
        valid
    }
}

impl Vector {
    fn jwk(&self) -> String {
        compact(&self.jwk)
    }
}

/// The same JSON without white space: no text in these vectors holds any.
fn compact(json: &RawValue) -> String {
    json.get().split_whitespace().collect()
}

#[test]
fn published_tokens_are_read() {
    for vector in Vectors::read() {
        let issuers = Issuers::new([vector.base_issuer.clone()]);
        let token = SignedToken::read(&vector.token, &issuers).unwrap();
        let name = &vector.name;
        assert_eq!(token.id().as_str(), vector.kid, "{name}");
        assert_eq!(token.registered().issuer, vector.base_issuer.of_key(&vector.kid), "{name}");
        assert_eq!(token.registered().subject, "user-1", "{name}");
        assert!(token.registered().audiences.contain("api-key"), "{name}");
        assert_eq!(token.registered().expires_at.to_string(), "2100-01-01T00:00:00Z", "{name}");
        assert_eq!(token.registered().not_before, None, "{name}");
        assert_eq!(token.claims(), Claims::parse(&compact(&vector.claims)).unwrap(), "{name}");
    }
}

#[test]
fn published_signatures_are_right() {
    for vector in Vectors::read() {
        let (key, kid) = PublicKey::read(&vector.jwk()).unwrap();
        assert_eq!(kid.as_ref(), Some(&vector.kid));
        let (message, signature) = vector.token.rsplit_once('.').unwrap();
        let mut signature = decode(signature);
        let key = verifying_key(&key).unwrap();
        assert!(key.verifies(message.as_bytes(), &signature), "{}", vector.name);
        signature[100] ^= 1;
        assert!(!key.verifies(message.as_bytes(), &signature), "{}", vector.name);
    }
}

#[test]
fn published_keys_are_written_as_they_were() {
    for vector in Vectors::read() {
        let (key, _) = PublicKey::read(&vector.jwk()).unwrap();
        assert_eq!(key.to_jwk(&vector.kid), vector.jwk(), "{}", vector.name);
        let document = format!(r#"{{"keys":[{}]}}"#, vector.jwk());
        assert_eq!(KeySet::of(&key, &vector.kid), document);
        assert_eq!(KeySet::read(&document, &vector.kid).unwrap(), Some(key));
    }
}

#[test]
fn published_tokens_are_refused_where_another_issuer_is_believed() {
    let issuers = Issuers::new([BaseIssuer::parse("https://example.org").unwrap()]);
    for vector in Vectors::read() {
        let read = SignedToken::read(&vector.token, &issuers);
        assert_eq!(read.err(), Some(SignedFault::Issuer), "{}", vector.name);
    }
}

#[test]
fn one_published_key_does_not_check_another_token() {
    let vectors = Vectors::read();
    for vector in &vectors {
        let (message, signature) = vector.token.rsplit_once('.').unwrap();
        for other in vectors.iter().filter(|other| other.kid != vector.kid) {
            let key = verifying_key(&PublicKey::read(&other.jwk()).unwrap().0).unwrap();
            assert!(!key.verifies(message.as_bytes(), &decode(signature)));
        }
    }
}

#[test]
fn published_payloads_are_written_without_white_space() {
    for vector in Vectors::read() {
        let [header, payload] = [0, 1].map(|part| vector.token.split('.').nth(part).unwrap());
        assert_eq!(header, encode(format!(r#"{{"alg":"RS256","kid":"{}"}}"#, vector.kid)));
        assert_eq!(payload, encode(compact(&vector.claims)), "{}", vector.name);
        let _: Value = serde_json::from_slice(&decode(payload)).unwrap();
    }
}
