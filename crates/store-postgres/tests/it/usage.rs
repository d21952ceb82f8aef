//! Usage that many nodes write down at once.

use std::sync::Arc;

use keyward_core::{KeyId, KeyRecord, KeyWrite};
use keyward_store::conformance::sample::{at, change, changed, insert, key, update};
use keyward_store::{Store, UsageDelta};

use crate::server::Server;

const ROUNDS: usize = 60;
const KEYS: usize = 40;

fn delta(number: usize, round: usize) -> UsageDelta {
    let key = KeyId::parse(format!("key{number}")).unwrap();
    let second = i64::try_from(round).unwrap();
    UsageDelta { key, last_used_at: at(second), uses: 3, previous_uses: 1 }
}

/// Makes, changes and purges keys, most of which are used all the while.
async fn manage(store: &dyn Store) {
    for round in 0..ROUNDS {
        let fleeting: Vec<_> =
            (0..6).map(|n| key(&format!("key{}", KEYS + (n * 7 + round) % 20))).collect();
        let inserts = fleeting.iter().cloned().map(|record| KeyWrite::Insert(Box::new(record)));
        store.apply(&change(inserts.collect())).await.unwrap();
        let steady = key(&format!("steady{round}"));
        insert(store, &steady).await;
        let disabled = KeyRecord { enabled: false, ..changed(&steady) };
        store.apply(&update(&steady, &disabled)).await.unwrap();
        // Not in the order of their ids.
        let purges = fleeting.into_iter().rev().map(|record| KeyWrite::Purge(Box::new(record)));
        store.apply(&change(purges.collect())).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_flush_the_same_keys_beside_changes_and_purges_lose_nothing_and_never_deadlock()
{
    let server = Server::start(&["deadlock_timeout = 10"]).await;
    let database = server.database();
    let manager = server.store(&database).await;
    for number in 0..KEYS {
        insert(&manager, &key(&format!("key{number}"))).await;
    }
    let mut nodes = Vec::new();
    for node in 0..4 {
        let store = Arc::new(server.store(&database).await);
        nodes.push(tokio::spawn(async move {
            for round in 0..ROUNDS {
                // Also of keys that come and go; each node in an order of its own.
                let mut batch: Vec<_> = (0..KEYS + 20).map(|number| delta(number, round)).collect();
                let turn = node * 13 + round;
                batch.rotate_left(turn % (KEYS + 20));
                if node % 2 == 0 {
                    batch.reverse();
                }
                store.record_usage(&batch).await.unwrap();
            }
        }));
    }
    manage(&manager).await;
    for node in nodes {
        node.await.unwrap();
    }
    let rounds = u64::try_from(4 * ROUNDS).unwrap();
    for number in 0..KEYS {
        let stored = manager.key(&delta(number, 0).key).await.unwrap().unwrap();
        assert_eq!((stored.usage.uses, stored.usage.previous_uses), (3 * rounds, rounds));
        assert_eq!(stored.usage.last_used_at, Some(delta(number, ROUNDS - 1).last_used_at));
    }
    let deadlocks = "select sum(deadlocks) from pg_stat_database";
    assert_eq!(server.postgres.execute("postgres", deadlocks), "0\n");
}

#[tokio::test]
async fn counts_stop_at_the_end_of_their_range() {
    let server = Server::start(&[]).await;
    let store = server.store(&server.database()).await;
    let record = key("key0");
    insert(&store, &record).await;
    let much = |uses| UsageDelta { uses, ..delta(0, 1) };
    store.record_usage(&[much(u64::MAX), much(5)]).await.unwrap();
    store.record_usage(&[much(u64::MAX)]).await.unwrap();
    let usage = store.key(&record.id).await.unwrap().unwrap().usage;
    assert_eq!(usage.uses, i64::MAX.cast_unsigned());
    store.record_usage(&[]).await.unwrap();
}
