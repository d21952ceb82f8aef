//! A strict subset of JOSE: compact JWS (RFC 7515) with RS256, ES256 (RFC 7518) or EdDSA (RFC 8037),
//! public keys as JWK (RFC 7517), claims as JWT (RFC 7519), access tokens (RFC 9068).
//!
//! What is not needed is refused: other algorithms, encrypted tokens, keys and extensions that a
//! token's header brings along, several ways to write the same bytes. The cryptography itself is
//! somebody else's ([`SigningPair`], [`VerifyingKey`]).

mod access_token;
mod algorithm;
mod claims;
mod encoding;
mod issuer;
mod json;
mod jwk;
mod jws;
mod key_set;
mod signature;

pub use access_token::{AccessClaims, AccessToken};
pub use algorithm::{PairKind, SignatureAlgorithm};
pub(crate) use claims::PayloadWriter;
pub use claims::{Audiences, Claims, RegisteredClaims};
pub use issuer::{BaseIssuer, Issuers};
pub use jwk::{InvalidJwk, PublicKey};
pub use jws::{SignedFault, SignedToken, UnsignedToken};
pub use key_set::KeySet;
pub use signature::{SignatureError, Signer, SigningPair, VerifyingKey};
