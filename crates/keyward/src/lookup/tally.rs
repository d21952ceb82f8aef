//! What the cache was asked and could not say by itself. Hits are not counted: that would cost each of
//! them, and they are what is left of all verifications.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the cache holds and could not say, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStatus {
    /// Keys that it holds.
    pub keys: usize,
    /// Whether it may be believed now: the change feed was read to its end within `max_staleness`.
    pub is_confirmed: bool,
    /// Keys that it did not know and that were read: from the shared cache or from the store. Those who ask
    /// for the same at the same time share one read.
    pub reads: u64,
    /// Keys that were read from the store although they may be known, as the feed was not confirmed in time.
    pub bypassed: u64,
    /// Reads that the shared cache answered.
    pub shared_hits: u64,
    /// Reads that it could not answer, or only with an entry that is older than a change.
    pub shared_misses: u64,
    /// Reads for which it failed or took too long.
    pub shared_failures: u64,
    /// Entries of it that were not made by a node.
    pub shared_forgeries: u64,
}

/// Something to count.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen {
    Bypassed,
    Read,
    SharedFailure,
    SharedForgery,
    SharedHit,
    SharedMiss,
}

/// Counts since the start.
#[derive(Debug, Default)]
pub(super) struct Tally([AtomicU64; 6]);

impl Tally {
    pub(super) fn count(&self, seen: Seen) {
        if let Some(count) = self.0.get(seen as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn status(&self, keys: usize, is_confirmed: bool) -> CacheStatus {
        let of = |seen: Seen| self.0.get(seen as usize).map_or(0, |n| n.load(Ordering::Relaxed));
        CacheStatus {
            keys,
            is_confirmed,
            reads: of(Seen::Read),
            bypassed: of(Seen::Bypassed),
            shared_hits: of(Seen::SharedHit),
            shared_misses: of(Seen::SharedMiss),
            shared_failures: of(Seen::SharedFailure),
            shared_forgeries: of(Seen::SharedForgery),
        }
    }
}
