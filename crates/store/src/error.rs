//! What can go wrong in a store. Callers act on the kind, never on the text.

use std::error::Error;

/// A store could not do what it was asked. That a record is absent is not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The change was made from something that is no longer so; nothing was written.
    #[error("the change conflicts with what is stored: {0}")]
    Conflict(Conflict),
    /// Something stored cannot be read back.
    #[error("a stored {what} cannot be read")]
    Corrupt {
        /// What it is: `key`, `keyspace`, `audit event`.
        what: &'static str,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The store accepts no changes, as its records move to another one; nothing was written.
    #[error("the store is sealed: its records move to another one")]
    Sealed,
    /// The store does not answer, or cannot write: it may be down, full or overloaded.
    #[error("the store failed to {operation}")]
    Unavailable {
        /// What it was asked to do.
        operation: &'static str,
        /// Why it failed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The backend cannot do that at all.
    #[error("the store does not support: {operation}")]
    Unsupported {
        /// What it was asked to do.
        operation: &'static str,
    },
}

/// With what a change conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// A record of that id, or one that is found in the same way, exists.
    #[error("it exists already")]
    Exists,
    /// The record has another version by now, or is gone.
    #[error("it was changed in the meantime")]
    Outdated,
}

impl StoreError {
    /// The same once more, for another one who waited for the same call.
    #[must_use]
    pub fn again(&self) -> Self {
        let text = |source: &(dyn Error + Send + Sync)| source.to_string().into();
        match self {
            Self::Conflict(conflict) => Self::Conflict(*conflict),
            Self::Corrupt { what, source } => Self::Corrupt { what, source: text(&**source) },
            Self::Sealed => Self::Sealed,
            Self::Unavailable { operation, source } => {
                Self::Unavailable { operation, source: text(&**source) }
            }
            Self::Unsupported { operation } => Self::Unsupported { operation },
        }
    }

    /// Whether the same call may succeed later.
    pub const fn may_retry(&self) -> bool {
        matches!(self, Self::Sealed | Self::Unavailable { .. })
    }
}
