//! What is acknowledged stays.

use std::sync::Arc;

use keyward_core::{Action, Change, FormatKind, KeyRecord, KeyWrite, KeyspaceWrite, Sequence};
use keyward_store::conformance::sample::{
    at, change, changed, event, insert, insertion, key, keyspace, opaque_key, stored, update,
};
use keyward_store::{AuditQuery, KeyQuery, Store, Usage, UsageDelta};
use keyward_store_redis::{RedisOptions, RedisStore};
use keyward_testkit::redis::{DURABLE, Redis};

use crate::{connect, is_unavailable, store_in};

#[tokio::test]
async fn a_server_that_starts_again_holds_everything() {
    let mut server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    let (record, opaque) = (key("kept"), opaque_key("found"));
    let space = keyspace("a", FormatKind::Opaque);
    let told = event(Action::KeyIssued, &record, 0);
    let first = Change {
        keyspaces: vec![KeyspaceWrite::Insert(space.clone())],
        events: vec![told.clone()],
        ..insertion(&record)
    };
    let usage =
        UsageDelta { key: record.id.clone(), last_used_at: at(3), uses: 2, previous_uses: 1 };
    let applied = store.apply(&first).await.unwrap();
    insert(&store, &opaque).await;
    store.record_usage(&[usage]).await.unwrap();
    server.kill();
    assert!(is_unavailable(&store.key(&record.id).await));
    server.restart();

    // The same store goes on, with a connection and scripts that the server does not know yet.
    let found = store.key(&record.id).await.unwrap().unwrap();
    assert_eq!(found.record, record);
    assert_eq!(found.usage, Usage { last_used_at: Some(at(3)), uses: 2, previous_uses: 1 });
    let locator = opaque.locators().next().unwrap();
    assert_eq!(store.find(&locator).await.unwrap(), Some(opaque));
    assert_eq!(store.keyspaces().await.unwrap(), [space]);
    let trail = store.audit(&AuditQuery { limit: 10, ..AuditQuery::default() }).await.unwrap();
    assert_eq!(trail.events, [told]);
    assert_eq!(store.list(&KeyQuery::new(at(0), 10)).await.unwrap().keys.len(), 2);
    assert_eq!(store.position().await.unwrap(), Sequence::new(2));
    let again = store.apply(&first).await.unwrap();
    assert!(again.is_replay);
    assert_eq!(again.sequence, applied.sequence);
}

/// What a writer knows of the changes that it has made.
#[derive(Default)]
struct Ledger {
    acknowledged: Vec<(Change, Sequence)>,
    unknown: Vec<Change>,
}

