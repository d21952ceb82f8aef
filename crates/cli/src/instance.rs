//! From the configuration to a running instance.

use std::sync::Arc;

use anyhow::Context;
use keyward::store::{MemoryStore, Store};
use keyward::{
    AuditSettings, AuditTrail, DigestUpgrades, Keyward, Lifetime, OAuthSettings, SigningSettings,
    UsageTracking,
};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};

use crate::config::{Config, DatabaseUrl};
use crate::outcome::Unusable;

/// What is about to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Very many keys are written.
    Bulk,
    /// A server runs, and does what there is to do in the background.
    Serving,
    /// Anything else.
    Usual,
}

/// Opens the database and puts an instance over it.
pub(crate) async fn open(config: &Config, workload: Workload) -> anyhow::Result<Keyward> {
    let store = open_store(&config.database.url, workload)?;
    let tracking = if config.usage.tracking { UsageTracking::On } else { UsageTracking::Off };
    let upgrades = if config.digests.upgrade { DigestUpgrades::On } else { DigestUpgrades::Off };
    let audit = AuditSettings {
        trail: if config.audit.enabled { AuditTrail::Kept } else { AuditTrail::Off },
        context: config.audit.context.clone(),
        retention: config.audit.retention,
    };
    // Whoever lists keys, say, does not expect to purge any.
    let when_serving = |age: Option<Lifetime>| age.filter(|_| workload == Workload::Serving);
    Keyward::builder(store)
        .peppers(config.read_peppers()?)
        .max_staleness(config.cache.max_staleness.0)
        .cache_capacity(config.cache.capacity)
        .most_streams(config.server.most_streams)
        .usage_interval(config.usage.interval.0)
        .usage_tracking(tracking)
        .digest_upgrades(upgrades)
        .audit(audit)
        .signing(signing(config, workload))
        .oauth(oauth(config))
        .reap_after(when_serving(config.reap.after))
        .reap_deleted_after(when_serving(config.reap.deleted_after))
        .keypal_salts(config.read_keypal_salts()?)
        .build()
        .await
        .map_err(|error| match error {
            error @ keyward::BuildError::MissingPepper { .. } => Unusable(error.to_string()).into(),
            error => error.into(),
        })
}

/// Opens a database.
pub(crate) fn open_store(url: &DatabaseUrl, workload: Workload) -> anyhow::Result<Arc<dyn Store>> {
    match url {
        DatabaseUrl::Memory => Ok(Arc::new(MemoryStore::new())),
        DatabaseUrl::Sqlite(path) => {
            let usual = SqliteOptions::default();
            let options = match workload {
                Workload::Bulk => {
                    SqliteOptions { cache_size: 192 * 1_024, log_size: 256 * 1_024, ..usual }
                }
                Workload::Serving | Workload::Usual => usual,
            };
            let store = SqliteStore::open(path, &options);
            Ok(Arc::new(store.with_context(|| format!("cannot open {}", path.display()))?))
        }
    }
}

fn signing(config: &Config, workload: Workload) -> SigningSettings {
    let signed = &config.signed;
    SigningSettings {
        issuer: signed.issuer_at(config.server.listen.0),
        audience: signed.audience.clone(),
        // A command that ends soon makes none that nobody has asked for.
        ready_pairs: if workload == Workload::Serving { signed.ready_pairs } else { 0 },
        owner_limit: signed.owner_limit,
        ..SigningSettings::default()
    }
}

fn oauth(config: &Config) -> OAuthSettings {
    let oauth = &config.oauth;
    OAuthSettings {
        issuer: oauth.issuer_at(config.server.listen.0),
        audience: oauth.audience.clone(),
        token_lifetime: oauth.token_lifetime,
        pair: oauth.algorithm.pair(),
        rotate_every: oauth.rotate_every,
        // As long as others may keep the list of keys.
        publish_ahead: config.signed.max_age.0,
    }
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
