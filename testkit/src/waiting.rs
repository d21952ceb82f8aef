//! Waiting for what happens elsewhere, in real time and never for ever.
#![expect(clippy::missing_panics_doc, reason = "the helpers of tests fail as tests do")]

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The real time: for tests of other processes, which keep it.
#[expect(clippy::disallowed_methods, reason = "another process keeps the time here")]
pub fn now() -> Instant {
    Instant::now()
}

/// Asks again and again until there is an answer; gives up when patience ends.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(now() - start < PATIENCE, "no end of waiting for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
