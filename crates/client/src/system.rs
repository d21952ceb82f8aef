//! The machine's own clock: the only place that reads it.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime};

use keyward_core::{Clock, Moment, Timestamp};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "this is the clock that others take")]
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

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
        let nanos = BEGINNING.elapsed().as_nanos();
        Moment::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
