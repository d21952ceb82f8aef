//! Issuing keys.

use keyward_core::jose::{Claims, SigningPair};
use keyward_core::{
    ActContext, Action, Change, DigestScheme, Invalid, KeyId, KeyRecord, KeyWrite, Keyspace,
    KeyspaceWrite, MintError, Minted, NewKey, Refusal, Secret, Signed, StoredSecret, WeakSecrets,
};
use serde_json::json;

use super::{ATTEMPTS, data};
use crate::{Error, Keyward};

/// A key that was issued, with its secret: this is the only time that it can be seen.
#[derive(Debug)]
pub struct Issued {
    /// The text to hand out.
    pub secret: Secret,
    /// The record that is stored.
    pub key: KeyRecord,
}

impl Keyward {
    /// Issues a key.
    pub async fn issue(&self, new: NewKey, context: &ActContext) -> Result<Issued, Error> {
        for _ in 0..ATTEMPTS {
            let unknown = || Invalid::new("must name a keyspace").at("keyspace");
            let keyspace = self.known_keyspace(&new.keyspace).ok_or_else(unknown)?;
            let (issued, change) = match keyspace.format.as_signed() {
                Some(signed) => {
                    self.prepare_signed(new.clone(), (&keyspace, signed), context).await?
                }
                None => self.prepare(new.clone(), &keyspace, context)?,
            };
            match self.commit(change).await {
                // The id was taken by chance, or the keyspace was changed: draw and read again.
                Err(error) if error.is_taken() => {}
                Err(error) if error.is_outdated() => self.catch_up().await?,
                result => return result.map(|_| issued),
            }
        }
        Err(Refusal::Outdated.into())
    }

    /// A key of an existing keyspace and the change that stores it.
    pub(crate) fn prepare(
        &self,
        new: NewKey,
        keyspace: &Keyspace,
        context: &ActContext,
    ) -> Result<(Issued, Change), Error> {
        let now = self.now();
        let id = keyspace.format.draw_id(&*self.inner.entropy, now);
        let mut change = self.change(now);
        let (minted, digest) = self.mint(keyspace, &id, &mut change)?;
        let secret = StoredSecret::of_digest(digest);
        let key = KeyRecord::issue(new, id, secret, minted.hint, keyspace, now)?;
        self.add_issued(&key, context, &mut change);
        Ok((Issued { secret: minted.secret, key }, change))
    }

    /// The same for a key that is signed. Whatever speaks against it is found out before a pair is
    /// taken, and there is nothing else to wait for.
    async fn prepare_signed(
        &self,
        new: NewKey,
        (keyspace, signed): (&Keyspace, &Signed),
        context: &ActContext,
    ) -> Result<(Issued, Change), Error> {
        new.check(keyspace, self.now())?;
        self.inner.signing.admit(&new.owner, self.inner.clock.moment())?;
        let pair = self.inner.signing.pair(signed.pair()).await?;
        // After the wait, for the token says when it was signed.
        let now = self.now();
        let id = keyspace.format.draw_id(&*self.inner.entropy, now);
        let (secret, hint) = signature_of(&*pair, new.claims.clone(), (keyspace, &id));
        let key = KeyRecord::issue(new, id, secret, hint, keyspace, now)?;
        let minted = sign(signed, &key, pair)?;
        let mut change = self.change(now);
        self.add_issued(&key, context, &mut change);
        Ok((Issued { secret: minted.secret, key }, change))
    }

    /// Adds a key that is issued, and the event that tells of it, to a change.
    fn add_issued(&self, key: &KeyRecord, context: &ActContext, change: &mut Change) {
        let now = change.at;
        let told = data([
            ("name", key.name.as_ref().map(|name| json!(name))),
            ("scopes", Some(json!(key.scopes))),
        ]);
        change.events.push(self.key_event(Action::KeyIssued, key, context, now, told));
        change.keys.push(KeyWrite::Insert(Box::new(key.clone())));
    }

    /// Draws a secret and makes its digest. A keyspace to which the digest's scheme is new is told
    /// of it by the same change, so that the scheme is looked for from then on.
    pub(super) fn mint(
        &self,
        keyspace: &Keyspace,
        id: &KeyId,
        change: &mut Change,
    ) -> Result<(Minted, keyward_core::Digest), Error> {
        match keyspace.format.weakness() {
            None => {}
            Some(WeakSecrets::Refuse) => {
                let rule = "must not have secrets of fewer than 128 bits, or allow weak secrets";
                return Err(Invalid::new(rule).at("keyspace").into());
            }
            Some(WeakSecrets::Warn) => {
                tracing::warn!(keyspace = %keyspace.id, key = %id, "a secret of fewer than 128 bits is made");
            }
        }
        let scheme = keyspace.minting_scheme(&self.inner.hasher);
        let minted = keyspace.format.mint(&*self.inner.entropy, id).ok_or(Error::Signing)?;
        let digest = self.inner.hasher.digest(scheme, minted.secret.expose());
        let digest = digest.ok_or_else(|| unknown_pepper(scheme))?;
        let told = keyspace.with_scheme(scheme).map_err(|invalid| invalid.at("keyspace"))?;
        if let Some(after) = told {
            change.keyspaces.push(KeyspaceWrite::Update { from: keyspace.version, after });
        }
        Ok((minted, digest))
    }
}

/// What is stored of a key that this pair is going to sign, and its hint.
pub(super) fn signature_of(
    pair: &dyn SigningPair,
    claims: Claims,
    (keyspace, id): (&Keyspace, &KeyId),
) -> (StoredSecret, String) {
    let secret = StoredSecret::of_signature(pair.public_key().clone(), claims);
    (secret, keyspace.format.hint(id))
}

/// The token of a key. The pair is gone then.
pub(super) fn sign(
    signed: &Signed,
    key: &KeyRecord,
    pair: Box<dyn SigningPair>,
) -> Result<Minted, Error> {
    signed.mint(key, pair).map_err(|error| match error {
        MintError::Invalid(field) => field.into(),
        MintError::Signature => Error::Signing,
    })
}

fn unknown_pepper(scheme: DigestScheme) -> Error {
    Invalid::new(format!("must not need {scheme}, which is not configured")).at("keyspace").into()
}
