//! Leaving alone what has failed, so that it does not cost its timeout again and again.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Lets calls pass, until one fails; and then one from time to time, until one works.
#[derive(Debug)]
pub(super) struct Breaker {
    rest: Duration,
    /// Until when nothing is tried, after a failure.
    until: Mutex<Option<Instant>>,
}

impl Breaker {
    pub(super) fn new(rest: Duration) -> Self {
        Self { rest, until: Mutex::new(None) }
    }

    /// Whether a call may be tried.
    pub(super) fn lets_pass(&self) -> bool {
        let mut until = self.until.lock();
        match *until {
            None => true,
            Some(end) if end <= Instant::now() => {
                // This one tries for all others.
                *until = Some(Instant::now() + self.rest);
                true
            }
            Some(_) => false,
        }
    }

    /// Notes whether a call has worked.
    pub(super) fn note(&self, has_worked: bool) {
        *self.until.lock() = (!has_worked).then(|| Instant::now() + self.rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_one_call_passes_in_a_while_until_one_works() {
        let breaker = Breaker::new(REST);
        assert!(breaker.lets_pass() && breaker.lets_pass());
        breaker.note(false);
        assert!(!breaker.lets_pass());
        tokio::time::advance(REST).await;
        assert!(breaker.lets_pass() && !breaker.lets_pass());
        breaker.note(false);
        tokio::time::advance(REST / 2).await;
        assert!(!breaker.lets_pass());
        tokio::time::advance(REST).await;
        assert!(breaker.lets_pass());
        breaker.note(true);
        assert!(breaker.lets_pass() && breaker.lets_pass());
    }
}
