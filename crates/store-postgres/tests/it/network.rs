//! A network that is slow, cuts connections and swallows what is sent.

use std::future::Future;
use std::pin::pin;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyward_store::conformance::sample::{at, insert, insertion, key, stored};
use keyward_store::{KeyQuery, Store, StoreError, UsageDelta};
use keyward_store_postgres::{PostgresOptions, PostgresStore};
use keyward_testkit::postgres::Postgres;
use keyward_testkit::proxy::Proxy;

use tokio::time::timeout;

use crate::server::{Server, impatient, is_unavailable, wait_for};

/// A store behind a proxy.
async fn behind(server: &Server, options: &PostgresOptions) -> (PostgresStore, Proxy, String) {
    let database = server.database();
    let proxy = Proxy::start(server.postgres.port());
    let url = format!("postgres://postgres@127.0.0.1:{}/{database}", proxy.port());
    (PostgresStore::connect(&url, options).await.unwrap(), proxy, database)
}

/// Fails within some time, as the store does not answer.
async fn fails_soon<T>(call: impl Future<Output = Result<T, StoreError>>) {
    let begin = started();
    assert!(is_unavailable(&call.await));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[expect(clippy::disallowed_methods, reason = "what is measured is how long callers wait")]
fn started() -> Instant {
    Instant::now()
}

#[tokio::test]
async fn a_connection_that_was_cut_is_replaced() {
    let server = Server::start(&[]).await;
    let (store, proxy, _) = behind(&server, &PostgresOptions::default()).await;
    for round in 0..5 {
        let record = key(&format!("key{round}"));
        insert(&store, &record).await;
        proxy.cut();
        assert_eq!(stored(&store, &record.id).await, Some(record));
        store.list(&KeyQuery::new(at(0), 10)).await.unwrap();
        proxy.cut();
    }
    proxy.refuse();
    fails_soon(store.key(&key("key1").id)).await;
    fails_soon(store.apply(&insertion(&key("refused")))).await;
    proxy.heal();
    insert(&store, &key("healed")).await;
}

#[tokio::test]
async fn nothing_hangs_on_a_network_that_swallows_everything() {
    let server = Server::start(&[]).await;
    let (store, proxy, _) = behind(&server, &impatient()).await;
    let record = key("first");
    insert(&store, &record).await;
    assert_eq!(stored(&store, &record.id).await, Some(record.clone()));
    proxy.stall();
    let issue = insertion(&key("stalled"));
    let (locator, query) = (record.locators().next().unwrap(), KeyQuery::new(at(0), 10));
    let used =
        [UsageDelta { key: record.id.clone(), last_used_at: at(0), uses: 1, previous_uses: 0 }];
    tokio::join!(
        fails_soon(store.key(&record.id)),
        fails_soon(store.find(&locator)),
        fails_soon(store.list(&query)),
        fails_soon(store.apply(&issue)),
        fails_soon(store.record_usage(&used)),
        fails_soon(store.health()),
    );
    // Nor on new connections.
    fails_soon(store.key(&record.id)).await;
    proxy.heal();
    assert_eq!(stored(&store, &record.id).await, Some(record));
    let applied = store.apply(&issue).await.unwrap();
    assert_eq!(applied.sequence, store.position().await.unwrap());
}

#[tokio::test]
async fn a_slow_network_only_takes_longer() {
    let server = Server::start(&[]).await;
    let (store, proxy, _) = behind(&server, &PostgresOptions::default()).await;
    proxy.delay(Duration::from_millis(50));
    let store = Arc::new(store);
    let calls: Vec<_> = (0..4)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { insert(&*store, &key(&format!("key{n}"))).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(store.list(&KeyQuery::new(at(0), 10)).await.unwrap().keys.len(), 4);
}

/// Holds the lock that changes take, as one does whose node was stopped in the middle.
fn hold_up(postgres: &Postgres, database: &str) -> Child {
    let script = "begin; select * from keyward.feed for update; select pg_sleep(60)";
    let mut holder = postgres.psql(database);
    holder.args(["--command", script]).stdout(Stdio::null()).stderr(Stdio::null());
    let holder = holder.spawn().unwrap();
    let waits = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
    wait_for(|| postgres.execute("postgres", waits) == "1\n");
    holder
}

#[tokio::test]
async fn changes_that_wait_for_others_fail_in_time_and_leave_reading_alone() {
    let server = Server::start(&[]).await;
    let database = server.database();
    let options = PostgresOptions { pool_size: 2, ..impatient() };
    let url = server.postgres.url(&database);
    let store = PostgresStore::connect(&url, &options).await.unwrap();
    insert(&store, &key("first")).await;
    let mut holder = hold_up(&server.postgres, &database);
    let issues: [_; 3] = std::array::from_fn(|n| insertion(&key(&format!("waiting{n}"))));
    let [one, two, three] = &issues;
    tokio::join!(
        fails_soon(store.apply(one)),
        fails_soon(store.apply(two)),
        // For this one, there is not even a connection left.
        fails_soon(store.apply(three)),
        async { assert!(store.key(&key("first").id).await.unwrap().is_some()) },
    );
    store.list(&KeyQuery::new(at(0), 10)).await.unwrap();
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'";
    server.postgres.execute("postgres", end);
    holder.wait().unwrap();
    for issue in &issues {
        assert!(!store.apply(issue).await.unwrap().is_replay);
    }
}

#[tokio::test]
async fn a_node_that_falls_silent_within_a_change_holds_nobody_up_for_long() {
    let server = Server::start(&[]).await;
    let (silent, proxy, database) = behind(&server, &PostgresOptions::default()).await;
    let store = server.store(&database).await;
    proxy.delay(Duration::from_millis(500));
    let record = key("silent");
    let issue = insertion(&record);
    let mut begun = pin!(silent.apply(&issue));
    let holds = "select count(*) from pg_stat_activity where state = 'idle in transaction'";
    while server.postgres.execute("postgres", holds) != "1\n" {
        let pause = Duration::from_millis(10);
        assert!(timeout(pause, &mut begun).await.is_err());
    }
    proxy.stall();
    insert(&store, &key("other")).await;
    proxy.heal();
    assert!(is_unavailable(&begun.await));
    assert_eq!(stored(&store, &record.id).await, None);
}
