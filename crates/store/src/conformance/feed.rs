//! Rules about the change feed.

use keyward_core::{
    Change, FormatKind, KeyRecord, KeyWrite, KeyspaceWrite, Sequence, StoredSecret,
};

use super::sample::{
    change, changed, digest, insert, insertion, keyspace, opaque_key, refusal, update,
};
use crate::Store;

/// A change is seen by whoever follows from before it, with all that it made outdated.
pub async fn a_change_is_seen_by_a_follower(store: &dyn Store) {
    let record = opaque_key("followed");
    insert(store, &record).await;
    let before = store.position().await.unwrap();
    let secret = StoredSecret::of_digest(digest());
    let rotated = KeyRecord { secret, ..changed(&record) };
    let applied = store.apply(&update(&record, &rotated)).await.unwrap();
    let feed = store.changes_since(before).await.unwrap();
    assert_eq!(feed.position, applied.sequence);
    assert!(!feed.has_gap && !feed.has_more && !feed.touched.keyspaces);
    for locator in record.locators().chain(rotated.locators()) {
        assert!(feed.touched.locators.contains(&locator));
    }
}

/// A change that is applied again does nothing and reports its first sequence number.
pub async fn a_replayed_change_does_nothing_and_reports_its_first_sequence(store: &dyn Store) {
    let record = opaque_key("replayed");
    let issue = insertion(&record);
    let first = store.apply(&issue).await.unwrap();
    assert!(!first.is_replay);
    store.apply(&update(&record, &changed(&record))).await.unwrap();
    let again = store.apply(&issue).await.unwrap();
    assert!(again.is_replay);
    assert_eq!(again.sequence, first.sequence);
    assert_eq!(store.key(&record.id).await.unwrap().unwrap().record, changed(&record));
}

/// Of a change that is applied twice at once, both callers hear the same, and it is made once.
pub async fn a_change_that_is_applied_twice_at_once_is_made_once(store: &dyn Store) {
    let issue = insertion(&opaque_key("replayed"));
    let (one, other) = tokio::join!(store.apply(&issue), store.apply(&issue));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.is_replay, other.is_replay);
    assert_eq!(one.sequence, other.sequence);
    assert_eq!(store.position().await.unwrap(), one.sequence);
}

/// A change that was refused is not seen by anybody, and may be made when nothing is in its way.
pub async fn a_refused_change_leaves_no_trace_in_the_feed(store: &dyn Store) {
    let record = opaque_key("taken");
    let first = insertion(&record);
    store.apply(&first).await.unwrap();
    let before = store.position().await.unwrap();
    let second = insertion(&opaque_key("taken"));
    refusal(store, &second).await;
    assert_eq!(store.position().await.unwrap(), before);
    let purge = change(vec![KeyWrite::Purge(Box::new(record))]);
    store.apply(&purge).await.unwrap();
    assert!(!store.apply(&second).await.unwrap().is_replay);
}

/// Followers are told that keyspaces changed.
pub async fn a_changed_keyspace_is_told_to_followers(store: &dyn Store) {
    let keyspaces = vec![KeyspaceWrite::Insert(keyspace("a", FormatKind::Prefixed))];
    store.apply(&Change { keyspaces, ..change(Vec::new()) }).await.unwrap();
    let feed = store.changes_since(Sequence::START).await.unwrap();
    assert!(feed.touched.keyspaces && feed.touched.locators.is_empty());
}

/// A follower that has seen everything sees nothing, and keeps its place.
pub async fn a_follower_that_is_up_to_date_sees_nothing(store: &dyn Store) {
    assert_eq!(store.position().await.unwrap(), Sequence::START);
    insert(store, &opaque_key("seen")).await;
    let position = store.position().await.unwrap();
    assert!(position > Sequence::START);
    let feed = store.changes_since(position).await.unwrap();
    assert_eq!(feed.position, position);
    assert!(feed.touched.locators.is_empty() && !feed.has_gap && !feed.has_more);
}

/// A follower that is far behind catches up in steps, and misses nothing unless it is told so.
pub async fn many_changes_are_followed_in_steps(store: &dyn Store) {
    let changes: Vec<_> = (0..1_100).map(|_| change(Vec::new())).collect();
    for change in &changes {
        store.apply(change).await.unwrap();
    }
    let end = store.position().await.unwrap();
    let mut position = Sequence::START;
    while position < end {
        let feed = store.changes_since(position).await.unwrap();
        assert!(feed.position > position && !feed.has_gap);
        assert_eq!(feed.has_more, feed.position < end);
        position = feed.position;
    }
}
