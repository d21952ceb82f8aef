//! The acts on existing keys.

use keyward_core::{
    ActContext, Action, KeyChanges, KeyId, KeyRecord, KeyState, KeyWrite, KeyspaceId, OwnerId,
    Reason, Refusal,
};
use keyward_store::{KeyQuery, KeyStates};
use serde_json::json;

use super::{ATTEMPTS, data};
use crate::{Error, Keyward};

/// Keys that are revoked together, each batch in one change.
const REVOKED_TOGETHER: usize = 500;

impl Keyward {
    /// Changes what may be changed of a key's record.
    pub async fn update(
        &self,
        id: &KeyId,
        changes: KeyChanges,
        context: &ActContext,
    ) -> Result<KeyRecord, Error> {
        let keyspace = self.keyspace_of(&self.existing(id).await?.record)?;
        let told = data([
            ("fields", Some(json!(changes.fields()))),
            ("enabled", changes.enabled.map(|enabled| json!(enabled))),
        ]);
        let act = |key: KeyRecord, now| key.update(changes.clone(), &keyspace, now);
        self.alter(id, context, act, (Action::KeyUpdated, told)).await
    }

    /// Switches a key on.
    pub async fn enable(&self, id: &KeyId, context: &ActContext) -> Result<KeyRecord, Error> {
        self.alter(id, context, KeyRecord::enable, (Action::KeyEnabled, data([]))).await
    }

    /// Switches a key off.
    pub async fn disable(&self, id: &KeyId, context: &ActContext) -> Result<KeyRecord, Error> {
        self.alter(id, context, KeyRecord::disable, (Action::KeyDisabled, data([]))).await
    }

    /// Revokes a key for good.
    pub async fn revoke(
        &self,
        id: &KeyId,
        reason: Option<Reason>,
        context: &ActContext,
    ) -> Result<KeyRecord, Error> {
        let told = data([("reason", reason.as_ref().map(|reason| json!(reason)))]);
        let by = || context.actor.clone();
        let act = |key: KeyRecord, now| key.revoke(reason.clone(), by(), now);
        self.alter(id, context, act, (Action::KeyRevoked, told)).await
    }

    /// Revokes every key of an owner that is not revoked yet, and returns how many there were. Keys
    /// that are switched off, expired or deleted are revoked too, so that none comes back.
    pub async fn revoke_all(
        &self,
        owner: &OwnerId,
        reason: Option<Reason>,
        context: &ActContext,
    ) -> Result<usize, Error> {
        self.revoke_all_except(owner, &[], reason, context).await
    }

    /// The same, but for the keys of some keyspaces: those that the actor has no right to.
    pub async fn revoke_all_except(
        &self,
        owner: &OwnerId,
        spared: &[KeyspaceId],
        reason: Option<Reason>,
        context: &ActContext,
    ) -> Result<usize, Error> {
        let mut revoked = 0;
        for states in [KeyStates::NOT_DELETED, KeyState::Deleted.into()] {
            let mut query = KeyQuery::new(self.now(), REVOKED_TOGETHER);
            query.owner = Some(owner.clone());
            query.states = states;
            revoked += self.revoke_listed(query, spared, reason.as_ref(), context).await?;
        }
        Ok(revoked)
    }

    async fn revoke_listed(
        &self,
        mut query: KeyQuery,
        spared: &[KeyspaceId],
        reason: Option<&Reason>,
        context: &ActContext,
    ) -> Result<usize, Error> {
        let mut revoked = 0;
        loop {
            let page = self.inner.store.list(&query).await?;
            let keys = page.keys.into_iter().map(|key| key.record);
            let is_due =
                |key: &KeyRecord| !key.is_revoked(query.now) && !spared.contains(&key.keyspace);
            let keys: Vec<_> = keys.filter(is_due).collect();
            revoked += self.revoke_together(keys, reason, context).await?;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(revoked),
            }
        }
    }

    /// Revokes keys in one change; if one of them was changed meanwhile, one by one.
    async fn revoke_together(
        &self,
        keys: Vec<KeyRecord>,
        reason: Option<&Reason>,
        context: &ActContext,
    ) -> Result<usize, Error> {
        let now = self.now();
        let told = data([("reason", reason.map(|reason| json!(reason)))]);
        let mut change = self.change(now);
        for before in &keys {
            let by = context.actor.clone();
            let Ok(after) = before.clone().revoke(reason.cloned(), by, now) else { continue };
            let event = self.key_event(Action::KeyRevoked, &after, context, now, told.clone());
            change.events.push(event);
            let (before, after) = (Box::new(before.clone()), Box::new(after));
            change.keys.push(KeyWrite::Update { before, after });
        }
        if let Some(revoked) = self.commit_together(change).await? {
            return Ok(revoked);
        }
        let mut revoked = 0;
        for key in &keys {
            match self.revoke(&key.id, reason.cloned(), context).await {
                Ok(_) => revoked += 1,
                // Somebody else was faster: it is as it should be.
                Err(Error::NotFound(_) | Error::Refused(Refusal::AlreadyRevoked)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(revoked)
    }

    /// Deletes a key softly: it stops working and can be restored until it is purged.
    pub async fn delete(&self, id: &KeyId, context: &ActContext) -> Result<KeyRecord, Error> {
        let act = |key: KeyRecord, now| key.delete(context.actor.clone(), now);
        self.alter(id, context, act, (Action::KeyDeleted, data([]))).await
    }

    /// Brings a deleted key back.
    pub async fn restore(&self, id: &KeyId, context: &ActContext) -> Result<KeyRecord, Error> {
        self.alter(id, context, KeyRecord::restore, (Action::KeyRestored, data([]))).await
    }

    /// Removes a deleted key for good, with its usage. Its audit events stay.
    pub async fn purge(&self, id: &KeyId, context: &ActContext) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let key = self.existing(id).await?;
            let now = self.now();
            if key.state(now) != KeyState::Deleted {
                return Err(Refusal::NotDeleted.into());
            }
            let key = key.record;
            let mut change = self.change(now);
            if key.deletion.is_none() && !self.hold_deleted(&key, &mut change).await? {
                // Its account was brought back in between.
                continue;
            }
            change.events.push(self.key_event(Action::KeyPurged, &key, context, now, data([])));
            change.keys.push(KeyWrite::Purge(Box::new(key)));
            match self.commit(change).await {
                Err(error) if error.is_outdated() => {}
                result => return result.map(drop),
            }
        }
        Err(Refusal::Outdated.into())
    }
}
