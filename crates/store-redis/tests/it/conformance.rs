//! The rules of the port, over each way to reach Redis. The rules share a server, each under a prefix of
//! its own.

use std::sync::{Arc, LazyLock};

use keyward_store::Store;
use keyward_store_redis::{RedisOptions, RedisStore};
use keyward_testkit::redis::{Cluster, DURABLE, Redis, Sentinels};

use crate::{connect, fresh_options};

async fn fresh_store() -> (Arc<dyn Store>, ()) {
    static SERVER: LazyLock<Redis> = LazyLock::new(|| Redis::start(DURABLE));
    (Arc::new(connect(&SERVER, &fresh_options()).await), ())
}

async fn fresh_store_over_tls() -> (Arc<dyn Store>, ()) {
    static SERVER: LazyLock<Redis> = LazyLock::new(|| Redis::start_with_tls(DURABLE));
    (Arc::new(connect(&SERVER, &fresh_options()).await), ())
}

async fn fresh_store_by_sentinels() -> (Arc<dyn Store>, ()) {
    static SERVERS: LazyLock<Sentinels> = LazyLock::new(Sentinels::start);
    let options = RedisOptions { wait_for_replicas: 1, ..fresh_options() };
    (Arc::new(RedisStore::connect(&SERVERS.url(), &options).await.unwrap()), ())
}

async fn fresh_store_in_a_cluster() -> (Arc<dyn Store>, ()) {
    static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);
    (Arc::new(RedisStore::connect(&CLUSTER.url(), &fresh_options()).await.unwrap()), ())
}

keyward_store::conformance_test!(a_store_keeps_the_rules, fresh_store);
keyward_store::conformance_test!(a_store_over_tls_keeps_the_rules, fresh_store_over_tls);
keyward_store::conformance_test!(a_store_by_sentinels_keeps_the_rules, fresh_store_by_sentinels);
keyward_store::conformance_test!(a_store_in_a_cluster_keeps_the_rules, fresh_store_in_a_cluster);