async fn write_until_it_fails(store: Arc<RedisStore>, name: String) -> Ledger {
    let mut ledger = Ledger::default();
    for n in 0.. {
        let issue = insertion(&opaque_key(&format!("{name}-{n}")));
        match store.apply(&issue).await {
            Ok(applied) => ledger.acknowledged.push((issue, applied.sequence)),
            Err(error) => {
                assert!(error.may_retry(), "{error:?}");
                ledger.unknown.push(issue);
                break;
            }
        }
    }
    ledger
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_loses_nothing_that_it_has_acknowledged() {
    let mut server = Redis::start(DURABLE);
    let store = Arc::new(store_in(&server).await);
    let mut made = 0;
    for round in 0..20 {
        let writers: Vec<_> = (0..8)
            .map(|n| tokio::spawn(write_until_it_fails(Arc::clone(&store), format!("{round}-{n}"))))
            .collect();
        let before = store.position().await.unwrap().get();
        while store.position().await.unwrap().get() < before + 40 {}
        server.kill();
        let mut ledger = Ledger::default();
        for writer in writers {
            let Ledger { acknowledged, unknown } = writer.await.unwrap();
            ledger.acknowledged.extend(acknowledged);
            ledger.unknown.extend(unknown);
        }
        server.restart();
        for (issue, sequence) in &ledger.acknowledged {
            let again = store.apply(issue).await.unwrap();
            assert!(again.is_replay && again.sequence == *sequence);
        }
        for issue in &ledger.unknown {
            store.apply(issue).await.unwrap();
            assert!(store.apply(issue).await.unwrap().is_replay);
        }
        made += u64::try_from(ledger.acknowledged.len() + ledger.unknown.len()).unwrap();
        // Each change was made once, and the numbers have no holes.
        assert_eq!(store.position().await.unwrap(), Sequence::new(made));
    }
    let counted = KeyQuery { skip: Some(0), ..KeyQuery::new(at(0), 1) };
    assert_eq!(store.list(&counted).await.unwrap().total, Some(made));
}

#[tokio::test]
async fn the_feed_keeps_so_many_changes_and_says_that_others_are_gone() {
    let server = Redis::start(DURABLE);
    let many =
        connect(&server, &RedisOptions { kept_changes: 300, ..RedisOptions::default() }).await;
    let changes: Vec<_> = (0..350).map(|_| change(Vec::new())).collect();
    for change in &changes {
        many.apply(change).await.unwrap();
    }
    let gap = async |position: u64| {
        let feed = many.changes_since(Sequence::new(position)).await.unwrap();
        assert_eq!(feed.position, Sequence::new(350));
        feed.has_gap
    };
    assert!(gap(0).await && gap(49).await);
    assert!(!gap(50).await && !gap(51).await && !gap(349).await && !gap(350).await);
    // A follower of another feed, of which this one is an older copy.
    assert!(gap(5_000).await);
    // What is repeated is known for as long.
    assert!(many.apply(&changes[50]).await.unwrap().is_replay);
    assert!(!many.apply(&changes[49]).await.unwrap().is_replay);

    let few = connect(&server, &RedisOptions { kept_changes: 10, ..RedisOptions::default() }).await;
    for _ in 0..5 {
        few.apply(&change(Vec::new())).await.unwrap();
    }
    assert_eq!(server.cli(&["XLEN", "{keyward}:feed"]), "10");
    assert_eq!(server.cli(&["HLEN", "{keyward}:changes"]), "10");
}

#[tokio::test]
async fn counts_stop_at_the_end_of_their_range() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    let record = key("busy");
    insert(&store, &record).await;
    let much =
        |uses| UsageDelta { key: record.id.clone(), last_used_at: at(1), uses, previous_uses: 0 };
    let exact = (1 << 53) + 1;
    store.record_usage(&[much(exact)]).await.unwrap();
    let uses = async || store.key(&record.id).await.unwrap().unwrap().usage.uses;
    assert_eq!(uses().await, exact);
    store.record_usage(&[much(u64::MAX), much(5), much(u64::MAX)]).await.unwrap();
    assert_eq!(uses().await, i64::MAX.cast_unsigned());
}

#[tokio::test]
async fn a_purge_leaves_nothing_of_the_key_behind() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    store.apply(&change(Vec::new())).await.unwrap();
    let before = server.cli(&["KEYS", "*"]).lines().count();
    let record = opaque_key("purged");
    insert(&store, &record).await;
    let renamed = KeyRecord { name: None, owner: "ann".parse().unwrap(), ..changed(&record) };
    store.apply(&update(&record, &renamed)).await.unwrap();
    let usage =
        UsageDelta { key: record.id.clone(), last_used_at: at(3), uses: 2, previous_uses: 1 };
    store.record_usage(&[usage]).await.unwrap();
    // As a caller knows it who has not seen the latest names, only the version.
    let purge = KeyWrite::Purge(Box::new(changed(&record)));
    store.apply(&change(vec![purge])).await.unwrap();
    assert_eq!(server.cli(&["KEYS", "*"]).lines().count(), before);
}

#[tokio::test]
async fn scripts_that_redis_has_forgotten_are_told_again() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    let record = opaque_key("first");
    insert(&store, &record).await;
    server.cli(&["SCRIPT", "FLUSH"]);
    assert_eq!(stored(&store, &record.id).await, Some(record.clone()));
    server.cli(&["SCRIPT", "FLUSH"]);
    store.apply(&update(&record, &changed(&record))).await.unwrap();
}

#[tokio::test]
async fn a_follower_notices_that_others_have_taken_the_place_of_changes_that_were_lost() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    for n in 0..3 {
        insert(&store, &key(&format!("key{n}"))).await;
    }
    let followed = store.changes_since(Sequence::START).await.unwrap().position;
    // As after a fail-over to a replica that had only one of them.
    for lost in ["2-0", "3-0"] {
        server.cli(&["XDEL", "{keyward}:feed", lost]);
    }
    server.cli(&["XSETID", "{keyward}:feed", "1-0"]);
    for n in 3..6 {
        store.apply(&insertion(&key(&format!("key{n}")))).await.unwrap();
    }
    let feed = store.changes_since(followed).await.unwrap();
    assert!(feed.has_gap && feed.position == Sequence::new(4));
    // A process that has not followed before cannot be misled.
    assert!(!store_in(&server).await.changes_since(Sequence::START).await.unwrap().has_gap);
}
