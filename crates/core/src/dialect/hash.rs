//! The hashes that are stored of tokens, as each dialect makes and writes them.

use std::str::FromStr;

use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};

use super::{Components, Dialect, Profile, TokenFault};
use crate::Invalid;

/// A digest that is written as hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HexDigest {
    /// SHA-224.
    Sha224,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA-512/224.
    Sha512Cut224,
    /// SHA-512/256.
    Sha512Cut256,
}

impl HexDigest {
    const fn length(self) -> usize {
        match self {
            Self::Sha224 | Self::Sha512Cut224 => 28,
            Self::Sha256 | Self::Sha512Cut256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha224 => Sha224::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
            Self::Sha512Cut224 => Sha512_224::digest(bytes).to_vec(),
            Self::Sha512Cut256 => Sha512_256::digest(bytes).to_vec(),
        }
    }
}

impl FromStr for HexDigest {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "sha224" => Ok(Self::Sha224),
            "sha256" => Ok(Self::Sha256),
            "sha384" => Ok(Self::Sha384),
            "sha512" => Ok(Self::Sha512),
            "sha512-224" => Ok(Self::Sha512Cut224),
            "sha512-256" => Ok(Self::Sha512Cut256),
            _ => Err(Invalid::new(
                "must be sha224, sha256, sha384, sha512, sha512-224 or sha512-256",
            )),
        }
    }
}

impl Profile {
    /// The hash of a token as it is stored: base58 in `fork4`, and else hexadecimal digits.
    pub fn hash(&self, text: &str) -> Result<String, TokenFault> {
        let components = self.components(text)?;
        let hash = self.hash_bytes(text, &components)?;
        Ok(match self.dialect {
            Dialect::Fork4 => bs58::encode(hash).into_string(),
            _ => hex(&hash),
        })
    }

    /// The hash's bytes of a token that was taken apart.
    pub(super) fn hash_bytes(
        &self,
        text: &str,
        components: &Components<'_>,
    ) -> Result<Vec<u8>, TokenFault> {
        match self.dialect {
            Dialect::Fork4 => {
                let secret = bs58::decode(components.secret).into_vec();
                secret.map(|secret| self.digest.of(&secret)).map_err(|_| TokenFault::Alphabet)
            }
            Dialect::Keyward => Ok(self.digest.of(text.as_bytes())),
            Dialect::Fork3 | Dialect::Rust | Dialect::Seam => {
                Ok(self.digest.of(components.secret.as_bytes()))
            }
        }
    }

    /// The bytes of a stored hash, if it can be one of this profile. Seam's library and fork 3 take
    /// capital digits for the same, and so do we; nothing else that they let pass.
    pub(super) fn stored_hash(&self, text: &str) -> Option<Vec<u8>> {
        let length = self.digest.length();
        let bytes = match self.dialect {
            // Bounded, for decoding takes the square of the length.
            Dialect::Fork4 if text.len() <= 44 => bs58::decode(text).into_vec().ok()?,
            Dialect::Fork4 => return None,
            Dialect::Fork3 | Dialect::Seam => unhex(&text.to_ascii_lowercase())?,
            Dialect::Keyward | Dialect::Rust => unhex(text)?,
        };
        (bytes.len() == length).then_some(bytes)
    }
}

fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.filter_map(|half| char::from_digit(u32::from(half), 16)).collect()
}

/// The bytes of lower-case hexadecimal digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let half = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(half(*high)? << 4 | half(*low)?),
        _ => None,
    });
    pairs.collect()
}
