//! Group commit: many jobs, one transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Connection;

use super::job::Job;
use crate::sql::execute;

/// Why nothing of a group was written.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum GroupFailure {
    /// The transaction could not be begun or committed.
    #[error("the transaction failed: {0}")]
    Transaction(#[from] Arc<rusqlite::Error>),
    /// One of the jobs failed in a way on which SQLite rolls everything back.
    #[error("the transaction was rolled back")]
    RolledBack,
}

impl From<rusqlite::Error> for GroupFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Transaction(Arc::new(error))
    }
}

/// Writes all jobs of the group together, and answers them after that.
pub(super) fn commit(connection: &Connection, group: &mut Vec<Box<dyn Job>>) {
    // A panic is a bug in one job. Unanswered callers are told that the store failed, and the
    // thread goes on, as the rollback below leaves nothing behind.
    if let Ok(result) = catch_unwind(AssertUnwindSafe(|| write(connection, group))) {
        roll_back(connection);
        if matches!(result, Err(GroupFailure::RolledBack)) && group.len() > 1 {
            // One of them, too large for the disk say, took the others with it: each for itself, then.
            for job in std::mem::take(group) {
                commit(connection, &mut vec![job]);
            }
            return;
        }
        for job in group.drain(..) {
            job.answer(result.as_ref().err());
        }
    } else {
        tracing::error!("a job panicked while writing to the database");
        roll_back(connection);
        group.clear();
    }
}

fn write(connection: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), GroupFailure> {
    // Seldom is a job refused. Without savepoints, SQLite need not copy each page before it changes.
    execute(connection, "BEGIN IMMEDIATE", [])?;
    if group.iter_mut().all(|job| job.run(connection)) {
        execute(connection, "COMMIT", [])?;
        return Ok(());
    }
    roll_back(connection);
    if group.len() == 1 {
        return Ok(());
    }
    execute(connection, "BEGIN IMMEDIATE", [])?;
    for job in group {
        write_one(connection, job.as_mut())?;
    }
    execute(connection, "COMMIT", [])?;
    Ok(())
}

/// A job that is refused leaves its neighbours alone.
fn write_one(connection: &Connection, job: &mut dyn Job) -> Result<(), GroupFailure> {
    execute(connection, "SAVEPOINT job", [])?;
    if !job.run(connection) {
        // On some errors, a full disk among them, SQLite may have ended the transaction itself.
        if connection.is_autocommit() {
            return Err(GroupFailure::RolledBack);
        }
        execute(connection, "ROLLBACK TO job", [])?;
    }
    execute(connection, "RELEASE job", [])?;
    Ok(())
}

/// Ends a transaction that was not committed.
fn roll_back(connection: &Connection) {
    if connection.is_autocommit() {
        return;
    }
    if let Err(error) = connection.execute_batch("ROLLBACK") {
        // The next `BEGIN` fails then, and tells its callers.
        tracing::error!(%error, "cannot roll back a transaction of the database");
    }
}
