//! A disk without room. `largest_size` makes SQLite fail in the way in which a full disk does.

use std::sync::Arc;

use keyward_core::{Deletion, KeyRecord, KeyWrite, Metadata, Sequence};
use keyward_store::Store;
use keyward_store::conformance::sample::{at, change, insertion, key, stored};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};
use serde_json::json;

use crate::{file_in, is_unavailable};

fn large(id: &str) -> KeyRecord {
    let metadata = json!({"filling": "x".repeat(16_000)});
    KeyRecord { metadata: Metadata::new(metadata.as_object().unwrap().clone()).unwrap(), ..key(id) }
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_nothing_is_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { largest_size: Some(600_000), ..SqliteOptions::default() };
    let store = SqliteStore::open(folder.path().join("keyward.db"), &options).unwrap();
    let mut kept = Vec::new();
    let refused = loop {
        let records = [large(&format!("a{}", kept.len())), large(&format!("b{}", kept.len()))];
        let both = change(records.iter().cloned().map(|r| KeyWrite::Insert(Box::new(r))).collect());
        let applied = store.apply(&both).await;
        if applied.is_err() {
            assert!(is_unavailable(&applied), "{applied:?}");
            break both;
        }
        kept.push(records);
    };
    assert!(kept.len() > 5);
    let full = u64::try_from(kept.len()).unwrap();
    assert_eq!(store.position().await.unwrap(), Sequence::new(full));
    for write in &refused.keys {
        assert_eq!(stored(&store, write.id()).await, None);
    }
    // Reading goes on, and what was acknowledged is there.
    for record in kept.iter().flatten() {
        assert_eq!(stored(&store, &record.id).await.as_ref(), Some(record));
    }

    let deletion = Some(Deletion { at: at(0), by: "actor".parse().unwrap() });
    let purged = KeyRecord { deletion, ..kept[0][0].clone() };
    let writes: Vec<_> =
        [&purged, &kept[0][1]].map(|record| KeyWrite::Purge(Box::new(record.clone()))).into();
    store.apply(&change(writes)).await.unwrap();
    // There is room again, and the very same change is made now.
    assert!(!store.apply(&refused).await.unwrap().is_replay);
    let check: String =
        file_in(folder.path()).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn on_a_full_disk_what_is_too_large_does_not_spoil_what_fits() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { largest_size: Some(300_000), ..SqliteOptions::default() };
    let store = SqliteStore::open(folder.path().join("keyward.db"), &options).unwrap();
    let store = Arc::new(store);
    let calls: Vec<_> = (0..40)
        .map(|n| {
            let record = large(&format!("key{n}"));
            let store = Arc::clone(&store);
            tokio::spawn(async move { (record.clone(), store.apply(&insertion(&record)).await) })
        })
        .collect();
    let mut made = 0;
    for call in calls {
        let (record, applied) = call.await.unwrap();
        assert!(applied.is_ok() || is_unavailable(&applied));
        assert_eq!(stored(&*store, &record.id).await.is_some(), applied.is_ok());
        made += i32::from(applied.is_ok());
    }
    assert!((1..40).contains(&made), "{made} of 40 were made");
}
