//! A key that was issued elsewhere: made of a digest of its secret, of a hash that is stored there, or
//! of the secret itself; and the record that it becomes here.

use keyward_core::jose::PublicKey;
use keyward_core::{
    Deletion, Digest, DigestScheme, Expiry, FieldError, ForeignHash, Invalid, KeyId, KeyRecord,
    Keyspace, KeyspaceTable, Locator, NewKey, PreviousSecret, Revocation, Secret, StoredDigests,
    StoredSecret, Timestamp, Version,
};
use keyward_store::Usage;

use crate::{Error, Keyward};

/// A key that was issued elsewhere.
#[derive(Clone, Debug)]
pub struct ImportedKey {
    /// The key as it shall be here. Its keyspace must describe the form of its secret.
    pub key: NewKey,
    /// Its id there, if it shall stay the same; that of a prefixed secret stands in it, and must be
    /// given.
    pub id: Option<KeyId>,
    /// The id that it gets if it has none: made of its digest, so that taking it over a second time
    /// is noticed.
    pub fallback_id: KeyId,
    /// What proves its secret: a digest as it is stored there, or the public key of a signed one. The
    /// secret before its last rotation is said with its past.
    pub secret: StoredSecret,
    /// Further digests of the same secret, if they are known: whoever has one of them is this key.
    pub other_digests: Vec<Digest>,
    /// What had become of it there.
    pub past: Past,
}

/// What had become of a key before it was taken over.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// When it was issued; absent: now.
    pub created_at: Option<Timestamp>,
    /// When its record was last changed; absent: when it was issued.
    pub updated_at: Option<Timestamp>,
    /// When it expires or has expired, which may be later than its keyspace would allow a new key;
    /// absent: as [`ImportedKey::key`] says.
    pub expires_at: Option<Timestamp>,
    /// That it was revoked.
    pub revocation: Option<Revocation>,
    /// That it was deleted, and can be restored.
    pub deletion: Option<Deletion>,
    /// The secret before its last rotation.
    pub previous: Option<PreviousSecret>,
    /// When it got its present secret.
    pub rotated_at: Option<Timestamp>,
    /// The key that it succeeded.
    pub rotated_from: Option<KeyId>,
    /// The key that succeeded it.
    pub rotated_to: Option<KeyId>,
    /// How it was used.
    pub usage: Usage,
    /// How often its record had changed; absent: it is the first version.
    pub version: Option<Version>,
}

impl ImportedKey {
    /// A key with this digest of which nothing else is known.
    pub fn new(key: NewKey, digest: Digest) -> Self {
        let fallback_id = KeyId::of_digest(&digest);
        let (other_digests, past) = (Vec::new(), Past::default());
        let secret = StoredSecret::of_digest(digest);
        Self { key, id: None, fallback_id, secret, other_digests, past }
    }

    /// A signed key with this id and public key.
    pub fn signed(key: NewKey, id: KeyId, public_key: PublicKey) -> Self {
        let secret = StoredSecret::of_signature(public_key, key.claims.clone());
        let (other_digests, past) = (Vec::new(), Past::default());
        Self { key, id: Some(id.clone()), fallback_id: id, secret, other_digests, past }
    }
}

impl Keyward {
    /// A key to take over of which the secret itself is known. It must have the form of its
    /// keyspace's secrets; of a prefixed one, the id is taken from it.
    pub fn of_secret(&self, key: NewKey, secret: &Secret) -> Result<ImportedKey, Error> {
        let hasher = &self.inner.hasher;
        let keyspace = self.keyspace_to_import(&key)?;
        let foreign = || Invalid::new("must have the form of its keyspace's secrets").at("secret");
        let numbered = keyspace.verifying(DigestScheme::NUMBERED).ok().flatten();
        let table = KeyspaceTable::new([keyspace.clone()]);
        let with_numbers = KeyspaceTable::new(numbered);
        let (token, scheme) = if let Ok(token) = table.parse(secret.expose()) {
            (token, keyspace.minting_scheme(hasher))
        } else {
            let token = with_numbers.parse(secret.expose()).map_err(|_| foreign())?;
            (token, DigestScheme::NUMBERED)
        };
        let digest = |scheme| hasher.digest(scheme, secret.expose()).ok_or_else(foreign);
        let id = token.locators(hasher).find_map(|locator| match locator {
            Locator::KeyId(id) => Some(id),
            Locator::Digest(_) => None,
        });
        // Without the pepper, which may be another one when it is taken over again.
        let fallback_id = KeyId::of_digest(&digest(DigestScheme::Sha256)?);
        let schemes = keyspace.schemes.iter().copied();
        let other_digests = schemes.filter_map(|scheme| hasher.digest(scheme, secret.expose()));
        let other_digests = other_digests.collect();
        let imported = ImportedKey::new(key, digest(scheme)?);
        Ok(ImportedKey { id, fallback_id, other_digests, ..imported })
    }

