//! Creating and changing keyspaces.

use keyward_core::{
    ActContext, Action, AuditEvent, Change, Format, Keyspace, KeyspaceChanges, KeyspaceId,
    KeyspaceWrite, NewKeyspace, Prefix, Prefixed, Refusal, Timestamp,
};
use serde_json::json;

use super::{ATTEMPTS, data};
use crate::{Error, Keyward};

impl Keyward {
    /// Creates a keyspace.
    pub async fn create_keyspace(
        &self,
        new: NewKeyspace,
        context: &ActContext,
    ) -> Result<Keyspace, Error> {
        let now = self.now();
        let keyspace = Keyspace::create(new, &self.inner.hasher, now)?;
        let mut change = self.change(now);
        self.write_new_keyspace(&keyspace, context, &mut change);
        match self.commit(change).await {
            Ok(_) => Ok(keyspace),
            Err(error) if error.is_taken() => Err(Error::KeyspaceExists),
            Err(error) => Err(error),
        }
    }

    /// Changes a keyspace.
    pub async fn update_keyspace(
        &self,
        id: &KeyspaceId,
        changes: KeyspaceChanges,
        context: &ActContext,
    ) -> Result<Keyspace, Error> {
        for _ in 0..ATTEMPTS {
            let before = self.keyspace(id).await?.ok_or(Error::NotFound("keyspace"))?;
            let (now, from) = (self.now(), before.version);
            let after = before.update(changes.clone(), now)?.ok_or(Refusal::Outdated)?;
            let mut change = self.change(now);
            change.events.push(self.keyspace_event(
                Action::KeyspaceUpdated,
                &after,
                context,
                now,
                data([("fields", Some(json!(changes.fields())))]),
            ));
            change.keyspaces.push(KeyspaceWrite::Update { from, after: after.clone() });
            match self.commit(change).await {
                Err(error) if error.is_outdated() => {}
                result => return result.map(|_| after),
            }
        }
        Err(Refusal::Outdated.into())
    }

    /// Creates the default keyspace unless it exists, or another node is creating it just now.
    pub(crate) async fn ensure_default_keyspace(&self) -> Result<(), Error> {
        let id = KeyspaceId::default_keyspace();
        if self.known_keyspace(&id).is_some() {
            return Ok(());
        }
        match self.create_keyspace(prefixed(id, "kw")?, &ActContext::by(own_actor()?)).await {
            Ok(_) | Err(Error::KeyspaceExists) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn write_new_keyspace(
        &self,
        keyspace: &Keyspace,
        context: &ActContext,
        change: &mut Change,
    ) {
        let at = keyspace.created_at;
        let action = Action::KeyspaceCreated;
        change.events.push(self.keyspace_event(action, keyspace, context, at, data([])));
        change.keyspaces.push(KeyspaceWrite::Insert(keyspace.clone()));
    }

    fn keyspace_event(
        &self,
        action: Action,
        keyspace: &Keyspace,
        context: &ActContext,
        at: Timestamp,
        data: serde_json::Map<String, serde_json::Value>,
    ) -> AuditEvent {
        let event = self.event(action, context, at, data);
        AuditEvent { keyspace: Some(keyspace.id.clone()), ..event }
    }
}

/// A keyspace of the default format.
pub(crate) fn prefixed(id: KeyspaceId, prefix: &str) -> Result<NewKeyspace, Error> {
    let prefix = Prefix::parse(prefix).map_err(|invalid| invalid.at("prefix"))?;
    Ok(NewKeyspace::new(id, Format::Prefixed(Prefixed::new(prefix))))
}

/// The actor of what Keyward does by itself.
pub(crate) fn own_actor() -> Result<keyward_core::ActorId, Error> {
    Ok(keyward_core::ActorId::parse("keyward").map_err(|invalid| invalid.at("actor"))?)
}
