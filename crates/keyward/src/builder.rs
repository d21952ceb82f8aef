//! Puts an instance together.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use keyward_core::{
    Clock, DigestScheme, Entropy, Hasher, HeaderRules, KeypalSalts, KeyspaceTable, Lifetime,
    Pepper, Peppers,
};
use keyward_store::{SharedCache, Store, StoreError};
use tokio::sync::Semaphore;

use crate::audit::Audit;
use crate::changes::News;
use crate::feed::Follower;
use crate::gauges::Gauges;
use crate::keyward::Inner;
use crate::limit::Limiter;
use crate::lookup::{Lookup, LookupSettings, Shared};
use crate::manage::Rotations;
use crate::oauth::{OAuth, OAuthSettings};
use crate::signing::{Signing, SigningSettings};
use crate::upgrade::{DigestUpgrades, Upgrades};
use crate::usage::{UsageLog, UsageTracking};
use crate::{
    AuditSettings, Error, Keyward, SystemClock, SystemEntropy, audit, feed, oauth, reap, upgrade,
    usage,
};

/// The settings of an instance, each with a usable default.
#[derive(Debug)]
pub struct Builder {
    audit: AuditSettings,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    header_rules: HeaderRules,
    is_manual: bool,
    keypal_salts: KeypalSalts,
    lookup: LookupSettings,
    most_streams: usize,
    oauth: OAuthSettings,
    peppers: Peppers,
    reap_after: Option<Lifetime>,
    reap_deleted_after: Option<Lifetime>,
    rotation_window: Duration,
    shared: Option<Shared>,
    signing: SigningSettings,
    store: Arc<dyn Store>,
    tracking: UsageTracking,
    upgrades: DigestUpgrades,
    usage_interval: Duration,
}

