//! Rules about sealing a store whose records move elsewhere.

use keyward_core::{Change, FormatKind, KeyspaceWrite};

use super::sample::{change, changed, insert, insertion, key, keyspace, update};
use super::usage::delta;
use crate::{Store, StoreError};

/// A sealed store refuses every change, and nothing else.
pub async fn a_sealed_store_refuses_changes_and_keeps_counting(store: &dyn Store) {
    let record = key("sealed");
    insert(store, &record).await;
    let position = store.position().await.unwrap();
    for _ in 0..2 {
        store.seal(true).await.unwrap();
        let keyspaces = vec![KeyspaceWrite::Insert(keyspace("a", FormatKind::Prefixed))];
        let others = [
            insertion(&key("other")),
            update(&record, &changed(&record)),
            Change { keyspaces, ..change(Vec::new()) },
            change(Vec::new()),
        ];
        for refused in &others {
            let outcome = store.apply(refused).await;
            assert!(matches!(outcome, Err(StoreError::Sealed)), "{outcome:?}");
        }
    }
    assert_eq!(store.position().await.unwrap(), position);
    store.record_usage(&[delta(&record.id, 1, 2)]).await.unwrap();
    let stored = store.key(&record.id).await.unwrap().unwrap();
    assert_eq!((stored.record, stored.usage.uses), (record, 2));
    store.health().await.unwrap();
}

/// What was refused is accepted once the seal is off.
pub async fn a_seal_is_taken_off_again(store: &dyn Store) {
    let issue = insertion(&key("late"));
    store.seal(true).await.unwrap();
    store.apply(&issue).await.unwrap_err();
    store.seal(false).await.unwrap();
    assert!(!store.apply(&issue).await.unwrap().is_replay);
}

/// Whoever repeats a change that was made hears so, sealed or not.
pub async fn a_change_that_was_made_before_the_seal_is_reported(store: &dyn Store) {
    let issue = insertion(&key("early"));
    let first = store.apply(&issue).await.unwrap();
    store.seal(true).await.unwrap();
    let again = store.apply(&issue).await.unwrap();
    assert!(again.is_replay);
    assert_eq!(again.sequence, first.sequence);
}
