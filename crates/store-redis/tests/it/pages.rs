//! Lists that are longer than what one call looks at: they hold what those of the memory store hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyward_core::{
    Action, AuditFilter, Change, Deletion, KeyRecord, KeyState, KeyWrite, MatchTags, Name, OwnerId,
    Tag, TagFilter, TagSet, Timestamp,
};
use keyward_store::conformance::sample::{
    account, at, change, event, insert_account, key, key_of, update,
};
use keyward_store::{AuditQuery, KeyQuery, KeySort, KeyStates, MemoryStore, Order, Search, Store};
use keyward_testkit::redis::{DURABLE, Redis};

use crate::store_in;

const SORTS: [KeySort; 5] =
    [KeySort::CreatedAt, KeySort::Enabled, KeySort::ExpiresAt, KeySort::Name, KeySort::UpdatedAt];

fn owner(name: &str) -> OwnerId {
    OwnerId::parse(name).unwrap()
}

fn tags(names: &[&str]) -> TagSet {
    TagSet::new(names.iter().map(|tag| Tag::parse(tag).unwrap())).unwrap()
}

/// A key whose instants lie beyond what a double tells apart, and whose id and name sort differently by
/// their bytes and by a dictionary.
fn record(n: i64) -> KeyRecord {
    let far = |step: i64| Timestamp::from_micros((1 << 53) + step).unwrap();
    let name = ["Zoe", "adam", "Ärger", "zoe b", "_", "Zoe b"].get(usize::try_from(n % 7).unwrap());
    let deletion = || Deletion { at: at(n), by: "actor".parse().unwrap() };
    let id = if n % 2 == 0 { format!("K{n}") } else { format!("k-{n}") };
    KeyRecord {
        owner: owner(if n % 3 == 0 { "ann" } else { "bob" }),
        name: name.map(|name| Name::parse(*name).unwrap()),
        tags: tags(if n % 5 == 0 { &["x", "y"] } else { &["y"] }),
        enabled: n % 4 != 0,
        created_at: far(n / 2),
        updated_at: far(n % 11),
        expires_at: (n % 6 != 0).then(|| far(n % 13)),
        deletion: (n % 10 == 0).then(deletion),
        ..key(&id)
    }
}

fn queries() -> Vec<KeyQuery> {
    let now = Timestamp::from_micros((1 << 53) + 6).unwrap();
    let all = KeyQuery { now, ..KeyQuery::new(now, 700) };
    let tagged = |names: &[&str], matching| TagFilter { tags: tags(names), matching };
    vec![
        all.clone(),
        KeyQuery { states: KeyStates::ALL, ..all.clone() },
        KeyQuery { states: KeyState::Deleted.into(), ..all.clone() },
        KeyQuery { states: KeyStates::of(&[KeyState::Active, KeyState::Expired]), ..all.clone() },
        KeyQuery { owner: Some(owner("ann")), ..all.clone() },
        KeyQuery { owner: Some(owner("bob")), states: KeyStates::ALL, ..all.clone() },
        KeyQuery { owner: Some(owner("nobody")), ..all.clone() },
        KeyQuery { tags: tagged(&["x", "y"], MatchTags::All), ..all.clone() },
        KeyQuery { tags: tagged(&["x", "z"], MatchTags::Any), ..all.clone() },
        KeyQuery { search: Search::parse("k-1337").ok(), ..all.clone() },
        KeyQuery { search: Search::parse("ZOE").ok(), limit: 9, ..all },
    ]
}

