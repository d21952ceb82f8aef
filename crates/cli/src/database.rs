//! From the configuration to the store that keeps the records.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use keyward::SystemClock;
use keyward::store::{MemoryStore, SharedCache, Store};
use keyward_store_postgres::{PostgresOptions, PostgresStore, Replica};
use keyward_store_redis::{RedisCache, RedisCacheOptions, RedisOptions, RedisStore};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};

use crate::config::{CacheSection, DatabaseSection, DatabaseUrl};
use crate::instance::Workload;

/// Opens the database. An embedded one is made if it is missing.
pub(crate) async fn open(
    database: &DatabaseSection,
    max_staleness: Duration,
    workload: Workload,
) -> anyhow::Result<Arc<dyn Store>> {
    let cannot = || format!("cannot open {}", database.url);
    Ok(match &database.url {
        DatabaseUrl::Memory => Arc::new(MemoryStore::new()),
        DatabaseUrl::Postgres(url) => {
            let options = postgres(database, max_staleness);
            let store = PostgresStore::connect(url.expose(), &options).await;
            Arc::new(store.with_context(cannot)?)
        }
        DatabaseUrl::Redis(url) => {
            let store = RedisStore::connect(url.expose(), &redis(database)).await;
            Arc::new(store.with_context(cannot)?)
        }
        DatabaseUrl::Sqlite(path) => {
            let store = SqliteStore::open(path, &sqlite(workload));
            Arc::new(store.with_context(cannot)?)
        }
    })
}

/// Brings the database to the newest schema. Returns how many migrations it took; absent: it has none.
pub(crate) async fn migrate(url: &DatabaseUrl) -> anyhow::Result<Option<usize>> {
    let cannot = || format!("cannot migrate {url}");
    match url {
        DatabaseUrl::Postgres(url) => {
            PostgresStore::migrate(url.expose()).await.map(Some).with_context(cannot)
        }
        DatabaseUrl::Sqlite(path) => SqliteStore::migrate(path).map(Some).with_context(cannot),
        DatabaseUrl::Memory | DatabaseUrl::Redis(_) => Ok(None),
    }
}

/// How many migrations the database lacks; absent: it has none.
pub(crate) async fn pending_migrations(url: &DatabaseUrl) -> anyhow::Result<Option<usize>> {
    let cannot = || format!("cannot look at {url}");
    match url {
        DatabaseUrl::Postgres(url) => {
            PostgresStore::pending_migrations(url.expose()).await.map(Some).with_context(cannot)
        }
        DatabaseUrl::Sqlite(path) => {
            SqliteStore::pending_migrations(path).map(Some).with_context(cannot)
        }
        DatabaseUrl::Memory | DatabaseUrl::Redis(_) => Ok(None),
    }
}

/// The cache that nodes share, if there is one. It is not connected to yet.
pub(crate) fn shared_cache(cache: &CacheSection) -> anyhow::Result<Option<Arc<dyn SharedCache>>> {
    let Some(url) = &cache.shared else { return Ok(None) };
    let options =
        RedisCacheOptions { ca_file: cache.shared_ca_file.clone(), ..RedisCacheOptions::default() };
    let shared = RedisCache::new(url.expose(), &options);
    Ok(Some(Arc::new(shared.with_context(|| format!("cannot use {url}"))?)))
}

fn sqlite(workload: Workload) -> SqliteOptions {
    let usual = SqliteOptions::default();
    match workload {
        Workload::Bulk => SqliteOptions { cache_size: 192 * 1_024, log_size: 256 * 1_024, ..usual },
        Workload::Serving | Workload::Usual => usual,
    }
}

fn postgres(database: &DatabaseSection, max_staleness: Duration) -> PostgresOptions {
    let replica = database.replica.as_ref().filter(|_| !max_staleness.is_zero());
    PostgresOptions {
        acquire_timeout: database.connect_timeout.0,
        connect_timeout: database.connect_timeout.0,
        lock_timeout: database.statement_timeout.0,
        statement_timeout: database.statement_timeout.0,
        pool_size: database.connections.get(),
        feed_url: database.feed.as_ref().map(|url| url.expose().to_owned()),
        replica: replica.map(|url| Replica {
            max_staleness,
            ..Replica::new(url.expose(), Arc::new(SystemClock))
        }),
        ..PostgresOptions::default()
    }
}

fn redis(database: &DatabaseSection) -> RedisOptions {
    let redis = &database.redis;
    RedisOptions {
        ca_file: redis.ca_file.clone(),
        connect_timeout: database.connect_timeout.0,
        durability: redis.durability.into(),
        prefix: redis.prefix.clone(),
        response_timeout: database.statement_timeout.0,
        wait_for_replicas: redis.wait_for_replicas,
        ..RedisOptions::default()
    }
}
