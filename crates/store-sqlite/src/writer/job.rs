//! One thing to write, and whom to answer.

use keyward_store::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::group::GroupFailure;
use crate::failure::WriteError;

/// Something to write, whatever it results in.
pub(crate) trait Job: Send {
    /// Writes, and says whether that shall be kept. May be called again after a rollback.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Tells the caller how it went. `failure`: nothing of the whole group was written.
    fn answer(self: Box<Self>, failure: Option<&GroupFailure>);
}

/// A job that has not been answered.
pub(crate) struct Pending<T, W> {
    operation: &'static str,
    work: W,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Pending<T, W> {
    pub(crate) const fn new(
        operation: &'static str,
        work: W,
        answer: oneshot::Sender<Result<T, StoreError>>,
    ) -> Self {
        Self { operation, work, result: None, answer }
    }
}

impl<T, W> Job for Pending<T, W>
where
    T: Send,
    W: FnMut(&Connection) -> Result<T, WriteError> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let result = (self.work)(connection).map_err(|error| error.during(self.operation));
        self.result.insert(result).is_ok()
    }

    fn answer(self: Box<Self>, failure: Option<&GroupFailure>) {
        let result = match (self.result, failure) {
            (Some(result), None) => result,
            // Its own reason says more than that of the group. A conflict is none: it may be one
            // with a neighbour that has not been written either.
            (Some(Err(error)), Some(_)) if !matches!(error, StoreError::Conflict(_)) => Err(error),
            (_, failure) => {
                let source = failure.cloned().unwrap_or(GroupFailure::RolledBack).into();
                Err(StoreError::Unavailable { operation: self.operation, source })
            }
        };
        // Whoever no longer waits for the answer does not want it.
        drop(self.answer.send(result));
    }
}
