//! The public keys: fetched once, kept for as long as they count, and given up when they do not.
//!
//! ```text
//! known and counts ──────────────────────────────► the key
//! known to be absent ────────────────────────────► no such key
//! asked for in vain a moment ago ──┐
//! otherwise: fetch ── the key ─────┼─────────────► the key, kept
//!                  ── no such key ─┼─────────────► no such key, remembered; what was known is given up
//!                  ── failed ──────┴─ known, and may be stale ► the key
//!                                   └ otherwise ────────────► unreachable
//! ```

mod asking;
mod changes;
mod fetch;
mod flight;
mod freshness;
mod known;
mod lifetimes;
mod server;
mod slots;

use std::sync::Arc;

use keyward_core::jose::BaseIssuer;
use keyward_core::{Clock, KeyId, Moment};
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, UnitWeighter};

pub(crate) use fetch::{Fetcher, client};
use flight::Flights;
use known::WithdrawEvicted;
pub(crate) use known::{KnownKey, Lease, SharedMoment, later};
pub use lifetimes::KeyLifetimes;
pub(crate) use server::ServerKeys;
use slots::Slots;

use crate::FetchLimits;
use crate::error::{FetchFault, VerifyError};

/// A key of one of the issuers, by the issuer's place in their list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyName {
    pub(crate) issuer: usize,
    pub(crate) id: KeyId,
}

/// That a key could not be fetched, and until when nobody tries again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unreachable {
    fault: FetchFault,
    until: Moment,
}

/// What is known of a key in the end: the key, or that there is none.
pub(crate) type Found = Result<Option<Arc<KnownKey>>, Unreachable>;

type KnownKeys = Cache<KeyName, Arc<KnownKey>, UnitWeighter, DefaultHashBuilder, WithdrawEvicted>;

/// How many keys of each sort are remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacities {
    pub(crate) absences: usize,
    pub(crate) keys: usize,
}

/// The public keys. Those that exist, absences and failures are bounded apart, so that ids that
/// somebody made up cannot push real keys out.
pub(crate) struct Keys {
    absent: Cache<KeyName, Moment>,
    /// When all keys changed, for all one knows.
    all_changed: SharedMoment,
    /// When the feed told that a key changed.
    changed: Cache<KeyId, Moment>,
    clock: Arc<dyn Clock>,
    failed: Cache<KeyName, Unreachable>,
    fetcher: Fetcher,
    flights: Arc<Flights>,
    issuers: Box<[Issuer]>,
    known: KnownKeys,
    lease: Option<Lease>,
    lifetimes: KeyLifetimes,
    slots: Slots,
}

struct Issuer {
    base: BaseIssuer,
    /// Until when it is not asked, because there was no connection.
    rests_until: SharedMoment,
}

impl Keys {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        fetcher: Fetcher,
        issuers: Vec<BaseIssuer>,
        lease: Option<Lease>,
        lifetimes: KeyLifetimes,
        limits: &FetchLimits,
        capacities: Capacities,
    ) -> Self {
        let Capacities { absences, keys } = capacities;
        let most_keys = u64::try_from(keys).unwrap_or(u64::MAX);
        let hashing = DefaultHashBuilder::default();
        let issuers = issuers.into_iter();
        let issuers: Box<[_]> =
            issuers.map(|base| Issuer { base, rests_until: SharedMoment::default() }).collect();
        Self {
            absent: Cache::new(absences),
            all_changed: SharedMoment::default(),
            changed: Cache::new(absences),
            clock,
            failed: Cache::new(absences),
            fetcher,
            flights: Arc::new(Flights::new(limits.most_waiting)),
            known: Cache::with(keys, most_keys, UnitWeighter, hashing, WithdrawEvicted),
            lease,
            lifetimes,
            slots: Slots::new(limits, issuers.len()),
            issuers,
        }
    }

    /// Whether a key may be used without asking.
    pub(crate) fn counts(&self, key: &KnownKey) -> bool {
        key.counts(self.latest(), self.lease.as_ref())
    }

    /// How many keys are known.
    pub(crate) fn known(&self) -> usize {
        self.known.len()
    }

    /// How many absences and failures are known.
    pub(crate) fn known_absences(&self) -> usize {
        self.absent.len() + self.failed.len()
    }

    /// The key of a name, or that there is none.
    pub(crate) async fn find(
        self: &Arc<Self>,
        name: &KeyName,
    ) -> Result<Option<Arc<KnownKey>>, VerifyError> {
        if let Some(known) = self.recall(name) {
            return Ok(known);
        }
        let found = match self.failure(name) {
            Some(unreachable) => Err(unreachable),
            None => self.fetch(name).await,
        };
        found.or_else(|unreachable| match self.stale(name) {
            Some(key) => Ok(Some(key)),
            None => Err(self.error(unreachable)),
        })
    }

    /// The latest moment that it may be: what ends must not last longer because the clock lags.
    fn latest(&self) -> Moment {
        later(self.clock.moment(), self.clock.moment_lag())
    }

    /// What is known of a key and still counts.
    fn recall(&self, name: &KeyName) -> Option<Option<Arc<KnownKey>>> {
        let now = self.latest();
        let counts = |key: &Arc<KnownKey>| key.counts(now, self.lease.as_ref());
        if let Some(key) = self.known.get(name).filter(counts) {
            return Some(Some(key));
        }
        self.absent.get(name).is_some_and(|until| now < until).then_some(None)
    }

    /// Why asking is of no use now.
    fn failure(&self, name: &KeyName) -> Option<Unreachable> {
        let now = self.latest();
        let rests_until = self.issuers.get(name.issuer)?.rests_until.get();
        let resting = Unreachable { fault: FetchFault::NoConnection, until: rests_until };
        self.failed.get(name).into_iter().chain([resting]).find(|failure| now < failure.until)
    }

    /// A key that counted until lately, for as long as its server cannot be asked.
    fn stale(&self, name: &KeyName) -> Option<Arc<KnownKey>> {
        let now = self.latest();
        self.known.get(name).filter(|key| key.may_be_stale(now, self.lease.as_ref()))
    }

    fn error(&self, Unreachable { fault, until }: Unreachable) -> VerifyError {
        let retry_after = until.since(self.clock.moment());
        VerifyError::KeysUnreachable { fault, retry_after }
    }

    fn unreachable(&self, fault: FetchFault) -> Unreachable {
        Unreachable { fault, until: later(self.latest(), self.lifetimes.failed) }
    }
}
