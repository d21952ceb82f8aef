//! The golden vectors in `vectors/keyward.json`, which were computed without Keyward.

use std::collections::HashMap;

use keyward_core::{
    Digest, DigestScheme, Format, Hasher, KeyId, Keyspace, KeyspaceTable, Locator, Malformed,
    Pepper, PepperVersion,
};
use keyward_testkit::SeededEntropy;
use serde::Deserialize;

use crate::support::{key_id, keyspace};

#[derive(Deserialize)]
struct Vectors {
    pepper: PepperVector,
    secrets: Vec<SecretVector>,
    refused: RefusedVectors,
}

#[derive(Deserialize)]
struct PepperVector {
    version: u16,
    hex: String,
}

#[derive(Deserialize)]
struct SecretVector {
    #[serde(flatten)]
    format: Format,
    seed: u64,
    /// Absent in opaque vectors, whose secrets do not depend on the id.
    id: Option<KeyId>,
    secret: String,
    hint: String,
    digests: HashMap<DigestScheme, String>,
}

#[derive(Deserialize)]
struct RefusedVectors {
    keyspaces: Vec<Format>,
    texts: Vec<RefusedVector>,
}

#[derive(Deserialize)]
struct RefusedVector {
    why: String,
    text: String,
    reason: String,
}

impl Vectors {
    fn read() -> Self {
        let json = include_str!("../../../../vectors/keyward.json");
        serde_json::from_str(json).unwrap()
    }

    fn hasher(&self) -> Hasher {
        let pepper = Pepper::new(bytes(&self.pepper.hex)).unwrap();
        Hasher::new(vec![(PepperVersion::new(self.pepper.version), pepper)])
    }
}

#[test]
fn minting_from_a_seed_gives_the_secret_and_the_hint() {
    for vector in Vectors::read().secrets {
        let id = vector.id.unwrap_or_else(|| key_id("ignored"));
        let minted = vector.format.mint(&SeededEntropy::new(vector.seed), &id).unwrap();
        assert_eq!(minted.secret.expose(), vector.secret);
        assert_eq!(minted.hint, vector.hint);
    }
}

#[test]
fn the_digests_are_those_of_the_secret() {
    let vectors = Vectors::read();
    for vector in &vectors.secrets {
        assert_eq!(vector.digests.len(), 3, "{}", vector.secret);
        for (scheme, hex) in &vector.digests {
            let digest = vectors.hasher().digest(*scheme, &vector.secret).unwrap();
            assert_eq!(digest, Digest::new(*scheme, &bytes(hex)).unwrap(), "{scheme} {hex}");
        }
    }
}

#[test]
fn the_secrets_are_read_back_to_their_locators() {
    let vectors = Vectors::read();
    for SecretVector { format, id, secret, digests, .. } in &vectors.secrets {
        let schemes: Vec<_> = digests.keys().copied().collect();
        let expected: Vec<_> = if let Some(id) = id {
            vec![Locator::KeyId(id.clone())]
        } else {
            let digest =
                |scheme: &DigestScheme| Digest::new(*scheme, &bytes(&digests[scheme])).unwrap();
            schemes.iter().map(digest).map(Locator::Digest).collect()
        };
        let keyspace = Keyspace { schemes, ..keyspace("vectors", format.clone()) };
        let table = KeyspaceTable::new([keyspace]);
        let token = table.parse(secret).unwrap();
        assert_eq!(token.locators(&vectors.hasher()).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn refused_texts_are_refused_for_their_reason() {
    let RefusedVectors { keyspaces, texts } = Vectors::read().refused;
    let named = |(n, format)| keyspace(&format!("keyspace-{n}"), format);
    let table = KeyspaceTable::new(keyspaces.into_iter().enumerate().map(named));
    for RefusedVector { why, text, reason } in texts {
        let refused = table.parse(&text).expect_err(&why);
        assert_eq!(name(refused), reason, "{why}");
    }
}

#[test]
fn every_reason_has_a_vector() {
    let texts = Vectors::read().refused.texts;
    for reason in ["alphabet", "checksum", "form", "too_long"] {
        assert!(texts.iter().any(|vector| vector.reason == reason), "{reason}");
    }
}

fn name(malformed: Malformed) -> &'static str {
    match malformed {
        Malformed::Alphabet => "alphabet",
        Malformed::Checksum => "checksum",
        Malformed::Form => "form",
        Malformed::TooLong => "too_long",
        _ => "a reason that the vectors do not know",
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    assert!(rest.is_empty(), "{hex}");
    pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low).unwrap()).collect()
}
