//! Issuing keys.

use keyward_core::{
    ActContext, Action, Change, DigestScheme, Invalid, KeyId, KeyRecord, KeyWrite, Keyspace,
    KeyspaceWrite, Minted, NewKey, Refusal, Secret, WeakSecrets,
};
use serde_json::json;

use super::accounts::AccountForKey;
use super::{ATTEMPTS, IssuedAccount, data};
use crate::{Error, Keyward};

/// A key that was issued, with its secret: this is the only time that it can be seen.
#[derive(Debug)]
pub struct Issued {
    /// The text to hand out.
    pub secret: Secret,
    /// The record that is stored.
    pub key: KeyRecord,
    /// The owner's primary service account, if it was created with the key.
    pub account: Option<IssuedAccount>,
}

impl Keyward {
    /// Issues a key.
    pub async fn issue(&self, new: NewKey, context: &ActContext) -> Result<Issued, Error> {
        for _ in 0..ATTEMPTS {
            let unknown = || Invalid::new("must name a keyspace").at("keyspace");
            let keyspace = self.known_keyspace(&new.keyspace).ok_or_else(unknown)?;
            let account = self.account_for(&new, &keyspace, context).await?;
            let service_account = account.as_ref().map(AccountForKey::id);
            let new = NewKey { service_account, ..new.clone() };
            let (mut issued, mut change) = self.prepare(new, &keyspace, context).await?;
            if let Some(AccountForKey::New(created)) = account {
                self.write_new_account(&created.account, context, &mut change);
                issued.account = Some(*created);
            }
            match self.commit(change).await {
                // The id was taken by chance, or somebody else made the account, or the keyspace was
                // changed: draw and read again.
                Err(error) if error.is_taken() => {}
                Err(error) if error.is_outdated() => self.catch_up().await?,
                result => return result.map(|_| issued),
            }
        }
        Err(Refusal::Outdated.into())
    }

    /// A key of an existing keyspace and the change that stores it.
    pub(crate) async fn prepare(
        &self,
        new: NewKey,
        keyspace: &Keyspace,
        context: &ActContext,
    ) -> Result<(Issued, Change), Error> {
        // What speaks against it is found out before a pair is taken for it.
        new.check(keyspace, self.now())?;
        let pair = self.pair_for(keyspace, &new.owner).await?;
        // After the wait, for a token says when it was signed.
        let now = self.now();
        let id = keyspace.format.draw_id(&*self.inner.entropy, now);
        let mut change = self.change(now);
        let (draft, secret) = self.draft(keyspace, &id, (pair, new.claims.clone()), &mut change)?;
        let key = KeyRecord::issue(new, id, draft.stored, draft.hint, keyspace, now)?;
        let secret = secret.finish(&key)?;
        let told = data([
            ("name", key.name.as_ref().map(|name| json!(name))),
            ("scopes", Some(json!(key.scopes))),
        ]);
        change.events.push(self.key_event(Action::KeyIssued, &key, context, now, told));
        change.keys.push(KeyWrite::Insert(Box::new(key.clone())));
        Ok((Issued { secret, key, account: None }, change))
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

fn unknown_pepper(scheme: DigestScheme) -> Error {
    Invalid::new(format!("must not need {scheme}, which is not configured")).at("keyspace").into()
}
