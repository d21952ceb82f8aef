//! Taking over keys that somebody else has issued: what is there is found out, and the rest is written.

mod imported;

use std::collections::{HashMap, HashSet};

pub use imported::{ImportedKey, Past};
use keyward_core::{
    ActContext, Action, Change, KeyId, KeyRecord, KeyWrite, Keyspace, KeyspaceWrite, Locator,
    Refusal, StoredSecret, Version,
};
use keyward_store::{Usage, UsageDelta};
use serde_json::json;

use super::{ATTEMPTS, data};
use crate::{Error, Keyward};

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

    /// The records as they would be written. `checked` also asks the store for what exists.
    async fn prepare_all(
        &self,
        imported: &[ImportedKey],
        checked: bool,
    ) -> Result<Vec<Taken>, Error> {
        let now = self.now();
        let mut seen = Seen::default();
        let mut owners = HashMap::new();
        let mut taken = Vec::with_capacity(imported.len());
        for imported in imported {
            let mut result = self.record_of(imported, now);
            if result.is_ok()
                && let Err(error) = self.check_account(&imported.key, &mut owners).await?
            {
                result = Err(error);
            }
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
            let previous = record.secret.previous().map(|previous| &previous.digest);
            for digest in record.secret.digest().into_iter().chain(previous) {
                let after = keyspace.verifying(digest.scheme());
                keyspace = after.map_err(|e| e.at("keyspace"))?.unwrap_or(keyspace);
            }
            keyspaces.push((from, keyspace));
            let scheme = record.secret.digest().map(|digest| json!(digest.scheme()));
            let told = data([("scheme", scheme)]);
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
            let digest = found.secret.digest();
            let is_same = is_same_secret(&found.secret, &imported.secret)
                || digest.is_some_and(|digest| imported.other_digests.contains(digest))
                || imported.id.is_none();
            if is_same && found.id == *id && found.keyspace == imported.key.keyspace {
                Error::AlreadyImported
            } else {
                Error::KeyExists
            }
        }))
    }
}

/// Whether both prove the same text, whatever was replaced by a rotation.
fn is_same_secret(one: &StoredSecret, other: &StoredSecret) -> bool {
    match (one.signature(), other.signature()) {
        (None, None) => one.digest() == other.digest(),
        (Some(one), Some(other)) => one.public_key == other.public_key,
        _ => false,
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
