//! The outcome of a verification.

use std::time::Duration;

use crate::Permit;

/// Whether a presented key may do what was asked. A failure to find out is neither: it is an error.
#[derive(Debug)]
pub enum Decision<K> {
    /// Yes, and here is the proof that it was judged.
    Allow(Permit<K>),
    /// No.
    Deny(DenyReason),
}

/// Why a presented key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenyReason {
    /// The key is switched off.
    Disabled,
    /// The key's last instant has come.
    Expired,
    /// The key lacks a scope that was asked for.
    InsufficientScope,
    /// The text has the form of no key.
    Malformed,
    /// There was no key.
    Missing,
    /// The key's first instant has not come.
    NotYetValid,
    /// The key was used too often.
    RateLimited {
        /// How long to wait before the next attempt.
        retry_after: Duration,
    },
    /// The key was revoked.
    Revoked,
    /// No such key, or not its secret: the two are not told apart.
    Unknown,
}

impl DenyReason {
    /// The stable code, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::InsufficientScope => "insufficient_scope",
            Self::Malformed => "malformed",
            Self::Missing => "missing",
            Self::NotYetValid => "not_yet_valid",
            Self::RateLimited { .. } => "rate_limited",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }

    /// A sentence, for people.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Disabled => "the API key is disabled",
            Self::Expired => "the API key has expired",
            Self::InsufficientScope => "the API key lacks a scope that is needed",
            Self::Malformed => "the text is not an API key",
            Self::Missing => "an API key is needed",
            Self::NotYetValid => "the API key is not valid yet",
            Self::RateLimited { .. } => "the API key was used too often",
            Self::Revoked => "the API key has been revoked",
            Self::Unknown => "the API key is not known",
        }
    }
}

impl<K> Decision<K> {
    /// The stable code of the outcome: `allowed`, or the reason's.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allowed",
            Self::Deny(reason) => reason.code(),
        }
    }

    /// The outcome as a sentence, for people.
    pub const fn message(&self) -> &'static str {
        match self {
            Self::Allow(_) => "the API key may do this",
            Self::Deny(reason) => reason.message(),
        }
    }

    /// The proof, if it is allowed.
    pub const fn permit(&self) -> Option<&Permit<K>> {
        match self {
            Self::Allow(permit) => Some(permit),
            Self::Deny(_) => None,
        }
    }
}
