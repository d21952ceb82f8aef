//! The two stores, and what is needed to write to one of them.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::{Change, Clock, Entropy, Moment};
use keyward_store::{Store, StoreError};

use crate::{CopyError, Observer, Side};

/// The first pause before a store is tried again; each further one is twice as long.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often what was read is read anew because the destination was found to be otherwise.
const MOST_CONFLICTS: u32 = 8;

/// Both ends of a copy.
#[derive(Clone, Debug)]
pub(crate) struct Ends {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) destination: Arc<dyn Store>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) patience: Duration,
    pub(crate) source: Arc<dyn Store>,
}

impl Ends {
    /// A change that does nothing yet.
    pub(crate) fn change(&self) -> Change {
        Change::new(&*self.entropy, self.clock.now())
    }

    /// Makes a change at the destination.
    pub(crate) async fn apply(&self, change: &Change) -> Result<(), CopyError> {
        let applied = self.destination.apply(change).await;
        applied.map(drop).map_err(CopyError::at_destination)
    }

    /// For a step that is repeated until it succeeds. Every step looks at what is there, so that one
    /// that was made without an answer does nothing when it is repeated.
    pub(crate) fn patience(&self) -> Patience<'_> {
        let began = self.clock.moment();
        Patience { began, conflicts: 0, ends: self, pause: SHORTEST_PAUSE, waited: Duration::ZERO }
    }

    /// Whether the source takes no changes: one that changes nothing tells.
    pub(crate) async fn is_sealed(&self) -> Result<bool, CopyError> {
        let nothing = Change::new(&*self.entropy, self.clock.now());
        let mut patience = self.patience();
        loop {
            match self.source.apply(&nothing).await {
                Ok(_) => return Ok(false),
                Err(StoreError::Sealed) => return Ok(true),
                Err(error) => patience.wait(CopyError::at_source(error)).await?,
            }
        }
    }

    /// Seals the source, or lifts its seal.
    pub(crate) async fn seal(&self, is_sealed: bool) -> Result<(), CopyError> {
        let mut patience = self.patience();
        loop {
            match self.source.seal(is_sealed).await.map_err(CopyError::at_source) {
                Ok(()) => return Ok(()),
                Err(error) => patience.wait(error).await?,
            }
        }
    }
}

/// How long one step may still fail.
pub(crate) struct Patience<'a> {
    began: Moment,
    conflicts: u32,
    ends: &'a Ends,
    pause: Duration,
    waited: Duration,
}

impl Patience<'_> {
    /// Waits after a failure, or returns it if there is no use in waiting any longer.
    pub(crate) async fn wait(&mut self, error: CopyError) -> Result<(), CopyError> {
        let pause = self.pause;
        match error {
            CopyError::Store { source: StoreError::Conflict(_), .. } => {
                self.conflicts += 1;
                if self.conflicts > MOST_CONFLICTS {
                    return Err(CopyError::Contended);
                }
            }
            // Whoever sealed it knows why.
            CopyError::Store { source: StoreError::Sealed, .. } => return Err(error),
            CopyError::Store { side, source } if source.may_retry() => {
                self.wait_for(side, source)?;
            }
            error => return Err(error),
        }
        tokio::time::sleep(pause).await;
        self.waited += pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    fn wait_for(&self, side: Side, source: StoreError) -> Result<(), CopyError> {
        let passed = self.ends.clock.moment().since(self.began).max(self.waited);
        if passed + self.pause > self.ends.patience {
            let patience = self.ends.patience;
            return Err(CopyError::Unanswered { side, patience, source });
        }
        self.ends.observer.wait(&CopyError::Store { side, source }, self.pause);
        Ok(())
    }
}