/// An instance cannot be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The default keyspace cannot be created.
    #[error("the default keyspace cannot be created")]
    DefaultKeyspace(#[source] Error),
    /// Keys have digests under a pepper or salt that is not configured: they could not be verified.
    #[error(
        "keyspace {keyspace} has keys under {scheme}, but that pepper or salt is not configured"
    )]
    MissingPepper {
        /// The keyspace of the keys.
        keyspace: String,
        /// The scheme that cannot be used.
        scheme: DigestScheme,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Builder {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            audit: AuditSettings::default(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            header_rules: HeaderRules::default(),
            is_manual: false,
            keypal_salts: Vec::new(),
            lookup: LookupSettings::default(),
            most_streams: 1_000,
            oauth: OAuthSettings::default(),
            peppers: Vec::new(),
            reap_after: None,
            reap_deleted_after: None,
            rotation_window: Duration::from_millis(25),
            shared: None,
            signing: SigningSettings::default(),
            store,
            tracking: UsageTracking::default(),
            upgrades: DigestUpgrades::default(),
            usage_interval: Duration::from_secs(10),
        }
    }

    /// Where the time comes from; by default the machine's clock.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Where chance comes from; by default the operating system.
    #[must_use]
    pub fn entropy(self, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, ..self }
    }

    /// Server-side keys for digests. The newest makes new digests, the others verify old ones.
    #[must_use]
    pub fn peppers(self, peppers: Peppers) -> Self {
        Self { peppers, ..self }
    }

    /// Salts under which keypal has hashed keys that were taken over.
    #[must_use]
    pub fn keypal_salts(self, keypal_salts: KeypalSalts) -> Self {
        Self { keypal_salts, ..self }
    }

    /// Whether management acts leave events, with which context, and how long these are kept.
    #[must_use]
    pub fn audit(self, audit: AuditSettings) -> Self {
        Self { audit, ..self }
    }

    /// How long after it expired or was revoked a key is removed for good, its usage included; absent,
    /// as it is by default: never.
    #[must_use]
    pub fn reap_after(self, reap_after: Option<Lifetime>) -> Self {
        Self { reap_after, ..self }
    }

    /// How long after it was deleted a key or a service account is removed for good, its usage, and of an
    /// account its keys, included; absent, as it is by default: never.
    #[must_use]
    pub fn reap_deleted_after(self, reap_deleted_after: Option<Lifetime>) -> Self {
        Self { reap_deleted_after, ..self }
    }

    /// Where [`Keyward::verify_headers`] looks for keys; by default in `Authorization`, then in
    /// `X-API-Key`.
    #[must_use]
    pub fn header_rules(self, header_rules: HeaderRules) -> Self {
        Self { header_rules, ..self }
    }

    /// Whether uses are counted; by default they are.
    #[must_use]
    pub fn usage_tracking(self, tracking: UsageTracking) -> Self {
        Self { tracking, ..self }
    }

    /// How long after a revocation was acknowledged on another node this one may still allow the
    /// key; by default a second. Zero asks the store every time.
    #[must_use]
    pub fn max_staleness(mut self, max_staleness: Duration) -> Self {
        self.lookup.max_staleness = max_staleness;
        self
    }

    /// How many keys the cache holds; by default 100,000, at roughly 700 bytes each.
    #[must_use]
    pub fn cache_capacity(mut self, keys: usize) -> Self {
        self.lookup.capacity = keys;
        self
    }

    /// A cache that instances share, asked before the store is. Its entries are sealed with this key,
    /// which all of them must have.
    #[must_use]
    pub fn shared_cache(self, cache: Arc<dyn SharedCache>, key: Pepper) -> Self {
        Self { shared: Some(Shared::new(cache, key)), ..self }
    }

    /// How many streams of changes may be open at the same time; by default 1,000.
    #[must_use]
    pub fn most_streams(self, most_streams: usize) -> Self {
        Self { most_streams, ..self }
    }

    /// How often usage is written down; by default every ten seconds, and before its time when more
    /// keys were used than the cache holds.
    #[must_use]
    pub fn usage_interval(self, usage_interval: Duration) -> Self {
        Self { usage_interval, ..self }
    }

    /// How long a rotation waits before it is applied; by default 25 ms. Rotations of the same key
    /// that are asked for meanwhile are told to be concurrent and refused.
    #[must_use]
    pub fn rotation_window(self, rotation_window: Duration) -> Self {
        Self { rotation_window, ..self }
    }

    /// How signed keys are made: how many pairs are held ready, and how many keys an owner may get.
    #[must_use]
    pub fn signing(self, signing: SigningSettings) -> Self {
        Self { signing, ..self }
    }

    /// How access tokens are issued to service accounts; by default, without an issuer, none are.
    #[must_use]
    pub fn oauth(self, oauth: OAuthSettings) -> Self {
        Self { oauth, ..self }
    }

    /// Whether digests are moved to the newest scheme when their secrets are used; by default they
    /// are.
    #[must_use]
    pub fn digest_upgrades(self, upgrades: DigestUpgrades) -> Self {
        Self { upgrades, ..self }
    }

    /// Leaves the work in the background to the caller, who calls [`Keyward::catch_up`],
    /// [`Keyward::flush_usage`], [`Keyward::flush_upgrades`], [`Keyward::retain_audit`],
    /// [`Keyward::reap_due`] and [`Keyward::rotate_signing_pairs`], and waits for nothing. For tests, and for runtimes other than tokio.
    #[must_use]
    pub fn manual(self) -> Self {
        Self { is_manual: true, rotation_window: Duration::ZERO, ..self }
    }

    /// Reads the keyspaces, creates the default one if there is none, and starts to follow changes.
    ///
    /// Needs a tokio runtime, on which the work in the background runs until the last clone of the
    /// instance is dropped.
    pub async fn build(self) -> Result<Keyward, BuildError> {
        let hasher = Hasher::new(self.peppers).with_keypal_salts(self.keypal_salts);
        // By as much as the clock may lag, the lease is shorter than what is promised.
        let lease = self.lookup.max_staleness.saturating_sub(self.clock.moment_lag());
        let settings = LookupSettings { max_staleness: lease, ..self.lookup };
        let lookup = Lookup::new(Arc::clone(&self.store), self.shared, settings);
        let inner = Arc::new(Inner {
            audit: Audit::new(self.audit),
            clock: self.clock,
            entropy: self.entropy,
            follower: Follower::new(self.lookup.max_staleness),
            gauges: Gauges::new(),
            hasher,
            header_rules: self.header_rules,
            keyspaces: ArcSwap::from_pointee(KeyspaceTable::default()),
            limiter: Limiter::default(),
            lookup,
            news: News::new(),
            oauth: OAuth::new(self.oauth),
            reap_after: self.reap_after,
            reap_deleted_after: self.reap_deleted_after,
            rotations: Rotations::new(self.rotation_window),
            signing: Signing::new(self.signing),
            store: self.store,
            stream_places: Arc::new(Semaphore::new(self.most_streams.min(Semaphore::MAX_PERMITS))),
            tracking: self.tracking,
            upgrades: Upgrades::new(self.upgrades),
            usage: UsageLog::new(self.lookup.capacity),
        });
        let keyward = Keyward { inner };
        keyward.begin_to_follow().await?;
        keyward.check_peppers()?;
        keyward.ensure_default_keyspace().await.map_err(BuildError::DefaultKeyspace)?;
        if !self.is_manual {
            feed::spawn(&keyward.inner);
            audit::spawn(Arc::downgrade(&keyward.inner));
            oauth::spawn(Arc::downgrade(&keyward.inner));
            reap::spawn(Arc::downgrade(&keyward.inner));
            upgrade::spawn(&keyward.inner);
            usage::spawn(&keyward.inner, self.usage_interval);
        }
        Ok(keyward)
    }
}

impl Keyward {
    fn check_peppers(&self) -> Result<(), BuildError> {
        let keyspaces = self.inner.keyspaces.load();
        let schemes = keyspaces.iter().flat_map(|k| k.schemes.iter().map(move |s| (k, *s)));
        for (keyspace, scheme) in schemes {
            if !self.inner.hasher.knows(scheme) {
                let keyspace = keyspace.id.to_string();
                return Err(BuildError::MissingPepper { keyspace, scheme });
            }
        }
        Ok(())
    }
}
