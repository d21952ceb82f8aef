//! Hearing of changes.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use keyward_store::Store;
use keyward_store::conformance::sample::change;
use keyward_store_postgres::{PostgresOptions, PostgresStore};
use keyward_testkit::pgbouncer::PgBouncer;
use keyward_testkit::proxy::Proxy;
use tokio::time::timeout;

use crate::server::{Server, impatient};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// Waits for a hint after a change that another store makes.
async fn is_told(hints: &mut BoxStream<'static, ()>, other: &PostgresStore) {
    other.apply(&change(Vec::new())).await.unwrap();
    timeout(LONG, hints.next()).await.unwrap().unwrap();
}

/// Waits until it is listened: what comes first.
async fn listening(store: &PostgresStore) -> BoxStream<'static, ()> {
    let mut hints = store.hints();
    timeout(LONG, hints.next()).await.unwrap().unwrap();
    hints
}

#[tokio::test]
async fn every_follower_hears_of_the_changes_of_others_until_the_store_is_gone() {
    let server = Server::start(&[]).await;
    let database = server.database();
    let (store, other) = (server.store(&database).await, server.store(&database).await);
    let mut hints = listening(&store).await;
    let mut more = store.hints();
    for _ in 0..3 {
        is_told(&mut hints, &other).await;
        timeout(LONG, more.next()).await.unwrap().unwrap();
    }
    drop(store);
    while timeout(LONG, hints.next()).await.unwrap().is_some() {}
}

#[tokio::test]
async fn a_listener_that_was_cut_off_hears_again() {
    let server = Server::start(&[]).await;
    let database = server.database();
    let other = server.store(&database).await;
    let proxy = Proxy::start(server.postgres.port());
    let far = format!("postgres://postgres@127.0.0.1:{}/{database}", proxy.port());
    let options = PostgresOptions { feed_url: Some(far), ..impatient() };
    let store = PostgresStore::connect(&server.postgres.url(&database), &options).await.unwrap();
    let mut hints = listening(&store).await;
    is_told(&mut hints, &other).await;
    proxy.cut();
    // That it was cut off may have hidden something: so that is a hint, too.
    timeout(LONG, hints.next()).await.unwrap().unwrap();
    is_told(&mut hints, &other).await;
    // A connection on which nothing is heard is found out.
    proxy.stall();
    other.apply(&change(Vec::new())).await.unwrap();
    assert!(timeout(Duration::from_secs(1), hints.next()).await.is_err());
    store.health().await.unwrap();
    proxy.heal();
    timeout(LONG, hints.next()).await.unwrap().unwrap();
    is_told(&mut hints, &other).await;
}

#[tokio::test]
async fn behind_a_pooler_changes_are_heard_of_over_an_address_past_it() {
    let server = Server::start(&[]).await;
    let database = server.database();
    let other = server.store(&database).await;
    let pooler = PgBouncer::start(&server.postgres);
    let url = format!("{}?pooler=transaction", pooler.url(&database));
    let feed_url = Some(server.postgres.url(&database));
    let options = PostgresOptions { feed_url, ..PostgresOptions::default() };
    let store = PostgresStore::connect(&url, &options).await.unwrap();
    let mut hints = listening(&store).await;
    is_told(&mut hints, &other).await;

    let store = PostgresStore::connect(&url, &PostgresOptions::default()).await.unwrap();
    let mut silent = store.hints();
    other.apply(&change(Vec::new())).await.unwrap();
    assert!(timeout(Duration::from_millis(200), silent.next()).await.is_err());
    drop(store);
    assert_eq!(timeout(LONG, silent.next()).await, Ok(None));
}