async fn compare(store: &dyn Store, expected: &dyn Store, mut query: KeyQuery) {
    loop {
        let (page, wanted) =
            (store.list(&query).await.unwrap(), expected.list(&query).await.unwrap());
        assert_eq!(page.keys, wanted.keys, "{query:?}");
        assert_eq!((&page.next, page.total), (&wanted.next, wanted.total), "{query:?}");
        match page.next {
            Some(next) if query.skip.is_none() => query.after = Some(next),
            _ => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_lists_hold_what_those_of_the_memory_store_hold() {
    let server = Redis::start(DURABLE);
    let (store, expected) = (store_in(&server).await, MemoryStore::new());
    let records: Vec<_> = (0..3_100).map(record).collect();
    for some in records.chunks(500) {
        let writes = some.iter().map(|record| KeyWrite::Insert(Box::new(record.clone())));
        let change = change(writes.collect());
        store.apply(&change).await.unwrap();
        expected.apply(&change).await.unwrap();
    }
    for query in queries() {
        for sort in SORTS {
            for order in [Order::Ascending, Order::Descending] {
                let query = KeyQuery { sort, order, ..query.clone() };
                let counted = KeyQuery { skip: Some(1_234), ..query.clone() };
                compare(&store, &expected, counted).await;
                compare(&store, &expected, query).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_counted_is_of_one_instant_while_others_write() {
    const KEYS: i64 = 2_500;
    let server = Redis::start(DURABLE);
    let store = Arc::new(store_in(&server).await);
    let owned = account();
    insert_account(&*store, &owned).await;
    let record = |n: i64| KeyRecord { created_at: at(n), ..key_of(&owned, &format!("key{n}")) };
    let writes = (0..KEYS).map(|n| KeyWrite::Insert(Box::new(record(n))));
    store.apply(&change(writes.collect())).await.unwrap();
    let is_done = Arc::new(AtomicBool::new(false));
    let moving = {
        let (store, is_done) = (Arc::clone(&store), Arc::clone(&is_done));
        let changes: Vec<_> = (0..KEYS)
            .map(|n| {
                let moved = KeyRecord { created_at: at(KEYS + n), ..record(n) };
                let moved = KeyRecord { id: format!("moved{n}").parse().unwrap(), ..moved };
                let purge = KeyWrite::Purge(Box::new(record(n)));
                change(vec![purge, KeyWrite::Insert(Box::new(moved))])
            })
            .collect();
        tokio::spawn(async move {
            for change in changes {
                if is_done.load(Ordering::SeqCst) {
                    return;
                }
                store.apply(&change).await.unwrap();
            }
        })
    };
    for _ in 0..20 {
        let query = KeyQuery { skip: Some(2_000), ..KeyQuery::new(at(0), 10) };
        let page = store.list(&query).await.unwrap();
        assert_eq!((page.keys.len(), page.total), (10, Some(KEYS.cast_unsigned())));
    }
    is_done.store(true, Ordering::SeqCst);
    moving.await.unwrap();
}

#[tokio::test]
async fn a_long_trail_is_listed_and_counted_whole() {
    let server = Redis::start(DURABLE);
    let (store, expected) = (store_in(&server).await, MemoryStore::new());
    let (ann, bob) = (key("a"), KeyRecord { owner: owner("bob"), ..key("b") });
    let events: Vec<_> = (0..2_500)
        .map(|n| event(Action::KeyUpdated, if n % 50 == 0 { &bob } else { &ann }, n))
        .collect();
    for some in events.chunks(500) {
        let change = Change { events: some.to_vec(), ..change(Vec::new()) };
        store.apply(&change).await.unwrap();
        expected.apply(&change).await.unwrap();
    }
    let all = AuditFilter::default();
    for filter in [
        all.clone(),
        AuditFilter { owner: Some(owner("bob")), ..all.clone() },
        AuditFilter { action: Some(Action::KeyIssued), ..all.clone() },
        AuditFilter { since: Some(at(700)), until: Some(at(2_000)), ..all },
    ] {
        let wanted = expected.summarize_audit(&filter).await.unwrap();
        assert_eq!(store.summarize_audit(&filter).await.unwrap(), wanted);
        let mut query = AuditQuery { filter, limit: 900, after: None };
        loop {
            let (page, wanted) =
                (store.audit(&query).await.unwrap(), expected.audit(&query).await.unwrap());
            assert_eq!((&page.events, page.next), (&wanted.events, wanted.next));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
    }
}

#[tokio::test]
async fn a_change_moves_a_key_in_every_order() {
    let server = Redis::start(DURABLE);
    let (store, expected) = (store_in(&server).await, MemoryStore::new());
    let before: Vec<_> = (0..40).map(record).collect();
    for n in 0..40 {
        let old = &before[usize::try_from(n).unwrap()];
        let new = record(n * 17 + 5);
        let after = KeyRecord { id: old.id.clone(), version: old.version.next(), ..new };
        let insertion = change(vec![KeyWrite::Insert(Box::new(old.clone()))]);
        for change in [insertion, update(old, &after)] {
            store.apply(&change).await.unwrap();
            expected.apply(&change).await.unwrap();
        }
    }
    for query in queries() {
        for sort in SORTS {
            compare(&store, &expected, KeyQuery { sort, limit: 7, ..query.clone() }).await;
        }
    }
}
