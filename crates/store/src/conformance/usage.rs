//! Rules about usage.

use keyward_core::{KeyId, KeyRecord, KeyWrite};

use super::sample::{at, change, changed, insert, key, stored, update};
use crate::{Store, Usage, UsageDelta};

pub(super) fn delta(key: &KeyId, second: i64, uses: u64) -> UsageDelta {
    UsageDelta { key: key.clone(), last_used_at: at(second), uses, previous_uses: 1 }
}

/// Counts are summed and the later instant stays, in whichever order batches come.
pub async fn usage_is_added_up_and_the_later_instant_stays(store: &dyn Store) {
    let record = key("used");
    insert(store, &record).await;
    store.record_usage(&[delta(&record.id, 20, 3), delta(&record.id, 10, 2)]).await.unwrap();
    store.record_usage(&[delta(&record.id, 15, 5)]).await.unwrap();
    let usage = store.key(&record.id).await.unwrap().unwrap().usage;
    assert_eq!(usage, Usage { last_used_at: Some(at(20)), uses: 10, previous_uses: 3 });
}

/// Writing usage down neither undoes a change nor conflicts with one.
pub async fn usage_never_touches_the_record(store: &dyn Store) {
    let record = key("busy");
    insert(store, &record).await;
    let disabled = KeyRecord { enabled: false, ..changed(&record) };
    let (change, batch) = (update(&record, &disabled), [delta(&record.id, 1, 1)]);
    let (applied, recorded) = tokio::join!(store.apply(&change), store.record_usage(&batch));
    applied.unwrap();
    recorded.unwrap();
    assert_eq!(stored(store, &record.id).await, Some(disabled.clone()));
    store.apply(&update(&disabled, &changed(&disabled))).await.unwrap();
    assert_eq!(store.key(&record.id).await.unwrap().unwrap().usage.uses, 1);
}

/// Usage of a key that does not exist is dropped, and the rest of its batch kept.
pub async fn usage_of_unknown_keys_is_dropped(store: &dyn Store) {
    let record = key("known");
    insert(store, &record).await;
    let unknown = KeyId::parse("unknown").unwrap();
    store.record_usage(&[delta(&unknown, 1, 1), delta(&record.id, 1, 1)]).await.unwrap();
    assert_eq!(store.key(&record.id).await.unwrap().unwrap().usage.uses, 1);
    assert!(store.key(&unknown).await.unwrap().is_none());
}

/// Usage without uses moves the instant alone.
pub async fn a_touch_moves_the_instant_and_counts_nothing(store: &dyn Store) {
    let record = key("touched");
    insert(store, &record).await;
    for second in [7, 5] {
        let touch = UsageDelta { uses: 0, previous_uses: 0, ..delta(&record.id, second, 0) };
        store.record_usage(&[touch]).await.unwrap();
    }
    let usage = store.key(&record.id).await.unwrap().unwrap().usage;
    assert_eq!(usage, Usage { last_used_at: Some(at(7)), uses: 0, previous_uses: 0 });
}

/// Usage goes with a purged key: a new one of the same id begins without.
pub async fn usage_goes_with_a_purged_key(store: &dyn Store) {
    let record = key("purged");
    insert(store, &record).await;
    store.record_usage(&[delta(&record.id, 1, 1)]).await.unwrap();
    store.apply(&change(vec![KeyWrite::Purge(Box::new(record.clone()))])).await.unwrap();
    store.record_usage(&[delta(&record.id, 2, 1)]).await.unwrap();
    insert(store, &record).await;
    assert_eq!(store.key(&record.id).await.unwrap().unwrap().usage, Usage::default());
}
