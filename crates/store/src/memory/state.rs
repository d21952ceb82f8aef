//! What a memory store holds, and how a change is made to it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use keyward_core::{
    AccountState, AuditErasure, AuditEvent, Change, ChangeId, ClientId, KeyId, KeyRecord, KeyWrite,
    Keyspace, KeyspaceId, KeyspaceWrite, Locator, RevokedToken, Sequence, ServiceAccount,
    SigningKey, Timestamp, TokenId, Touched,
};

use crate::{Applied, AuditPosition, Conflict, Feed, StoreError, StoredKey, Usage};

/// How many changes are kept for followers and for telling repetitions.
const KEPT_CHANGES: usize = 10_000;
/// How many changes one call of the feed returns.
const FEED_CHANGES: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) is_sealed: bool,
    pub(super) keys: HashMap<KeyId, StoredKey>,
    pub(super) accounts: HashMap<ClientId, ServiceAccount>,
    pub(super) keyspaces: BTreeMap<KeyspaceId, Keyspace>,
    pub(super) events: BTreeMap<AuditPosition, AuditEvent>,
    pub(super) signing_keys: BTreeMap<KeyId, SigningKey>,
    pub(super) revoked_tokens: BTreeMap<TokenId, Timestamp>,
    /// The ids of keys that are found by digest.
    digests: HashMap<Locator, KeyId>,
    changes: VecDeque<(ChangeId, Touched)>,
    /// How many changes are no longer kept.
    forgotten: u64,
}

impl State {
    pub(super) fn find(&self, locator: &Locator) -> Option<&KeyRecord> {
        let id = match locator {
            Locator::Digest(_) => self.digests.get(locator)?,
            Locator::KeyId(id) => id,
        };
        let record = &self.keys.get(id)?.record;
        let by_digest = matches!(locator, Locator::Digest(_));
        (by_digest || record.format.is_found_by_id()).then_some(record)
    }

    /// A key with the state that its account has now.
    pub(super) fn stored(&self, key: &StoredKey) -> StoredKey {
        let account = key.record.service_account.as_ref().map(|id| self.accounts.get(id));
        let account =
            account.map(|found| found.map_or(AccountState::Deleted, ServiceAccount::state));
        StoredKey { account: account.unwrap_or_default(), ..key.clone() }
    }

    pub(super) fn apply(&mut self, change: &Change) -> Result<Applied, StoreError> {
        if let Some(place) = self.changes.iter().rposition(|(id, _)| *id == change.id) {
            let sequence = self.sequence(place + 1);
            return Ok(Applied { erased: 0, is_replay: true, sequence });
        }
        if self.is_sealed {
            return Err(StoreError::Sealed);
        }
        self.check(change).map_err(StoreError::Conflict)?;
        for write in &change.keyspaces {
            self.keyspaces.insert(write.id().clone(), write.result().clone());
        }
        for write in &change.accounts {
            match write.result() {
                Some(account) => drop(self.accounts.insert(account.id, account.clone())),
                None => drop(self.accounts.remove(write.id())),
            }
        }
        for write in &change.keys {
            self.write_key(write);
        }
        self.write_signing_keys(change);
        self.write_revoked_tokens(change);
        let erased = change.erasure.as_ref().map_or(0, |erasure| self.erase(erasure));
        for event in &change.events {
            self.events.insert(AuditPosition::of(event), event.clone());
        }
        self.changes.push_back((change.id, change.touched()));
        if self.changes.len() > KEPT_CHANGES {
            self.changes.pop_front();
            self.forgotten += 1;
        }
        Ok(Applied { erased, is_replay: false, sequence: self.position() })
    }

    fn check(&self, change: &Change) -> Result<(), Conflict> {
        for write in &change.keyspaces {
            let stored = self.keyspaces.get(write.id()).map(|keyspace| keyspace.version);
            match write {
                KeyspaceWrite::Insert(_) if stored.is_some() => return Err(Conflict::Exists),
                KeyspaceWrite::Update { from, .. } if stored != Some(*from) => {
                    return Err(Conflict::Outdated);
                }
                KeyspaceWrite::Insert(_) | KeyspaceWrite::Update { .. } => {}
            }
        }
        let accounts = self.check_accounts(change)?;
        let mut ids = HashSet::new();
        let mut locators = HashSet::new();
        for write in &change.keys {
            self.check_key(write)?;
            let account = write.result().and_then(|record| record.service_account);
            if account.is_some_and(|id| !accounts.contains(&id) && !self.accounts.contains_key(&id))
            {
                return Err(Conflict::Outdated);
            }
            // Rows of one change collide with each other as they would with those that are there.
            if !ids.insert(write.id()) {
                let is_new = write.expected().is_none();
                return Err(if is_new { Conflict::Exists } else { Conflict::Outdated });
            }
            let of_row: HashSet<_> =
                write.result().into_iter().flat_map(KeyRecord::locators).collect();
            if of_row.into_iter().any(|locator| !locators.insert(locator)) {
                return Err(Conflict::Exists);
            }
        }
        Ok(())
    }