    /// A key to take over of which a hash is stored there: see [`ForeignHash`].
    pub fn of_hash(
        &self,
        key: NewKey,
        id: Option<KeyId>,
        (scheme, value): (&str, &str),
    ) -> Result<ImportedKey, Error> {
        let digest = self.foreign_digest(&key, id.as_ref(), (scheme, value))?;
        Ok(ImportedKey { id, ..ImportedKey::new(key, digest) })
    }

    /// The digest to store in place of a hash that is stored there.
    pub fn foreign_digest(
        &self,
        key: &NewKey,
        id: Option<&KeyId>,
        (scheme, value): (&str, &str),
    ) -> Result<Digest, Error> {
        let hash = ForeignHash::parse(scheme, &self.inner.hasher);
        let hash = hash.map_err(|invalid| invalid.at("hash"))?;
        Ok(hash.digest(value, &self.keyspace_to_import(key)?.format, id)?)
    }

    fn keyspace_to_import(&self, key: &NewKey) -> Result<Keyspace, FieldError> {
        let unknown = || Invalid::new("must name a keyspace").at("keyspace");
        self.known_keyspace(&key.keyspace).ok_or_else(unknown)
    }

    /// The record of a key as it would be written.
    pub(super) fn record_of(
        &self,
        imported: &ImportedKey,
        now: Timestamp,
    ) -> Result<KeyRecord, Error> {
        let keyspace = self.keyspace_to_import(&imported.key)?;
        let is_signed = imported.secret.signature().is_some();
        if is_signed != keyspace.format.as_signed().is_some() {
            let rule =
                "must be what its keyspace's format needs: a signed key has a jwk, others a hash";
            return Err(Invalid::new(rule).at("keyspace").into());
        }
        if is_signed && imported.past.previous.is_some() {
            let rule = "must not be given: a signed key has one secret for good";
            return Err(Invalid::new(rule).at("previous").into());
        }
        if !is_signed && !imported.key.claims.is_empty() {
            let rule = "must not be given: only signed keys have claims";
            return Err(Invalid::new(rule).at("claims").into());
        }
        let previous = imported.past.previous.as_ref().map(|previous| &previous.digest);
        for digest in imported.secret.digest().into_iter().chain(previous) {
            let scheme = digest.scheme();
            let rule = if !self.inner.hasher.knows(scheme) {
                "must not need a pepper or salt that is not configured"
            } else if !keyspace.format.fits_scheme(scheme) {
                "must be of a scheme that its keyspace's format can have"
            } else {
                keyspace.verifying(scheme).map_err(|e| e.at("keyspace"))?;
                continue;
            };
            return Err(Invalid::new(rule).at("hash").into());
        }
        let rule = match &imported.id {
            None if keyspace.format.kind().is_found_by_id() => {
                "must be given, for it is part of the secret"
            }
            Some(id) if !keyspace.format.fits_id(id) => "must have the form of its keyspace's ids",
            _ => return Ok(record(imported, &keyspace, now)?),
        };
        Err(Invalid::new(rule).at("id").into())
    }
}

/// The record here of a key that was issued elsewhere.
fn record(
    imported: &ImportedKey,
    keyspace: &Keyspace,
    now: Timestamp,
) -> Result<KeyRecord, FieldError> {
    let past = &imported.past;
    let id = imported.id.as_ref().unwrap_or(&imported.fallback_id).clone();
    let mut policy = keyspace.clone();
    let mut key = imported.key.clone();
    if past.expires_at.is_some() || key.expiry == Expiry::Never {
        // The expiry of a key that exists is a fact, and not a wish that its keyspace may refuse.
        key.expiry = Expiry::Never;
        policy = Keyspace { default_lifetime: None, maximum_lifetime: None, ..policy };
    }
    let hint = keyspace.format.hint(&id);
    let issued = KeyRecord::take_over(key, id, imported.secret.clone(), hint, &policy, now)?;
    let secret = match (issued.secret, &past.previous) {
        (StoredSecret::Digests(digests), previous) => {
            StoredSecret::Digests(StoredDigests { previous: previous.clone(), ..digests })
        }
        (signature, _) => signature,
    };
    let created_at = past.created_at.map_or(now, |at| at.min(now));
    Ok(KeyRecord {
        created_at,
        updated_at: past.updated_at.map_or(created_at, |at| at.min(now)),
        expires_at: past.expires_at.or(issued.expires_at),
        revocation: past.revocation.clone(),
        deletion: past.deletion.clone(),
        secret,
        rotated_at: past.rotated_at.map(|at| at.min(now)),
        rotated_from: past.rotated_from.clone(),
        rotated_to: past.rotated_to.clone(),
        version: past.version.unwrap_or(Version::FIRST),
        ..issued
    })
}
