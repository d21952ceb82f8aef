//! Why a token was not accepted.

use std::time::Duration;

use keyward_core::jose::{InvalidJwk, SignedFault};

/// Why a token was not accepted: not one of ours, refused, or not judged.
///
/// What callers are told ([`code`](Self::code), [`message`](Self::message)) does not say which check a
/// token failed; the variants do, for the operator's eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The public key could not be fetched, so that nothing is known of the token.
    #[error("the public key cannot be fetched: {fault}")]
    KeysUnreachable {
        /// What was in the way.
        fault: FetchFault,
        /// When to try again.
        retry_after: Duration,
    },
    /// The text is no signed key of the issuers that are believed.
    #[error("the token is malformed: {0}")]
    Malformed(SignedFault),
    /// The text is one, and is refused.
    #[error("the token is refused: {0}")]
    Unauthorized(UnauthorizedReason),
}

impl VerifyError {
    /// The status code of an answer over HTTP: 401, 403 or 503.
    pub const fn status(&self) -> u16 {
        match self {
            Self::KeysUnreachable { .. } => 503,
            Self::Malformed(_) => 401,
            Self::Unauthorized(_) => 403,
        }
    }

    /// The kind as a stable word, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeysUnreachable { .. } => "keys_unreachable",
            Self::Malformed(_) => "malformed_token",
            Self::Unauthorized(_) => "unauthorized",
        }
    }

    /// The kind in a sentence that is safe to send back.
    pub const fn message(&self) -> &'static str {
        match self {
            Self::KeysUnreachable { .. } => "the API key cannot be verified now; try again",
            Self::Malformed(_) => "the API key is malformed",
            Self::Unauthorized(_) => "the API key is not valid",
        }
    }

    /// When to try again, if that may help.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysUnreachable { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

impl From<SignedFault> for VerifyError {
    fn from(fault: SignedFault) -> Self {
        Self::Malformed(fault)
    }
}

impl From<UnauthorizedReason> for VerifyError {
    fn from(reason: UnauthorizedReason) -> Self {
        Self::Unauthorized(reason)
    }
}

/// Why a token that reads well is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UnauthorizedReason {
    /// Its last instant has passed.
    #[error("it has expired")]
    Expired,
    /// Its first instant has not come.
    #[error("it is not valid yet")]
    NotYetValid,
    /// Its issuer has no such key: it never had, or the key is revoked or expired.
    #[error("there is no such key")]
    UnknownKey,
    /// It is for somebody else.
    #[error("it is for another audience")]
    WrongAudience,
    /// The key did not sign it, or not in the key's algorithm.
    #[error("the signature is not the key's")]
    WrongSignature,
}

/// Why a public key could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchFault {
    /// Too many fetches were under way.
    #[error("too many keys are being fetched")]
    Busy,
    /// The connection broke off, or what came was not HTTP.
    #[error("the connection broke off")]
    Connection,
    /// The document is not one with the key that was asked for.
    #[error("the document cannot be used: {0}")]
    Document(InvalidJwk),
    /// The key in the document is none: its point is not on the curve, or its modulus is even.
    #[error("the key in the document is none")]
    Key,
    /// The answer is not said to be JSON.
    #[error("the answer is of another type than JSON")]
    MediaType,
    /// What the server says of itself does not say where its keys are, or is of another issuer.
    #[error("the metadata cannot be used")]
    Metadata,
    /// There was no connection.
    #[error("the server cannot be reached")]
    NoConnection,
    /// The answer has a status other than 200, 404 and 410.
    #[error("the server answered {0}")]
    Status(u16),
    /// The answer is not UTF-8.
    #[error("the document is not UTF-8")]
    Text,
    /// It took too long.
    #[error("the server took too long")]
    Timeout,
    /// The document is too long.
    #[error("the document is too long")]
    TooLarge,
}
