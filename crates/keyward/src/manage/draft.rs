//! A new secret for a record that is about to be made: drawn with its digest, or still to be signed.

use keyward_core::jose::{Claims, SigningPair};
use keyward_core::{
    Change, KeyId, KeyRecord, Keyspace, MintError, Minted, OwnerId, Secret, Signed, StoredSecret,
};

use crate::{Error, Keyward};

/// What the record is going to hold of its secret.
pub(super) struct Draft {
    pub(super) stored: StoredSecret,
    pub(super) hint: String,
}

/// A secret, as far as it can be made without the record.
pub(super) enum NewSecret {
    /// It was drawn, and knows nothing of the record.
    Drawn(Secret),
    /// It says what the record says, and is signed last.
    Unsigned(Signed, Box<dyn SigningPair>),
}

impl NewSecret {
    /// The secret of the record.
    pub(super) fn finish(self, key: &KeyRecord) -> Result<Secret, Error> {
        match self {
            Self::Drawn(secret) => Ok(secret),
            Self::Unsigned(signed, pair) => match signed.mint(key, pair) {
                Ok(minted) => Ok(minted.secret),
                Err(MintError::Invalid(field)) => Err(field.into()),
                Err(MintError::Signature) => Err(Error::Signing),
            },
        }
    }
}

impl Keyward {
    /// The pair that a key of this keyspace needs, if it is signed; its owner must not have too many
    /// keys already. There may be a long wait for it, and then nothing to wait for any more.
    pub(super) async fn pair_for(
        &self,
        keyspace: &Keyspace,
        owner: &OwnerId,
    ) -> Result<Option<Box<dyn SigningPair>>, Error> {
        let Some(signed) = keyspace.format.as_signed() else { return Ok(None) };
        self.inner.signing.admit(owner, self.inner.clock.moment())?;
        self.inner.signing.pair(signed.pair()).await.map(Some)
    }

    /// A new secret for a key of that id and, if it is signed, of those claims.
    pub(super) fn draft(
        &self,
        keyspace: &Keyspace,
        id: &KeyId,
        (pair, claims): (Option<Box<dyn SigningPair>>, Claims),
        change: &mut Change,
    ) -> Result<(Draft, NewSecret), Error> {
        if let (Some(pair), Some(signed)) = (pair, keyspace.format.as_signed()) {
            let stored = StoredSecret::of_signature(pair.public_key().clone(), claims);
            let draft = Draft { stored, hint: keyspace.format.hint(id) };
            return Ok((draft, NewSecret::Unsigned(signed.clone(), pair)));
        }
        let (Minted { secret, hint }, digest) = self.mint(keyspace, id, change)?;
        let draft = Draft { stored: StoredSecret::of_digest(digest), hint };
        Ok((draft, NewSecret::Drawn(secret)))
    }
}
