//! New secrets for keys: under the same id, or with a successor.

use keyward_core::{
    AccountState, ActorId, Digest, DigestScheme, Expiry, KeyChanges, KeyRecord, KeyState, Keyspace,
    Lifetime, Name, PreviousSecret, Refusal, Rotation, StoredDigests, StoredSecret, Timestamp,
    Version,
};
use rstest::rstest;

use crate::support::{at, hasher, issued, key_id, keyspace, prefixed, seconds};

fn policy() -> Keyspace {
    keyspace("default", prefixed("kw"))
}

fn digest(text: &str) -> Digest {
    hasher(&[]).digest(DigestScheme::Sha256, text).unwrap()
}

/// A rotation with that many seconds of grace.
fn grace(duration: u64) -> Rotation {
    Rotation { grace: Some(seconds(duration)), ..Rotation::default() }
}

fn with(changes: KeyChanges) -> Rotation {
    Rotation { changes, ..Rotation::default() }
}

/// Rotates to a secret that is called so, asked and done at that second.
fn rotate(
    key: KeyRecord,
    rotation: Rotation,
    secret: &str,
    now: i64,
) -> Result<KeyRecord, Refusal> {
    let new = (digest(secret), format!("hint of {secret}"));
    key.rotate(rotation, new, &policy(), at(now), at(now))
}

fn succeed(
    key: KeyRecord,
    rotation: Rotation,
    now: i64,
) -> Result<(KeyRecord, KeyRecord), Refusal> {
    let secret = StoredSecret::of_digest(digest("new"));
    let new = (key_id("successor"), secret, "hint of new".to_owned());
    let by = ActorId::parse("local").unwrap();
    key.succeed(rotation, new, &policy(), by, at(now), at(now))
}

#[test]
fn without_grace_the_old_secret_is_gone() {
    let before = issued().record;
    let after = rotate(before.clone(), Rotation::default(), "new", 10).unwrap();
    let expected = KeyRecord {
        secret: StoredSecret::of_digest(digest("new")),
        hint: "hint of new".to_owned(),
        rotated_at: Some(at(10)),
        updated_at: at(10),
        version: Version::new(2),
        ..before
    };
    assert_eq!(after, expected);
}

#[test]
fn with_grace_the_old_secret_stays_until_its_end() {
    let before = issued().record;
    let after = rotate(before.clone(), grace(60), "new", 10).unwrap();
    assert_eq!(after.id, before.id);
    let old = before.secret.digest().unwrap().clone();
    let previous = PreviousSecret { digest: old, until: at(70) };
    let expected = StoredDigests { current: digest("new"), previous: Some(previous) };
    assert_eq!(after.secret.digests(), Some(&expected));
}

#[test]
fn a_second_rotation_ends_the_grace_of_the_first() {
    let once = rotate(issued().record, grace(60), "second", 10).unwrap();
    let twice = rotate(once.clone(), grace(60), "third", 20).unwrap();
    let previous = PreviousSecret { digest: digest("second"), until: at(80) };
    assert_eq!(twice.secret.previous(), Some(&previous));
    let at_once = rotate(once, Rotation::default(), "third", 20).unwrap();
    assert_eq!(at_once.secret.previous(), None);
}

#[test]
fn a_disabled_key_stays_disabled() {
    let disabled = issued().record.disable(at(5)).unwrap();
    assert!(!rotate(disabled.clone(), Rotation::default(), "new", 10).unwrap().enabled);
    let (old, new) = succeed(disabled, grace(60), 10).unwrap();
    assert!(!old.enabled);
    assert!(!new.enabled);
}

#[rstest]
#[case::before_the_rotation(9, Some(Refusal::Outdated))]
#[case::after_it(11, None)]
fn of_concurrent_rotations_one_wins(#[case] asked: i64, #[case] refusal: Option<Refusal>) {
    let rotated = rotate(issued().record, Rotation::default(), "new", 10).unwrap();
    let (policy, by) = (policy(), ActorId::parse("local").unwrap());
    let new = (digest("newer"), String::new());
    let again = rotated.clone().rotate(Rotation::default(), new, &policy, at(asked), at(20));
    assert_eq!(again.err(), refusal);
    let secret = StoredSecret::of_digest(digest("newer"));
    let new = (key_id("successor"), secret, String::new());
    let succeeded = rotated.succeed(Rotation::default(), new, &policy, by, at(asked), at(20));
    assert_eq!(succeeded.err(), refusal);
}

#[test]
fn an_expired_key_is_rotated_only_with_a_new_expiry() {
    let expired = KeyRecord { expires_at: Some(at(10)), ..issued().record };
    let field = |refusal| match refusal {
        Some(Refusal::Invalid(error)) => error.field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(rotate(expired.clone(), grace(60), "new", 10).err()), "expires_at");
    assert_eq!(field(succeed(expired.clone(), grace(60), 10).err()), "expires_at");
    let renewed = with(KeyChanges { expiry: Some(Expiry::At(at(20))), ..KeyChanges::default() });
    let key = rotate(expired.clone(), renewed.clone(), "new", 10).unwrap();
    assert_eq!(key.state(AccountState::Active, at(10)), KeyState::Active);
    let (old, new) = succeed(expired.clone(), renewed, 10).unwrap();
    assert_eq!(
        (old.state(AccountState::Active, at(10)), new.state(AccountState::Active, at(10))),
        (KeyState::Expired, KeyState::Active)
    );
    assert!(rotate(expired, Rotation::default(), "new", 9).is_ok(), "it has not expired yet");
}

