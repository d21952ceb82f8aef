//! What Keyward's own tests share: a clock that is set by hand, chance that repeats, servers of
//! PostgreSQL and Redis, a pooler, and a network that fails.
#![forbid(unsafe_code)]

pub mod pgbouncer;
pub mod postgres;
pub mod proxy;
pub mod redis;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use keyward_core::{Clock, Entropy, Moment, Timestamp};
use sha2::{Digest, Sha256};

/// A clock that stands still until it is moved. Clones of an `Arc` of it move together.
#[derive(Debug)]
pub struct FixedClock {
    micros: AtomicI64,
    moment: AtomicU64,
}

impl FixedClock {
    /// A clock that shows 2027-01-01T00:00:00Z.
    pub fn new() -> Self {
        Self { micros: AtomicI64::new(1_798_761_600_000_000), moment: AtomicU64::new(0) }
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::SeqCst);
        self.moment.fetch_add(nanos, Ordering::SeqCst);
    }

    /// Sets the civil time back; moments, as everywhere, do not follow.
    pub fn set_back(&self, duration: Duration) {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        self.micros.fetch_sub(micros, Ordering::SeqCst);
    }
}

impl Default for FixedClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
            .unwrap_or_else(|_| unreachable!())
    }

    fn moment(&self) -> Moment {
        Moment::from_nanos(self.moment.load(Ordering::SeqCst))
    }
}

/// A clock that moves on by a microsecond whenever it is read, so that no two acts are simultaneous.
#[derive(Debug, Default)]
pub struct TickingClock {
    clock: FixedClock,
}

impl Clock for TickingClock {
    fn now(&self) -> Timestamp {
        self.clock.advance(Duration::from_micros(1));
        self.clock.now()
    }

    fn moment(&self) -> Moment {
        self.clock.moment()
    }
}

/// Chance that repeats for the same seed: SHA-256 of seed and counter. For tests alone.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    counter: AtomicU64,
}

impl SeededEntropy {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let counter = self.counter.fetch_add(1, Ordering::SeqCst);
            let mut hash = Sha256::new();
            hash.update(self.seed.to_le_bytes());
            hash.update(counter.to_le_bytes());
            for (byte, drawn) in chunk.iter_mut().zip(hash.finalize()) {
                *byte = drawn;
            }
        }
    }
}
