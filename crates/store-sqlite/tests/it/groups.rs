//! Many writers at once.

use std::sync::Arc;

use keyward_core::{KeyRecord, KeyWrite, Sequence};
use keyward_store::conformance::sample::{change, changed, insert, insertion, key, stored, update};
use keyward_store::{Conflict, Store, StoreError};

use crate::open_in;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open_in(folder.path()));
    let writers: Vec<_> = (0..64)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for n in 0..10 {
                    let record = key(&format!("key-{writer}-{n}"));
                    insert(&*store, &record).await;
                    // What is acknowledged is seen at once.
                    assert_eq!(stored(&*store, &record.id).await, Some(record));
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(store.position().await.unwrap(), Sequence::new(640));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts_do_not_spoil_what_is_committed_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open_in(folder.path()));
    let contended = key("contended");
    insert(&*store, &contended).await;
    let calls: Vec<_> = (0..200)
        .map(|n| {
            let name = format!("name {n}").parse().ok();
            let renamed = KeyRecord { name, ..changed(&contended) };
            let change = match n % 4 {
                0 => update(&contended, &renamed),
                // The first row is fine; the second makes all of it fail.
                1 => change(vec![
                    KeyWrite::Insert(Box::new(key(&format!("refused-{n}")))),
                    KeyWrite::Insert(Box::new(contended.clone())),
                ]),
                _ => insertion(&key(&format!("key-{n}"))),
            };
            let store = Arc::clone(&store);
            tokio::spawn(async move { (n, store.apply(&change).await) })
        })
        .collect();
    let mut won = 0;
    for call in calls {
        match call.await.unwrap() {
            (n, Ok(_)) if n % 4 == 0 => won += 1,
            (n, Err(StoreError::Conflict(Conflict::Outdated))) if n % 4 == 0 => {}
            (n, Err(StoreError::Conflict(Conflict::Exists))) if n % 4 == 1 => {
                let refused = format!("refused-{n}").parse().unwrap();
                assert_eq!(stored(&*store, &refused).await, None);
            }
            (n, Ok(_)) if n % 4 > 1 => {
                let id = format!("key-{n}").parse().unwrap();
                assert!(stored(&*store, &id).await.is_some());
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(store.position().await.unwrap(), Sequence::new(102));
}
