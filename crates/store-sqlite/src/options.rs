//! What an operator may choose.

use std::time::Duration;

/// How to open a store. The default suits everybody who does not know better.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// How long to wait while another process writes, before calls fail as unavailable.
    pub busy_timeout: Duration,
    /// How much memory the writer keeps pages of the file in, in KiB. With millions of keys, each new
    /// one touches pages all over the indexes.
    pub cache_size: u32,
    /// How many of the latest changes are kept for followers and for telling repetitions; at least
    /// one. A few hundred more may be there until they are removed.
    pub kept_changes: u32,
    /// The size up to which the file may grow, in bytes; absent: as far as the disk allows.
    pub largest_size: Option<u64>,
    /// How long the write-ahead log grows before it is moved into the file, in KiB. A longer one moves
    /// pages less often that are written again and again.
    pub log_size: u32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            cache_size: 64 * 1_024,
            kept_changes: 100_000,
            largest_size: None,
            log_size: 16 * 1_024,
        }
    }
}
