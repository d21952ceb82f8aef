//! The hashes that are stored of tokens, as each dialect makes and writes them.

use arrayvec::ArrayVec;

use super::{Components, Dialect, Profile, TokenFault};
use crate::base58;
use crate::digest::{to_hex, unhex};

impl Profile {
    /// The hash of a token as it is stored: base58 in `fork4`, and else hexadecimal digits.
    pub fn hash(&self, text: &str) -> Result<String, TokenFault> {
        let components = self.components(text)?;
        let hash = self.hash_bytes(text, &components)?;
        Ok(self.write_hash(&hash))
    }

    /// A hash as it is stored.
    pub(super) fn write_hash(&self, hash: &[u8]) -> String {
        match self.dialect {
            Dialect::Fork4 => base58::encode(hash).as_str().to_owned(),
            _ => to_hex(hash),
        }
    }

    /// The hash's bytes of a token that was taken apart.
    pub(super) fn hash_bytes(
        &self,
        text: &str,
        components: &Components<'_>,
    ) -> Result<ArrayVec<u8, 64>, TokenFault> {
        match self.dialect {
            Dialect::Fork4 => {
                let secret = base58::decode(components.secret);
                secret.map(|secret| self.digest.of(&secret)).ok_or(TokenFault::Alphabet)
            }
            Dialect::Keyward => Ok(self.digest.of(text.as_bytes())),
            Dialect::Fork3 | Dialect::Rust | Dialect::Seam => {
                Ok(self.digest.of(components.secret.as_bytes()))
            }
        }
    }

    /// The bytes of a stored hash, if it can be one of this profile. Seam's library and fork 3 take
    /// capital digits for the same, and so do we; nothing else that they let pass.
    pub(super) fn stored_hash(&self, text: &str) -> Option<ArrayVec<u8, 64>> {
        let length = self.digest.length();
        let bytes = match self.dialect {
            Dialect::Fork4 => from_base58(text)?,
            Dialect::Fork3 | Dialect::Seam => unhex(text)?,
            Dialect::Keyward | Dialect::Rust => {
                // No early return: checking all is faster, as the loop has no branch.
                let has_capitals =
                    text.bytes().fold(false, |has, byte| has | byte.is_ascii_uppercase());
                unhex(text).filter(|_| !has_capitals)?
            }
        };
        (bytes.len() == length).then_some(bytes)
    }
}

/// The bytes of a SHA-256 in base58. Bounded, for decoding takes the square of the length.
pub(crate) fn from_base58(text: &str) -> Option<ArrayVec<u8, 64>> {
    let bytes = if text.len() <= 44 { base58::decode(text)? } else { return None };
    (bytes.len() == 32).then(|| bytes.iter().copied().collect())
}
