//! Verification of Keyward's signed keys, for services that only verify.
//!
//! A signed key is a text that its own public key proves, and that key is a document below the issuer
//! that stands in the text. A [`Verifier`] believes the issuers that it was told, fetches each public
//! key once for as long as its server allows, and remembers which texts it has proved. It tells a
//! revoked key apart from a server that cannot be reached: the one is refused, the other is an error.
//!
//! ```no_run
//! # async fn example(token: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use keyward_client::Verifier;
//!
//! let verifier = Verifier::builder().issuer("https://example.com/jwks".parse()?).build()?;
//! let key = verifier.verify(token).await?;
//! println!("{} may read: {}", key.subject(), key.has_scope("read"));
//! # Ok(())
//! # }
//! ```
//!
//! It also verifies the access tokens of authorization servers such as Keyward itself
//! ([`VerifierBuilder::authorization_server`]).
//!
//! A revocation takes effect when the public key is fetched anew: after the lifetime that its server
//! states, within the bounds of [`KeyLifetimes`]. A verifier that follows a Keyward server's changes
//! ([`ChangeFeed`]) hears of it at once.
#![forbid(unsafe_code)]

mod builder;
mod error;
#[cfg(feature = "axum")]
mod extract;
mod feed;
mod keys;
#[cfg(feature = "tower")]
mod problem;
#[cfg(feature = "tower")]
mod protect;
mod tokens;
mod verified;
mod verifier;

pub use builder::{FetchLimits, VerifierBuilder};
pub use error::{FetchFault, UnauthorizedReason, VerifyError};
pub use feed::ChangeFeed;
pub use keys::KeyLifetimes;
pub use keyward_system::SystemClock;
#[cfg(feature = "tower")]
pub use problem::Rejection;
#[cfg(feature = "tower")]
pub use protect::{Verify, VerifyLayer};
pub use verified::VerifiedToken;
pub use verifier::Verifier;
