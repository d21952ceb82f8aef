//! Why an act on a key or a service account is not done.

use crate::FieldError;

/// Why an act is not possible in the state in which the key or service account is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A deleted service account cannot be changed, nor can its keys; restore it first.
    #[error("the service account is deleted")]
    AccountDeleted,
    /// A service account that is switched off gets no new keys.
    #[error("the service account is disabled")]
    AccountDisabled,
    /// It is switched off already.
    #[error("it is already disabled")]
    AlreadyDisabled,
    /// It is switched on already.
    #[error("it is already enabled")]
    AlreadyEnabled,
    /// The key is revoked already.
    #[error("the key is already revoked")]
    AlreadyRevoked,
    /// The key has a successor already.
    #[error("the key has already been rotated to a successor")]
    AlreadySucceeded,
    /// Deleted keys cannot be changed; restore it first.
    #[error("the key is deleted")]
    Deleted,
    /// A value in the request breaks a rule.
    #[error("{0}")]
    Invalid(FieldError),
    /// Only what is deleted can be restored or purged.
    #[error("it is not deleted")]
    NotDeleted,
    /// Somebody else changed it in the meantime.
    #[error("it has been changed in the meantime")]
    Outdated,
    /// Revoked keys cannot be changed.
    #[error("a revoked key cannot be changed")]
    Revoked,
}

impl Refusal {
    /// The stable code, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AccountDeleted => "service_account_deleted",
            Self::AccountDisabled => "service_account_disabled",
            Self::AlreadyDisabled => "already_disabled",
            Self::AlreadyEnabled => "already_enabled",
            Self::AlreadyRevoked => "already_revoked",
            Self::AlreadySucceeded => "already_rotated",
            Self::Deleted => "key_deleted",
            Self::Invalid(_) => "invalid_request",
            Self::NotDeleted => "not_deleted",
            Self::Outdated => "conflict",
            Self::Revoked => "key_revoked",
        }
    }
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        Self::Invalid(error)
    }
}
