//! How keypal makes its hashes when it has a salt, so that its keys can be taken over.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A salt as keypal's `createKeys({ salt })` takes it: 1 to 1,024 bytes.
///
/// keypal hashes the key followed by the hexadecimal SHA-256 of the salt, whichever hash it uses for
/// the key. That is no keyed hash: we verify such digests and make none.
#[derive(Clone)]
pub struct KeypalSalt(Zeroizing<String>);

/// A salt is empty or too long. keypal's hashes without a salt are plain SHA-256 or SHA-512.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a salt must be 1 to 1,024 bytes long")]
pub struct InvalidSalt;

impl KeypalSalt {
    /// Takes over a salt of 1 to 1,024 bytes.
    pub fn new(salt: Vec<u8>) -> Result<Self, InvalidSalt> {
        let salt = Zeroizing::new(salt);
        if !(1..=1_024).contains(&salt.len()) {
            return Err(InvalidSalt);
        }
        let mut hex = Zeroizing::new(String::with_capacity(64));
        for byte in Sha256::digest(&*salt) {
            for half in [byte >> 4, byte & 15] {
                hex.push(char::from_digit(u32::from(half), 16).unwrap_or_default());
            }
        }
        Ok(Self(hex))
    }

    /// What keypal appends to a key before it hashes it.
    pub(super) fn suffix(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for KeypalSalt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeypalSalt(hidden)")
    }
}
