//! The store in Redis keeps the rules of the port, and loses nothing that it has acknowledged, whatever
//! befalls its servers.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod cache;
mod cluster;
mod conformance;
mod corrupt;
mod durable;
mod faults;
mod open;
mod pages;

use std::sync::atomic::{AtomicU32, Ordering};

use keyward_store::StoreError;
use keyward_store_redis::{RedisOptions, RedisStore};
use keyward_testkit::redis::Redis;

/// A store in that server.
async fn store_in(server: &Redis) -> RedisStore {
    connect(server, &RedisOptions::default()).await
}

async fn connect(server: &Redis, options: &RedisOptions) -> RedisStore {
    let options = RedisOptions { ca_file: server.ca_file(), ..options.clone() };
    RedisStore::connect(&server.url(), &options).await.unwrap()
}

/// Options with a prefix that no other call returns.
fn fresh_options() -> RedisOptions {
    static PREFIXES: AtomicU32 = AtomicU32::new(0);
    let prefix = format!("keyward-{}", PREFIXES.fetch_add(1, Ordering::SeqCst));
    RedisOptions { prefix, ..RedisOptions::default() }
}

fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable { .. }))
}
