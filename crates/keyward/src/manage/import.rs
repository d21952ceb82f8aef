//! Taking over keys that somebody else has issued, by the digests of their secrets or by these.

use std::collections::HashSet;

use keyward_core::{
    ActContext, Action, Change, Deletion, Digest, DigestScheme, Expiry, FieldError, ForeignHash,
    FormatKind, Invalid, KeyId, KeyRecord, KeyWrite, Keyspace, KeyspaceTable, KeyspaceWrite,
    Locator, NewKey, PreviousSecret, Refusal, Revocation, Secret, StoredSecret, Timestamp, Version,
};
use keyward_store::{Usage, UsageDelta};
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
    /// The id that it gets if it has none: made of its digest, so that taking it over a second time
    /// is noticed.
    pub fallback_id: KeyId,
    /// The digest of its secret, as it is stored there.
    pub digest: Digest,
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

/// What an import does with what is acceptable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportMode {
    /// Writes nothing: only says what would become of each key.
    Check,
    /// Writes each key that is acceptable.
    #[default]
    Each,
    /// Writes all keys together, or none if one of them is not acceptable.
    Whole,
}

impl ImportedKey {
    /// A key with this digest of which nothing else is known.
    pub fn new(key: NewKey, digest: Digest) -> Self {
        let fallback_id = KeyId::of_digest(&digest);
        let (other_digests, past) = (Vec::new(), Past::default());
        Self { key, id: None, fallback_id, digest, other_digests, past }
    }
}

/// The result for one key: its record, or why it was not taken over.
type Taken = Result<KeyRecord, Error>;

impl Keyward {
    /// Takes a key over: whoever holds its secret can use it from now on.
    ///
    /// An id or a digest that exists is never overwritten: [`Error::KeyExists`], or
    /// [`Error::AlreadyImported`] if it is the same key.
    pub async fn import(
        &self,
        imported: ImportedKey,
        context: &ActContext,
    ) -> Result<KeyRecord, Error> {
        let taken = self.import_many([imported], ImportMode::Each, context).await?;
        taken.into_iter().next().unwrap_or(Err(Refusal::Outdated.into()))
    }

    /// Takes keys over, with a result for each, in their order.
    ///
    /// An error of the whole says that the store failed: some keys may have been taken over, and
    /// doing it again is safe.
    pub async fn import_many(
        &self,
        imported: impl IntoIterator<Item = ImportedKey>,
        mode: ImportMode,
        context: &ActContext,
    ) -> Result<Vec<Result<KeyRecord, Error>>, Error> {
        let imported: Vec<_> = imported.into_iter().collect();
        let checked = mode != ImportMode::Each;
        let mut taken = self.prepare_all(&imported, checked).await?;
        if mode == ImportMode::Check || (checked && taken.iter().any(Result::is_err)) {
            return Ok(taken);
        }
        if self.write_all(&imported, &taken, context).await? {
            return Ok(taken);
        }
        if mode == ImportMode::Whole {
            // Somebody took a key over between the check and the write: tell which one.
            let taken = self.prepare_all(&imported, true).await?;
            let is_told = taken.iter().any(Result::is_err);
            return if is_told { Ok(taken) } else { Err(Refusal::Outdated.into()) };
        }
        for (imported, taken) in imported.iter().zip(&mut taken) {
            if taken.is_ok() && !self.write_all([imported], [&*taken], context).await? {
                let existing = self.existing_key(imported, taken).await?;
                *taken = Err(existing.unwrap_or(Error::KeyExists));
            }
        }
        Ok(taken)
    }

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

    /// The records as they would be written. `checked` also asks the store for what exists.
    async fn prepare_all(
        &self,
        imported: &[ImportedKey],
        checked: bool,
    ) -> Result<Vec<Taken>, Error> {
        let now = self.now();
        let mut seen = Seen::default();
        let mut taken = Vec::with_capacity(imported.len());
        for imported in imported {
            let mut result = self.record_of(imported, now);
            if let Ok(record) = &result
                && !seen.is_new(record)
            {
                result = Err(Error::KeyExists);
            }
            if (checked || !imported.other_digests.is_empty())
                && result.is_ok()
                && let Some(error) = self.existing_key(imported, &result).await?
            {
                result = Err(error);
            }
            taken.push(result);
        }
        Ok(taken)
    }

    /// The record of a key as it would be written.
    fn record_of(&self, imported: &ImportedKey, now: Timestamp) -> Taken {
        let keyspace = self.keyspace_to_import(&imported.key)?;
        let is_known = |digest: &Digest| self.inner.hasher.knows(digest.scheme());
        let previous = imported.past.previous.as_ref();
        if !is_known(&imported.digest) || !previous.is_none_or(|p| is_known(&p.digest)) {
            let rule = "must not need a pepper or salt that is not configured";
            return Err(Invalid::new(rule).at("hash").into());
        }
        if keyspace.format.kind() == FormatKind::Prefixed && imported.id.is_none() {
            let rule = Invalid::new("must be given, for it is part of a prefixed secret");
            return Err(rule.at("id").into());
        }
        if imported.id.as_ref().is_some_and(|id| !keyspace.format.fits_id(id)) {
            return Err(Invalid::new("must have the form of its keyspace's ids").at("id").into());
        }
        for digest in [Some(&imported.digest), previous.map(|previous| &previous.digest)] {
            let scheme = digest.map(Digest::scheme).filter(|s| !keyspace.format.fits_scheme(*s));
            if scheme.is_some() {
                let rule = "must be of a scheme that its keyspace's format can have";
                return Err(Invalid::new(rule).at("hash").into());
            }
            if let Some(digest) = digest {
                keyspace.verifying(digest.scheme()).map_err(|e| e.at("keyspace"))?;
            }
        }
        Ok(record(imported, &keyspace, now)?)
    }

