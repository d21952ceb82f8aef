//! Hashes that other libraries store of the last part of a token, bound to what stands before it.
//!
//! Their hashes say nothing about the prefix and the id, so that a token with another prefix would
//! have the same one. What is stored here is the SHA-256 of the text up to the last part, followed by
//! the hash of this part as they made it: it can be made of their hash and the id, without the secret.

use arrayvec::ArrayVec;
use sha2::{Digest as _, Sha256};

use super::hex::to_vec;
use super::{Digest, DigestScheme};
use crate::{Invalid, base58};

/// The digest of a text. Seldom made, and kept apart from those that each verification makes.
#[cold]
#[inline(never)]
pub(super) fn digest(scheme: DigestScheme, text: &str) -> Option<Digest> {
    let (before, part) = split(text)?;
    Digest::of_part(scheme, before, &hash(scheme, part)?).ok()
}

/// A text up to the last part, and this part: what follows the first `|`, as Laravel Sanctum divides
/// its tokens, or else the last `_`.
fn split(text: &str) -> Option<(&str, &str)> {
    let divider = text.find('|').or_else(|| text.rfind('_'))?;
    text.split_at_checked(divider + 1)
}

/// The hash of a last part as the other library makes it.
fn hash(scheme: DigestScheme, part: &str) -> Option<ArrayVec<u8, 64>> {
    match scheme {
        DigestScheme::Part(digest) => Some(digest.of(part.as_bytes())),
        DigestScheme::PartFork4 => {
            let bytes = base58::decode(part)?;
            Some(to_vec(Sha256::digest(&*bytes)))
        }
        _ => None,
    }
}

impl Digest {
    /// What is stored of a token of which another library has stored a hash of its last part, for the
    /// schemes [`DigestScheme::Part`] and [`DigestScheme::PartFork4`]. `before` is the text up to this
    /// part, such as `acme_BRTRKFsL_`.
    pub fn of_part(scheme: DigestScheme, before: &str, hash: &[u8]) -> Result<Self, Invalid> {
        let length = match scheme {
            DigestScheme::Part(digest) => digest.length(),
            DigestScheme::PartFork4 => 32,
            _ => return Err(Invalid::new("must be a scheme for the last part of a token")),
        };
        if hash.len() != length {
            return Err(Invalid::new("must have the length of its digest scheme"));
        }
        let bound = Sha256::new_with_prefix(before).chain_update(hash).finalize();
        Self::new(scheme, &bound)
    }
}
