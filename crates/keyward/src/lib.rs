//! API keys done right: issue, verify, rotate and revoke them.
//!
//! [`Keyward`] is the one thing to hold: it joins the rules of `keyward-core` with a store, a cache
//! and a clock. Clones of it are the same instance.
//!
//! ```
//! # use std::sync::Arc;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use keyward::{ActContext, Asked, Keyward, NewKey, store::MemoryStore};
//!
//! let keyward = Keyward::builder(Arc::new(MemoryStore::new())).build().await?;
//! let me = ActContext::by("me".parse()?);
//! let issued = keyward.issue(NewKey::new("customer-1".parse()?), &me).await?;
//! let decision = keyward.verify(issued.secret.expose(), &Asked::default()).await?;
//! assert_eq!(decision.code(), "allowed");
//!
//! keyward.revoke(&issued.key.id, None, &me).await?;
//! let decision = keyward.verify(issued.secret.expose(), &Asked::default()).await?;
//! assert_eq!(decision.code(), "revoked");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod audit;
mod builder;
mod changes;
mod error;
mod feed;
mod first_start;
mod gauges;
mod keyward;
mod limit;
mod lookup;
mod manage;
mod oauth;
mod reap;
mod signing;
mod upgrade;
mod usage;
mod verify;

pub use audit::{AuditSettings, AuditTrail};
pub use builder::{BuildError, Builder};
pub use changes::{ChangeStream, FeedEvent};
pub use error::Error;
pub use first_start::FirstStart;
pub use keyward_core::*;
pub use keyward_store as store;
pub use keyward_store::{CacheError, SharedCache};
pub use keyward_system::{SystemClock, SystemEntropy};
pub use lookup::{CacheStatus, LiveKey};
pub use manage::{
    AccountPast, ImportMode, ImportedAccount, ImportedKey, Issued, IssuedAccount, Past, Rotated,
};
pub use oauth::{
    Introspected, IssuedToken, OAuthClient, OAuthError, OAuthSettings, ProvedAccess, Revocable,
};
pub use reap::Reaped;
pub use signing::{KeyDocument, PoolStatus, SigningSettings};
pub use upgrade::DigestUpgrades;
pub use usage::UsageTracking;
pub use verify::{ClientCredentials, VerifyOptions};

pub use crate::keyward::Keyward;

/// The code in the guide compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/coming-from-keypal.md")]
struct ComingFromKeypal;

/// The outcome of a verification by [`Keyward::verify`].
pub type Decision = keyward_core::Decision<LiveKey>;
/// Proof of a verification by [`Keyward::verify`].
pub type Permit = keyward_core::Permit<LiveKey>;
