//! How much is kept of what is found.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many finds a report holds. Beyond that they are counted: whoever writes what is searched could
/// fill the memory with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most in one file, or object of history.
    pub in_one_text: usize,
    /// The most in one search.
    pub in_all: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { in_one_text: 1_000, in_all: 100_000 }
    }
}

/// How many finds there is still room for, shared by the threads of a search.
#[derive(Debug)]
pub(crate) struct Room {
    in_one_text: usize,
    left: AtomicUsize,
}

impl Room {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self { in_one_text: limits.in_one_text, left: AtomicUsize::new(limits.in_all) }
    }

    pub(crate) const fn in_one_text(&self) -> usize {
        self.in_one_text
    }

    /// Takes the place of one find, if there is one.
    pub(crate) fn take(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        // It counts, and nothing else hangs on it.
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }
}
