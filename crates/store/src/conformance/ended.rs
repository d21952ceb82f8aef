//! Rules about keys that have ended.

use std::slice;

use keyward_core::{
    Deletion, EndedBy, KeyId, KeyRecord, KeyWrite, KeyspaceId, Revocation, Timestamp,
};

use super::sample::{at, change, changed, insert, key, opaque_key, update};
use crate::Store;

/// More than there are.
const ALL: usize = 100;

fn expiring(id: &str, second: i64) -> KeyRecord {
    KeyRecord { expires_at: Some(at(second)), ..key(id) }
}

/// A key that never expires and is revoked at that second.
fn revoked(id: &str, second: i64) -> KeyRecord {
    KeyRecord { expires_at: None, revocation: Some(revocation(second)), ..opaque_key(id) }
}

fn revocation(second: i64) -> Revocation {
    Revocation { at: at(second), reason: None, by: "actor".parse().unwrap() }
}

/// The ids of the keys that had ended by an instant, sorted.
async fn ended(store: &dyn Store, by: Timestamp) -> Vec<KeyId> {
    let records = store.ended(EndedBy::instant(by), &[], ALL).await.unwrap();
    let mut ids: Vec<_> = records.into_iter().map(|record| record.id).collect();
    ids.sort_unstable();
    ids
}

fn ids(names: &[&str]) -> Vec<KeyId> {
    names.iter().map(|name| KeyId::parse(*name).unwrap()).collect()
}

/// A key has ended at and after the instant of its expiry or of its revocation, which may lie in the
/// future; one that has neither never ends. The records are whole.
pub async fn keys_have_ended_at_and_after_their_instant(store: &dyn Store) {
    let endless = KeyRecord { expires_at: None, ..key("endless") };
    let (soon, later) = (expiring("expiring", 10), revoked("revoked", 11));
    let disabled = KeyRecord { enabled: false, ..expiring("disabled", 12) };
    for record in [&endless, &soon, &later, &disabled] {
        insert(store, record).await;
    }
    assert_eq!(ended(store, at(9)).await, []);
    let just_before = Timestamp::from_micros(at(10).as_micros() - 1).unwrap();
    assert_eq!(ended(store, just_before).await, []);
    assert_eq!(
        store.ended(EndedBy::instant(at(10)), &[], ALL).await.unwrap(),
        slice::from_ref(&soon)
    );
    assert_eq!(ended(store, at(11)).await, ids(&["expiring", "revoked"]));
    assert_eq!(ended(store, at(12)).await, ids(&["disabled", "expiring", "revoked"]));
    store.apply(&change(vec![KeyWrite::Purge(Box::new(soon))])).await.unwrap();
    store.apply(&change(vec![KeyWrite::Purge(Box::new(disabled))])).await.unwrap();
    assert_eq!(store.ended(EndedBy::instant(at(100_000)), &[], ALL).await.unwrap(), [later]);
}

/// A deleted key has ended by its expiry or its revocation, and not by being deleted.
pub async fn deleted_keys_have_ended_as_others_do(store: &dyn Store) {
    let deletion = || Some(Deletion { at: at(1), by: "actor".parse().unwrap() });
    let endless = KeyRecord { expires_at: None, ..key("endless") };
    for record in [endless, expiring("expiring", 10), revoked("revoked", 10)] {
        insert(store, &KeyRecord { deletion: deletion(), ..record }).await;
    }
    assert_eq!(ended(store, at(9)).await, []);
    assert_eq!(ended(store, at(10)).await, ids(&["expiring", "revoked"]));
}

/// The end is told by its instant alone, whenever the key was last changed; a new expiry counts.
pub async fn a_change_of_a_key_moves_its_end_nowhere(store: &dyn Store) {
    let (expiring, revoked) = (expiring("expiring", 10), revoked("revoked", 10));
    for record in [&expiring, &revoked] {
        insert(store, record).await;
        let later = KeyRecord { updated_at: at(500), ..changed(record) };
        store.apply(&update(record, &later)).await.unwrap();
    }
    assert_eq!(ended(store, at(9)).await, []);
    assert_eq!(ended(store, at(10)).await, ids(&["expiring", "revoked"]));
    let before = changed(&expiring);
    let prolonged = KeyRecord { expires_at: Some(at(20)), ..changed(&before) };
    store.apply(&update(&before, &prolonged)).await.unwrap();
    assert_eq!(ended(store, at(19)).await, ids(&["revoked"]));
    assert_eq!(ended(store, at(20)).await, ids(&["expiring", "revoked"]));
}

