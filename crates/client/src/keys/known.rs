//! A public key that was fetched, and for how long it counts.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use keyward_core::Moment;
use keyward_core::jose::{AccessToken, PublicKey, SignatureAlgorithm, SignedToken, VerifyingKey};
use quick_cache::Lifecycle;

use super::KeyName;

/// A public key that was fetched. Tokens that it proved point to it, so that they count for as long as
/// it does.
pub(crate) struct KnownKey {
    /// When its issuer was last asked, and said that it is this one.
    asked_at: SharedMoment,
    fresh_until: SharedMoment,
    is_held: AtomicBool,
    public: PublicKey,
    ready: Box<dyn VerifyingKey>,
    /// Nanoseconds.
    stale_for: AtomicU64,
}

impl KnownKey {
    /// A key that does not count yet. None: it is no key.
    pub(crate) fn new(public: PublicKey) -> Option<Self> {
        let ready = keyward_signatures::verifying_key(&public).ok()?;
        Some(Self {
            asked_at: SharedMoment::default(),
            fresh_until: SharedMoment::default(),
            is_held: AtomicBool::new(false),
            public,
            ready,
            stale_for: AtomicU64::new(0),
        })
    }

    /// Whether it is that key.
    pub(super) fn is(&self, public: &PublicKey) -> bool {
        self.public == *public
    }

    /// Lets it count, or count on.
    pub(super) fn hold(&self, asked_at: Moment, fresh_until: Moment, stale_for: Duration) {
        self.asked_at.set(asked_at);
        self.fresh_until.set(fresh_until);
        let stale_for = u64::try_from(stale_for.as_nanos()).unwrap_or(u64::MAX);
        self.stale_for.store(stale_for, Ordering::Relaxed);
        self.is_held.store(true, Ordering::Release);
    }

    /// Lets it count no more, nor any token that it proved.
    pub(super) fn withdraw(&self) {
        self.is_held.store(false, Ordering::Release);
    }

    /// Whether it was not withdrawn.
    pub(crate) fn is_held(&self) -> bool {
        self.is_held.load(Ordering::Acquire)
    }

    pub(super) fn counts(&self, now: Moment, lease: Option<&Lease>) -> bool {
        self.is_held() && now < self.counts_until(lease)
    }

    pub(super) fn may_be_stale(&self, now: Moment, lease: Option<&Lease>) -> bool {
        let stale_for = Duration::from_nanos(self.stale_for.load(Ordering::Relaxed));
        self.is_held() && now < later(self.counts_until(lease), stale_for)
    }

    /// With a feed, no longer than all changes are known or would be if the feed had just been read when
    /// the issuer was asked.
    fn counts_until(&self, lease: Option<&Lease>) -> Moment {
        let fresh_until = self.fresh_until.get();
        let Some(lease) = lease else { return fresh_until };
        let alone = later(self.asked_at.get(), lease.max_staleness);
        fresh_until.min(alone.max(lease.until()))
    }

    /// Whether the key signed that token, in the key's algorithm.
    pub(crate) fn has_signed(&self, token: &SignedToken<'_>) -> bool {
        token.algorithm() == self.algorithm()
            && self.ready.verifies(token.message(), token.signature())
    }

    /// The same of an access token.
    pub(crate) fn has_signed_access(&self, token: &AccessToken<'_>) -> bool {
        token.algorithm() == self.algorithm()
            && self.ready.verifies(token.message(), token.signature())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.public.algorithm()
    }
}

impl fmt::Debug for KnownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KnownKey").field(&self.public).finish()
    }
}

/// A key that makes room for others no longer hears of changes, so it must not count any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct WithdrawEvicted;

impl Lifecycle<KeyName, Arc<KnownKey>> for WithdrawEvicted {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: KeyName, key: Arc<KnownKey>) {
        key.withdraw();
    }
}

/// Until when all changes are known.
#[derive(Debug)]
pub(crate) struct Lease {
    max_staleness: Duration,
    until: SharedMoment,
}

impl Lease {
    pub(crate) fn new(max_staleness: Duration) -> Self {
        Self { max_staleness, until: SharedMoment::default() }
    }

    pub(super) fn max_staleness(&self) -> Duration {
        self.max_staleness
    }

    pub(super) fn renew(&self, moment: Moment) {
        self.until.set(later(moment, self.max_staleness));
    }

    pub(super) fn until(&self) -> Moment {
        self.until.get()
    }
}

/// A moment that several threads read and set.
#[derive(Debug, Default)]
pub(crate) struct SharedMoment(AtomicU64);

impl SharedMoment {
    pub(crate) fn get(&self) -> Moment {
        Moment::from_nanos(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, moment: Moment) {
        self.0.store(moment.as_nanos(), Ordering::Release);
    }
}

/// A moment that long after another.
pub(crate) fn later(moment: Moment, duration: Duration) -> Moment {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    Moment::from_nanos(moment.as_nanos().saturating_add(nanos))
}
