//! Why a management act was not done.

use keyward_core::{FieldError, Refusal};
use keyward_store::{Conflict, StoreError};

/// A management act was not done. Nothing was changed, unless it is [`Error::Store`]: then it may
/// have been.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A keyspace of that name exists.
    #[error("the keyspace exists already")]
    KeyspaceExists,
    /// No such key or keyspace.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The state of the key, or a value in the request, stands against it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// The complaint about a field, if that is what it is.
    pub const fn field(&self) -> Option<&FieldError> {
        match self {
            Self::Refused(Refusal::Invalid(field)) => Some(field),
            _ => None,
        }
    }

    /// Whether somebody else's change came in between.
    pub(crate) const fn is_outdated(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict(Conflict::Outdated)))
    }

    /// Whether what was to be made exists.
    pub(crate) const fn is_taken(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict(Conflict::Exists)))
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::Refused(Refusal::Invalid(error))
    }
}
