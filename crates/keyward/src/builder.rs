//! Puts an instance together.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use keyward_core::{Clock, DigestScheme, Entropy, Hasher, KeyspaceTable, Peppers};
use keyward_store::{Store, StoreError};

use crate::feed::Follower;
use crate::keyward::Inner;
use crate::limit::Limiter;
use crate::lookup::{Lookup, LookupSettings};
use crate::manage::Rotations;
use crate::usage::UsageLog;
use crate::{Error, Keyward, SystemClock, SystemEntropy, feed, usage};

/// The settings of an instance, each with a usable default.
#[derive(Debug)]
pub struct Builder {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    is_manual: bool,
    lookup: LookupSettings,
    peppers: Peppers,
    rotation_window: Duration,
    store: Arc<dyn Store>,
    usage_interval: Duration,
}

/// An instance cannot be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The default keyspace cannot be created.
    #[error("the default keyspace cannot be created")]
    DefaultKeyspace(#[source] Error),
    /// Keys have digests under a pepper that is not configured: they could not be verified.
    #[error("keyspace {keyspace} has keys under {scheme}, but that pepper is not configured")]
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
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            is_manual: false,
            lookup: LookupSettings::default(),
            peppers: Vec::new(),
            rotation_window: Duration::from_millis(25),
            store,
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

    /// Leaves the work in the background to the caller, who calls [`Keyward::catch_up`] and
    /// [`Keyward::flush_usage`], and waits for nothing. For tests, and for runtimes other than tokio.
    #[must_use]
    pub fn manual(self) -> Self {
        Self { is_manual: true, rotation_window: Duration::ZERO, ..self }
    }

    /// Reads the keyspaces, creates the default one if there is none, and starts to follow changes.
    ///
    /// Needs a tokio runtime, on which the work in the background runs until the last clone of the
    /// instance is dropped.
    pub async fn build(self) -> Result<Keyward, BuildError> {
        let hasher = Hasher::new(self.peppers);
        // By as much as the clock may lag, the lease is shorter than what is promised.
        let lease = self.lookup.max_staleness.saturating_sub(self.clock.moment_lag());
        let settings = LookupSettings { max_staleness: lease, ..self.lookup };
        let lookup = Lookup::new(Arc::clone(&self.store), settings);
        let inner = Arc::new(Inner {
            clock: self.clock,
            entropy: self.entropy,
            follower: Follower::default(),
            hasher,
            keyspaces: ArcSwap::from_pointee(KeyspaceTable::default()),
            limiter: Limiter::default(),
            lookup,
            rotations: Rotations::new(self.rotation_window),
            store: self.store,
            usage: UsageLog::new(self.lookup.capacity),
        });
        let keyward = Keyward { inner };
        keyward.begin_to_follow().await?;
        keyward.check_peppers()?;
        keyward.ensure_default_keyspace().await.map_err(BuildError::DefaultKeyspace)?;
        if !self.is_manual {
            let poll = feed::poll_interval(self.lookup.max_staleness);
            feed::spawn(Arc::downgrade(&keyward.inner), poll);
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
