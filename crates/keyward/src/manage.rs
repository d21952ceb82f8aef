//! The management acts: read, decide by the rules of core, and apply the change with its event.

mod accounts;
mod acts;
mod draft;
mod export;
mod import;
mod issue;
mod keyspaces;
mod many;
mod reading;
mod rotate;
mod turn;

pub use accounts::{AccountPast, ImportedAccount, IssuedAccount};
pub use import::{ImportMode, ImportedKey, Past};
pub use issue::Issued;
pub(crate) use keyspaces::{own_actor, prefixed};
use keyward_core::{
    AccountState, ActContext, Action, AuditEvent, Change, KeyId, KeyRecord, KeyWrite, Keyspace,
    KeyspaceId, Refusal, Timestamp,
};
use keyward_store::{Applied, StoredKey};
pub use rotate::Rotated;
use serde_json::{Map, Value};
pub(crate) use turn::Rotations;

use crate::{Error, Keyward};

/// How often an act is tried again that lost a race.
pub(crate) const ATTEMPTS: usize = 8;

impl Keyward {
    /// Applies a change and takes note of it.
    pub(crate) async fn commit(&self, mut change: Change) -> Result<Applied, Error> {
        self.inner.audit.keep(&mut change);
        let applied = self.inner.store.apply(&change).await;
        // Also after an error: the change may have been made all the same.
        let noted = self.note(&change.touched(), &applied).await;
        let applied = applied?;
        noted?;
        Ok(applied)
    }

    /// Applies a change of many keys at once, if there is anything in it, and says how many there were.
    /// None: one of them was changed by somebody else meanwhile, and nothing was done.
    pub(crate) async fn commit_together(&self, change: Change) -> Result<Option<usize>, Error> {
        let keys = change.keys.len();
        if keys == 0 {
            return Ok(Some(0));
        }
        match self.commit(change).await {
            Ok(_) => Ok(Some(keys)),
            Err(error) if error.is_outdated() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes an act of a key's record, again if somebody else's change comes in between.
    async fn alter(
        &self,
        id: &KeyId,
        context: &ActContext,
        act: impl Fn(KeyRecord, Timestamp) -> Result<KeyRecord, Refusal>,
        (action, data): (Action, Map<String, Value>),
    ) -> Result<KeyRecord, Error> {
        for _ in 0..ATTEMPTS {
            let StoredKey { account, record: before, .. } = self.existing(id).await?;
            // Whatever becomes of the account, a revoked key does not come back with it.
            if account == AccountState::Deleted && action != Action::KeyRevoked {
                return Err(Refusal::AccountDeleted.into());
            }
            let now = self.now();
            let after = act(before.clone(), now)?;
            let mut change = self.change(now);
            change.events.push(self.key_event(action, &after, context, now, data.clone()));
            let (before, after) = (Box::new(before), Box::new(after));
            change.keys.push(KeyWrite::Update { before, after: after.clone() });
            match self.commit(change).await {
                Err(error) if error.is_outdated() => {}
                result => return result.map(|_| *after),
            }
        }
        Err(Refusal::Outdated.into())
    }

    async fn existing(&self, id: &KeyId) -> Result<StoredKey, Error> {
        self.inner.store.key(id).await?.ok_or(Error::NotFound("key"))
    }

    /// A keyspace as this instance knows it.
    fn known_keyspace(&self, id: &KeyspaceId) -> Option<Keyspace> {
        self.inner.keyspaces.load().find(id).cloned()
    }

    pub(crate) fn keyspace_of(&self, key: &KeyRecord) -> Result<Keyspace, Error> {
        self.known_keyspace(&key.keyspace).ok_or(Error::NotFound("keyspace"))
    }

    pub(crate) fn change(&self, now: Timestamp) -> Change {
        Change::new(&*self.inner.entropy, now)
    }

    pub(crate) fn key_event(
        &self,
        action: Action,
        key: &KeyRecord,
        context: &ActContext,
        at: Timestamp,
        data: Map<String, Value>,
    ) -> AuditEvent {
        AuditEvent {
            key: Some(key.id.clone()),
            keyspace: Some(key.keyspace.clone()),
            owner: Some(key.owner.clone()),
            service_account: key.service_account,
            ..self.event(action, context, at, data)
        }
    }
}

/// The data of an event: the members that have a value.
pub(crate) fn data<const N: usize>(members: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let members = members.into_iter();
    members.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
