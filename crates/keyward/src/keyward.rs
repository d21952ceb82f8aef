//! The instance that users hold.

use std::sync::Arc;

use arc_swap::ArcSwap;
use keyward_core::{
    Clock, Entropy, Hasher, HeaderRules, KeyId, KeyspaceTable, Lifetime, Timestamp,
};
use keyward_store::{Store, StoreError};
use tokio::sync::Semaphore;

use crate::Builder;
use crate::audit::Audit;
use crate::changes::News;
use crate::feed::Follower;
use crate::gauges::Gauges;
use crate::limit::Limiter;
use crate::lookup::{CacheStatus, Lookup};
use crate::manage::Rotations;
use crate::oauth::{OAuth, OAuthSettings};
use crate::signing::{PoolStatus, Signing, SigningSettings};
use crate::upgrade::Upgrades;
use crate::usage::{UsageLog, UsageTracking};

/// API keys over one store. Clones are the same instance.
#[derive(Clone, Debug)]
pub struct Keyward {
    pub(crate) inner: Arc<Inner>,
}

/// What an instance consists of.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) audit: Audit,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) follower: Follower,
    pub(crate) gauges: Gauges,
    pub(crate) header_rules: HeaderRules,
    pub(crate) hasher: Hasher,
    pub(crate) keyspaces: ArcSwap<KeyspaceTable>,
    pub(crate) limiter: Limiter<KeyId>,
    pub(crate) lookup: Lookup,
    pub(crate) news: News,
    pub(crate) oauth: OAuth,
    pub(crate) reap_after: Option<Lifetime>,
    pub(crate) reap_deleted_after: Option<Lifetime>,
    pub(crate) rotations: Rotations,
    pub(crate) signing: Signing,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) stream_places: Arc<Semaphore>,
    pub(crate) tracking: UsageTracking,
    pub(crate) upgrades: Upgrades,
    pub(crate) usage: UsageLog,
}

impl Keyward {
    /// Begins to put an instance together over a store.
    pub fn builder(store: Arc<dyn Store>) -> Builder {
        Builder::new(store)
    }

    /// The present instant by this instance's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// This instance's source of chance.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.inner.entropy
    }

    /// Where this instance looks for keys in headers.
    pub fn header_rules(&self) -> &HeaderRules {
        &self.inner.header_rules
    }

    /// How this instance makes signed keys.
    pub fn signing_settings(&self) -> &SigningSettings {
        self.inner.signing.settings()
    }

    /// How this instance issues access tokens.
    pub fn oauth_settings(&self) -> &OAuthSettings {
        &self.inner.oauth.settings
    }

    /// Whether a signed keyspace has a base issuer with this path ([`keyward_core::jose::BaseIssuer::path`]).
    pub fn has_issuer_path(&self, path: &str) -> bool {
        self.inner.keyspaces.load().issuers().iter().any(|issuer| issuer.path() == path)
    }

    /// What the pool of key pairs holds and has done.
    pub fn pool_status(&self) -> PoolStatus {
        self.inner.signing.status()
    }

    /// What the cache holds, and how often it could not answer by itself.
    pub fn cache_status(&self) -> CacheStatus {
        self.inner.lookup.status(self.inner.clock.moment())
    }

    /// Whether this node can answer: see [`Store::health`].
    pub async fn health(&self) -> Result<(), StoreError> {
        self.inner.store.health().await
    }

    /// Writes down the usage and the better digests that were not written yet, lets the pairs go that
    /// sign access tokens, and stops following the store's changes, of which streams end. Call it before
    /// the process ends.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.end_streams();
        if let Err(error) = self.flush_upgrades().await {
            tracing::warn!(%error, "outdated digests could not be replaced");
        }
        if let Err(error) = self.retire_pairs().await {
            tracing::warn!(%error, "the keys for access tokens could not be retired");
        }
        self.inner.follower.stop();
        self.flush_usage().await
    }
}
