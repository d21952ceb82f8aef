//! Taking over keys that somebody else has issued, by the digests of their secrets.

use keyward_core::{
    ActContext, Action, Digest, Expiry, FormatKind, Invalid, KeyId, KeyRecord, KeyWrite, Keyspace,
    KeyspaceWrite, NewKey, Refusal, Revocation, Timestamp,
};
use keyward_store::UsageDelta;
use serde_json::json;

use super::{ATTEMPTS, data};
use crate::{Error, Keyward};

/// A key that was issued elsewhere.
#[derive(Clone, Debug)]
pub struct ImportedKey {
    /// The key as it shall be here. Its keyspace must be of the opaque format and describe the form
    /// of its secret.
    pub key: NewKey,
    /// Its id there, if it shall stay the same.
    pub id: Option<KeyId>,
    /// The digest of its secret, as it is stored there.
    pub digest: Digest,
    /// When it was issued; absent: now.
    pub created_at: Option<Timestamp>,
    /// When it expires, which may be in the past and later than the keyspace would allow a new key;
    /// absent: as `key` says.
    pub expires_at: Option<Timestamp>,
    /// That it was revoked there.
    pub revocation: Option<Revocation>,
    /// The key that succeeded it there.
    pub rotated_to: Option<KeyId>,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
}

impl ImportedKey {
    /// A key with this digest of which nothing else is known.
    pub const fn new(key: NewKey, digest: Digest) -> Self {
        let (id, created_at, expires_at) = (None, None, None);
        let (revocation, rotated_to, last_used_at) = (None, None, None);
        Self { key, id, digest, created_at, expires_at, revocation, rotated_to, last_used_at }
    }
}

impl Keyward {
    /// Takes a key over: whoever holds its secret can use it from now on.
    ///
    /// An id or a digest that exists is refused as [`Error::KeyExists`].
    pub async fn import(
        &self,
        imported: ImportedKey,
        context: &ActContext,
    ) -> Result<KeyRecord, Error> {
        let scheme = imported.digest.scheme();
        let unusable = |rule: &'static str| Error::from(Invalid::new(rule).at("hash"));
        if !self.inner.hasher.knows(scheme) {
            return Err(unusable("must not need a pepper or salt that is not configured"));
        }
        for _ in 0..ATTEMPTS {
            let unknown = || Invalid::new("must name a keyspace").at("keyspace");
            let keyspace = self.known_keyspace(&imported.key.keyspace).ok_or_else(unknown)?;
            if keyspace.format.kind() != FormatKind::Opaque {
                let rule =
                    Invalid::new("must be of the opaque format, whose keys are found by digest");
                return Err(rule.at("keyspace").into());
            }
            let now = self.now();
            let mut change = self.change(now);
            if let Some(after) = keyspace.verifying(scheme).map_err(|e| e.at("keyspace"))? {
                change.keyspaces.push(KeyspaceWrite::Update { from: keyspace.version, after });
            }
            let id = imported.id.clone();
            let id = id.unwrap_or_else(|| KeyId::generate(&*self.inner.entropy));
            let key = record(&imported, id, &keyspace, now)?;
            let told = data([("scheme", Some(json!(scheme)))]);
            change.events.push(self.key_event(Action::KeyImported, &key, context, now, told));
            change.keys.push(KeyWrite::Insert(Box::new(key.clone())));
            match self.commit(change).await {
                Err(error) if error.is_taken() => return Err(Error::KeyExists),
                Err(error) if error.is_outdated() => self.catch_up().await?,
                Err(error) => return Err(error),
                Ok(_) => {
                    self.import_usage(&key.id, imported.last_used_at).await?;
                    return Ok(key);
                }
            }
        }
        Err(Refusal::Outdated.into())
    }

    async fn import_usage(&self, id: &KeyId, at: Option<Timestamp>) -> Result<(), Error> {
        let Some(last_used_at) = at else { return Ok(()) };
        let usage = UsageDelta { key: id.clone(), last_used_at, uses: 0, previous_uses: 0 };
        Ok(self.inner.store.record_usage(&[usage]).await?)
    }
}

/// The first version of the key's record here.
fn record(
    imported: &ImportedKey,
    id: KeyId,
    keyspace: &Keyspace,
    now: Timestamp,
) -> Result<KeyRecord, Error> {
    // The expiry of a key that exists is a fact, and not a wish that the keyspace may refuse.
    let expiry = if imported.expires_at.is_some() { Expiry::Default } else { imported.key.expiry };
    let key = NewKey { expiry, ..imported.key.clone() };
    let hint = keyspace.format.hint(&id);
    let issued = KeyRecord::issue(key, id, imported.digest.clone(), hint, keyspace, now)?;
    Ok(KeyRecord {
        created_at: imported.created_at.map_or(now, |at| at.min(now)),
        expires_at: imported.expires_at.or(issued.expires_at),
        revocation: imported.revocation.clone(),
        rotated_to: imported.rotated_to.clone(),
        ..issued
    })
}
