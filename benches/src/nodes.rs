//! Many nodes: hits while the feed is followed, misses on PostgreSQL and Redis beside the drivers' own
//! reads, misses among very many keys, and how fast a node follows.
//!
//! The servers are started here, in temporary folders. CPU time is that of this process: what the
//! servers use is not counted, on either side of a ratio.

mod feed;
mod hits;
mod misses;
mod sizes;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use keyward::Keyward;
use keyward::store::Store;
use keyward_store_postgres::{PostgresOptions, PostgresStore};
use keyward_store_redis::{RedisOptions, RedisStore};
use keyward_testkit::postgres::Postgres;
use keyward_testkit::redis::Redis;
pub(crate) use writer::write;

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Hits while the feed is followed.
    Hits,
    /// Misses beside the driver's own reads.
    Misses,
    /// Misses among very many keys.
    Sizes,
    /// How fast changes of others are followed.
    Feed,
}

/// How much to measure.
#[derive(Clone, Copy)]
struct Scale {
    rounds: usize,
    is_quick: bool,
}

pub(crate) fn run(
    only: Option<Part>,
    keys: usize,
    rounds: usize,
    is_quick: bool,
) -> anyhow::Result<()> {
    let scale = Scale { rounds, is_quick };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build()?.block_on(async {
        let is_wanted = |part| only.is_none_or(|only| only == part);
        if is_wanted(Part::Hits) {
            hits::run(scale).await?;
        }
        if is_wanted(Part::Misses) {
            misses::run(scale).await?;
        }
        if is_wanted(Part::Sizes) {
            sizes::run(scale, if is_quick { 100_000 } else { keys }).await?;
        }
        if is_wanted(Part::Feed) {
            feed::run(scale).await?;
        }
        Ok(())
    })
}

/// A PostgreSQL with an empty, migrated database.
struct OnPostgres {
    server: Postgres,
    url: String,
}

impl OnPostgres {
    async fn start() -> anyhow::Result<Self> {
        let settings =
            ["shared_buffers = '1GB'", "max_wal_size = '8GB'", "synchronous_commit = off"];
        let server = Postgres::start(&settings);
        server.create_database("keyward");
        let url = server.url("keyward");
        PostgresStore::migrate(&url).await?;
        Ok(Self { server, url })
    }

    async fn store(&self) -> anyhow::Result<Arc<dyn Store>> {
        Ok(Arc::new(PostgresStore::connect(&self.url, &PostgresOptions::default()).await?))
    }

    fn execute(&self, sql: &str) -> anyhow::Result<()> {
        let psql = self.server.psql("keyward").args(["-qAtc", sql]).output()?;
        anyhow::ensure!(psql.status.success(), "{}", String::from_utf8_lossy(&psql.stderr));
        Ok(())
    }
}

/// A Redis that keeps what it is given, and its store.
struct OnRedis {
    server: Redis,
}

impl OnRedis {
    fn start() -> Self {
        let settings = ["appendonly yes", "appendfsync always", "maxmemory-policy noeviction"];
        Self { server: Redis::start(&settings) }
    }

    async fn store(&self) -> anyhow::Result<Arc<dyn Store>> {
        let store = RedisStore::connect(&self.server.url(), &RedisOptions::default()).await;
        Ok(Arc::new(store.context("cannot use Redis")?))
    }
}

/// An instance whose cache holds next to nothing, so that each verification reads the store.
async fn missing(store: Arc<dyn Store>) -> anyhow::Result<Keyward> {
    let builder = Keyward::builder(store).cache_capacity(16);
    // Usage is written down by others' benchmarks.
    Ok(builder.usage_interval(Duration::from_hours(1)).build().await?)
}