/// Keys of spared keyspaces are not returned, and do not count for the limit.
pub async fn spared_keyspaces_are_left_out_before_the_limit(store: &dyn Store) {
    let [a, b, c] = ["a", "b", "c"].map(|name| KeyspaceId::parse(name).unwrap());
    for (n, keyspace) in [&a, &a, &b, &b, &c].into_iter().enumerate() {
        let second = i64::try_from(n).unwrap();
        for record in [expiring(&format!("e{n}"), second), revoked(&format!("r{n}"), second)] {
            insert(store, &KeyRecord { keyspace: keyspace.clone(), ..record }).await;
        }
    }
    let found = async |spared: &[KeyspaceId], limit| {
        let records = store.ended(EndedBy::instant(at(10)), spared, limit).await.unwrap();
        let mut ids: Vec<_> = records.into_iter().map(|record| record.id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(found(&[], ALL).await.len(), 10);
    assert_eq!(found(slice::from_ref(&a), ALL).await, ids(&["e2", "e3", "e4", "r2", "r3", "r4"]));
    assert_eq!(found(&[b, a.clone()], 2).await, ids(&["e4", "r4"]));
    assert_eq!(found(&[c, a], 1).await.len(), 1);
}

/// No more than the limit is returned; whoever purges these finds the others, each once.
pub async fn what_is_over_the_limit_is_found_when_the_rest_is_purged(store: &dyn Store) {
    for n in 0..4 {
        insert(store, &expiring(&format!("e{n}"), n)).await;
        insert(store, &revoked(&format!("r{n}"), n)).await;
    }
    assert_eq!(store.ended(EndedBy::instant(at(10)), &[], 0).await.unwrap(), []);
    let mut visited = Vec::new();
    for expected in [3, 3, 2, 0] {
        let records = store.ended(EndedBy::instant(at(10)), &[], 3).await.unwrap();
        assert_eq!(records.len(), expected);
        visited.extend(records.iter().map(|record| record.id.clone()));
        let purges = records.into_iter().map(|record| KeyWrite::Purge(Box::new(record)));
        store.apply(&change(purges.collect())).await.unwrap();
    }
    visited.sort_unstable();
    assert_eq!(visited, ids(&["e0", "e1", "e2", "e3", "r0", "r1", "r2", "r3"]));
}

/// A key that has expired and was revoked is returned once, whichever came first.
pub async fn a_key_that_ended_in_two_ways_is_found_once(store: &dyn Store) {
    insert(store, &KeyRecord { revocation: Some(revocation(20)), ..expiring("a", 10) }).await;
    insert(store, &KeyRecord { revocation: Some(revocation(10)), ..expiring("b", 20) }).await;
    for (second, expected) in
        [(9, &[][..]), (10, &["a", "b"]), (19, &["a", "b"]), (20, &["a", "b"])]
    {
        assert_eq!(ended(store, at(second)).await, ids(expected), "at {second}");
    }
}

/// Deleted keys are found by when they were deleted where that is asked for: by it alone, or together
/// with those that ended; each once, and none of a spared keyspace.
pub async fn deleted_keys_are_found_by_their_deletion(store: &dyn Store) {
    let deletion = |second| Some(Deletion { at: at(second), by: "actor".parse().unwrap() });
    let endless = |id: &str| KeyRecord { expires_at: None, ..key(id) };
    insert(store, &KeyRecord { deletion: deletion(10), ..endless("a") }).await;
    insert(store, &KeyRecord { deletion: deletion(20), ..expiring("b", 5) }).await;
    insert(store, &KeyRecord { deletion: deletion(10), ..revoked("c", 15) }).await;
    insert(store, &endless("d")).await;
    let keyspace = KeyspaceId::parse("other").unwrap();
    insert(
        store,
        &KeyRecord { keyspace: keyspace.clone(), deletion: deletion(10), ..endless("e") },
    )
    .await;
    let found = async |deleted: i64, by: Option<i64>| {
        let by = EndedBy { deleted: Some(at(deleted)), ended: by.map(at) };
        let records = store.ended(by, slice::from_ref(&keyspace), ALL).await.unwrap();
        let mut ids: Vec<_> = records.into_iter().map(|record| record.id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(found(9, None).await, []);
    assert_eq!(found(10, None).await, ids(&["a", "c"]));
    assert_eq!(found(20, None).await, ids(&["a", "b", "c"]));
    assert_eq!(found(10, Some(5)).await, ids(&["a", "b", "c"]));
    assert_eq!(found(20, Some(15)).await, ids(&["a", "b", "c"]));
    assert_eq!(store.ended(EndedBy::default(), &[], ALL).await.unwrap(), []);
}
