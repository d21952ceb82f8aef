//! Between files and servers, in whichever direction.

use std::sync::Arc;

use keyward::store::Store;
use keyward_store_postgres::{PostgresOptions, PostgresStore};
use keyward_store_redis::{RedisOptions, RedisStore};
use keyward_testkit::postgres::Postgres;
use keyward_testkit::redis::{DURABLE, Redis};

use crate::support::Backend::Sqlite;
use crate::support::{Life, Place, assert_same, contents, copier};

/// A copy of a copy of a copy is the first one; and what is done while each is made is in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn records_survive_a_round_through_every_backend() {
    let (postgres, redis) = (Postgres::start(&[]), Redis::start(DURABLE));
    postgres.create_database("copy");
    let url = postgres.url("copy");
    PostgresStore::migrate(&url).await.unwrap();
    let in_postgres = PostgresStore::connect(&url, &PostgresOptions::default()).await.unwrap();
    let in_redis = RedisStore::connect(&redis.url(), &RedisOptions::default()).await.unwrap();
    let (first, last) = (Place::new(Sqlite), Place::new(Sqlite));
    let stores: [Arc<dyn Store>; 4] = [
        Arc::clone(&first.store),
        Arc::new(in_postgres),
        Arc::new(in_redis),
        Arc::clone(&last.store),
    ];
    Life::begin(&first.store, 141).await.live(1_200).await;
    for (step, ends) in stores.windows(2).enumerate() {
        let seed = 142 + u64::try_from(step).unwrap();
        let source = Arc::clone(&ends[0]);
        let life = tokio::spawn(async move { Life::begin(&source, seed).await.live(300).await });
        let copier = copier(&ends[0], &ends[1]);
        copier.follow(async { life.await.unwrap() }).await.unwrap();
        let switched = copier.switch(std::future::pending()).await.unwrap();
        assert!(matches!(switched, keyward_copy::Switched::Done(..)), "{switched:?}");
        assert_same(&*ends[0], &*ends[1]).await;
    }
    assert!(contents(&*last.store).await.count("key") > 100);
}
