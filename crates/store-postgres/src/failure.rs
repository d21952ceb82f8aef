//! What the errors of PostgreSQL and of its connections mean to callers.

use std::time::Duration;

use keyward_store::{Conflict, StoreError};
use tokio_postgres::error::SqlState;

/// A statement did not work, or it is not known whether it did.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the server closed the connection")]
    Closed,
    #[error("all connections stayed in use for {0:?}")]
    Exhausted(Duration),
    #[error("the server refused it or broke off")]
    Postgres(#[from] tokio_postgres::Error),
    #[error("the server cannot be written to: it is a standby, or set to be read alone")]
    ReadOnly,
    #[error("no answer came within {0:?}")]
    TimedOut(Duration),
    #[error("a value cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
}

impl Failure {
    pub(crate) fn during(self, operation: &'static str) -> StoreError {
        let is_damage = |state: &SqlState| {
            matches!(*state, SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED)
        };
        if self.state().is_some_and(is_damage) {
            StoreError::Corrupt { what: "database", source: self.into() }
        } else {
            StoreError::Unavailable { operation, source: self.into() }
        }
    }

    /// Whether the connection was lost: another one may do better at once.
    pub(crate) fn is_lost_connection(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        // Without a code it is not the server that speaks, but what lies in between.
        let Some(state) = error.code() else { return true };
        // Class 08 tells of connections, class 57P of servers that stop or start.
        state.code().starts_with("08") || state.code().starts_with("57P")
    }

    fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Postgres(error) => error.code(),
            _ => None,
        }
    }
}

/// A change was not made, or it is not known whether it was.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// It conflicts with something that is stored.
    Conflict(Conflict),
    /// It did not work.
    Failed(Failure),
    /// No change is accepted.
    Sealed,
    /// Something stored cannot be read.
    Unreadable(StoreError),
}

impl WriteError {
    pub(crate) fn during(self, operation: &'static str) -> StoreError {
        match self {
            Self::Conflict(conflict) => StoreError::Conflict(conflict),
            Self::Failed(failure) => failure.during(operation),
            Self::Sealed => StoreError::Sealed,
            Self::Unreadable(error) => error,
        }
    }
}

impl From<Conflict> for WriteError {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Unreadable(error)
    }
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        match failure.state() {
            Some(&SqlState::UNIQUE_VIOLATION) => Self::Conflict(Conflict::Exists),
            // The account of a key is not there, or one that is to go has keys.
            Some(&SqlState::FOREIGN_KEY_VIOLATION) => Self::Conflict(Conflict::Outdated),
            _ => Self::Failed(failure),
        }
    }
}
