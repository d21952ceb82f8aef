//! Which act is possible in which state of a key, and what it leaves behind.

use keyward_core::{
    AccountState, ActorId, Digest, DigestScheme, FormatKind, Invalid, KeyChanges, KeyId, KeyRecord,
    KeyState, Locator, Reason, Refusal, Revocation, Rotation, StoredSecret, Version,
};
use rstest::rstest;

use Act::{Delete, Disable, Enable, Restore, Revoke, Rotate, Succeed, Update};
use Refusal::{
    AlreadyDisabled, AlreadyEnabled, AlreadyRevoked, AlreadySucceeded, Deleted, NotDeleted, Revoked,
};

use crate::support::{
    at, hasher, issue, issued, key_id, keyspace, opaque, prefixed, with_previous,
};

/// When the acts happen.
const NOW: i64 = 100;

fn operator() -> ActorId {
    ActorId::parse("local").unwrap()
}

fn digest(text: &str) -> Digest {
    hasher(&[]).digest(DigestScheme::Sha256, text).unwrap()
}

fn revoked_at(second: i64) -> Revocation {
    Revocation { at: at(second), reason: None, by: operator() }
}

/// A key issued at second 0 that is in one of the situations in which a key can be.
fn key_that_is(situation: &str) -> KeyRecord {
    let key = issued().record;
    match situation {
        "active" => key,
        "deleted" => key.delete(operator(), at(50)).unwrap(),
        "deleted and revoked" => {
            key.revoke(None, operator(), at(40)).unwrap().delete(operator(), at(50)).unwrap()
        }
        "disabled" => key.disable(at(50)).unwrap(),
        "expired" => KeyRecord { expires_at: Some(at(NOW)), ..key },
        "not yet valid" => KeyRecord { not_before: Some(at(NOW + 1)), ..key },
        "revoked" => KeyRecord { revocation: Some(revoked_at(NOW)), ..key },
        "succeeded, in its grace" => KeyRecord {
            revocation: Some(revoked_at(NOW + 1)),
            rotated_to: Some(key_id("successor")),
            ..key
        },
        _ => unreachable!("{situation}"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Delete,
    Disable,
    Enable,
    Restore,
    Revoke,
    Rotate,
    Succeed,
    Update,
}

impl Act {
    fn on(self, key: KeyRecord) -> Result<KeyRecord, Refusal> {
        let (policy, now) = (keyspace("default", prefixed("kw")), at(NOW));
        let (digest, hint) = (digest("new"), "new hint".to_owned());
        match self {
            Self::Delete => key.delete(operator(), now),
            Self::Disable => key.disable(now),
            Self::Enable => key.enable(now),
            Self::Restore => key.restore(now),
            Self::Revoke => key.revoke(Reason::parse("leaked").ok(), operator(), now),
            Self::Rotate => key.rotate(Rotation::default(), (digest, hint), &policy, now, now),
            Self::Succeed => {
                let new = (key_id("successor"), StoredSecret::of_digest(digest), hint);
                let pair = key.succeed(Rotation::default(), new, &policy, operator(), now, now);
                pair.map(|(old, _)| old)
            }
            Self::Update => key.update(KeyChanges::default(), &policy, now),
        }
    }
}

/// Where an act that is not among those refused is possible.
#[rstest]
#[case("active", &[(Enable, AlreadyEnabled), (Restore, NotDeleted)])]
#[case("expired", &[
    (Enable, AlreadyEnabled), (Restore, NotDeleted), (Rotate, has_expired()),
    (Succeed, has_expired()),
])]
#[case("not yet valid", &[(Enable, AlreadyEnabled), (Restore, NotDeleted)])]
#[case("disabled", &[(Disable, AlreadyDisabled), (Restore, NotDeleted)])]
#[case("succeeded, in its grace", &[
    (Enable, AlreadyEnabled), (Restore, NotDeleted),
    (Rotate, AlreadySucceeded), (Succeed, AlreadySucceeded),
])]
#[case("revoked", &[
    (Disable, Revoked), (Enable, Revoked), (Restore, NotDeleted), (Revoke, AlreadyRevoked),
    (Rotate, Revoked), (Succeed, Revoked), (Update, Revoked),
])]
#[case("deleted", OF_DELETED)]
#[case("deleted and revoked", OF_DELETED_AND_REVOKED)]
fn an_act_is_possible_or_refused_by_name(
    #[case] situation: &str,
    #[case] refused: &[(Act, Refusal)],
) {
    for act in [Delete, Disable, Enable, Restore, Revoke, Rotate, Succeed, Update] {
        let expected = refused.iter().find(|(refused, _)| *refused == act);
        let before = key_that_is(situation);
        let result = act.on(before.clone());
        assert_eq!(result.as_ref().err(), expected.map(|(_, refusal)| refusal), "{act:?}");
        if let Ok(after) = result {
            assert_eq!(after.version, before.version.next(), "{act:?}");
            assert_eq!(after.id, before.id, "{act:?}");
        }
    }
}

