//! Giving keys new secrets.

use keyward_core::{
    AccountState, ActContext, Action, Change, FieldError, FormatKind, Invalid, KeyId, KeyRecord,
    KeyWrite, Refusal, Rotation, RotationMode, Secret, Timestamp,
};
use keyward_store::StoredKey;
use serde_json::{Map, Value, json};

use super::data;
use crate::{Error, Keyward};

/// A key that was rotated, with its new secret: this is the only time that it can be seen.
#[derive(Debug)]
pub struct Rotated {
    /// The text to hand out.
    pub secret: Secret,
    /// The record of the new secret: the same key, or its successor.
    pub key: KeyRecord,
    /// The record that was rotated, as it is now. With the same id, it is `key`.
    pub previous: KeyRecord,
}

impl Keyward {
    /// Gives a key a new secret. Of concurrent rotations of one key exactly one is done: the others
    /// are refused as [`Refusal::Outdated`], or else all but the last secret would be dead on
    /// arrival. To tell them, it takes a moment ([`crate::Builder::rotation_window`]).
    pub async fn rotate(
        &self,
        id: &KeyId,
        rotation: Rotation,
        context: &ActContext,
    ) -> Result<Rotated, Error> {
        let asked_at = self.now();
        let _turn = self.inner.rotations.begin(id).ok_or(Refusal::Outdated)?;
        if !self.inner.rotations.window.is_zero() {
            tokio::time::sleep(self.inner.rotations.window).await;
        }
        let StoredKey { account, record: before, .. } = self.existing(id).await?;
        if account == AccountState::Deleted {
            return Err(Refusal::AccountDeleted.into());
        }
        let mut change = self.change(asked_at);
        let rotated = match mode_for(&before, &rotation)? {
            RotationMode::SameId => {
                self.rotate_same_id(before, rotation, asked_at, context, &mut change)?
            }
            RotationMode::Successor => {
                self.rotate_to_successor(before, rotation, asked_at, context, &mut change).await?
            }
        };
        match self.commit(change).await {
            Ok(_) => Ok(rotated),
            Err(error) if error.is_outdated() => Err(Refusal::Outdated.into()),
            Err(error) => Err(error),
        }
    }

    fn rotate_same_id(
        &self,
        before: KeyRecord,
        rotation: Rotation,
        asked_at: Timestamp,
        context: &ActContext,
        change: &mut Change,
    ) -> Result<Rotated, Error> {
        let keyspace = self.keyspace_of(&before)?;
        let (minted, digest) = self.mint(&keyspace, &before.id, change)?;
        let now = self.now();
        let told = data([
            ("grace", rotation.grace.map(|grace| json!(grace))),
            ("mode", Some(json!("same_id"))),
        ]);
        let new = (digest, minted.hint);
        let after = before.clone().rotate(rotation, new, &keyspace, asked_at, now)?;
        change.events.push(self.key_event(Action::KeyRotated, &after, context, now, told));
        let write = (Box::new(before), Box::new(after.clone()));
        change.keys.push(KeyWrite::Update { before: write.0, after: write.1 });
        Ok(Rotated { secret: minted.secret, key: after.clone(), previous: after })
    }

    async fn rotate_to_successor(
        &self,
        before: KeyRecord,
        rotation: Rotation,
        asked_at: Timestamp,
        context: &ActContext,
        change: &mut Change,
    ) -> Result<Rotated, Error> {
        let keyspace = self.keyspace_of(&before)?;
        let told = data([
            ("grace", rotation.grace.map(|grace| json!(grace))),
            ("mode", Some(json!("successor"))),
        ]);
        let by = || context.actor.clone();
        let (secret, claims) = before.secret.with_claims(rotation.claims.clone());
        // What speaks against it is found out before a pair is taken for it.
        let same = (before.id.clone(), secret, String::new());
        let rehearsal = before.clone();
        let (_, rehearsed) =
            rehearsal.succeed(rotation.clone(), same, &keyspace, by(), asked_at, self.now())?;
        if let Some(signed) = keyspace.format.as_signed() {
            signed.check_record(&rehearsed)?;
        }
        let pair = self.pair_for(&keyspace, &before.owner).await?;
        let now = self.now();
        let id = keyspace.format.draw_id(&*self.inner.entropy, now);
        let (draft, secret) = self.draft(&keyspace, &id, (pair, claims), change)?;
        let new = (id, draft.stored, draft.hint);
        let (old, key) = before.clone().succeed(rotation, new, &keyspace, by(), asked_at, now)?;
        let secret = secret.finish(&key)?;
        self.add_succession(&before, &old, &key, (context, told), change);
        Ok(Rotated { secret, key, previous: old })
    }

    /// Adds both records of a succession, and the events that tell of it, to a change.
    fn add_succession(
        &self,
        before: &KeyRecord,
        old: &KeyRecord,
        key: &KeyRecord,
        (context, told): (&ActContext, Map<String, Value>),
        change: &mut Change,
    ) {
        let now = key.created_at;
        let rotated_to = data([("rotated_to", Some(json!(key.id)))]);
        let told = told.into_iter().chain(rotated_to).collect();
        let born = data([("rotated_from", Some(json!(old.id)))]);
        change.events.push(self.key_event(Action::KeyRotated, old, context, now, told));
        change.events.push(self.key_event(Action::KeyIssued, key, context, now, born));
        change.keys.push(KeyWrite::Insert(Box::new(key.clone())));
        let (before, after) = (Box::new(before.clone()), Box::new(old.clone()));
        change.keys.push(KeyWrite::Update { before, after });
    }
}

/// The id of a signed key stands in its token, so it cannot stay the same.
fn mode_for(key: &KeyRecord, rotation: &Rotation) -> Result<RotationMode, FieldError> {
    match (key.format, rotation.mode) {
        (FormatKind::Signed, None | Some(RotationMode::Successor)) => Ok(RotationMode::Successor),
        (FormatKind::Signed, Some(RotationMode::SameId)) => {
            Err(Invalid::new("must be successor for a signed key").at("mode"))
        }
        _ if rotation.claims.is_some() => {
            Err(Invalid::new("must not be given: only signed keys have claims").at("claims"))
        }
        (_, mode) => Ok(mode.unwrap_or(RotationMode::SameId)),
    }
}
