//! Why a management act was not done.

use std::time::Duration;

use keyward_core::{FieldError, Refusal};
use keyward_store::{CacheError, Conflict, StoreError};

/// A management act was not done. Nothing was changed, unless it is [`Error::Store`]: then it may
/// have been.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A service account of that id exists.
    #[error("the service account exists already")]
    AccountExists,
    /// The very same key or service account was taken over before.
    #[error("the same was taken over before")]
    AlreadyImported,
    /// The audit trail is switched off.
    #[error("the audit trail is switched off")]
    AuditOff,
    /// So many signed keys are asked for at once that this one cannot wait for its pair.
    #[error("too many requests wait for a key pair")]
    Busy,
    /// The shared cache failed.
    #[error("the shared cache failed")]
    Cache(#[source] CacheError),
    /// A key of that id, or with that digest, exists.
    #[error("the key exists already")]
    KeyExists,
    /// A keyspace of that name exists.
    #[error("the keyspace exists already")]
    KeyspaceExists,
    /// No further stream of changes can be opened now.
    #[error("no further stream of changes can be opened now")]
    NoFurtherStream,
    /// No such key or keyspace.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The state of the key, or a value in the request, stands against it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A key pair could not be made or used.
    #[error("a key pair could not be made or used")]
    Signing,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// So many signed keys were issued for the owner lately that it must wait for the next one.
    #[error("too many keys were issued for this owner")]
    TooManyKeys {
        /// How long to wait.
        retry_after: Duration,
    },
}

impl Error {
    /// The stable code, for programs: that of the problem document over HTTP, too.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AccountExists => "service_account_exists",
            Self::AlreadyImported => "already_imported",
            Self::AuditOff => "audit_off",
            Self::Busy => "busy",
            Self::Cache(_) => "cache_failed",
            Self::KeyExists => "key_exists",
            Self::KeyspaceExists => "keyspace_exists",
            Self::NoFurtherStream => "no_further_stream",
            Self::NotFound(_) => "not_found",
            Self::Refused(refusal) => refusal.code(),
            Self::Signing => "signing_failed",
            Self::Store(error) => store_code(error),
            Self::TooManyKeys { .. } => "too_many_keys",
        }
    }

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

/// The stable code of a store's failure.
pub(crate) const fn store_code(error: &StoreError) -> &'static str {
    match error {
        StoreError::Conflict(_) => "conflict",
        StoreError::Sealed => "sealed",
        StoreError::Unsupported { .. } => "unsupported",
        _ => "unavailable",
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::Refused(Refusal::Invalid(error))
    }
}
