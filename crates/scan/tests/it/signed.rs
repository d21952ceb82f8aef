//! Signed keys: JWTs of a keyspace's issuer, and no others.

mod places;
mod rules;

use std::path::Path;
use std::slice::from_ref;

use keyward_core::jose::{BaseIssuer, PairKind};
use keyward_core::{
    Audience, Expiry, Format, Hasher, KeyId, KeyRecord, Keyspace, KeyspaceId, NewKey, NewKeyspace,
    OwnerId, Signed, StoredSecret, Timestamp,
};
use keyward_scan::{Limits, Scanner};
use keyward_testkit::SeededEntropy;
use rstest::rstest;

use crate::pattern;

const BASE: &str = "https://example.com/keys";

/// 2027-01-01T00:00:00Z, in seconds.
const NOW: i64 = 1_798_761_600;

fn signed(kind: PairKind, issuer: &str, audience: Option<&str>) -> Signed {
    let audience = audience.map(|audience| Audience::parse(audience).unwrap());
    Signed::new(kind, BaseIssuer::parse(issuer).unwrap(), audience)
}

/// A new token with a note of that many characters in it, and its id.
fn mint_long(signed: &Signed, seed: u64, note: usize) -> (String, KeyId) {
    let at = |seconds| Timestamp::from_micros((NOW + seconds) * 1_000_000).unwrap();
    let format = Format::Signed(signed.clone());
    let id = format.draw_id(&SeededEntropy::new(seed), at(0));
    let new = NewKeyspace::new(KeyspaceId::parse("default").unwrap(), format);
    let keyspace = Keyspace::create(new, &Hasher::new(Vec::new()), at(0)).unwrap();
    let claims = keyward_core::jose::Claims::default();
    let claims = claims.with("note", &"x".repeat(note)).unwrap();
    let new = NewKey {
        expiry: Expiry::At(at(3_600)),
        claims: claims.clone(),
        ..NewKey::new(OwnerId::parse("user-7").unwrap())
    };
    let pair = keyward_signatures::generate(signed.pair()).unwrap();
    let secret = StoredSecret::of_signature(pair.public_key().clone(), claims);
    let record = KeyRecord::issue(new, id.clone(), secret, String::new(), &keyspace, at(0));
    let minted = signed.mint(&record.unwrap(), pair).unwrap();
    (minted.secret.expose().to_owned(), id)
}

fn mint(signed: &Signed, seed: u64) -> (String, KeyId) {
    mint_long(signed, seed, 0)
}

/// A token of Ed25519, which most tests are about.
fn token(seed: u64) -> String {
    mint(&signed(PairKind::Ed25519, BASE, None), seed).0
}

fn scanner_of(signed: Signed) -> Scanner {
    Scanner::new([pattern("signed", Format::Signed(signed))]).unwrap()
}

fn scanner() -> Scanner {
    scanner_of(signed(PairKind::Ed25519, BASE, None))
        .with_limits(Limits { in_one_text: usize::MAX, in_all: usize::MAX })
}

fn found_by(scanner: &Scanner, text: impl AsRef<[u8]>) -> Vec<String> {
    let report = scanner.read(Path::new("-"), text.as_ref());
    report.finds.iter().map(|find| find.secret.expose().to_owned()).collect()
}

fn found_in(text: impl AsRef<[u8]>) -> Vec<String> {
    found_by(&scanner(), text)
}

#[rstest]
#[case(PairKind::Ed25519)]
#[case(PairKind::P256)]
#[case(PairKind::Rsa2048)]
#[case(PairKind::Rsa3072)]
fn tokens_of_every_kind_are_found_with_keyspace_id_and_hint(#[case] kind: PairKind) {
    let (token, id) = mint(&signed(kind, BASE, Some("api")), 1);
    // Keys that were taken over may be of another kind than those that are made.
    for own in [kind, PairKind::Ed25519, PairKind::Rsa4096] {
        let scanner = scanner_of(signed(own, BASE, Some("api")));
        let report = scanner.read(Path::new("-"), format!("token is {token}\n").as_bytes());
        let [find] = &report.finds[..] else { panic!("{report:?}") };
        assert_eq!(find.secret.expose(), token);
        assert_eq!(find.keyspace.as_ref().unwrap().as_str(), "signed");
        assert_eq!((find.place.line, find.place.column), (1, 10));
        assert_eq!((find.key.as_ref(), find.hint.as_str()), (Some(&id), id.as_str()));
        let printed = format!("{report:?} {:?}", report.finds);
        assert!(token.split('.').all(|part| !printed.contains(part)), "{printed}");
    }
}

