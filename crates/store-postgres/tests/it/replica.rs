//! A standby server that may answer in place of the primary one.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::{AccountWrite, KeyRecord, ServiceAccount};
use keyward_store::Store;
use keyward_store::conformance::sample::{account, account_change, changed, insert, key, update};
use keyward_store_postgres::{PostgresOptions, PostgresStore, Replica};
use keyward_testkit::FixedClock;
use keyward_testkit::postgres::Postgres;
use keyward_testkit::proxy::Proxy;

use crate::server::{Server, wait_for};

/// How old the latest look at the feed may be.
const MAX_STALENESS: Duration = Duration::from_millis(500);

/// A server, its standby behind a proxy, and a store that asks both.
///
/// The standby replays nothing more after both have the same key and account; those of the primary are
/// marked then, past the store, so that they tell who has answered.
struct Pair {
    server: Server,
    standby: Postgres,
    proxy: Proxy,
    clock: Arc<FixedClock>,
    database: String,
    store: PostgresStore,
    record: KeyRecord,
    account: ServiceAccount,
}

#[derive(Debug, PartialEq, Eq)]
enum Answered {
    Primary,
    Standby,
}

impl Pair {
    async fn start() -> Self {
        let server = Server::start(&[]).await;
        let database = server.database();
        let standby = server.postgres.standby();
        let proxy = Proxy::start(standby.port());
        let clock = Arc::new(FixedClock::new());
        let url = format!("postgres://postgres@127.0.0.1:{}/{database}", proxy.port());
        let replica = Replica {
            max_staleness: MAX_STALENESS,
            timeout: Duration::from_millis(300),
            ..Replica::new(url, Arc::<FixedClock>::clone(&clock))
        };
        let options = PostgresOptions { replica: Some(replica), ..PostgresOptions::default() };
        let url = server.postgres.url(&database);
        let store = PostgresStore::connect(&url, &options).await.unwrap();
        let (record, account) = (key("asked"), account());
        insert(&store, &record).await;
        let write = AccountWrite::Insert(Box::new(account.clone()));
        store.apply(&account_change(vec![write])).await.unwrap();
        let pair = Self { server, standby, proxy, clock, database, store, record, account };
        pair.pause();
        pair
    }

    fn pause(&self) {
        let position = "select coalesce(max(sequence), 0) from keyward.changes";
        let primary = self.server.postgres.execute(&self.database, position);
        wait_for(|| self.standby.execute(&self.database, position) == primary);
        self.standby.execute(&self.database, "select pg_wal_replay_pause()");
        let state = "select pg_get_wal_replay_pause_state()";
        wait_for(|| self.standby.execute(&self.database, state) == "paused\n");
        let mark = "update keyward.keys set hint = 'primary'; \
                    update keyward.service_accounts set description = 'primary'";
        self.server.postgres.execute(&self.database, mark);
    }

    /// Follows the feed to its end.
    async fn follow(&self) {
        let position = self.store.position().await.unwrap();
        assert!(!self.store.changes_since(position).await.unwrap().has_more);
    }

    async fn key(&self) -> (KeyRecord, Answered) {
        let found = self.store.find(&self.record.locators().next().unwrap()).await.unwrap();
        let found = found.unwrap();
        let is_marked = found.hint == "primary";
        (found, if is_marked { Answered::Primary } else { Answered::Standby })
    }

    async fn account(&self) -> Answered {
        let found = self.store.account(&self.account.id).await.unwrap().unwrap();
        let is_marked = found.description != self.account.description;
        if is_marked { Answered::Primary } else { Answered::Standby }
    }

    /// Waits until the standby answers: its connections are made beside the calls.
    async fn reach_standby(&self) {
        for _ in 0..1_000 {
            if self.key().await.1 == Answered::Standby {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the standby does not answer");
    }
}

#[tokio::test]
async fn a_standby_answers_as_long_as_it_knows_what_this_process_knows() {
    let pair = Pair::start().await;
    // Nothing has been followed yet.
    assert_eq!(pair.key().await.1, Answered::Primary);
    pair.follow().await;
    pair.reach_standby().await;
    assert_eq!(pair.account().await, Answered::Standby);

    // The look at the feed gets old.
    pair.clock.advance(MAX_STALENESS);
    assert_eq!(pair.key().await.1, Answered::Standby);
    pair.clock.advance(Duration::from_nanos(1));
    assert_eq!(pair.key().await.1, Answered::Primary);
    assert_eq!(pair.account().await, Answered::Primary);
    pair.follow().await;
    assert_eq!(pair.key().await.1, Answered::Standby);

    // Another process makes a change: it counts when this one has heard of it.
    let other = pair.server.store(&pair.database).await;
    let disabled = KeyRecord { enabled: false, ..changed(&pair.record) };
    other.apply(&update(&pair.record, &disabled)).await.unwrap();
    assert!(pair.key().await.0.enabled);
    pair.follow().await;
    assert_eq!(pair.key().await.0, disabled);

    // The standby learns of it, too, and answers again.
    pair.standby.execute(&pair.database, "select pg_wal_replay_resume()");
    pair.pause();
    pair.clock.advance(Duration::from_millis(100));
    pair.reach_standby().await;

    // A change of this process is seen by it at once.
    let enabled = changed(&disabled);
    let enabled = KeyRecord { enabled: true, ..enabled };
    pair.store.apply(&update(&disabled, &enabled)).await.unwrap();
    assert_eq!(pair.key().await.0, enabled);
}

#[tokio::test]
async fn a_standby_that_is_slow_or_dead_costs_time_and_nothing_else() {
    let mut pair = Pair::start().await;
    pair.follow().await;
    pair.reach_standby().await;
    pair.proxy.stall();
    assert_eq!(pair.key().await.1, Answered::Primary);
    pair.proxy.heal();
    // It is left alone for a while.
    assert_eq!(pair.key().await.1, Answered::Primary);
    pair.clock.advance(Duration::from_secs(10));
    pair.follow().await;
    pair.reach_standby().await;

    pair.standby.kill();
    for _ in 0..20 {
        assert_eq!(pair.key().await.1, Answered::Primary);
    }
    pair.store.health().await.unwrap();
    pair.standby.start_again();
    for _ in 0..3 {
        pair.clock.advance(Duration::from_secs(10));
        pair.follow().await;
        // Now it replays what it has.
        assert_eq!(pair.key().await.1, Answered::Primary);
    }
}

#[tokio::test]
async fn a_store_opens_and_works_without_its_standby() {
    let server = Server::start(&[]).await;
    let url = server.postgres.url(&server.database());
    // Nobody listens on that port.
    let nowhere = "postgres://postgres@127.0.0.1:1/keyward";
    let replica = Replica::new(nowhere, Arc::new(FixedClock::new()));
    let options = PostgresOptions { replica: Some(replica), ..PostgresOptions::default() };
    let store = PostgresStore::connect(&url, &options).await.unwrap();
    let record = key("found");
    insert(&store, &record).await;
    let position = store.position().await.unwrap();
    store.changes_since(position).await.unwrap();
    for _ in 0..20 {
        let found = store.find(&record.locators().next().unwrap()).await.unwrap();
        assert_eq!(found.as_ref(), Some(&record));
    }
}
