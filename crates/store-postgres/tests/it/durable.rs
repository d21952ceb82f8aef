//! What is acknowledged stays, whoever wrote it and whoever asks.

use std::sync::Arc;

use keyward_core::{
    Action, Change, FormatKind, KeyId, KeyRecord, KeyWrite, KeyspaceWrite, Sequence,
};
use keyward_store::conformance::sample::{
    at, change, changed, event, insert, insertion, key, keyspace, opaque_key, stored, update,
};
use keyward_store::{Conflict, Store, StoreError, UsageDelta};
use keyward_store_postgres::{PostgresOptions, PostgresStore};

use crate::server::Server;

#[tokio::test]
async fn the_feed_drops_old_changes_and_says_so() {
    let server = Server::start(&[]).await;
    let database = server.database();
    let options = PostgresOptions { kept_changes: 300, ..PostgresOptions::default() };
    let store = PostgresStore::connect(&server.postgres.url(&database), &options).await.unwrap();
    for _ in 0..1_100 {
        store.apply(&change(Vec::new())).await.unwrap();
    }
    // The last removal was after change 1,024, and left 725 to 1,024.
    let gap = async |position: u64| {
        let feed = store.changes_since(Sequence::new(position)).await.unwrap();
        assert_eq!(feed.position, Sequence::new(1_100));
        feed.has_gap
    };
    assert!(gap(0).await);
    assert!(gap(723).await);
    assert!(!gap(724).await);
    assert!(!gap(1_099).await);
    assert!(!gap(1_100).await);
    // A follower of another database, of which this one is an older copy.
    assert!(gap(5_000).await);
    let rows = server.postgres.execute(&database, "select count(*) from keyward.changes");
    assert_eq!(rows, "376\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_of_two_stores_lose_nothing_and_followers_see_no_gap() {
    let server = Server::start(&[]).await;
    let database = server.database();
    let stores = [server.store(&database).await, server.store(&database).await].map(Arc::new);
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
    let (mut position, mut touched) = (Sequence::START, 0);
    while position < Sequence::new(320) {
        let feed = stores[0].changes_since(position).await.unwrap();
        assert!(!feed.has_gap && feed.position >= position);
        touched += feed.touched.locators.len();
        position = feed.position;
        tokio::task::yield_now().await;
    }
    assert_eq!(touched, 320);
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

#[tokio::test]
async fn each_store_sees_the_changes_of_the_other_at_once() {
    let server = Server::start(&[]).await;
    let database = server.database();
    let (one, other) = (server.store(&database).await, server.store(&database).await);
    let record = key("seen");
    let space = keyspace("a", FormatKind::Opaque);
    let first = Change {
        keyspaces: vec![KeyspaceWrite::Insert(space.clone())],
        events: vec![event(Action::KeyIssued, &record, 0)],
        ..insertion(&record)
    };
    let applied = one.apply(&first).await.unwrap();
    assert_eq!(stored(&other, &record.id).await, Some(record.clone()));
    assert_eq!(other.position().await.unwrap(), applied.sequence);
    assert_eq!(other.keyspaces().await.unwrap(), [space]);
    assert!(other.apply(&first).await.unwrap().is_replay);

    let disabled = KeyRecord { enabled: false, ..changed(&record) };
    other.apply(&update(&record, &disabled)).await.unwrap();
    let feed = one.changes_since(applied.sequence).await.unwrap();
    assert_eq!(feed.touched.locators, [record.locators().next().unwrap()]);
    assert_eq!(stored(&one, &record.id).await, Some(disabled));
    let late = one.apply(&update(&record, &changed(&record))).await;
    assert!(matches!(late, Err(StoreError::Conflict(Conflict::Outdated))));
}

#[tokio::test]
async fn a_purge_leaves_nothing_of_the_key_behind() {
    let server = Server::start(&[]).await;
    let database = server.database();
    let store = server.store(&database).await;
    let record = opaque_key("purged");
    insert(&store, &record).await;
    store.apply(&update(&record, &changed(&record))).await.unwrap();
    let usage =
        UsageDelta { key: record.id.clone(), last_used_at: at(3), uses: 2, previous_uses: 1 };
    store.record_usage(&[usage]).await.unwrap();
    let purge = KeyWrite::Purge(Box::new(changed(&record)));
    store.apply(&change(vec![purge])).await.unwrap();
    for table in ["keys", "key_tags", "locators", "usage"] {
        let rows = format!("select count(*) from keyward.{table}");
        assert_eq!(server.postgres.execute(&database, &rows), "0\n", "{table}");
    }
}
