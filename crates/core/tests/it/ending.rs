//! Since when a key has been at its end.

use keyward_core::{
    AccountState, ActorId, EndedBy, Ending, KeyChanges, KeyRecord, KeyState, Name, Revocation,
};
use rstest::rstest;

use crate::support::{at, issued, keyspace, prefixed};

fn operator() -> ActorId {
    ActorId::parse("local").unwrap()
}

fn expiring_at(second: i64) -> KeyRecord {
    KeyRecord { expires_at: Some(at(second)), ..issued().record }
}

fn revoked_at(second: i64, key: KeyRecord) -> KeyRecord {
    let revocation = Some(Revocation { at: at(second), reason: None, by: operator() });
    KeyRecord { revocation, ..key }
}

#[rstest]
#[case::neither(issued().record, [None, None, None])]
#[case::expired(expiring_at(10), [None, Some(Ending::Expired), Some(Ending::Expired)])]
#[case::revoked(revoked_at(10, issued().record), [None, Some(Ending::Revoked), Some(Ending::Revoked)])]
#[case::revoked_first(
    revoked_at(9, expiring_at(11)),
    [Some(Ending::Revoked), Some(Ending::Revoked), Some(Ending::Expired)]
)]
#[case::revoked_last(
    revoked_at(11, expiring_at(10)),
    [None, Some(Ending::Expired), Some(Ending::Expired)]
)]
fn a_key_has_ended_at_and_after_the_instant(
    #[case] key: KeyRecord,
    #[case] expected: [Option<Ending>; 3],
) {
    let deleted = key.clone().delete(operator(), at(0)).unwrap();
    for key in [key, deleted] {
        assert_eq!([9, 10, 11].map(|second| key.ended(EndedBy::instant(at(second)))), expected);
    }
}

#[test]
fn a_key_that_is_deleted_or_switched_off_has_not_ended() {
    let key = issued().record.disable(at(5)).unwrap().delete(operator(), at(6)).unwrap();
    assert_eq!(key.ended(EndedBy::instant(at(1_000))), None);
}

#[test]
fn a_change_of_a_key_moves_its_end_nowhere() {
    let rename = KeyChanges { name: Some(Name::parse("n").ok()), ..KeyChanges::default() };
    let policy = keyspace("default", prefixed("kw"));
    let key = expiring_at(100).update(rename, &policy, at(500)).unwrap();
    // Its own present is the instant of the change, by which it has expired.
    assert_eq!(key.state(AccountState::Active, at(50)), KeyState::Expired);
    assert_eq!(key.ended(EndedBy::instant(at(99))), None);
    assert_eq!(key.ended(EndedBy::instant(at(100))), Some(Ending::Expired));
}

#[test]
fn a_key_that_is_revoked_by_a_clock_that_was_set_back_has_ended_by_that_clock() {
    let key = issued().record.disable(at(500)).unwrap();
    let key = key.revoke(None, operator(), at(100)).unwrap();
    assert_eq!(key.ended(EndedBy::instant(at(99))), None);
    assert_eq!(key.ended(EndedBy::instant(at(100))), Some(Ending::Revoked));
}

#[test]
fn that_a_key_is_deleted_is_an_end_where_it_is_asked_for() {
    let by = EndedBy { deleted: Some(at(10)), ended: Some(at(5)) };
    let key = issued().record;
    assert_eq!(key.ended(by), None);
    let deleted = |second| key.clone().delete(operator(), at(second)).unwrap();
    assert_eq!(
        [9, 10, 11].map(|second| deleted(second).ended(by)),
        [Some(Ending::Deleted), Some(Ending::Deleted), None]
    );
    assert_eq!(deleted(9).ended(EndedBy::instant(at(10))), None);
    let revoked = deleted(9).revoke(None, operator(), at(5)).unwrap();
    assert_eq!(revoked.ended(by), Some(Ending::Revoked));
}
