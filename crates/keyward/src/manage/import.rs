//! Taking over keys that somebody else has issued, by the digests of their secrets or by these.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use keyward_core::{
    ActContext, Action, Digest, DigestScheme, Expiry, FormatKind, Invalid, KeyId, KeyRecord,
    KeyWrite, Keyspace, KeyspaceTable, KeyspaceWrite, Locator, NewKey, Refusal, Revocation, Secret,
    Timestamp,
};
use keyward_store::UsageDelta;
use serde_json::json;

use super::{ATTEMPTS, data};
use crate::{Error, Keyward};

/// A key that was issued elsewhere.
#[derive(Clone, Debug)]
pub struct ImportedKey {
    /// The key as it shall be here. Its keyspace must describe the form of its secret.
    pub key: NewKey,
    /// Its id there, if it shall stay the same; that of a prefixed secret stands in it, and must be
    /// given.
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
            if keyspace.format.kind() == FormatKind::Prefixed && imported.id.is_none() {
                let rule = Invalid::new("must be given, for it is part of a prefixed secret");
                return Err(rule.at("id").into());
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

    /// Takes keys over, with a result for each.
    pub async fn import_many(
        &self,
        imported: impl IntoIterator<Item = ImportedKey>,
        context: &ActContext,
    ) -> Vec<Result<KeyRecord, Error>> {
        join_all(imported.into_iter().map(|imported| self.import(imported, context))).await
    }

    /// A key to take over of which the secret itself is known. It must have the form of its
    /// keyspace's secrets; of a prefixed one, the id is taken from it.
    pub fn of_secret(&self, key: NewKey, secret: &Secret) -> Result<ImportedKey, Error> {
        let unknown = || Invalid::new("must name a keyspace").at("keyspace");
        let keyspace = self.known_keyspace(&key.keyspace).ok_or_else(unknown)?;
        let scheme = keyspace.minting_scheme(&self.inner.hasher);
        let foreign = || Invalid::new("must have the form of its keyspace's secrets").at("secret");
        let table = KeyspaceTable::new([keyspace]);
        let token = table.parse(secret.expose()).map_err(|_| foreign())?;
        let digest = self.inner.hasher.digest(scheme, secret.expose()).ok_or_else(foreign)?;
        let id = token.locators(&self.inner.hasher).find_map(|locator| match locator {
            Locator::KeyId(id) => Some(id),
            Locator::Digest(_) => None,
        });
        Ok(ImportedKey { id, ..ImportedKey::new(key, digest) })
    }

    /// A digest of somebody else's, by the name of its scheme: `sha256-hex`, `sha512-hex`,
    /// `sha256-base64`, `hmac-sha256`, `keypal-salted-sha256` and `keypal-salted-sha512`. Of the last
    /// three, the newest configured pepper or salt is meant, or that of a version: `hmac-sha256:v2`.
    pub fn foreign_digest(&self, scheme: &str, value: &str) -> Result<Digest, Invalid> {
        let unknown =
            || Invalid::new("must name a known scheme, whose pepper or salt is configured");
        let (pepper, salt) = {
            let hasher = &self.inner.hasher;
            (hasher.newest_pepper(), hasher.newest_keypal_salt())
        };
        let scheme = match scheme {
            "sha256-base64" => return of_base64(value),
            "sha256-hex" => DigestScheme::Sha256,
            "sha512-hex" => DigestScheme::Sha512,
            "hmac-sha256" => DigestScheme::HmacSha256(pepper.ok_or_else(unknown)?),
            "keypal-salted-sha256" => DigestScheme::KeypalSaltedSha256(salt.ok_or_else(unknown)?),
            "keypal-salted-sha512" => DigestScheme::KeypalSaltedSha512(salt.ok_or_else(unknown)?),
            tagged => tagged.parse().map_err(|_| unknown())?,
        };
        Digest::parse(&format!("{scheme}:{value}"))
    }

    async fn import_usage(&self, id: &KeyId, at: Option<Timestamp>) -> Result<(), Error> {
        let Some(last_used_at) = at else { return Ok(()) };
        let usage = UsageDelta { key: id.clone(), last_used_at, uses: 0, previous_uses: 0 };
        Ok(self.inner.store.record_usage(&[usage]).await?)
    }
}

/// SHA-256 in base64 (RFC 4648), of either alphabet, padded or not.
fn of_base64(value: &str) -> Result<Digest, Invalid> {
    let plain: String = value.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let bytes = URL_SAFE_NO_PAD.decode(plain);
    let bytes = bytes.map_err(|_| Invalid::new("must be base64 of a SHA-256"))?;
    Digest::new(DigestScheme::Sha256, &bytes)
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
