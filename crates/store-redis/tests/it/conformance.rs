//! The rules of the port, over each way to reach Redis.

use std::sync::Arc;

use keyward_store::Store;
use keyward_store::conformance::broken_rules;
use keyward_store_redis::{RedisOptions, RedisStore};
use keyward_testkit::redis::{Cluster, DURABLE, Redis, Sentinels};

use crate::fresh_options;

/// The rules that are broken by stores at a URL, each under a prefix of its own.
async fn broken_at(url: &str, options: &RedisOptions) -> Vec<&'static str> {
    let make = async || {
        let options = RedisOptions { prefix: fresh_options().prefix, ..options.clone() };
        let store: Arc<dyn Store> = Arc::new(RedisStore::connect(url, &options).await.unwrap());
        (store, ())
    };
    broken_rules(make).await
}

#[tokio::test]
async fn a_server_alone_keeps_the_rules() {
    let server = Redis::start(DURABLE);
    assert_eq!(broken_at(&server.url(), &RedisOptions::default()).await, [""; 0]);
}

#[tokio::test]
async fn a_server_over_tls_keeps_the_rules() {
    let server = Redis::start_with_tls(DURABLE);
    let options = RedisOptions { ca_file: server.ca_file(), ..RedisOptions::default() };
    assert_eq!(broken_at(&server.url(), &options).await, [""; 0]);
}

#[tokio::test]
async fn servers_with_sentinels_keep_the_rules() {
    let servers = Sentinels::start();
    let options = RedisOptions { wait_for_replicas: 1, ..RedisOptions::default() };
    assert_eq!(broken_at(&servers.url(), &options).await, [""; 0]);
}

#[tokio::test]
async fn a_cluster_keeps_the_rules() {
    let cluster = Cluster::start();
    assert_eq!(broken_at(&cluster.url(), &RedisOptions::default()).await, [""; 0]);
}
