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
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let micros = since_1970.ok().and_then(|d| i64::try_from(d.as_micros()).ok());
        let now = micros.and_then(|micros| Timestamp::from_micros(micros).ok());
        now.expect("the machine's clock shows a year from 1970 to 9999")
    }

    fn moment(&self) -> Moment {
        let nanos = self.beginning.elapsed().as_nanos();
        Moment::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
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