/// A new secret for it would be dead from the start.
fn has_expired() -> Refusal {
    Invalid::new("must be given, in the future: the key has expired").at("expires_at").into()
}

const OF_DELETED: &[(Act, Refusal)] = &[
    (Delete, Deleted),
    (Disable, Deleted),
    (Enable, Deleted),
    (Rotate, Deleted),
    (Succeed, Deleted),
    (Update, Deleted),
];
const OF_DELETED_AND_REVOKED: &[(Act, Refusal)] = &[
    (Delete, Deleted),
    (Disable, Deleted),
    (Enable, Deleted),
    (Rotate, Deleted),
    (Succeed, Deleted),
    (Update, Deleted),
    (Revoke, AlreadyRevoked),
];

#[rstest]
#[case("active", KeyState::Active)]
#[case("deleted", KeyState::Deleted)]
#[case("deleted and revoked", KeyState::Deleted)]
#[case("disabled", KeyState::Disabled)]
#[case("expired", KeyState::Expired)]
#[case("not yet valid", KeyState::NotYetValid)]
#[case("revoked", KeyState::Revoked)]
#[case("succeeded, in its grace", KeyState::Active)]
fn a_key_comes_to_a_state(#[case] situation: &str, #[case] state: KeyState) {
    assert_eq!(key_that_is(situation).state(AccountState::Active, at(NOW)), state);
}

#[test]
fn of_several_states_the_first_that_holds_counts() {
    let mut key = issued().record;
    let mut state_with = |change: &dyn Fn(&mut KeyRecord)| {
        change(&mut key);
        key.state(AccountState::Active, at(NOW))
    };
    assert_eq!(state_with(&|key| key.not_before = Some(at(NOW + 1))), KeyState::NotYetValid);
    assert_eq!(state_with(&|key| key.enabled = false), KeyState::Disabled);
    assert_eq!(state_with(&|key| key.revocation = Some(revoked_at(NOW))), KeyState::Revoked);
    assert_eq!(state_with(&|key| key.expires_at = Some(at(NOW))), KeyState::Expired);
    let deleted = key.delete(operator(), at(NOW)).unwrap();
    assert_eq!(deleted.state(AccountState::Active, at(NOW)), KeyState::Deleted);
}

#[test]
fn switching_off_and_on_changes_nothing_else() {
    let before = issued().record;
    let off = before.clone().disable(at(NOW)).unwrap();
    let second = KeyRecord { version: Version::new(2), updated_at: at(NOW), ..before.clone() };
    assert_eq!(off, KeyRecord { enabled: false, ..second });
    let on = off.enable(at(NOW + 1)).unwrap();
    assert_eq!(on, KeyRecord { version: Version::new(3), updated_at: at(NOW + 1), ..before });
}

#[test]
fn a_revocation_says_when_why_and_who() {
    let before = issued().record;
    let reason = Reason::parse("leaked").ok();
    let after = before.clone().revoke(reason.clone(), operator(), at(NOW)).unwrap();
    let revocation = Some(Revocation { at: at(NOW), reason, by: operator() });
    let version = Version::new(2);
    assert_eq!(after, KeyRecord { revocation, version, updated_at: at(NOW), ..before });
}

#[test]
fn a_revocation_now_replaces_one_in_the_future() {
    let key = key_that_is("succeeded, in its grace");
    let after = key.revoke(None, operator(), at(NOW)).unwrap();
    assert_eq!(after.revocation.map(|revocation| revocation.at), Some(at(NOW)));
}

