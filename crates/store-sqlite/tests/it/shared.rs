//! Two stores on one file, as two processes have them.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::{KeyId, KeyRecord, Sequence};
use keyward_store::conformance::sample::{changed, insert, insertion, key, stored, update};
use keyward_store::{Conflict, Store, StoreError};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};

use crate::{file_in, is_unavailable, open_in};

#[tokio::test]
async fn each_store_sees_the_changes_of_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open_in(folder.path()), open_in(folder.path()));
    let record = key("seen");
    insert(&one, &record).await;
    assert_eq!(stored(&other, &record.id).await, Some(record.clone()));
    let position = one.position().await.unwrap();
    assert_eq!(other.position().await.unwrap(), position);

    let disabled = KeyRecord { enabled: false, ..changed(&record) };
    other.apply(&update(&record, &disabled)).await.unwrap();
    let feed = one.changes_since(position).await.unwrap();
    assert_eq!(feed.touched.locators, [record.locators().next().unwrap()]);
    assert_eq!(stored(&one, &record.id).await, Some(disabled));
    let late = one.apply(&update(&record, &changed(&record))).await;
    assert!(matches!(late, Err(StoreError::Conflict(Conflict::Outdated))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_of_two_stores_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [Arc::new(open_in(folder.path())), Arc::new(open_in(folder.path()))];
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let store = Arc::clone(&stores[writer % 2]);
            tokio::spawn(async move {
                for n in 0..20 {
                    insert(&*store, &key(&format!("key-{writer}-{n}"))).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    for store in &stores {
        assert_eq!(store.position().await.unwrap(), Sequence::new(320));
        for writer in 0..16 {
            let id = KeyId::parse(format!("key-{writer}-19")).unwrap();
            assert!(store.key(&id).await.unwrap().is_some());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_can_be_made_by_several_processes_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let opened: Vec<_> = (0..8)
        .map(|_| {
            let path = folder.path().join("keyward.db");
            std::thread::spawn(move || SqliteStore::open(path, &SqliteOptions::default()))
        })
        .collect();
    for (n, store) in opened.into_iter().enumerate() {
        let store = store.join().unwrap().unwrap();
        insert(&store, &key(&format!("key{n}"))).await;
    }
    assert_eq!(open_in(folder.path()).position().await.unwrap(), Sequence::new(8));
}

#[tokio::test]
async fn a_file_that_stays_locked_is_unavailable_and_works_again_later() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { busy_timeout: Duration::ZERO, ..SqliteOptions::default() };
    let store = SqliteStore::open(folder.path().join("keyward.db"), &options).unwrap();
    let other = file_in(folder.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let record = key("waiting");
    let issue = insertion(&record);
    assert!(is_unavailable(&store.apply(&issue).await));
    assert!(is_unavailable(&store.health().await));
    assert_eq!(stored(&store, &record.id).await, None);
    other.execute_batch("COMMIT").unwrap();
    store.health().await.unwrap();
    assert!(!store.apply(&issue).await.unwrap().is_replay);
}