    /// Returns the accounts that the change adds.
    fn check_accounts(&self, change: &Change) -> Result<HashSet<ClientId>, Conflict> {
        let mut written = HashMap::new();
        if change.accounts.is_empty() {
            return Ok(HashSet::new());
        }
        for write in &change.accounts {
            let stored = self.accounts.get(write.id()).map(|account| account.version);
            let is_repeated = written.insert(*write.id(), write.result()).is_some();
            if stored != write.expected() || is_repeated {
                let is_new = write.expected().is_none();
                return Err(if is_new { Conflict::Exists } else { Conflict::Outdated });
            }
            let is_of = |key: &StoredKey| key.record.service_account.as_ref() == Some(write.id());
            if write.result().is_none() && self.keys.values().any(is_of) {
                return Err(Conflict::Outdated);
            }
        }
        let others = self.accounts.iter().filter(|(id, _)| !written.contains_key(id));
        let after = written.values().flatten().copied().chain(others.map(|(_, account)| account));
        let is_primary =
            |account: &&ServiceAccount| account.is_primary && account.deletion.is_none();
        let mut owners = HashSet::new();
        if after.filter(is_primary).any(|account| !owners.insert(&account.owner)) {
            return Err(Conflict::Exists);
        }
        Ok(written.into_keys().collect())
    }

    fn check_key(&self, write: &KeyWrite) -> Result<(), Conflict> {
        let stored = self.keys.get(write.id()).map(|key| key.record.version);
        if stored != write.expected() {
            let exists = write.expected().is_none();
            return Err(if exists { Conflict::Exists } else { Conflict::Outdated });
        }
        let mut locators = write.result().into_iter().flat_map(KeyRecord::locators);
        let is_taken = |locator| self.digests.get(&locator).is_some_and(|id| id != write.id());
        if locators.any(is_taken) { Err(Conflict::Exists) } else { Ok(()) }
    }

    fn write_key(&mut self, write: &KeyWrite) {
        let before = self.keys.remove(write.id());
        for locator in before.iter().flat_map(|key| key.record.locators()) {
            self.digests.remove(&locator);
        }
        let Some(record) = write.result() else { return };
        for locator in record.locators().filter(|l| matches!(l, Locator::Digest(_))) {
            self.digests.insert(locator, record.id.clone());
        }
        let usage = before.map_or_else(Usage::default, |key| key.usage);
        let key = StoredKey { account: AccountState::Active, record: record.clone(), usage };
        self.keys.insert(record.id.clone(), key);
    }

    fn write_signing_keys(&mut self, change: &Change) {
        if change.signing_keys.is_empty() {
            return;
        }
        self.signing_keys.retain(|_, key| !key.expires_at.has_come(change.at));
        for key in &change.signing_keys {
            self.signing_keys.insert(key.id.clone(), key.clone());
        }
    }

    fn write_revoked_tokens(&mut self, change: &Change) {
        if change.revoked_tokens.is_empty() {
            return;
        }
        self.revoked_tokens.retain(|_, until| !until.has_come(change.at));
        for RevokedToken { id, until } in &change.revoked_tokens {
            let known = self.revoked_tokens.entry(*id).or_insert(*until);
            *known = (*known).max(*until);
        }
    }

    fn erase(&mut self, erasure: &AuditErasure) -> usize {
        let meant = self.events.iter().filter(|(_, event)| erasure.filter.includes(event));
        let places: Vec<_> = meant.map(|(place, _)| *place).take(erasure.most).collect();
        for place in &places {
            self.events.remove(place);
        }
        places.len()
    }

    pub(super) fn changes_since(&self, position: Sequence) -> Feed {
        let known = usize::try_from(position.get().saturating_sub(self.forgotten));
        let known = known.unwrap_or(usize::MAX).min(self.changes.len());
        let mut touched = Touched::default();
        for (_, change) in self.changes.iter().skip(known).take(FEED_CHANGES) {
            touched.add(change.clone());
        }
        let end = self.changes.len().min(known + FEED_CHANGES);
        Feed {
            has_gap: position.get() < self.forgotten,
            has_more: end < self.changes.len(),
            position: self.sequence(end),
            touched,
        }
    }

    pub(super) fn position(&self) -> Sequence {
        self.sequence(self.changes.len())
    }

    /// The sequence number of the change at that place among those kept, counted from 1.
    fn sequence(&self, place: usize) -> Sequence {
        Sequence::new(self.forgotten + u64::try_from(place).unwrap_or(u64::MAX))
    }
}