#[test]
fn a_restored_key_is_as_it_was() {
    let before = key_that_is("disabled");
    let deleted = before.clone().delete(operator(), at(NOW)).unwrap();
    let deletion = deleted.deletion.clone().unwrap();
    assert_eq!((deletion.at, deletion.by), (at(NOW), operator()));
    let version = before.version.next().next();
    assert_eq!(
        deleted.restore(at(NOW)).unwrap(),
        KeyRecord { version, updated_at: at(NOW), ..before }
    );
}

#[test]
fn a_restored_key_that_was_revoked_stays_revoked() {
    let key = key_that_is("deleted and revoked").restore(at(NOW)).unwrap();
    assert_eq!(key.state(AccountState::Active, at(NOW)), KeyState::Revoked);
}

#[test]
fn a_prefixed_key_is_found_by_its_id_alone() {
    let key = with_previous(issued().record, digest("previous"), at(NOW));
    let locators: Vec<_> = key.locators().collect();
    assert_eq!(locators, [Locator::KeyId(key.id)]);
}

#[test]
fn an_opaque_key_is_found_by_the_digests_of_its_secrets() {
    let key = issue(keyspace("default", opaque(None, 32)), &hasher(&[])).record;
    let found_by = |key: &KeyRecord| key.locators().collect::<Vec<_>>();
    let mut digests = vec![Locator::Digest(key.secret.digest().unwrap().clone())];
    assert_eq!(found_by(&key), digests);
    digests.push(Locator::Digest(digest("previous")));
    assert_eq!(found_by(&with_previous(key, digest("previous"), at(NOW))), digests);
}

#[test]
fn a_state_is_written_the_same_everywhere() {
    for state in KeyState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}

#[test]
fn a_new_key_has_the_first_version_and_no_past() {
    let key = issued().record;
    assert_eq!((key.version, key.created_at), (Version::FIRST, at(0)));
    assert!(key.enabled && key.revocation.is_none() && key.deletion.is_none());
    assert!(key.rotated_at.is_none() && key.secret.previous().is_none());
    assert_eq!(key.id.as_str().len(), KeyId::LENGTH);
}

#[test]
fn a_record_is_at_its_locators_and_at_no_other() {
    let by_id = with_previous(issued().record, digest("previous"), at(NOW));
    let by_digest = KeyRecord { format: FormatKind::Opaque, ..by_id.clone() };
    for key in [&by_id, &by_digest] {
        assert!(key.locators().all(|locator| key.is_at(&locator)));
        let other = if key.format == FormatKind::Opaque { &by_id } else { &by_digest };
        assert!(!other.locators().any(|locator| key.is_at(&locator)));
        assert!(!key.is_at(&Locator::KeyId(KeyId::parse("another").unwrap())));
        assert!(!key.is_at(&Locator::Digest(digest("another"))));
    }
}

#[test]
fn a_record_in_one_piece_reads_back_and_damaged_ones_do_not() {
    let plain = issued().record;
    let full = KeyRecord {
        revocation: Some(revoked_at(NOW)),
        metadata: keyward_core::Metadata::new([("n".to_owned(), 1.into())].into_iter().collect())
            .unwrap(),
        ..with_previous(plain.clone(), digest("previous"), at(NOW))
    };
    for record in [plain, full] {
        let stored = record.to_stored();
        assert_eq!(KeyRecord::from_stored(&stored), Ok(record));
        for cut in 0..stored.len() {
            assert!(KeyRecord::from_stored(&stored[..cut]).is_err(), "{cut}");
        }
        let longer = [stored.as_slice(), b"{}"].concat();
        assert!(KeyRecord::from_stored(&longer).is_err());
        let text = String::from_utf8(stored).unwrap();
        for (part, other) in
            [("sha256", "md5"), ("\"id\"", "\"ids\""), ("\"enabled\":true", "\"enabled\":1")]
        {
            assert!(text.contains(part));
            assert!(
                KeyRecord::from_stored(text.replace(part, other).as_bytes()).is_err(),
                "{other}"
            );
        }
    }
}
