//! Records that cannot be read back, and names that hold something else.

use std::error::Error;

use keyward_core::{Action, Change, FormatKind, KeyRecord, KeyspaceWrite, OwnerId, Sequence};
use keyward_store::conformance::sample::{
    account, at, change, changed, event, insert, insert_account, insertion, key, keyspace,
    opaque_key, signing_key, stored, update,
};
use keyward_store::{AccountQuery, AuditQuery, KeyQuery, KeyStates, Store, StoreError};
use keyward_testkit::redis::{DURABLE, Redis};

use crate::store_in;

fn corrupt<T: std::fmt::Debug>(result: Result<T, StoreError>) -> (&'static str, String) {
    match result {
        Err(error @ StoreError::Corrupt { what, .. }) => {
            assert!(!error.may_retry());
            (what, error.source().unwrap().to_string())
        }
        other => panic!("expected something corrupt, not {other:?}"),
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_read_is_an_error_and_never_a_weaker_key() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    let record = key("damaged");
    insert(&store, &record).await;
    let intact = String::from_utf8(record.to_stored()).unwrap();
    for damage in [
        String::new(),
        "x".to_owned(),
        intact.replace("\"enabled\":true,", ""),
        intact.replace("\"scopes\":[", "\"scopes\":[\"two words\","),
        intact.replace("\"damaged\"", "\"other\""),
        intact.replace("\"version\":1", "\"version\":1,\"networks\":\"of a newer version\""),
    ] {
        assert_ne!(damage, intact);
        server.cli(&["HSET", "{keyward}:key:damaged", "record", &damage]);
        for (what, why) in [
            corrupt(store.find(&record.locators().next().unwrap()).await),
            corrupt(store.key(&record.id).await),
        ] {
            assert_eq!(what, "key");
            assert!(!why.contains("two words"), "{why}");
        }
        let all = KeyQuery { states: KeyStates::ALL, ..KeyQuery::new(at(0), 10) };
        if !damage.contains("\"other\"") {
            assert_eq!(corrupt(store.list(&all).await).0, "key");
        }
    }
}

#[tokio::test]
async fn facts_that_cannot_be_read_are_an_error() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    let record = key("damaged");
    insert(&store, &record).await;
    for damage in ["", "x", "[]", "{}"] {
        server.cli(&["HSET", "{keyward}:key:damaged", "facts", damage]);
        corrupt(store.list(&KeyQuery::new(at(0), 10)).await);
        corrupt(store.apply(&update(&record, &changed(&record))).await);
        assert_eq!(store.position().await.unwrap(), Sequence::new(1));
    }
}

#[tokio::test]
async fn a_digest_that_leads_to_another_key_is_an_error() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    let (one, other) = (opaque_key("one"), opaque_key("other"));
    insert(&store, &one).await;
    insert(&store, &other).await;
    let digest = one.secret.digest().unwrap();
    let name = format!("{{keyward}}:locator:{}:{}", digest.scheme(), digest.to_hex());
    server.cli(&["SET", &name, "other"]);
    assert_eq!(corrupt(store.find(&one.locators().next().unwrap()).await).0, "key");
}

#[tokio::test]
async fn usage_that_cannot_be_read_is_an_error_and_is_not_added_to() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    let (good, damaged) = (key("good"), key("damaged"));
    insert(&store, &good).await;
    insert(&store, &damaged).await;
    server.cli(&["HSET", "{keyward}:key:damaged", "uses", "many"]);
    assert_eq!(corrupt(store.key(&damaged.id).await).0, "key");
    let batch = [&good, &damaged].map(|record| keyward_store::UsageDelta {
        key: record.id.clone(),
        last_used_at: at(1),
        uses: 1,
        previous_uses: 0,
    });
    assert_eq!(corrupt(store.record_usage(&batch).await).0, "key");
    assert_eq!(store.key(&good.id).await.unwrap().unwrap().usage.uses, 0);
}

