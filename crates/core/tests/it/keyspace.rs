//! Keyspaces: how they are created and changed, and which digest schemes they use.

use keyward_core::{
    Alphabet, Description, DigestScheme, Format, HashAlgorithm, Keyspace, KeyspaceChanges,
    KeyspaceId, NewKeyspace, Opaque, PepperVersion, RateLimit, Token, Version,
};
use rstest::rstest;
use serde_json::json;

use crate::support::{at, hasher, keyspace, opaque, prefixed, seconds};

const fn peppered(version: u16) -> DigestScheme {
    DigestScheme::HmacSha256(PepperVersion::new(version))
}

fn new() -> NewKeyspace {
    NewKeyspace::new(KeyspaceId::parse("one").unwrap(), prefixed("kw"))
}

/// A keyspace in which every field says something.
fn full() -> Keyspace {
    let new = NewKeyspace {
        description: Some(Description::parse("for tests").unwrap()),
        algorithm: HashAlgorithm::Sha512,
        default_lifetime: Some(seconds(60)),
        maximum_lifetime: Some(seconds(3_600)),
        rate_limit: Some(RateLimit::new(5, seconds(1)).unwrap()),
        ..new()
    };
    Keyspace::create(new, &hasher(&[]), at(0)).unwrap()
}

#[rstest]
#[case::default(HashAlgorithm::Sha256, &[], DigestScheme::Sha256)]
#[case::longer(HashAlgorithm::Sha512, &[], DigestScheme::Sha512)]
#[case::peppered(HashAlgorithm::Sha256, &[1], peppered(1))]
#[case::pepper_before_algorithm(HashAlgorithm::Sha512, &[1], peppered(1))]
#[case::newest_pepper(HashAlgorithm::Sha256, &[2, 9, 3], peppered(9))]
fn the_newest_pepper_mints_or_else_the_keyspaces_hash(
    #[case] algorithm: HashAlgorithm,
    #[case] peppers: &[u16],
    #[case] scheme: DigestScheme,
) {
    let hasher = hasher(peppers);
    let keyspace = Keyspace::create(NewKeyspace { algorithm, ..new() }, &hasher, at(0)).unwrap();
    assert_eq!(keyspace.minting_scheme(&hasher), scheme);
    assert_eq!(keyspace.schemes, [scheme]);
}

#[test]
fn a_new_keyspace_is_as_it_was_asked_for() {
    let keyspace = full();
    assert_eq!(keyspace.version, Version::FIRST);
    assert_eq!((keyspace.created_at, keyspace.updated_at), (at(0), at(0)));
    assert_eq!(keyspace.id.as_str(), "one");
    assert_eq!(keyspace.format, prefixed("kw"));
    assert_eq!(keyspace.default_lifetime, Some(seconds(60)));
    assert_eq!(keyspace.maximum_lifetime, Some(seconds(3_600)));
    assert_eq!(keyspace.rate_limit.map(RateLimit::requests), Some(5));
    assert_eq!(keyspace.description.unwrap().as_str(), "for tests");
}

#[rstest]
#[case::neither(None, None, true)]
#[case::default_alone(Some(9), None, true)]
#[case::maximum_alone(None, Some(9), true)]
#[case::equal(Some(9), Some(9), true)]
#[case::default_longer(Some(10), Some(9), false)]
fn a_default_over_the_maximum_is_refused(
    #[case] default: Option<u64>,
    #[case] maximum: Option<u64>,
    #[case] accepted: bool,
) {
    let (default, maximum) = (default.map(seconds), maximum.map(seconds));
    let new = NewKeyspace { default_lifetime: default, maximum_lifetime: maximum, ..new() };
    let created = Keyspace::create(new, &hasher(&[]), at(0)).map(drop);
    let changes = KeyspaceChanges {
        default_lifetime: Some(default),
        maximum_lifetime: Some(maximum),
        ..KeyspaceChanges::default()
    };
    let updated = keyspace("one", prefixed("kw")).update(changes, at(1)).map(drop);
    assert_eq!(created, updated);
    assert_eq!(created.map_err(|error| error.field.into_owned()), {
        if accepted { Ok(()) } else { Err("default_lifetime".to_owned()) }
    });
}

#[test]
fn a_maximum_below_the_default_that_stays_is_refused() {
    let changes =
        KeyspaceChanges { maximum_lifetime: Some(Some(seconds(59))), ..KeyspaceChanges::default() };
    assert_eq!(full().update(changes, at(1)).unwrap_err().field, "default_lifetime");
}

#[test]
fn what_is_absent_from_an_update_stays_as_it_is() {
    let before = full();
    let after = before.clone().update(KeyspaceChanges::default(), at(9)).unwrap().unwrap();
    let version = before.version.next();
    assert_eq!(after, Keyspace { version, updated_at: at(9), ..before });
}

