//! Taking over keys that somebody else has issued, by the digests of their secrets.

use keyward_core::{
    ActContext, Action, Digest, FormatKind, Invalid, KeyId, KeyRecord, KeyWrite, KeyspaceWrite,
    NewKey, Refusal, Timestamp,
};
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
            let hint = keyspace.format.prefix().map_or("", keyward_core::Prefix::as_str).to_owned();
            let (key, digest) = (imported.key.clone(), imported.digest.clone());
            let issued = KeyRecord::issue(key, id, digest, hint, &keyspace, now)?;
            let created_at = imported.created_at.map_or(now, |at| at.min(now));
            let key = KeyRecord { created_at, ..issued };
            let told = data([("scheme", Some(json!(scheme)))]);
            change.events.push(self.key_event(Action::KeyImported, &key, context, now, told));
            change.keys.push(KeyWrite::Insert(Box::new(key.clone())));
            match self.commit(change).await {
                Err(error) if error.is_taken() => return Err(Error::KeyExists),
                Err(error) if error.is_outdated() => self.catch_up().await?,
                result => return result.map(|_| key),
            }
        }
        Err(Refusal::Outdated.into())
    }
}
