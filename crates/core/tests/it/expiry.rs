//! When keys expire, and what else can be changed about them.

use std::collections::BTreeMap;

use keyward_core::{
    Description, Expiry, FieldError, KeyChanges, KeyRecord, Keyspace, Metadata, Name, NewKey,
    OwnerId, Refusal, ResourceId, ResourceScopes, Scope, ScopeSet, Tag, TagSet, Timestamp, Version,
};
use rstest::rstest;
use serde_json::json;

use crate::support::{at, issued, key_id, keyspace, prefixed, seconds};

/// The default and maximum lifetime of a keyspace, in seconds.
type Policy = (Option<u64>, Option<u64>);

const OPEN: Policy = (None, None);
const DEFAULT: Policy = (Some(50), None);
const MAXIMUM: Policy = (None, Some(100));
const BOTH: Policy = (Some(50), Some(100));

fn policy((default, maximum): Policy) -> Keyspace {
    Keyspace {
        default_lifetime: default.map(seconds),
        maximum_lifetime: maximum.map(seconds),
        ..keyspace("default", prefixed("kw"))
    }
}

/// Issues a key at second 0.
fn issue(
    policy: &Keyspace,
    expiry: Expiry,
    not_before: Option<Timestamp>,
) -> Result<KeyRecord, FieldError> {
    let new = NewKey { expiry, not_before, ..NewKey::new(OwnerId::parse("user-7").unwrap()) };
    let secret = issued().record.secret;
    KeyRecord::issue(new, key_id("id"), secret, String::new(), policy, at(0))
}

fn second(n: i64) -> Expiry {
    Expiry::At(at(n))
}

fn within(n: u64) -> Expiry {
    Expiry::In(seconds(n))
}

#[rstest]
#[case::never_by_default(OPEN, Expiry::Default, None)]
#[case::never(OPEN, Expiry::Never, None)]
#[case::at(OPEN, second(7), Some(7))]
#[case::within(OPEN, within(7), Some(7))]
#[case::the_default(DEFAULT, Expiry::Default, Some(50))]
#[case::later_than_the_default(DEFAULT, second(500), Some(500))]
#[case::never_despite_a_default(DEFAULT, Expiry::Never, None)]
#[case::the_maximum(MAXIMUM, Expiry::Default, Some(100))]
#[case::at_the_maximum(MAXIMUM, second(100), Some(100))]
#[case::within_the_maximum(MAXIMUM, within(100), Some(100))]
#[case::the_default_before_the_maximum(BOTH, Expiry::Default, Some(50))]
#[case::between_default_and_maximum(BOTH, within(70), Some(70))]
fn a_key_expires_as_asked_or_as_the_keyspace_says(
    #[case] lifetimes: Policy,
    #[case] asked: Expiry,
    #[case] expected: Option<i64>,
) {
    let key = issue(&policy(lifetimes), asked, None).unwrap();
    assert_eq!(key.expires_at, expected.map(at));
}

#[rstest]
#[case::in_the_past(OPEN, second(-1), "expires_at")]
#[case::now(OPEN, second(0), "expires_at")]
#[case::never_under_a_maximum(MAXIMUM, Expiry::Never, "expires_at")]
#[case::at_beyond_the_maximum(MAXIMUM, second(101), "expires_at")]
#[case::within_beyond_the_maximum(BOTH, within(101), "expires_in")]
fn an_expiry_against_the_rules_is_refused(
    #[case] lifetimes: Policy,
    #[case] asked: Expiry,
    #[case] field: &str,
) {
    assert_eq!(issue(&policy(lifetimes), asked, None).unwrap_err().field, field);
}

#[rstest]
#[case::before(9, true)]
#[case::equal(10, false)]
#[case::after(11, false)]
fn a_key_that_could_never_be_valid_is_refused(#[case] first: i64, #[case] accepted: bool) {
    let refused = |result: Result<KeyRecord, FieldError>| result.err().map(|error| error.field);
    let expected = if accepted { None } else { Some("not_before".into()) };
    let key = issue(&policy(OPEN), second(10), Some(at(first)));
    assert_eq!(refused(key), expected);

    let update = |key: KeyRecord, changes| match key.update(changes, &policy(OPEN), at(1)) {
        Err(Refusal::Invalid(error)) => Some(error.field),
        other => other.map(|_| None).unwrap(),
    };
    let expiring = issue(&policy(OPEN), second(10), None).unwrap();
    let begin = KeyChanges { not_before: Some(Some(at(first))), ..KeyChanges::default() };
    assert_eq!(update(expiring, begin), expected);
    let beginning = issue(&policy(OPEN), Expiry::Never, Some(at(first))).unwrap();
    let end = KeyChanges { expiry: Some(second(10)), ..KeyChanges::default() };
    assert_eq!(update(beginning, end), expected);
}

/// Asks at second 80 for another expiry of a key that was issued at second 0.
fn expiry_after_update(lifetimes: Policy, asked: Expiry) -> Result<Option<Timestamp>, Refusal> {
    let key = issue(&policy(lifetimes), Expiry::Default, None).unwrap();
    let changes = KeyChanges { expiry: Some(asked), ..KeyChanges::default() };
    key.update(changes, &policy(lifetimes), at(80)).map(|key| key.expires_at)
}

