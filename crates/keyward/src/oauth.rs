//! An OAuth 2.0 authorization server for service accounts: short-lived access tokens for client credentials
//! (RFC 6749 §4.4, RFC 9068), what a presented text is worth (RFC 7662), and taking it back (RFC 7009).

mod introspect;
mod issue;
mod pairs;
mod published;
mod revoke;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use introspect::{Introspected, ProvedAccess};
pub use issue::{IssuedToken, OAuthClient};
use keyward_core::jose::{BaseIssuer, PairKind};
use keyward_core::{Audience, RotationPeriod, TokenLifetime};
use keyward_store::StoreError;
use pairs::Pairs;
pub(crate) use pairs::spawn;
use published::Published;
pub use revoke::Revocable;

use crate::Error;

/// How access tokens are issued.
#[derive(Clone, Debug)]
pub struct OAuthSettings {
    /// The authorization server's own URL, which stands in its tokens; absent: none are issued.
    pub issuer: Option<BaseIssuer>,
    /// For whom tokens are; absent: for whoever believes the issuer, whose URL stands there.
    pub audience: Option<Audience>,
    /// How long a token is valid.
    pub token_lifetime: TokenLifetime,
    /// The kind of the pairs that sign them. RFC 9068 §2.1 has every verifier know RS256, which is the
    /// default.
    pub pair: PairKind,
    /// How long a pair signs before the next one does.
    pub rotate_every: RotationPeriod,
    /// How long a public key is published before its pair signs: as long as verifiers may keep the
    /// document with the keys. By default a minute.
    pub publish_ahead: Duration,
}

impl Default for OAuthSettings {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            token_lifetime: TokenLifetime::default(),
            pair: PairKind::default(),
            rotate_every: RotationPeriod::default(),
            publish_ahead: Duration::from_mins(1),
        }
    }
}

impl OAuthSettings {
    /// What stands in tokens as their issuer and their audience, if any are issued.
    fn names(&self) -> Option<(&str, &str)> {
        let issuer = self.issuer.as_ref()?.as_str();
        Some((issuer, self.audience.as_ref().map_or(issuer, Audience::as_str)))
    }
}

/// Why a client did not get what it asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OAuthError {
    /// It could not be found out.
    #[error(transparent)]
    Failed(#[from] Error),
    /// No such client, or not its secret: nobody is told which.
    #[error("the client is unknown, or its secret is wrong")]
    InvalidClient,
    /// More was asked for than the account may have.
    #[error("the account does not have each of the scopes")]
    InvalidScope,
    /// No tokens are issued here.
    #[error("this is no authorization server")]
    NoIssuer,
    /// All the scopes together do not fit into a token.
    #[error("the scopes are too many for one token")]
    TooManyScopes,
    /// The service account is switched off.
    #[error("the service account is disabled")]
    UnauthorizedClient,
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What an instance needs as an authorization server.
#[derive(Debug)]
pub(crate) struct OAuth {
    issued: AtomicU64,
    pairs: Pairs,
    published: Published,
    pub(crate) settings: OAuthSettings,
}

impl OAuth {
    pub(crate) fn new(settings: OAuthSettings) -> Self {
        Self {
            issued: AtomicU64::default(),
            pairs: Pairs::default(),
            published: Published::default(),
            settings,
        }
    }

    /// How many tokens were issued, since the start.
    pub(crate) fn issued(&self) -> u64 {
        self.issued.load(Ordering::Relaxed)
    }
}
