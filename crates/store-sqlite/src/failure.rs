//! What SQLite's errors mean to callers.

use keyward_store::{Conflict, StoreError};
use rusqlite::ErrorCode;
use rusqlite::ffi::{
    SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE,
};

/// A read or a transaction did not work.
pub(crate) fn failure(operation: &'static str, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { what: "database", source: error.into() }
        }
        _ => StoreError::Unavailable { operation, source: error.into() },
    }
}

/// A row was not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// It conflicts with a stored one.
    Conflict(Conflict),
    /// SQLite cannot write it.
    Failed(rusqlite::Error),
    /// No change is accepted.
    Sealed,
}

impl WriteError {
    pub(crate) fn during(self, operation: &'static str) -> StoreError {
        match self {
            Self::Conflict(conflict) => StoreError::Conflict(conflict),
            Self::Failed(error) => failure(operation, error),
            Self::Sealed => StoreError::Sealed,
        }
    }
}

impl From<Conflict> for WriteError {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map(|error| error.extended_code);
        match code {
            Some(SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE) => {
                Self::Conflict(Conflict::Exists)
            }
            // The account of a key is not there, or one that is to go has keys.
            Some(SQLITE_CONSTRAINT_FOREIGNKEY) => Self::Conflict(Conflict::Outdated),
            _ => Self::Failed(error),
        }
    }
}