#[test]
fn the_longest_token_is_found_and_a_longer_one_is_none() {
    let signed = signed(PairKind::Ed25519, BASE, None);
    let shorter = mint_long(&signed, 1, 2_700).0.len();
    // Three bytes are four characters.
    let (token, _) = mint_long(&signed, 1, 2_700 + (4_096 - shorter) / 4 * 3);
    assert!((4_093..=4_096).contains(&token.len()), "{}", token.len());
    assert_eq!(found_in(format!(" {token} ")), from_ref(&token));
    let (head, rest) = token.split_once('.').unwrap();
    assert!(found_in(format!("{head}.{}{rest}", "eyJh".repeat(5))).is_empty());
}

#[test]
fn tokens_of_others_are_no_finds() {
    let ed25519 = |issuer, audience| signed(PairKind::Ed25519, issuer, audience);
    for other in ["https://example.com/key", "https://example.com", "http://example.com/keys"] {
        assert!(found_in(mint(&ed25519(other, None), 1).0).is_empty(), "{other}");
    }
    // A keyspace with an audience takes no tokens that are for somebody else.
    let scanner = scanner_of(ed25519(BASE, Some("api")));
    assert_eq!(found_by(&scanner, mint(&ed25519(BASE, Some("api")), 1).0).len(), 1);
    for other in [Some("web"), None] {
        assert!(found_by(&scanner, mint(&ed25519(BASE, other), 1).0).is_empty(), "{other:?}");
    }
    // A token with header and payload of two keys, and one whose header is as others have it.
    let (one, other) = (token(1), token(2));
    let (header, _) = one.split_once('.').unwrap();
    let (_, rest) = other.split_once('.').unwrap();
    assert!(found_in(format!("{header}.{rest}")).is_empty());
    assert!(found_in(format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{rest}")).is_empty());
}

#[test]
fn of_two_keyspaces_each_finds_its_own() {
    let (one, other) = ("https://example.com/one", "https://example.com/other");
    let of = |issuer| signed(PairKind::Ed25519, issuer, None);
    let patterns = [("one", one), ("other", other)];
    let patterns = patterns.map(|(name, issuer)| pattern(name, Format::Signed(of(issuer))));
    let scanner = Scanner::new(patterns).unwrap();
    let text = format!("{} {}", mint(&of(other), 1).0, mint(&of(one), 2).0);
    let report = scanner.read(Path::new("-"), text.as_bytes());
    let keyspaces = report.finds.iter().map(|find| find.keyspace.as_ref().unwrap().as_str());
    assert_eq!(keyspaces.collect::<Vec<_>>(), ["other", "one"]);
}

/// Nothing in the text tells which signature is right, so a wrong one is a find: whether the token is
/// the key's own, the server says.
#[test]
fn a_token_whose_signature_is_wrong_is_a_find_and_one_that_is_cut_short_is_none() {
    let token = token(1);
    let place = token.len() - 20;
    for letter in ["A", "B"] {
        let mut tampered = token.clone();
        tampered.replace_range(place..=place, letter);
        assert_eq!(found_in(&tampered), from_ref(&tampered));
    }
    for length in 1..token.len() {
        assert!(found_in(&token[..length]).is_empty(), "{length}");
        assert!(found_in(format!("{}\n{}", &token[..length], &token[length..])).is_empty());
    }
    for start in 1..token.len() {
        assert!(found_in(&token[start..]).is_empty(), "{start}");
    }
}

/// As libraries write headers that take the members in another order, or add a type.
#[rstest]
#[case(r#"{"kid":"ID","alg":"EdDSA"}"#)]
#[case(r#"{"alg":"EdDSA","kid":"ID","typ":"JWT"}"#)]
#[case(r#"{"typ":"JWT","alg":"EdDSA","kid":"ID"}"#)]
#[case(r#"{"alg": "EdDSA", "kid": "ID"}"#)]
fn tokens_that_were_taken_over_may_have_other_headers(#[case] header: &str) {
    let (token, id) = mint(&signed(PairKind::Ed25519, BASE, None), 1);
    let (_, rest) = token.split_once('.').unwrap();
    let header = base64url(&header.replace("ID", id.as_str()));
    let token = format!("{header}.{rest}");
    assert_eq!(found_in(format!("\"{token}\"")), [token]);
}

fn base64url(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}