#[test]
fn null_in_an_update_takes_away() {
    let changes = KeyspaceChanges {
        description: Some(None),
        default_lifetime: Some(None),
        maximum_lifetime: Some(None),
        rate_limit: Some(None),
        ..KeyspaceChanges::default()
    };
    let after = full().update(changes, at(9)).unwrap().unwrap();
    assert_eq!((after.description, after.rate_limit), (None, None));
    assert_eq!((after.default_lifetime, after.maximum_lifetime), (None, None));
}

#[test]
fn a_new_hash_mints_from_the_next_key_on() {
    let changes =
        KeyspaceChanges { algorithm: Some(HashAlgorithm::Sha256), ..KeyspaceChanges::default() };
    let after = full().update(changes, at(9)).unwrap().unwrap();
    assert_eq!(after.minting_scheme(&hasher(&[])), DigestScheme::Sha256);
    assert_eq!(after.schemes, [DigestScheme::Sha512], "only a key that is issued adds a scheme");
}

#[test]
fn an_update_from_another_version_is_no_update() {
    let from = |version| {
        let changes = KeyspaceChanges { version: Some(version), ..KeyspaceChanges::default() };
        full().update(changes, at(1)).unwrap()
    };
    assert!(from(Version::FIRST).is_some());
    assert_eq!(from(Version::FIRST.next()), None);
}

#[test]
fn a_scheme_comes_first_once() {
    let start = keyspace("one", opaque(None, 32));
    assert_eq!(start.with_scheme(DigestScheme::Sha256).unwrap(), None, "it is there already");

    let longer = start.with_scheme(DigestScheme::Sha512).unwrap().unwrap();
    assert_eq!(longer.schemes, [DigestScheme::Sha512, DigestScheme::Sha256]);
    assert_eq!(longer.version, start.version.next());

    let back = longer.with_scheme(DigestScheme::Sha256).unwrap().unwrap();
    assert_eq!(back.schemes, [DigestScheme::Sha256, DigestScheme::Sha512]);
    assert_eq!(back.version, longer.version.next());
}

#[test]
fn a_ninth_scheme_is_refused_and_an_old_one_is_not() {
    let schemes: Vec<_> = (1..=8).map(peppered).collect();
    assert_eq!(schemes.len(), Token::MOST_SCHEMES);
    let keyspace = Keyspace { schemes, ..keyspace("one", opaque(None, 32)) };
    assert!(keyspace.with_scheme(peppered(9)).is_err());
    let moved = keyspace.with_scheme(peppered(8)).unwrap().unwrap();
    assert_eq!(moved.schemes.len(), Token::MOST_SCHEMES);
    assert_eq!(moved.schemes.first(), Some(&peppered(8)));
}

#[rstest]
#[case::full(full())]
#[case::opaque(keyspace("two", opaque(Some("ak"), 40)))]
#[case::opaque_without_prefix(keyspace("three", opaque(None, 22)))]
fn a_keyspace_is_written_and_read_as_json(#[case] keyspace: Keyspace) {
    let written = serde_json::to_string(&keyspace).unwrap();
    assert_eq!(serde_json::from_str::<Keyspace>(&written).unwrap(), keyspace, "{written}");
}

#[test]
fn a_keyspace_has_a_stable_form_in_json() {
    let keyspace = full().with_scheme(peppered(3)).unwrap().unwrap();
    let expected = json!({
        "id": "one", "version": 2, "description": "for tests",
        "format": "prefixed", "prefix": "kw",
        "algorithm": "sha512", "schemes": ["hmac-sha256:v3", "sha512"],
        "default_lifetime": "1m", "maximum_lifetime": "1h",
        "rate_limit": {"requests": 5, "per": "1s"},
        "created_at": "2027-01-01T00:00:00Z", "updated_at": "2027-01-01T00:00:00Z",
    });
    assert_eq!(serde_json::to_value(&keyspace).unwrap(), expected);
}

#[rstest]
#[case::too_little_chance(json!({"prefix": null, "length": 21, "alphabet": "abc"}))]
#[case::bad_alphabet(json!({"prefix": null, "length": 200, "alphabet": "aa"}))]
#[case::bad_prefix(json!({"prefix": "A_", "length": 200, "alphabet": "abc"}))]
#[case::unknown_setting(json!({"prefix": null, "length": 200, "alphabet": "abc", "salt": 1}))]
fn settings_from_json_obey_the_same_rules(#[case] settings: serde_json::Value) {
    assert!(serde_json::from_value::<Opaque>(settings.clone()).is_err(), "{settings}");
    let good = Opaque::new(None, 200, Alphabet::parse("abc").unwrap()).unwrap();
    let written = serde_json::to_value(Format::Opaque(good.clone())).unwrap();
    assert_eq!(serde_json::from_value::<Format>(written).unwrap(), Format::Opaque(good));
}
