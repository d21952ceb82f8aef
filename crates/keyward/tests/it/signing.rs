//! Signed keys in an instance: what is issued, what is believed, and for how long.

mod issuing;
mod pool;
mod proving;

use keyward::jose::{BaseIssuer, PairKind};
use keyward::{
    Audience, Format, Issued, KeyspaceId, Keyward, Lifetime, NewKey, NewKeyspace, Signed,
    SigningSettings,
};

use crate::support::{create_keyspace, me, reader};

/// Few pairs, so that tests need not make many.
fn settings() -> SigningSettings {
    SigningSettings { ready_pairs: 1, threads: 1, ..SigningSettings::default() }
}

fn lifetime() -> keyward::Expiry {
    keyward::Expiry::In(Lifetime::parse("1h").unwrap())
}

fn format(pair: PairKind, audience: Option<&str>) -> Format {
    let issuer = BaseIssuer::parse("https://keys.example/jwks").unwrap();
    Format::Signed(Signed::new(pair, issuer, audience.map(|text| Audience::parse(text).unwrap())))
}

/// A keyspace of Ed25519 keys called `signed`.
async fn signed_keyspace(keyward: &Keyward) -> KeyspaceId {
    let id: KeyspaceId = "signed".parse().unwrap();
    let new = NewKeyspace::new(id.clone(), format(PairKind::Ed25519, None));
    create_keyspace(keyward, new).await.id
}

fn new_key(keyspace: &KeyspaceId) -> NewKey {
    NewKey { keyspace: keyspace.clone(), expiry: lifetime(), ..reader() }
}

async fn issue_signed(keyward: &Keyward) -> Issued {
    let keyspace = signed_keyspace(keyward).await;
    keyward.issue(new_key(&keyspace), &me()).await.unwrap()
}

/// What stands in the middle part of a token.
fn payload(token: &str) -> serde_json::Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&decode(part)).unwrap()
}

fn decode(part: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()
}
