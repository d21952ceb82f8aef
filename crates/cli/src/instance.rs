//! From the configuration to a running instance.

use std::sync::Arc;

use keyward::{
    AuditSettings, AuditTrail, DigestUpgrades, Keyward, Lifetime, OAuthSettings, Pepper, Peppers,
    SharedCache, SigningSettings, UsageTracking,
};

use crate::config::Config;
use crate::database;
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
    let max_staleness = config.cache.max_staleness.0;
    let peppers = config.read_peppers()?;
    let shared = shared_cache(config, &peppers)?;
    let store = database::open(&config.database, max_staleness, workload).await?;
    let tracking = if config.usage.tracking { UsageTracking::On } else { UsageTracking::Off };
    let upgrades = if config.digests.upgrade { DigestUpgrades::On } else { DigestUpgrades::Off };
    let audit = AuditSettings {
        trail: if config.audit.enabled { AuditTrail::Kept } else { AuditTrail::Off },
        context: config.audit.context.clone(),
        retention: config.audit.retention,
    };
    // Whoever lists keys, say, does not expect to purge any.
    let when_serving = |age: Option<Lifetime>| age.filter(|_| workload == Workload::Serving);
    let builder = match shared {
        Some((cache, key)) => Keyward::builder(store).shared_cache(cache, key),
        None => Keyward::builder(store),
    };
    builder
        .peppers(peppers)
        .max_staleness(max_staleness)
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

/// The cache that nodes share, if there is one, and what its entries are sealed with, which follows from
/// the newest pepper.
pub(crate) fn shared_cache(
    config: &Config,
    peppers: &Peppers,
) -> anyhow::Result<Option<(Arc<dyn SharedCache>, Pepper)>> {
    let Some(cache) = database::shared_cache(&config.cache)? else { return Ok(None) };
    let newest = peppers.iter().max_by_key(|(version, _)| *version);
    let (_, pepper) = newest.ok_or_else(|| {
        let rule = "cache.shared needs a pepper, with which its entries are sealed";
        Unusable(rule.to_owned())
    })?;
    let key = Pepper::new(pepper.mac(&[b"keyward shared cache"]).to_vec())?;
    Ok(Some((cache, key)))
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
