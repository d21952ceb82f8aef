//! Servers that stop, are full, or take no writes any more.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use keyward_core::{Change, KeyRecord, KeyWrite, Metadata, Sequence};
use keyward_store::conformance::sample::{at, change, insert, insertion, key, stored};
use keyward_store::{KeyQuery, Store};
use keyward_store_redis::{RedisOptions, RedisStore};
use keyward_testkit::redis::{DURABLE, Redis, Sentinels};
use serde_json::json;
use tokio::time::Instant;

use crate::{connect, is_unavailable, store_in};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_makes_every_call_fail_before_long() {
    let server = Redis::start(DURABLE);
    let patience = Duration::from_millis(400);
    let options = RedisOptions {
        connect_timeout: patience,
        response_timeout: patience,
        ..RedisOptions::default()
    };
    let store = Arc::new(connect(&server, &options).await);
    let record = key("first");
    insert(&*store, &record).await;
    server.pause();
    let issue = insertion(&key("second"));
    for _ in 0..2 {
        let start = Instant::now();
        let calls: Vec<_> = (0..64)
            .map(|n| {
                let (store, issue, id) = (Arc::clone(&store), issue.clone(), record.id.clone());
                tokio::spawn(async move {
                    match n % 4 {
                        0 => is_unavailable(&store.apply(&issue).await),
                        1 => is_unavailable(&store.key(&id).await),
                        2 => is_unavailable(&store.list(&KeyQuery::new(at(0), 10)).await),
                        _ => is_unavailable(&store.health().await),
                    }
                })
            })
            .collect();
        for call in calls {
            assert!(call.await.unwrap());
        }
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
    server.resume();
    assert_eq!(stored(&*store, &record.id).await, Some(record));
    // It may have been made while nobody listened.
    store.apply(&issue).await.unwrap();
    assert_eq!(store.position().await.unwrap(), Sequence::new(2));
}

fn large(id: &str) -> KeyRecord {
    let metadata = json!({"filling": "x".repeat(16_000)});
    KeyRecord { metadata: Metadata::new(metadata.as_object().unwrap().clone()).unwrap(), ..key(id) }
}

#[tokio::test]
async fn a_full_memory_is_unavailable_and_nothing_is_half_written() {
    let server = Redis::start(&[DURABLE, &["maxmemory 8mb"]].concat());
    let store = store_in(&server).await;
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
    server.cli(&["CONFIG", "SET", "maxmemory", "1mb"]);
    assert!(is_unavailable(&store.health().await));
    // Reading goes on, and what was acknowledged is there.
    for record in kept.iter().flatten() {
        assert_eq!(stored(&store, &record.id).await.as_ref(), Some(record));
    }
    server.cli(&["CONFIG", "SET", "maxmemory", "100mb"]);
    // There is room again, and the very same change is made now.
    assert!(!store.apply(&refused).await.unwrap().is_replay);
    store.health().await.unwrap();
}

#[tokio::test]
async fn a_server_that_becomes_a_replica_takes_no_changes() {
    let other = Redis::start(DURABLE);
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    insert(&store, &key("first")).await;
    server.cli(&["REPLICAOF", "127.0.0.1", &other.port().to_string()]);
    assert!(is_unavailable(&store.apply(&insertion(&key("second"))).await));
    assert!(is_unavailable(&store.health().await));
    server.cli(&["REPLICAOF", "NO", "ONE"]);
}

#[tokio::test]
async fn without_a_replica_nothing_is_acknowledged_that_shall_have_one() {
    let server = Redis::start(DURABLE);
    let options = RedisOptions {
        response_timeout: Duration::from_millis(500),
        wait_for_replicas: 1,
        ..RedisOptions::default()
    };
    let store = connect(&server, &options).await;
    let issue = insertion(&key("first"));
    assert!(is_unavailable(&store.apply(&issue).await));
    // It was written, and so it is not acknowledged when it is repeated, either.
    assert!(is_unavailable(&store.apply(&issue).await));
    let of_server = format!("replicaof 127.0.0.1 {}", server.port());
    let _replica = Redis::start(&[DURABLE, &[of_server.as_str()]].concat());
    server.wait_until(|server| server.cli(&["INFO", "replication"]).contains("state=online"));
    let applied = store.apply(&issue).await.unwrap();
    assert!(applied.is_replay && applied.sequence == Sequence::new(1));
    assert!(!store.apply(&insertion(&key("second"))).await.unwrap().is_replay);
}

#[tokio::test]
async fn changes_of_another_process_are_hinted_at_also_after_the_server_was_away() {
    let mut server = Redis::start(DURABLE);
    let (one, other) = (store_in(&server).await, store_in(&server).await);
    let mut hints = one.hints();
    let patience = Duration::from_secs(20);
    // The first says that something may have been missed.
    tokio::time::timeout(patience, hints.next()).await.unwrap().unwrap();
    for n in 0..3 {
        insert(&other, &key(&format!("key{n}"))).await;
        tokio::time::timeout(patience, hints.next()).await.unwrap().unwrap();
    }
    server.restart();
    let issue = insertion(&key("later"));
    while other.apply(&issue).await.is_err() {}
    tokio::time::timeout(patience, hints.next()).await.unwrap().unwrap();
    drop(one);
    while tokio::time::timeout(patience, hints.next()).await.unwrap().is_some() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fail_over_loses_nothing_that_a_replica_had_before_it_was_acknowledged() {
    let mut servers = Sentinels::start();
    let options = RedisOptions { wait_for_replicas: 1, ..RedisOptions::default() };
    let store = RedisStore::connect(&servers.url(), &options).await.unwrap();
    let mut acknowledged: Vec<Change> = Vec::new();
    for round in 0..2 {
        let former = servers.primary().port();
        for n in 0..30 {
            let issue = insertion(&key(&format!("before-{round}-{n}")));
            store.apply(&issue).await.unwrap();
            acknowledged.push(issue);
        }
        servers.primary().kill();
        // Until another one takes writes, each attempt fails before long; then the same is made.
        let issue = insertion(&key(&format!("during-{round}")));
        let start = Instant::now();
        while let Err(error) = store.apply(&issue).await {
            assert!(error.may_retry(), "{error:?}");
            assert!(start.elapsed() < Duration::from_mins(1), "there is no fail-over: {error:?}");
            tokio::task::yield_now().await;
        }
        acknowledged.push(issue);
        assert_ne!(servers.primary().port(), former);
        for change in &acknowledged {
            assert!(store.apply(change).await.unwrap().is_replay, "{:?}", change.id);
        }
        for server in servers.servers().iter_mut().filter(|server| server.port() == former) {
            server.restart();
        }
        servers.wait_until_followed();
    }
}
