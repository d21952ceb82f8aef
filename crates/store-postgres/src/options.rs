//! What an operator may choose.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::Clock;

/// How to use a database. The default suits everybody who does not know better.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// How long to wait for a connection of the pool while all of them are in use, before calls fail as
    /// unavailable.
    pub acquire_timeout: Duration,
    /// How long a new connection may take.
    pub connect_timeout: Duration,
    /// Where to listen for changes, if that is another address: behind a pooler that hands out
    /// connections by the transaction, listening takes one past it. Without it, nothing is told there,
    /// and followers rest on asking now and then.
    pub feed_url: Option<String>,
    /// How many of the latest changes are kept for followers and for telling repetitions; at least
    /// one. A few hundred more may be there until they are removed.
    pub kept_changes: u32,
    /// How long to wait while others make their changes, before a change fails as unavailable.
    pub lock_timeout: Duration,
    /// How many connections make changes and read lists; at least one. They are opened when they are
    /// needed.
    pub pool_size: usize,
    /// How many connections answer short questions, many at once on each; at least one.
    pub readers: usize,
    /// A standby server that may answer in place of the primary one.
    pub replica: Option<Replica>,
    /// How long a single statement may take. The server ends it then; if nothing is heard from the server
    /// either, the connection is given up a little later.
    pub statement_timeout: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            acquire_timeout: Duration::from_secs(3),
            connect_timeout: Duration::from_secs(3),
            feed_url: None,
            kept_changes: 100_000,
            lock_timeout: Duration::from_secs(3),
            pool_size: 8,
            readers: 4,
            replica: None,
            statement_timeout: Duration::from_secs(10),
        }
    }
}

/// A standby server that may look for keys and service accounts.
///
/// It is asked only while this process has followed the change feed, and what it says counts only if it
/// has replayed every change that this process knows of. In every other case the primary server is asked,
/// so that a standby that is behind, slow or dead costs time and nothing else.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Its address.
    pub url: String,
    /// What `max_staleness` is measured with.
    pub clock: Arc<dyn Clock>,
    /// How long ago the change feed may have been asked for, at the most. Changes that others made since
    /// then may be missing in an answer: no longer than what the cache of keys promises.
    pub max_staleness: Duration,
    /// How long it may take to answer, before the primary is asked.
    pub timeout: Duration,
}

impl Replica {
    /// A standby server at an address that is asked while the feed was asked for within half a second, and
    /// that has 100 milliseconds for an answer.
    pub fn new(url: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        let max_staleness = Duration::from_millis(500);
        Self { url: url.into(), clock, max_staleness, timeout: Duration::from_millis(100) }
    }
}
