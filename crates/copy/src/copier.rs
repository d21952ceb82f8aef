//! A copy: its ends, how far it is, and what it is asked to do.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::{Clock, Entropy, Sequence, Timestamp};
use keyward_store::Store;

use crate::ends::Ends;
use crate::mark::Mark;
use crate::{CopyError, Observer, Report, Unobserved};

/// For how long a store that fails is tried again, by default.
const PATIENCE: Duration = Duration::from_mins(1);

/// Copies all records of one store to another, while both may be in use by others as the modes say.
///
/// Each mode may be run again after whatever ended it: what is there already is compared, not trusted.
#[derive(Debug)]
pub struct Copier {
    ends: Ends,
}

impl Copier {
    /// A copy from a store to another.
    pub fn new(
        source: Arc<dyn Store>,
        destination: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let (observer, patience) = (Arc::new(Unobserved), PATIENCE);
        Self { ends: Ends { clock, destination, entropy, observer, patience, source } }
    }

    /// The same, telling somebody how it goes.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.ends.observer = observer;
        self
    }

    /// The same, trying a store that fails again for so long.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.ends.patience = patience;
        self
    }

    /// Compares both stores and writes nothing.
    pub async fn check(&self) -> Result<Report, CopyError> {
        Course::at(&self.ends, Sequence::START).look().await
    }

    /// Copies everything, follows the source until nothing is left, compares both, and ends. What is
    /// changed at the source afterwards is not at the destination: run it again.
    pub async fn copy(&self) -> Result<Report, CopyError> {
        let mut mark = Mark::begin(&self.ends).await?;
        let mut course = Course::begin(&self.ends).await?;
        course.copy_all().await?;
        let report = course.verify().await?;
        if report.is_equal() {
            mark.complete(&self.ends).await?;
        }
        Ok(report)
    }

    /// Copies everything and follows the source until it is asked to stop.
    pub async fn follow(&self, stop: impl Future<Output = ()>) -> Result<(), CopyError> {
        let mut stop = std::pin::pin!(stop);
        // Boxed, so that whoever waits for it need not hold it in place.
        let following = Box::pin(async {
            Mark::begin(&self.ends).await?;
            let mut course = Course::begin(&self.ends).await?;
            course.copy_all().await?;
            course.follow().await
        });
        tokio::select! {
            () = &mut stop => Ok(()),
            failed = following => failed.map(|never| match never {}),
        }
    }

    pub(crate) const fn ends(&self) -> &Ends {
        &self.ends
    }
}

/// How far a copy is.
#[derive(Debug)]
pub(crate) struct Course<'a> {
    pub(crate) ends: &'a Ends,
    /// Whether changes were missed, so that all is to be compared once more.
    pub(crate) has_gap: bool,
    /// Whether there were changes that the audit trail, signing keys and revoked tokens were not
    /// compared after: the feed does not name them.
    pub(crate) has_moved: bool,
    /// When the newest event happened that the audit trail was compared up to.
    pub(crate) newest_event: Option<Timestamp>,
    /// All changes up to this place are at the destination, once all records are.
    pub(crate) position: Sequence,
    /// How many changes were followed.
    pub(crate) changes: u64,
    /// When the whole audit trail began to be compared last.
    pub(crate) whole_trail_at: Option<Timestamp>,
}

impl<'a> Course<'a> {
    /// The place comes before all records: what is changed while they are read is told by the feed.
    pub(crate) async fn begin(ends: &'a Ends) -> Result<Self, CopyError> {
        let mut patience = ends.patience();
        loop {
            match ends.source.position().await.map_err(CopyError::at_source) {
                Ok(position) => return Ok(Self::at(ends, position)),
                Err(error) => patience.wait(error).await?,
            }
        }
    }

    pub(crate) const fn at(ends: &'a Ends, position: Sequence) -> Self {
        Self {
            ends,
            has_gap: false,
            has_moved: true,
            newest_event: None,
            position,
            changes: 0,
            whole_trail_at: None,
        }
    }
}
