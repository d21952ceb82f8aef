//! A server that is stopped, and one that is killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyward_core::{Change, KeyRecord};
use keyward_store::conformance::sample::{insert, insertion, key, stored};
use keyward_store::{KeyQuery, Store, StoreError};
use keyward_store_postgres::PostgresStore;

use crate::server::{Server, impatient, is_unavailable};

#[tokio::test]
async fn a_store_works_again_after_its_server_was_stopped_and_started() {
    let mut server = Server::start(&[]).await;
    let database = server.database();
    let store = server.store(&database).await;
    let record = key("kept");
    insert(&store, &record).await;
    server.postgres.stop();
    assert!(is_unavailable(&store.key(&record.id).await));
    assert!(is_unavailable(&store.health().await));
    let issue = insertion(&key("later"));
    assert!(is_unavailable(&store.apply(&issue).await));
    server.postgres.start_again();
    // The first call that reads, and the first that writes, already.
    assert_eq!(stored(&store, &record.id).await, Some(record.clone()));
    assert!(!store.apply(&issue).await.unwrap().is_replay);
    store.health().await.unwrap();

    // Nobody called in between: the connections that died are found out by the first one.
    server.postgres.stop();
    server.postgres.start_again();
    insert(&store, &key("after")).await;
    let now = record.created_at;
    assert_eq!(store.list(&KeyQuery::new(now, 10)).await.unwrap().keys.len(), 3);
}

/// What became of a change.
struct Attempt {
    change: Change,
    record: KeyRecord,
    outcome: Result<(), StoreError>,
}

/// Issues keys until it is told to end.
async fn issue(store: Arc<PostgresStore>, name: String, is_over: Arc<AtomicBool>) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let record = key(&format!("{name}-{}", attempts.len()));
        let change = insertion(&record);
        let outcome = store.apply(&change).await.map(drop);
        attempts.push(Attempt { change, record, outcome });
    }
    attempts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed_and_repeating_tells_what_was_made()
{
    let mut server = Server::start(&["fsync = on", "restart_after_crash = off"]).await;
    let url = server.postgres.url(&server.database());
    let store = Arc::new(PostgresStore::connect(&url, &impatient()).await.unwrap());
    let mut attempts = Vec::new();
    for round in 0..5 {
        let is_over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let name = format!("key-{round}-{writer}");
                tokio::spawn(issue(Arc::clone(&store), name, Arc::clone(&is_over)))
            })
            .collect();
        let before = store.position().await.unwrap().get();
        while store.position().await.unwrap().get() < before + 50 {
            tokio::task::yield_now().await;
        }
        server.postgres.kill();
        is_over.store(true, Ordering::Relaxed);
        for writer in writers {
            attempts.extend(writer.await.unwrap());
        }
        server.postgres.start_again();
    }
    let (made, unknown): (Vec<_>, Vec<_>) =
        attempts.into_iter().partition(|attempt| attempt.outcome.is_ok());
    assert!(made.len() > 200 && !unknown.is_empty());
    for Attempt { record, .. } in &made {
        assert_eq!(stored(&*store, &record.id).await.as_ref(), Some(record));
    }
    for Attempt { change, record, outcome } in &unknown {
        assert!(is_unavailable(outcome), "{outcome:?}");
        let was_made = stored(&*store, &record.id).await.is_some();
        assert_eq!(store.apply(change).await.unwrap().is_replay, was_made);
        assert_eq!(stored(&*store, &record.id).await.as_ref(), Some(record));
    }
    let all = u64::try_from(made.len() + unknown.len()).unwrap();
    assert_eq!(store.position().await.unwrap().get(), all);
}
