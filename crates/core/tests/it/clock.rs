//! What a clock that is set back cannot undo.

use keyward_core::{
    AccountState, ActorId, Asked, Digest, DigestScheme, Expiry, KeyChanges, KeyRecord, KeyState,
    Keyspace, Name, Refusal, Rotation, RotationMode, StoredSecret, Timestamp,
};
use rstest::rstest;

use crate::support::{Issued, at, decide, hasher, issued, key_id, keyspace, prefixed, seconds};

fn operator() -> ActorId {
    ActorId::parse("local").unwrap()
}

fn policy() -> Keyspace {
    keyspace("default", prefixed("kw"))
}

fn digest() -> Digest {
    hasher(&[]).digest(DigestScheme::Sha256, "new").unwrap()
}

/// The code of the decision on the key's own secret, at that second.
fn code_at(key: &Issued, now: i64) -> &'static str {
    let text = key.minted.secret.expose();
    decide(text, &key.keyspace, &key.record, &Asked::default(), at(now)).code()
}

/// A key that was issued at second 0, and what a change made of it.
fn changed(change: impl FnOnce(KeyRecord) -> Result<KeyRecord, Refusal>) -> Issued {
    let key = issued();
    Issued { record: change(key.record).unwrap(), ..key }
}

fn rename() -> KeyChanges {
    KeyChanges { name: Some(Name::parse("renamed").ok()), ..KeyChanges::default() }
}

fn rotate(key: KeyRecord, rotation: Rotation, asked_at: i64) -> Result<KeyRecord, Refusal> {
    let now = at(asked_at);
    match rotation.mode.unwrap_or(RotationMode::SameId) {
        RotationMode::SameId => {
            key.rotate(rotation, (digest(), String::new()), &policy(), now, now)
        }
        RotationMode::Successor => {
            let new = (key_id("successor"), StoredSecret::of_digest(digest()), String::new());
            key.succeed(rotation, new, &policy(), operator(), now, now).map(|(old, _)| old)
        }
    }
}

#[test]
fn a_revoked_key_stays_revoked() {
    let key = changed(|key| key.revoke(None, operator(), at(100)));
    for now in [0, 50, 99, 100, 101] {
        assert_eq!(code_at(&key, now), "revoked", "at {now}");
        assert_eq!(key.record.state(AccountState::Active, at(now)), KeyState::Revoked);
        assert_eq!(key.record.clone().enable(at(now)), Err(Refusal::Revoked));
        let again = key.record.clone().revoke(None, operator(), at(now));
        assert_eq!(again, Err(Refusal::AlreadyRevoked));
    }
}

#[test]
fn a_succeeded_key_stays_revoked() {
    let key = changed(|key| rotate(key, mode(RotationMode::Successor), 100));
    assert_eq!(code_at(&key, 50), "revoked");
}

#[test]
fn an_expired_key_that_was_changed_stays_expired() {
    let expiring = KeyRecord { expires_at: Some(at(100)), ..issued().record };
    let key = changed(|_| expiring.update(rename(), &policy(), at(100)));
    for now in [0, 99, 100] {
        assert_eq!(code_at(&key, now), "expired", "at {now}");
        assert_eq!(key.record.state(AccountState::Active, at(now)), KeyState::Expired);
    }
}

#[test]
fn a_replaced_secret_whose_grace_has_ended_stays_dead() {
    let rotation = Rotation { grace: Some(seconds(50)), ..Rotation::default() };
    let key = changed(|key| rotate(key, rotation, 10)?.disable(at(60))?.enable(at(100)));
    assert_eq!(code_at(&key, 20), "unknown");
}

#[test]
fn the_last_change_is_never_before_the_one_before_it() {
    let key = issued().record.disable(at(100)).unwrap();
    let key = key.enable(at(50)).unwrap();
    assert_eq!(key.updated_at, at(100));
    let key = key.delete(operator(), at(40)).unwrap().restore(at(30)).unwrap();
    assert_eq!(key.updated_at, at(100));
    assert_eq!(key.update(rename(), &policy(), at(101)).unwrap().updated_at, at(101));
}

fn mode(mode: RotationMode) -> Rotation {
    Rotation { mode: Some(mode), ..Rotation::default() }
}

#[rstest]
fn a_key_can_be_rotated_again(
    #[values(RotationMode::SameId, RotationMode::Successor)] next: RotationMode,
) {
    let key = rotate(issued().record, Rotation::default(), 100).unwrap();
    let again = rotate(key.clone(), mode(next), 50).unwrap();
    assert_eq!((again.updated_at, again.version), (at(100), key.version.next()));
}

#[rstest]
fn a_grace_is_granted_in_full(
    #[values(RotationMode::SameId, RotationMode::Successor)] next: RotationMode,
) {
    let rotation = Rotation { grace: Some(seconds(10)), ..mode(next) };
    let key = changed(|key| rotate(key.disable(at(90))?.enable(at(100))?, rotation, 50));
    assert_eq!(code_at(&key, 50), "allowed");
    assert_eq!(code_at(&key, 109), "allowed");
    assert_ne!(code_at(&key, 110), "allowed");
}

#[rstest]
#[case::by_lifetime(Expiry::In(seconds(10)), Ok(Some(at(110))))]
#[case::by_instant(Expiry::At(at(101)), Ok(Some(at(101))))]
#[case::by_an_instant_that_had_come(Expiry::At(at(100)), Err("expires_at"))]
fn no_change_is_dead_from_the_start(
    #[case] expiry: Expiry,
    #[case] expected: Result<Option<Timestamp>, &str>,
) {
    let key = issued().record.disable(at(90)).unwrap().enable(at(100)).unwrap();
    let changes = KeyChanges { expiry: Some(expiry), ..KeyChanges::default() };
    let outcome = |result: Result<KeyRecord, Refusal>| match result {
        Ok(key) => Ok(key.expires_at),
        Err(Refusal::Invalid(error)) => Err(error.field.into_owned()),
        Err(other) => panic!("{other:?}"),
    };
    let expected = expected.map_err(str::to_owned);
    let rotation = Rotation { changes: changes.clone(), ..Rotation::default() };
    assert_eq!(outcome(key.clone().update(changes, &policy(), at(50))), expected);
    assert_eq!(outcome(rotate(key, rotation, 50)), expected);
}

#[rstest]
fn an_expired_key_that_was_changed_is_not_rotated_without_a_new_expiry(
    #[values(RotationMode::SameId, RotationMode::Successor)] next: RotationMode,
) {
    let expired = KeyRecord { expires_at: Some(at(90)), ..issued().record };
    let key = expired.update(rename(), &policy(), at(100)).unwrap();
    assert!(matches!(rotate(key, mode(next), 50), Err(Refusal::Invalid(_))));
}