#[tokio::test]
async fn other_records_that_cannot_be_read_are_errors() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    let (record, owned) = (key("told"), account());
    insert_account(&store, &owned).await;
    let told = event(Action::KeyIssued, &record, 0);
    let all = Change {
        keyspaces: vec![KeyspaceWrite::Insert(keyspace("a", FormatKind::Prefixed))],
        signing_keys: vec![signing_key(at(0), at(100))],
        events: vec![told],
        ..insertion(&record)
    };
    store.apply(&all).await.unwrap();
    let place = server.cli(&["HKEYS", "{keyward}:events"]);
    let signing = server.cli(&["HKEYS", "{keyward}:signing_keys"]);
    for damage in ["", "x", "{}", "{\"action\":\"x\",\"actor\":\"a\",\"data\":{}}"] {
        server.cli(&["HSET", "{keyward}:events", &place, damage]);
        server.cli(&["HSET", "{keyward}:keyspaces", "a", damage]);
        server.cli(&["HSET", "{keyward}:signing_keys", &signing, damage]);
        server.cli(&["HSET", &format!("{{keyward}}:account:{}", owned.id), "record", damage]);
        let trail = AuditQuery { limit: 10, ..AuditQuery::default() };
        assert_eq!(corrupt(store.audit(&trail).await).0, "audit event");
        assert_eq!(corrupt(store.keyspaces().await).0, "keyspace");
        assert_eq!(corrupt(store.signing_keys().await).0, "signing key");
        assert_eq!(corrupt(store.account(&owned.id).await).0, "service account");
        let accounts = AccountQuery::new(10);
        assert_eq!(corrupt(store.accounts(&accounts).await).0, "service account");
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_read_is_an_error() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    for touched in [
        "x",
        "{}",
        "{\"account_states\":false,\"accounts\":[],\"keyspaces\":false,\
                                \"locators\":[[\"sha256\",\"AAAA\"]]}",
    ] {
        server.cli(&["XADD", "{keyward}:feed", "*", "id", "one", "touched", touched]);
        assert_eq!(corrupt(store.changes_since(Sequence::START).await).0, "change");
        server.cli(&["DEL", "{keyward}:feed"]);
        server.cli(&["XADD", "{keyward}:feed", "1-0", "id", "one", "touched", touched]);
        assert_eq!(corrupt(store.changes_since(Sequence::START).await).0, "change");
        server.cli(&["DEL", "{keyward}:feed"]);
    }
}

#[tokio::test]
async fn a_name_that_holds_something_else_refuses_the_whole_change() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    let before = key("before");
    insert(&store, &before).await;
    let new = KeyRecord { owner: OwnerId::parse("ann").unwrap(), ..opaque_key("new") };
    let digest = new.secret.digest().unwrap();
    let locator = format!("locator:{}:{}", digest.scheme(), digest.to_hex());
    let names = ["keys:owner:ann", "keys:tag:prod", "key:new", "events", "changes", &locator];
    let told = event(Action::KeyIssued, &new, 0);
    for name in names {
        let name = format!("{{keyward}}:{name}");
        server.cli(&["RENAME", &name, "aside"]);
        server.cli(&["RPUSH", &name, "x"]);
        let keys = server.cli(&["DBSIZE"]);
        let issue = Change { events: vec![told.clone()], ..insertion(&new) };
        assert_eq!(corrupt(store.apply(&issue).await).0, "database", "{name}");
        assert_eq!(server.cli(&["DBSIZE"]), keys, "{name}");
        server.cli(&["DEL", &name]);
        server.cli(&["RENAME", "aside", &name]);
        assert_eq!(store.position().await.unwrap(), Sequence::new(1));
    }
    assert_eq!(store.list(&KeyQuery::new(at(0), 10)).await.unwrap().keys.len(), 1);
    assert_eq!(stored(&store, &before.id).await, Some(before));
    store.apply(&change(Vec::new())).await.unwrap();
    insert(&store, &new).await;
}
