//! What cryptography has to offer: pairs that sign once or again and again, and public keys that check
//! signatures.

use std::fmt;

use super::PublicKey;

/// A key pair that signs one text and is gone.
///
/// Behaviour:
/// - the private half exists in memory alone, and is wiped when the pair is dropped;
/// - signatures are raw: 64 bytes `R || S` for ES256 (RFC 7518 §3.4) and EdDSA, as long as the modulus
///   for RS256.
pub trait SigningPair: fmt::Debug + Send {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs the text, and wipes the private half.
    fn sign(self: Box<Self>, message: &[u8]) -> Result<Vec<u8>, SignatureError>;
}

/// A key pair that signs any number of texts, as long as it is held.
///
/// Behaviour: as of [`SigningPair`], but that a signature leaves the private half where it is.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs the text.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError>;
}

/// A public key that was made ready for checking signatures.
pub trait VerifyingKey: fmt::Debug + Send + Sync {
    /// Whether that is the key's signature of the message, in the algorithm of the key and no other.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// A pair cannot be made, or cannot sign. Says nothing about why: there may be secrets in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key pair could not be made or used")]
pub struct SignatureError;
