//! The machine's own clock and chance: the only place that reads them. Whoever uses `keyward` or
//! `keyward-client` finds them there.
#![forbid(unsafe_code)]

use std::time::{Duration, SystemTime};

use keyward_core::{Clock, Entropy, Moment, Timestamp};
use rand::Rng as _;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

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
        moment::read()
    }

    fn moment_lag(&self) -> Duration {
        moment::LAG
    }
}

/// On Linux, the kernel's own note of the time, which it takes at each of its ticks: much cheaper to
/// read than the clock itself.
#[cfg(target_os = "linux")]
mod moment {
    use std::time::Duration;

    use keyward_core::Moment;
    use rustix::time::{ClockId, clock_gettime};

    /// A tick of the slowest kernel that is in use (100 Hz).
    pub(super) const LAG: Duration = Duration::from_millis(10);

    pub(super) fn read() -> Moment {
        let time = clock_gettime(ClockId::MonotonicCoarse);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanos = u64::try_from(time.tv_nsec).unwrap_or_default();
        Moment::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }
}

#[cfg(not(target_os = "linux"))]
mod moment {
    use std::sync::LazyLock;
    use std::time::{Duration, Instant};

    use keyward_core::Moment;

    pub(super) const LAG: Duration = Duration::ZERO;

    #[expect(clippy::disallowed_methods, reason = "this is the clock that others take")]
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

    pub(super) fn read() -> Moment {
        let nanos = BEGINNING.elapsed().as_nanos();
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
