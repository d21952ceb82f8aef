//! For how long what was fetched counts.

use std::time::Duration;

/// For how long what was fetched counts, each within the bounds that its server states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLifetimes {
    /// A key counts at least that long, also if its server says less or that it must not be stored. By
    /// default nothing: a server that says `max-age=0` is asked for each verification.
    pub least: Duration,
    /// A key counts at most that long, whatever its server says. By default 5 minutes. With a
    /// [`ChangeFeed`](crate::ChangeFeed) it may well be longer.
    pub most: Duration,
    /// A key counts that long if its server does not say. By default 1 minute.
    pub unstated: Duration,
    /// That there is no such key counts that long. By default 5 seconds.
    pub absent: Duration,
    /// After a failure the server is not asked for that long. By default 1 second.
    pub failed: Duration,
    /// A key counts on for that long while its server cannot be asked; never after the server said that
    /// there is no such key. By default 5 minutes, and with a [`ChangeFeed`](crate::ChangeFeed) not at
    /// all.
    pub stale_if_error: Option<Duration>,
}

impl KeyLifetimes {
    /// The default of `stale_if_error` without a feed.
    pub(super) const STALE_IF_ERROR: Duration = Duration::from_mins(5);
}

impl Default for KeyLifetimes {
    fn default() -> Self {
        Self {
            least: Duration::ZERO,
            most: Duration::from_mins(5),
            unstated: Duration::from_mins(1),
            absent: Duration::from_secs(5),
            failed: Duration::from_secs(1),
            stale_if_error: None,
        }
    }
}
