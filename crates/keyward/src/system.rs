//! The machine's own clock and chance: the only place that reads them.

use std::time::{Instant, SystemTime};

use keyward_core::{Clock, Entropy, Moment, Timestamp};
use rand::Rng as _;

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    beginning: Instant,
}

impl SystemClock {
    /// A clock whose moments count from now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others take")]
    pub fn new() -> Self {
        Self { beginning: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others take")]
    #[expect(clippy::expect_used, reason = "a machine set before 1970 must not judge any key")]
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
        let now = since_1970.and_then(|since| {
            // In 64 bits: the division of 128 bits that `as_micros` does takes longer than the clock.
            let seconds = i64::try_from(since.as_secs()).ok()?;
            let micros = seconds.checked_mul(1_000_000)? + i64::from(since.subsec_micros());
            Timestamp::from_micros(micros).ok()
        });
        now.expect("the machine's clock shows a year from 1970 to 9999")
    }

    fn moment(&self) -> Moment {
        let elapsed = self.beginning.elapsed();
        let seconds = elapsed.as_secs().saturating_mul(1_000_000_000);
        Moment::from_nanos(seconds.saturating_add(u64::from(elapsed.subsec_nanos())))
    }
}

/// The operating system's randomness, stretched by a generator that reseeds itself.
#[derive(Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the chance that others take")]
    fn fill(&self, out: &mut [u8]) {
        rand::rng().fill_bytes(out);
    }
}
