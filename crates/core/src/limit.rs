//! How often a key may be used.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Invalid, Lifetime, Moment};

/// At most this many verifications of a key per period, on each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Settings", into = "Settings")]
pub struct RateLimit {
    requests: u32,
    per: Lifetime,
}

impl RateLimit {
    /// What one owner may do that is dear, unless something else is said: 600 in a minute.
    pub const PER_OWNER: Self = Self { requests: 600, per: Lifetime::MINUTE };

    /// At most `requests` (1 to a million) in every `per` (1 second to 1 day).
    pub fn new(requests: u32, per: Lifetime) -> Result<Self, Invalid> {
        const SECOND: Duration = Duration::from_secs(1);
        const DAY: Duration = Duration::from_hours(24);
        if !(1..=1_000_000).contains(&requests) {
            return Err(Invalid::new("must allow 1 to 1,000,000 requests"));
        }
        if (SECOND..=DAY).contains(&per.duration()) {
            Ok(Self { requests, per })
        } else {
            Err(Invalid::new("must have a period of 1 second to 1 day"))
        }
    }

    /// How many requests.
    pub const fn requests(self) -> u32 {
        self.requests
    }

    /// In which time.
    pub const fn per(self) -> Lifetime {
        self.per
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    requests: u32,
    per: Lifetime,
}

impl TryFrom<Settings> for RateLimit {
    type Error = Invalid;

    fn try_from(settings: Settings) -> Result<Self, Invalid> {
        Self::new(settings.requests, settings.per)
    }
}

impl From<RateLimit> for Settings {
    fn from(limit: RateLimit) -> Self {
        Self { requests: limit.requests, per: limit.per }
    }
}

/// What one key has used of its rate limit: the generic cell rate algorithm (ITU-T I.371), which
/// needs one number, has no windows to reset, and lets a rested key spend its whole allowance at once.
#[derive(Debug, Default)]
pub struct Allowance {
    /// When everything taken so far will have been earned back, in nanoseconds of the clock's moment.
    earned_back_at: AtomicU64,
}

impl Allowance {
    /// Takes one request out of the allowance, or says how long to wait for the next one.
    pub fn take(&self, limit: RateLimit, now: Moment) -> Result<(), Duration> {
        let now = now.as_nanos();
        let period = u64::try_from(limit.per.duration().as_nanos()).unwrap_or(u64::MAX);
        let cost = period / u64::from(limit.requests);
        let taken = |earned_back_at: u64| earned_back_at.max(now).saturating_add(cost);
        let result =
            self.earned_back_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |before| {
                let after = taken(before);
                (after - now <= period).then_some(after)
            });
        match result {
            Ok(_) => Ok(()),
            Err(before) => Err(Duration::from_nanos(taken(before) - now - period)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_spent_at_once_and_earned_back_evenly() {
        let limit = RateLimit::new(4, Lifetime::parse("1s").unwrap()).unwrap();
        let allowance = Allowance::default();
        let at = |millis: u64| Moment::from_nanos(millis * 1_000_000 + 5_000_000_000);
        for _ in 0..4 {
            assert_eq!(allowance.take(limit, at(0)), Ok(()));
        }
        assert_eq!(allowance.take(limit, at(0)), Err(Duration::from_millis(250)));
        assert_eq!(allowance.take(limit, at(249)), Err(Duration::from_millis(1)));
        assert_eq!(allowance.take(limit, at(250)), Ok(()));
        assert!(allowance.take(limit, at(250)).is_err());
    }

    #[test]
    fn senseless_limits_are_refused() {
        assert!(RateLimit::new(0, Lifetime::parse("1s").unwrap()).is_err());
        assert!(RateLimit::new(1, Lifetime::parse("999ms").unwrap()).is_err());
        assert!(RateLimit::new(1, Lifetime::parse("25h").unwrap()).is_err());
    }
}
