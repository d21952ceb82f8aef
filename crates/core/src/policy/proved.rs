//! What a signed key has proved, so that it need not be proved again.

use sha2::{Digest as _, Sha256};

use crate::KeyId;
use crate::jose::{Claims, RegisteredClaims, SignedToken};

/// That a text is a token which a key has signed. Only judging makes one.
#[derive(Clone, PartialEq)]
pub struct ProvedToken {
    digest: [u8; 32],
    pub(super) id: KeyId,
    pub(super) registered: RegisteredClaims,
    payload: Box<str>,
}

impl ProvedToken {
    /// What tells texts from each other: SHA-256 of the whole.
    pub fn digest_of(text: &str) -> [u8; 32] {
        Sha256::digest(text).into()
    }

    /// Whether this is the text that was proved.
    pub fn is_of(&self, digest: &[u8; 32]) -> bool {
        self.digest == *digest
    }

    /// What the token says of itself.
    pub const fn registered(&self) -> &RegisteredClaims {
        &self.registered
    }

    /// All that the token says, as JSON text.
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// All that the token says.
    pub fn claims(&self) -> Claims {
        Claims::parse(&self.payload).unwrap_or_default()
    }

    pub(super) fn of(token: &SignedToken<'_>) -> Self {
        Self {
            digest: Self::digest_of(token.text()),
            id: token.id().clone(),
            registered: token.registered().clone(),
            payload: token.payload().into(),
        }
    }
}

/// The id alone: the rest is somebody's claims.
impl std::fmt::Debug for ProvedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvedToken").field("id", &self.id).finish_non_exhaustive()
    }
}