#[test]
fn a_successor_is_linked_both_ways() {
    let before = issued().record.disable(at(1)).unwrap().enable(at(2)).unwrap();
    let (old, new) = succeed(before.clone(), grace(60), 10).unwrap();
    assert_eq!(old.rotated_to, Some(key_id("successor")));
    assert_eq!(old.version, before.version.next());
    assert_eq!(old.secret, before.secret, "the old secret stays as it is");
    let expected = KeyRecord {
        id: key_id("successor"),
        version: Version::FIRST,
        secret: StoredSecret::of_digest(digest("new")),
        hint: "hint of new".to_owned(),
        created_at: at(10),
        updated_at: at(10),
        rotated_from: Some(before.id.clone()),
        ..before
    };
    assert_eq!(new, expected);
}

#[rstest]
#[case::without_grace(Rotation::default(), at(10))]
#[case::with_grace(grace(60), at(70))]
fn the_succeeded_key_is_revoked_when_the_grace_ends(
    #[case] rotation: Rotation,
    #[case] end: Timestamp,
) {
    let (old, new) = succeed(issued().record, rotation, 10).unwrap();
    let revocation = old.revocation.clone().unwrap();
    assert_eq!(revocation.at, end);
    assert_eq!(revocation.reason.unwrap().as_str(), "rotated");
    assert_eq!(revocation.by.as_str(), "local");
    assert_eq!(old.is_revoked(at(10)), end == at(10));
    assert!(old.is_revoked(end));
    assert_eq!(new.revocation, None);
}

#[test]
fn a_successor_can_be_succeeded_but_its_predecessor_cannot() {
    let (old, new) = succeed(issued().record, grace(60), 10).unwrap();
    assert_eq!(rotate(old.clone(), grace(60), "x", 20), Err(Refusal::AlreadySucceeded));
    assert_eq!(succeed(old, grace(60), 20), Err(Refusal::AlreadySucceeded));
    assert!(rotate(new.clone(), grace(60), "x", 20).is_ok());
    let (middle, newest) = succeed(new, grace(60), 20).unwrap();
    assert_eq!(newest.rotated_from, Some(middle.id));
    assert_eq!(newest.rotated_to, None);
}

#[test]
fn a_successor_of_a_rotated_key_has_not_been_rotated_itself() {
    let rotated = rotate(issued().record, grace(60), "second", 10).unwrap();
    let (_, new) = succeed(rotated, grace(60), 20).unwrap();
    assert_eq!((new.rotated_at, new.secret.previous()), (None, None));
}

#[test]
fn changes_are_made_on_the_occasion() {
    let name = Some(Name::parse("renewed").unwrap());
    let expiry = Some(Expiry::In(seconds(100)));
    let changes = KeyChanges { name: Some(name.clone()), expiry, ..KeyChanges::default() };
    let key = rotate(issued().record, with(changes.clone()), "new", 10).unwrap();
    assert_eq!((key.name, key.expires_at), (name.clone(), Some(at(110))));
    let (old, new) = succeed(issued().record, with(changes), 10).unwrap();
    assert_eq!((new.name, new.expires_at), (name, Some(at(110))));
    assert_eq!((old.name, old.expires_at), (None, None), "they are for the new key alone");
}

#[test]
fn lifetimes_are_counted_from_the_rotation() {
    let policy = Keyspace { maximum_lifetime: Some(seconds(100)), ..policy() };
    let rotated = |expiry| {
        let rotation = with(KeyChanges { expiry: Some(expiry), ..KeyChanges::default() });
        let key = issued().record;
        key.rotate(rotation, (digest("new"), String::new()), &policy, at(50), at(50))
    };
    assert_eq!(rotated(Expiry::Default).unwrap().expires_at, Some(at(150)));
    assert_eq!(rotated(Expiry::At(at(150))).unwrap().expires_at, Some(at(150)));
    assert!(rotated(Expiry::At(at(151))).is_err());
}

#[rstest]
#[case::the_present_one(Version::new(3), None)]
#[case::an_earlier_one(Version::FIRST, Some(Refusal::Outdated))]
#[case::a_later_one(Version::new(4), Some(Refusal::Outdated))]
fn a_rotation_of_another_version_is_outdated(
    #[case] version: Version,
    #[case] refusal: Option<Refusal>,
) {
    let key = issued().record.disable(at(1)).unwrap().enable(at(2)).unwrap();
    let rotation = with(KeyChanges { version: Some(version), ..KeyChanges::default() });
    assert_eq!(rotate(key.clone(), rotation.clone(), "new", 10).err(), refusal);
    assert_eq!(succeed(key, rotation, 10).err(), refusal);
}

#[test]
fn a_grace_beyond_the_calendar_is_refused() {
    let now = Timestamp::parse("9990-01-01T00:00:00Z").unwrap();
    let rotation = Rotation { grace: Lifetime::parse("50w").ok(), ..Rotation::default() };
    let long = Rotation { grace: Lifetime::parse("5000w").ok(), ..Rotation::default() };
    let rotated = |rotation| {
        let new = (digest("new"), String::new());
        issued().record.rotate(rotation, new, &policy(), now, now).map(drop)
    };
    assert_eq!(rotated(rotation), Ok(()));
    let Err(Refusal::Invalid(error)) = rotated(long) else { panic!("the year would be 10085") };
    assert_eq!(error.field, "grace");
}
