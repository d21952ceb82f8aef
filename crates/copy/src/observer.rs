//! What is told while a copy goes on.

use std::fmt;
use std::time::Duration;

use crate::{CopyError, Kind};

/// Somebody who is told how it goes. All of it may be passed over.
pub trait Observer: fmt::Debug + Send + Sync {
    /// All records of a kind are going to be compared; so many, if that is known.
    fn begin(&self, _kind: Kind, _total: Option<u64>) {}

    /// So many more of them are the same on both sides now.
    fn advance(&self, _kind: Kind, _count: u64) {}

    /// A store failed; it is tried again after a pause.
    fn wait(&self, _error: &CopyError, _pause: Duration) {}

    /// Everything that the source had acknowledged so long ago is at the destination.
    fn follow(&self, _progress: &Progress) {}
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// How far a copy is that follows its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many changes it has followed since it began.
    pub changes: u64,
    /// How many changes there were that it had not followed when it was last looked.
    pub behind: u64,
    /// How long ago it was that everything acknowledged by then has arrived.
    pub lag: Duration,
}
