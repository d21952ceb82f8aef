//! What finds a record.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::{Digest, DigestScheme, Invalid, KeyId};

/// What finds a record: exactly one unique index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Locator {
    /// The digest of an opaque secret.
    Digest(Digest),
    /// The id in a prefixed or signed secret.
    KeyId(KeyId),
}

/// What stands in place of a digest's scheme where a locator is an id.
const KEY_ID: &str = "key-id";

impl Locator {
    /// As stores keep it in their change feed: the digest's scheme and the digest in base64 without
    /// padding, or `key-id` and the id.
    pub fn to_stored(&self) -> (String, String) {
        match self {
            Self::Digest(digest) => {
                (digest.scheme().to_string(), STANDARD_NO_PAD.encode(digest.as_bytes()))
            }
            Self::KeyId(id) => (KEY_ID.to_owned(), id.as_str().to_owned()),
        }
    }

    /// Reads what a store has kept.
    pub fn from_stored(kind: &str, text: &str) -> Result<Self, Invalid> {
        if kind == KEY_ID {
            return KeyId::parse(text).map(Self::KeyId);
        }
        let scheme: DigestScheme = kind.parse()?;
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| Invalid::new("must be base64"))?;
        Ok(Self::Digest(Digest::new(scheme, &bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_back_and_nothing_else() {
        let digest = Digest::new(DigestScheme::Sha256, &[7; 32]).unwrap();
        for locator in [Locator::Digest(digest), Locator::KeyId("key-1".parse().unwrap())] {
            let (kind, text) = locator.to_stored();
            assert_eq!(Locator::from_stored(&kind, &text), Ok(locator));
        }
        for (kind, text) in
            [("key-id", ""), ("key-id", "a b"), ("sha256", "AA"), ("sha256", "?"), ("md5", "AA")]
        {
            Locator::from_stored(kind, text).unwrap_err();
        }
    }
}
