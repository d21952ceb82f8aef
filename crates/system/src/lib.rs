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

/// On Linux, the time since the machine was started, that in which it was suspended included.
///
/// The kernel's note of the civil time, taken at each of its ticks and when the machine wakes, is much
/// cheaper to read than the clock itself, which therefore is read once for each note.
#[cfg(target_os = "linux")]
mod moment {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use keyward_core::Moment;
    use rustix::time::{ClockId, clock_gettime};

    /// A tick of the slowest kernel that is in use (100 Hz).
    pub(super) const LAG: Duration = Duration::from_millis(10);

    /// The latest reading, and the note at which it was taken.
    static READING: AtomicU64 = AtomicU64::new(0);
    static NOTE: AtomicU64 = AtomicU64::new(0);

    pub(super) fn read() -> Moment {
        let note = nanos(ClockId::RealtimeCoarse);
        if NOTE.load(Ordering::Acquire) == note {
            return Moment::from_nanos(READING.load(Ordering::Relaxed));
        }
        let reading = nanos(ClockId::Boottime);
        let latest = READING.fetch_max(reading, Ordering::Relaxed).max(reading);
        // Whoever finds this note finds the reading, too, or a later one.
        NOTE.store(note, Ordering::Release);
        Moment::from_nanos(latest)
    }

    pub(super) fn nanos(clock: ClockId) -> u64 {
        let time = clock_gettime(clock);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanos = u64::try_from(time.tv_nsec).unwrap_or_default();
        seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::time::ClockId;

    use super::*;

    #[test]
    fn moments_are_those_of_the_machine_and_never_go_back() {
        let boot = || Moment::from_nanos(moment::nanos(ClockId::Boottime));
        let watch = || {
            let mut last = moment::read();
            for _ in 0..200_000 {
                let (before, read, after) = (boot(), moment::read(), boot());
                assert!(last <= read && read <= after, "{last:?} {read:?} {after:?}");
                // On a busy machine the tick itself may be late.
                assert!(before.since(read) < Duration::from_secs(1), "{read:?} {before:?}");
                last = read;
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(watch);
            }
        });
    }
}
