//! A process of its own that makes changes.

use std::sync::Arc;
use std::time::Duration;

use keyward::store::Store;
use keyward::{ActContext, NewKey, OwnerId};
use keyward_store_postgres::{PostgresOptions, PostgresStore};
use keyward_store_redis::{RedisOptions, RedisStore};

use crate::keys;

/// Issues keys at that rate until it is killed.
pub(crate) fn write(url: &str, per_second: u32) -> anyhow::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build()?.block_on(async {
        let store: Arc<dyn Store> = if url.starts_with("redis") {
            Arc::new(RedisStore::connect(url, &RedisOptions::default()).await?)
        } else {
            Arc::new(PostgresStore::connect(url, &PostgresOptions::default()).await?)
        };
        let keyward = keys::instance(store, 1_000).await?;
        let context = ActContext::by("bench".parse()?);
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second.max(1));
        loop {
            ticks.tick().await;
            keyward.issue(NewKey::new(OwnerId::parse("other")?), &context).await?;
        }
    })
}
