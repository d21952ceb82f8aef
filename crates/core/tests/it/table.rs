//! One table reads the secrets of all keyspaces.

use keyward_core::{
    DigestScheme, Hasher, Keyspace, KeyspaceId, KeyspaceTable, Lifetime, Locator, Malformed,
    PepperVersion, RateLimit, Token,
};
use keyward_testkit::SeededEntropy;

use crate::support::{hasher, key_id, keyspace, opaque, prefixed};

const fn peppered(version: u16) -> DigestScheme {
    DigestScheme::HmacSha256(PepperVersion::new(version))
}

/// A keyspace of opaque secrets with these digest schemes.
fn opaque_with(id: &str, prefix: &str, schemes: &[DigestScheme]) -> Keyspace {
    Keyspace { schemes: schemes.to_vec(), ..keyspace(id, opaque(Some(prefix), 32)) }
}

fn schemes(table: &KeyspaceTable, text: &str, hasher: &Hasher) -> Vec<DigestScheme> {
    let scheme = |locator| match locator {
        Locator::Digest(digest) => digest.scheme(),
        Locator::KeyId(id) => panic!("found by id {id}"),
    };
    table.parse(text).unwrap().locators(hasher).map(scheme).collect()
}

fn secret(prefix: &str) -> String {
    let minted = opaque(Some(prefix), 32).mint(&SeededEntropy::new(1), &key_id("ignored")).unwrap();
    minted.secret.expose().to_owned()
}

#[test]
fn keyspaces_of_the_same_form_are_searched_under_the_schemes_of_both() {
    use DigestScheme::{Sha256, Sha512};
    let one = opaque_with("one", "ak", &[peppered(1), Sha256]);
    let two = opaque_with("two", "ak", &[Sha512, Sha256]);
    let found = schemes(&KeyspaceTable::new([one, two]), &secret("ak"), &hasher(&[1]));
    assert_eq!(found, [peppered(1), Sha256, Sha512]);
}

#[test]
fn keyspaces_of_the_same_length_are_told_apart_by_their_prefix() {
    let one = opaque_with("one", "aa", &[DigestScheme::Sha256]);
    let two = opaque_with("two", "bb", &[DigestScheme::Sha512]);
    let table = KeyspaceTable::new([one, two]);
    assert_eq!(schemes(&table, &secret("aa"), &hasher(&[])), [DigestScheme::Sha256]);
    assert_eq!(schemes(&table, &secret("bb"), &hasher(&[])), [DigestScheme::Sha512]);
    assert_eq!(table.parse(&secret("cc")).unwrap_err(), Malformed::Form);
}

#[test]
fn locators_begin_with_the_newest_scheme() {
    let start = opaque_with("one", "ak", &[DigestScheme::Sha256]);
    let first = start.with_scheme(peppered(1)).unwrap().unwrap();
    let second = first.with_scheme(peppered(2)).unwrap().unwrap();
    let found = schemes(&KeyspaceTable::new([second]), &secret("ak"), &hasher(&[1, 2]));
    assert_eq!(found, [peppered(2), peppered(1), DigestScheme::Sha256]);
}

#[test]
fn schemes_whose_pepper_is_not_configured_are_skipped() {
    let keyspace = opaque_with("one", "ak", &[peppered(2), peppered(1), DigestScheme::Sha256]);
    let table = KeyspaceTable::new([keyspace]);
    assert_eq!(schemes(&table, &secret("ak"), &hasher(&[1])), [peppered(1), DigestScheme::Sha256]);
    assert_eq!(schemes(&table, &secret("ak"), &hasher(&[])), [DigestScheme::Sha256]);
}

#[test]
fn no_secret_is_tried_under_more_than_the_most_schemes() {
    let versions: Vec<u16> = (1..=12).collect();
    let all: Vec<_> = versions.iter().map(|&version| peppered(version)).collect();
    let one = opaque_with("one", "ak", &all[..6]);
    let two = opaque_with("two", "ak", &all[6..]);
    let found = schemes(&KeyspaceTable::new([one, two]), &secret("ak"), &hasher(&versions));
    assert_eq!(found, all[..Token::MOST_SCHEMES]);
}

#[test]
fn an_opaque_secret_that_looks_prefixed_is_read_all_the_same() {
    // The opaque prefix ends in twelve characters, which stand where a prefixed secret has its id.
    let format = opaque(Some("kw_123456789012"), 38);
    let minted = format.mint(&SeededEntropy::new(1), &key_id("ignored")).unwrap();
    let beside = keyspace("beside", prefixed("kw"));
    let table = KeyspaceTable::new([beside, keyspace("one", format)]);
    assert_eq!(schemes(&table, minted.secret.expose(), &hasher(&[])), [DigestScheme::Sha256]);
}

#[test]
fn an_empty_table_knows_no_form() {
    let table = KeyspaceTable::new([]);
    assert_eq!(table.parse(&secret("ak")).unwrap_err(), Malformed::Form);
    assert_eq!(table.parse("").unwrap_err(), Malformed::Form);
}

#[test]
fn keyspaces_are_found_by_name() {
    let table = KeyspaceTable::new([keyspace("one", prefixed("kw"))]);
    assert!(table.find(&KeyspaceId::parse("one").unwrap()).is_some());
    assert!(table.find(&KeyspaceId::parse("two").unwrap()).is_none());
    assert_eq!(table.iter().count(), 1);
}

#[test]
fn a_rate_limit_is_that_of_its_keyspace() {
    let limit = RateLimit::new(5, Lifetime::parse("1m").unwrap()).unwrap();
    let limited = Keyspace { rate_limit: Some(limit), ..keyspace("one", prefixed("a")) };
    let table = KeyspaceTable::new([limited, keyspace("two", prefixed("b"))]);
    assert_eq!(table.rate_limit(&KeyspaceId::parse("one").unwrap()), Some(limit));
    assert_eq!(table.rate_limit(&KeyspaceId::parse("two").unwrap()), None);
    assert_eq!(table.rate_limit(&KeyspaceId::parse("three").unwrap()), None);
}
