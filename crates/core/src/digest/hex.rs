//! Digests that are written as hexadecimal digits.

use std::str::FromStr;

use arrayvec::ArrayVec;

use faster_hex::hex_decode;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};

use crate::Invalid;

/// A hash function of the SHA-2 family (FIPS 180-4), as prefixed-api-key libraries choose one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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
    /// Every function.
    pub const ALL: [Self; 6] = [
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha512Cut224,
        Self::Sha512Cut256,
    ];

    /// The function's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Sha512Cut224 => "sha512-224",
            Self::Sha512Cut256 => "sha512-256",
        }
    }

    /// Bytes in its digests.
    pub(crate) const fn length(self) -> usize {
        match self {
            Self::Sha224 | Self::Sha512Cut224 => 28,
            Self::Sha256 | Self::Sha512Cut256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of some bytes.
    pub(crate) fn of(self, bytes: &[u8]) -> ArrayVec<u8, 64> {
        match self {
            Self::Sha224 => to_vec(Sha224::digest(bytes)),
            Self::Sha256 => to_vec(Sha256::digest(bytes)),
            Self::Sha384 => to_vec(Sha384::digest(bytes)),
            Self::Sha512 => to_vec(Sha512::digest(bytes)),
            Self::Sha512Cut224 => to_vec(Sha512_224::digest(bytes)),
            Self::Sha512Cut256 => to_vec(Sha512_256::digest(bytes)),
        }
    }
}

impl FromStr for HexDigest {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|digest| digest.as_str() == name).ok_or_else(|| {
            Invalid::new("must be sha224, sha256, sha384, sha512, sha512-224 or sha512-256")
        })
    }
}

impl TryFrom<String> for HexDigest {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        name.parse()
    }
}

impl From<HexDigest> for String {
    fn from(digest: HexDigest) -> Self {
        digest.as_str().to_owned()
    }
}

/// A digest in a vector that has room for any.
pub(super) fn to_vec(digest: impl AsRef<[u8]>) -> ArrayVec<u8, 64> {
    let mut bytes = ArrayVec::new();
    // None has more than 64 bytes.
    bytes.try_extend_from_slice(digest.as_ref()).unwrap_or_default();
    bytes
}

/// Some bytes as lower-case hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    faster_hex::hex_string(bytes)
}

/// The bytes of hexadecimal digits of either case; nothing if there are more than a digest has.
pub(crate) fn unhex(text: &str) -> Option<ArrayVec<u8, 64>> {
    let mut bytes = [0; 64];
    let length = text.len() / 2;
    let used = bytes.get_mut(..length)?;
    hex_decode(text.as_bytes(), used).ok()?;
    let mut bytes = ArrayVec::from(bytes);
    bytes.truncate(length);
    Some(bytes)
}
