//! Which servers and records are taken, and which are refused and left as they are.

use std::error::Error;
use std::time::Duration;

use keyward_core::Sequence;
use keyward_store::Store;
use keyward_store::conformance::sample::{insert, insertion, key};
use keyward_store_redis::{Durability, OpenError, RedisOptions, RedisStore};
use keyward_testkit::redis::{DURABLE, Redis};
use tokio::time::Instant;

use crate::{is_unavailable, store_in};

async fn refusal(url: &str, options: &RedisOptions) -> OpenError {
    RedisStore::connect(url, options).await.unwrap_err()
}

fn why(refused: &OpenError) -> String {
    refused.source().unwrap().to_string()
}

#[tokio::test]
async fn records_of_others_are_refused_and_left_as_they_are() {
    let server = Redis::start(DURABLE);
    for foreign in [
        &["SET", "{keyward}:meta", "x"][..],
        &["HSET", "{keyward}:meta", "schema", "1"],
        &["HSET", "{keyward}:meta", "application", "other"],
    ] {
        server.cli(foreign);
        let before = server.cli(&["DUMP", "{keyward}:meta"]);
        let refused = refusal(&server.url(), &RedisOptions::default()).await;
        assert!(refused.is_foreign() && !refused.is_newer(), "{refused:?}");
        assert_eq!(server.cli(&["DUMP", "{keyward}:meta"]), before);
        server.cli(&["DEL", "{keyward}:meta"]);
    }
    store_in(&server).await.health().await.unwrap();
}

#[tokio::test]
async fn records_of_a_newer_keyward_are_refused_and_left_as_they_are() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    insert(&store, &key("first")).await;
    server.cli(&["HSET", "{keyward}:meta", "schema", "1000"]);
    let refused = refusal(&server.url(), &RedisOptions::default()).await;
    assert!(refused.is_newer() && !refused.is_foreign());
    assert!(why(&refused).contains("a newer version of keyward has migrated it"), "{refused:?}");
    // Whoever has the records open writes nothing any more, either.
    assert!(is_unavailable(&store.apply(&insertion(&key("second"))).await));
    assert!(is_unavailable(&store.health().await));
    assert_eq!(store.position().await.unwrap(), Sequence::new(1));
}

#[tokio::test]
async fn a_server_that_would_lose_records_is_refused() {
    let ephemeral = Redis::start(&[]);
    let forgetful = Redis::start(&["appendonly yes", "appendfsync everysec"]);
    let never = Redis::start(&["appendonly yes", "appendfsync no"]);
    let evicting = Redis::start(&[DURABLE, &["maxmemory-policy allkeys-lru"]].concat());
    let with = |durability| RedisOptions { durability, ..RedisOptions::default() };
    let (always, every_second) = (with(Durability::Always), with(Durability::EverySecond));
    let unchecked = with(Durability::Unchecked);
    for (server, options, complaint) in [
        (&ephemeral, &always, "appendonly"),
        (&ephemeral, &unchecked, "appendonly"),
        (&forgetful, &always, "`appendfsync` must be `always`, not `everysec`"),
        (&never, &always, "`appendfsync` must be `always`, not `no`"),
        (&never, &every_second, "`appendfsync` must be `everysec`, not `no`"),
        (&evicting, &always, "`noeviction`, not `allkeys-lru`"),
    ] {
        let refused = refusal(&server.url(), options).await;
        assert!(refused.is_unsuitable() && !refused.is_unreachable(), "{refused:?}");
        assert!(why(&refused).contains(complaint), "{}", why(&refused));
        assert_eq!(server.cli(&["DBSIZE"]), "0");
    }
    RedisStore::connect(&forgetful.url(), &every_second).await.unwrap();
    RedisStore::connect(&never.url(), &unchecked).await.unwrap();
}

#[tokio::test]
async fn a_replica_is_refused() {
    let primary = Redis::start(DURABLE);
    let of_primary = format!("replicaof 127.0.0.1 {}", primary.port());
    let replica = Redis::start(&[DURABLE, &[of_primary.as_str()]].concat());
    let refused = refusal(&replica.url(), &RedisOptions::default()).await;
    assert!(refused.is_unsuitable() && why(&refused).contains("replica"), "{refused:?}");
}

#[tokio::test]
async fn where_asking_for_settings_is_forbidden_it_takes_a_word_that_they_are_known() {
    let server = Redis::start(DURABLE);
    server.cli(&["ACL", "SETUSER", "ann", "on", ">pass", "~{keyward}:*", "+@all", "-config"]);
    let url = server.url().replace("//", "//ann:pass@");
    let refused = refusal(&url, &RedisOptions::default()).await;
    assert!(refused.is_unsuitable() && why(&refused).contains("CONFIG GET"), "{refused:?}");
    let options = RedisOptions { durability: Durability::Unchecked, ..RedisOptions::default() };
    let store = RedisStore::connect(&url, &options).await.unwrap();
    insert(&store, &key("first")).await;
    store.health().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_told_and_none_is_shown() {
    let server = Redis::start(DURABLE);
    server.cli(&["CONFIG", "SET", "requirepass", "right"]);
    for url in [server.url(), server.url().replace("//", "//:hushhush@")] {
        let refused = refusal(&url, &RedisOptions::default()).await;
        let told = format!("{refused} {refused:?} {}", why(&refused));
        assert!(!told.contains("hushhush"), "{told}");
    }
    let url = server.url().replace("//", "//:right@");
    let store = RedisStore::connect(&url, &RedisOptions::default()).await.unwrap();
    assert!(!format!("{store:?}").contains("right"), "{store:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_or_does_not_answer_is_unreachable_before_long() {
    let mut server = Redis::start(DURABLE);
    let patience = Duration::from_millis(300);
    let options = RedisOptions {
        connect_timeout: patience,
        response_timeout: patience,
        ..RedisOptions::default()
    };
    server.pause();
    for _ in 0..2 {
        let start = Instant::now();
        let refused = refusal(&server.url(), &options).await;
        assert!(refused.is_unreachable(), "{refused:?}");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert!(refused.to_string().contains(&server.port().to_string()));
        server.kill();
    }
}

#[tokio::test]
async fn records_that_vanish_stop_all_changes_and_are_told_to_followers() {
    let server = Redis::start(DURABLE);
    let store = store_in(&server).await;
    insert(&store, &key("first")).await;
    let position = store.position().await.unwrap();
    server.cli(&["FLUSHALL"]);
    assert!(is_unavailable(&store.apply(&insertion(&key("second"))).await));
    assert!(is_unavailable(&store.health().await));
    let feed = store.changes_since(position).await.unwrap();
    assert!(feed.has_gap && feed.position == Sequence::START);
    assert_eq!(server.cli(&["DBSIZE"]), "0");
}
