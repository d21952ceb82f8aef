//! From the configuration to a running instance.

use std::sync::Arc;

use anyhow::Context;
use keyward::store::{MemoryStore, Store};
use keyward::{AuditSettings, AuditTrail, Keyward, UsageTracking};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};

use crate::config::{Config, DatabaseUrl};
use crate::outcome::Unusable;

/// Opens the database and puts an instance over it.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Keyward> {
    let store: Arc<dyn Store> = match &config.database.url {
        DatabaseUrl::Memory => Arc::new(MemoryStore::new()),
        DatabaseUrl::Sqlite(path) => {
            let store = SqliteStore::open(path, &SqliteOptions::default());
            Arc::new(store.with_context(|| format!("cannot open {}", path.display()))?)
        }
    };
    let tracking = if config.usage.tracking { UsageTracking::On } else { UsageTracking::Off };
    let audit = AuditSettings {
        trail: if config.audit.enabled { AuditTrail::Kept } else { AuditTrail::Off },
        context: config.audit.context.clone(),
        retention: config.audit.retention,
    };
    Keyward::builder(store)
        .peppers(config.read_peppers()?)
        .max_staleness(config.cache.max_staleness.0)
        .cache_capacity(config.cache.capacity)
        .usage_interval(config.usage.interval.0)
        .usage_tracking(tracking)
        .audit(audit)
        .keypal_salts(config.read_keypal_salts()?)
        .build()
        .await
        .map_err(|error| match error {
            error @ keyward::BuildError::MissingPepper { .. } => Unusable(error.to_string()).into(),
            error => error.into(),
        })
}

/// Brings an embedded database to the newest schema, or makes it. Larger databases wait for
/// `keyward migrate`.
pub(crate) fn migrate(config: &Config) -> anyhow::Result<()> {
    if let DatabaseUrl::Sqlite(path) = &config.database.url {
        let migrated = SqliteStore::migrate(path);
        migrated.with_context(|| format!("cannot open {}", path.display()))?;
    }
    Ok(())
}
