//! What the tests have in common: pairs that sign as often as one likes, keys that hold one, and
//! the decision on a text.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyward_core::jose::{
    BaseIssuer, Claims, PairKind, PublicKey, SignatureError, SignedToken, SigningPair,
};
use keyward_core::{
    AccountState, Asked, Audience, Candidate, Expiry, Format, Hasher, Judgement, KeyId, KeyRecord,
    Keyspace, KeyspaceId, KeyspaceTable, NewKey, NewKeyspace, OwnerId, Signed, StoredSecret,
    Timestamp, judge,
};
use keyward_signatures::verifying_key;

/// 2027-01-01T00:00:00Z, in seconds: the second 0 of these tests.
pub(crate) const NOW: i64 = 1_798_761_600;

/// The instant that many seconds after the second 0.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((NOW + seconds) * 1_000_000).unwrap()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

pub(crate) fn hasher() -> Hasher {
    Hasher::new(Vec::new())
}

pub(crate) fn signed(kind: PairKind, issuer: &str, audience: Option<&str>) -> Signed {
    let audience = audience.map(|audience| Audience::parse(audience).unwrap());
    Signed::new(kind, BaseIssuer::parse(issuer).unwrap(), audience)
}

pub(crate) fn keyspace(id: &str, format: Format) -> Keyspace {
    let new = NewKeyspace::new(KeyspaceId::parse(id).unwrap(), format);
    Keyspace::create(new, &hasher(), at(0)).unwrap()
}

/// A key to issue in a keyspace, which expires an hour after the second 0.
pub(crate) fn new_key(keyspace: &Keyspace, claims: &str) -> NewKey {
    NewKey {
        keyspace: keyspace.id.clone(),
        expiry: Expiry::At(at(3_600)),
        claims: Claims::parse(claims).unwrap(),
        ..NewKey::new(OwnerId::parse("user-7").unwrap())
    }
}

/// The record of a key of that id, issued at the second 0.
pub(crate) fn record(new: NewKey, id: &str, key: PublicKey, keyspace: &Keyspace) -> KeyRecord {
    let secret = StoredSecret::of_signature(key, new.claims.clone());
    let id = KeyId::parse(id).unwrap();
    KeyRecord::issue(new, id, secret, String::new(), keyspace, at(0)).unwrap()
}

/// A pair that stays.
pub(crate) enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Pair {
    pub(crate) fn ed25519(seed: u8) -> Self {
        Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    pub(crate) fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        match self {
            Self::Ed25519(pair) => {
                PublicKey::Ed25519(pair.public_key().as_ref().try_into().unwrap())
            }
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (point[1..33].try_into().unwrap(), point[33..].try_into().unwrap());
                PublicKey::P256 { x, y }
            }
            Self::Rsa(pair) => {
                let modulus = pair.public_key().modulus();
                PublicKey::rsa(modulus.big_endian_without_leading_zero()).unwrap()
            }
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// A pair that is lent for minting.
pub(crate) struct Lent(pub(crate) Arc<Pair>, pub(crate) PublicKey);

impl SigningPair for Lent {
    fn public_key(&self) -> &PublicKey {
        &self.1
    }

    fn sign(self: Box<Self>, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message))
    }
}

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lent")
    }
}

/// A record whose public key checks signatures.
#[derive(Debug)]
pub(crate) struct Checked<'k>(pub(crate) &'k KeyRecord);

impl AsRef<KeyRecord> for Checked<'_> {
    fn as_ref(&self) -> &KeyRecord {
        self.0
    }
}

impl Candidate for Checked<'_> {
    fn has_signed(&self, token: &SignedToken<'_>) -> bool {
        let stored = self.0.secret.signature().unwrap();
        verifying_key(&stored.public_key)
            .is_ok_and(|key| key.verifies(token.message(), token.signature()))
    }
}

/// The code of the decision on a text at that second, among these records; or why it is malformed.
pub(crate) fn decide<'k>(
    text: &str,
    table: &KeyspaceTable,
    records: impl IntoIterator<Item = &'k KeyRecord>,
    now: i64,
) -> Result<&'static str, keyward_core::Malformed> {
    let token = table.parse(text)?;
    let locators: Vec<_> = token.locators(&hasher()).collect();
    let is_found = |key: &&KeyRecord| locators.iter().any(|locator| key.is_at(locator));
    let found = records.into_iter().find(is_found).filter(|key| table.means(&token, key));
    let Some(key) = found else { return Ok("unknown") };
    Ok(
        match judge(
            &token,
            Checked(key),
            AccountState::Active,
            &Asked::default(),
            at(now),
            &hasher(),
        ) {
            Judgement::Deny(reason) => reason.code(),
            Judgement::Suitable(suitable) => suitable.limited(Ok(())).code(),
        },
    )
}