    /// Writes those that can be taken over, all together. Says whether it did, or whether nothing
    /// was written because one of them exists.
    async fn write_all<'a>(
        &self,
        imported: impl IntoIterator<Item = &'a ImportedKey>,
        taken: impl IntoIterator<Item = &'a Taken>,
        context: &ActContext,
    ) -> Result<bool, Error> {
        let pairs = imported.into_iter().zip(taken);
        let keys: Vec<_> =
            pairs.filter_map(|(key, taken)| Some((key, taken.as_ref().ok()?))).collect();
        if keys.is_empty() {
            return Ok(true);
        }
        for _ in 0..ATTEMPTS {
            let change = self.import_change(keys.iter().map(|(_, record)| *record), context)?;
            match self.commit(change).await {
                Err(error) if error.is_taken() => return Ok(false),
                Err(error) if error.is_outdated() => self.catch_up().await?,
                Err(error) => return Err(error),
                Ok(_) => {
                    let used = keys.iter().filter_map(|(imported, record)| {
                        let Usage { last_used_at, uses, previous_uses } = imported.past.usage;
                        let (key, last_used_at) = (record.id.clone(), last_used_at?);
                        Some(UsageDelta { key, last_used_at, uses, previous_uses })
                    });
                    let used: Vec<_> = used.collect();
                    if !used.is_empty() && self.inner.store.record_usage(&used).await.is_err() {
                        // The keys are there, and this is written with the usage to come.
                        self.inner.usage.put_back(used.into_iter());
                    }
                    return Ok(true);
                }
            }
        }
        Err(Refusal::Outdated.into())
    }

    /// The change that stores records, and lets their keyspaces know the schemes of their digests.
    fn import_change<'a>(
        &self,
        records: impl IntoIterator<Item = &'a KeyRecord>,
        context: &ActContext,
    ) -> Result<Change, Error> {
        let now = self.now();
        let mut change = self.change(now);
        let mut keyspaces: Vec<(Version, Keyspace)> = Vec::new();
        for record in records {
            let place = keyspaces.iter().position(|(_, keyspace)| keyspace.id == record.keyspace);
            let (from, mut keyspace) = match place {
                Some(place) => keyspaces.swap_remove(place),
                None => self.keyspace_of(record).map(|keyspace| (keyspace.version, keyspace))?,
            };
            let previous = record.secret.previous.as_ref().map(|previous| &previous.digest);
            for digest in std::iter::once(&record.secret.digest).chain(previous) {
                let after = keyspace.verifying(digest.scheme());
                keyspace = after.map_err(|e| e.at("keyspace"))?.unwrap_or(keyspace);
            }
            keyspaces.push((from, keyspace));
            let told = data([("scheme", Some(json!(record.secret.digest.scheme())))]);
            change.events.push(self.key_event(Action::KeyImported, record, context, now, told));
            change.keys.push(KeyWrite::Insert(Box::new(record.clone())));
        }
        let changed = keyspaces.into_iter().filter(|(from, after)| *from != after.version);
        change.keyspaces = changed
            .map(|(from, after)| KeyspaceWrite::Update {
                from,
                after: Keyspace { version: from.next(), ..after },
            })
            .collect();
        Ok(change)
    }

    /// Why a key cannot be taken over: it, or another one of its id or digest, is there already.
    async fn existing_key(
        &self,
        imported: &ImportedKey,
        taken: &Taken,
    ) -> Result<Option<Error>, Error> {
        let id = imported.id.as_ref().unwrap_or(&imported.fallback_id);
        let mut found = self.inner.store.key(id).await?.map(|key| key.record);
        let locators = taken.iter().flat_map(KeyRecord::locators);
        let others = imported.other_digests.iter().cloned().map(Locator::Digest);
        for locator in locators.chain(others) {
            if found.is_none() {
                found = self.inner.store.find(&locator).await?;
            }
        }
        Ok(found.map(|found| {
            // A digest may have been replaced by a better one since; an id that was made of it tells.
            let is_same = found.secret.digest == imported.digest
                || imported.other_digests.contains(&found.secret.digest)
                || imported.id.is_none();
            if is_same && found.id == *id && found.keyspace == imported.key.keyspace {
                Error::AlreadyImported
            } else {
                Error::KeyExists
            }
        }))
    }
}

/// The ids and digests among the keys that are taken over together: of two with the same, the first
/// is meant.
#[derive(Default)]
struct Seen {
    ids: HashSet<KeyId>,
    locators: HashSet<Locator>,
}

impl Seen {
    fn is_new(&mut self, record: &KeyRecord) -> bool {
        let locators: Vec<_> = record.locators().collect();
        if self.ids.contains(&record.id) || locators.iter().any(|l| self.locators.contains(l)) {
            return false;
        }
        self.locators.extend(locators);
        self.ids.insert(record.id.clone())
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
    let issued = KeyRecord::issue(key, id, imported.digest.clone(), hint, &policy, now)?;
    let created_at = past.created_at.map_or(now, |at| at.min(now));
    Ok(KeyRecord {
        created_at,
        updated_at: past.updated_at.map_or(created_at, |at| at.min(now)),
        expires_at: past.expires_at.or(issued.expires_at),
        revocation: past.revocation.clone(),
        deletion: past.deletion.clone(),
        secret: StoredSecret { previous: past.previous.clone(), ..issued.secret },
        rotated_at: past.rotated_at.map(|at| at.min(now)),
        rotated_from: past.rotated_from.clone(),
        rotated_to: past.rotated_to.clone(),
        version: past.version.unwrap_or(Version::FIRST),
        ..issued
    })
}