#[rstest]
#[case::never(OPEN, Expiry::Never, None)]
#[case::within(OPEN, within(10), Some(90))]
#[case::the_default_from_now_on(DEFAULT, Expiry::Default, Some(130))]
#[case::the_default_up_to_the_maximum(BOTH, Expiry::Default, Some(100))]
#[case::what_is_left_of_the_maximum(MAXIMUM, Expiry::Default, Some(100))]
#[case::at_the_maximum(MAXIMUM, second(100), Some(100))]
fn an_expiry_can_be_changed(
    #[case] lifetimes: Policy,
    #[case] asked: Expiry,
    #[case] expected: Option<i64>,
) {
    assert_eq!(expiry_after_update(lifetimes, asked), Ok(expected.map(at)));
}

#[rstest]
#[case::in_the_past(OPEN, second(79))]
#[case::never_under_a_maximum(MAXIMUM, Expiry::Never)]
#[case::a_second_life(MAXIMUM, within(100))]
#[case::beyond_the_maximum(MAXIMUM, second(101))]
fn no_change_lets_a_key_outlive_the_maximum(#[case] lifetimes: Policy, #[case] asked: Expiry) {
    assert!(matches!(expiry_after_update(lifetimes, asked), Err(Refusal::Invalid(_))));
}

#[test]
fn a_rotation_begins_a_new_lifetime() {
    let (rotated_at, policy) = (Some(at(60)), policy(MAXIMUM));
    let key = KeyRecord { rotated_at, ..issue(&policy, Expiry::Default, None).unwrap() };
    let updated = |expiry| {
        let changes = KeyChanges { expiry: Some(expiry), ..KeyChanges::default() };
        key.clone().update(changes, &policy, at(80)).map(|key| key.expires_at)
    };
    assert_eq!(updated(second(160)), Ok(Some(at(160))));
    assert_eq!(updated(Expiry::Default), Ok(Some(at(160))));
    assert!(matches!(updated(second(161)), Err(Refusal::Invalid(_))));
}

#[test]
fn a_key_older_than_the_maximum_is_left_alone_until_its_expiry_is_changed() {
    let key = issue(&policy(OPEN), Expiry::Never, None).unwrap();
    let update = |changes| key.clone().update(changes, &policy(MAXIMUM), at(200));
    assert_eq!(update(KeyChanges::default()).unwrap().expires_at, None);
    let changes = KeyChanges { expiry: Some(Expiry::Default), ..KeyChanges::default() };
    assert!(matches!(update(changes), Err(Refusal::Invalid(_))));
}

/// A key in which every field that can be changed says something.
fn full() -> KeyRecord {
    let scopes = ScopeSet::new([Scope::parse("read").unwrap()]).unwrap();
    let project = ResourceId::parse("project:1").unwrap();
    KeyRecord {
        name: Some(Name::parse("ci").unwrap()),
        description: Some(Description::parse("for tests").unwrap()),
        resources: ResourceScopes::new(BTreeMap::from([(project, scopes.clone())])).unwrap(),
        scopes,
        tags: TagSet::new([Tag::parse("prod").unwrap()]).unwrap(),
        metadata: Metadata::new(json!({"team": 7}).as_object().unwrap().clone()).unwrap(),
        not_before: Some(at(5)),
        expires_at: Some(at(500)),
        ..issued().record
    }
}

fn update(changes: KeyChanges) -> Result<KeyRecord, Refusal> {
    full().update(changes, &policy(OPEN), at(10))
}

#[test]
fn what_is_absent_stays_as_it_is() {
    let before = full();
    let version = before.version.next();
    assert_eq!(
        update(KeyChanges::default()).unwrap(),
        KeyRecord { version, updated_at: at(10), ..before }
    );
}

#[test]
fn null_and_empty_take_away() {
    let changes = KeyChanges {
        version: None,
        name: Some(None),
        description: Some(None),
        scopes: Some(ScopeSet::default()),
        resources: Some(ResourceScopes::default()),
        tags: Some(TagSet::default()),
        metadata: Some(Metadata::default()),
        enabled: None,
        expiry: Some(Expiry::Never),
        not_before: Some(None),
    };
    let version = Version::new(2);
    assert_eq!(
        update(changes).unwrap(),
        KeyRecord { version, updated_at: at(10), ..issued().record }
    );
}

#[test]
fn what_is_given_replaces() {
    let name = Name::parse("release").unwrap();
    let scopes = ScopeSet::new([Scope::parse("write").unwrap()]).unwrap();
    let changes = KeyChanges {
        name: Some(Some(name.clone())),
        scopes: Some(scopes.clone()),
        enabled: Some(false),
        ..KeyChanges::default()
    };
    let version = Version::new(2);
    let expected = KeyRecord {
        name: Some(name),
        scopes,
        enabled: false,
        version,
        updated_at: at(10),
        ..full()
    };
    assert_eq!(update(changes).unwrap(), expected);
}

#[rstest]
#[case::the_present_one(Version::FIRST, None)]
#[case::another(Version::new(2), Some(Refusal::Outdated))]
#[case::none_that_ever_was(Version::new(0), Some(Refusal::Outdated))]
fn an_update_from_another_version_is_outdated(
    #[case] version: Version,
    #[case] refusal: Option<Refusal>,
) {
    let changes = KeyChanges { version: Some(version), ..KeyChanges::default() };
    assert_eq!(update(changes).err(), refusal);
}
