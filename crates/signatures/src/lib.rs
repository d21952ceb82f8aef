//! Key pairs and signatures for Keyward's signed keys, by aws-lc: the cryptography behind
//! [`keyward_core::jose`], and the only crate that names it.
//!
//! ```
//! use keyward_core::jose::PairKind;
//!
//! let pair = keyward_signatures::generate(PairKind::Ed25519)?;
//! let key = keyward_signatures::verifying_key(pair.public_key())?;
//! let signature = pair.sign(b"text")?;
//! assert!(key.verifies(b"text", &signature));
//! # Ok::<(), keyward_core::jose::SignatureError>(())
//! ```
#![forbid(unsafe_code)]

mod pair;
mod verifying;

pub use pair::{generate, signer};
pub use verifying::verifying_key;
