//! Changing and removing keys.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use keyward::store::StoredKey;
use keyward::{
    Description, Error, Expiry, KeyChanges, KeyId, KeyState, KeyspaceId, Keyward, Name, Refusal,
    Timestamp,
};

use super::NestjsError;
use super::bodies::{UpdateBody, read_expiry};
use super::envelope::Outcome;
use super::error::{Done, Failures};
use super::view::{RemovedKey, UpdatedKey};
use crate::access::Right;
use crate::caller::Actor;
use crate::fields::Fields;
use crate::input::{Body, Path};

/// Changes a key. A field that is left out stays as it is; at least one must be given.
#[utoipa::path(
    put, path = "/api/keys/{id}", tag = "keys", params(("id" = String, Path)),
    request_body = UpdateBody,
    responses((status = 200, body = Outcome<UpdatedKey<'_>>), Failures),
)]
pub(super) async fn update(
    State(keyward): State<Keyward>,
    Extension(keyspace): Extension<KeyspaceId>,
    caller: Actor,
    Path(id): Path<String>,
    Body(body): Body<UpdateBody>,
) -> Result<Response, NestjsError> {
    caller.may(Right::to_write_keys_of(&keyspace), Some(&keyspace))?;
    if body.is_empty() {
        return Err(NestjsError::missing_update_fields());
    }
    let changes = read(&body, keyward.now())?;
    let key = find(&keyward, &keyspace, &id).await?;
    if key.state(keyward.now()) == KeyState::Deleted {
        return Err(NestjsError::key_not_found());
    }
    let updated = match keyward.update(&key.record.id, changes, caller.context()).await {
        Err(Error::Refused(Refusal::AccountDeleted)) => return Err(NestjsError::key_not_found()),
        result => result?,
    };
    let now = keyward.now();
    Ok(Outcome::answer(Done::Updated, UpdatedKey::of(&updated, &key, now), now))
}

/// Removes a key softly: it stops working, and can be restored elsewhere until it is purged.
#[utoipa::path(
    delete, path = "/api/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = Outcome<RemovedKey<'_>>), Failures),
)]
pub(super) async fn remove(
    State(keyward): State<Keyward>,
    Extension(keyspace): Extension<KeyspaceId>,
    caller: Actor,
    Path(id): Path<String>,
) -> Result<Response, NestjsError> {
    caller.may(Right::to_write_keys_of(&keyspace), Some(&keyspace))?;
    let key = find(&keyward, &keyspace, &id).await?;
    match keyward.delete(&key.record.id, caller.context()).await {
        Err(Error::Refused(Refusal::AccountDeleted | Refusal::Deleted)) => {
            Err(NestjsError::key_already_deleted())
        }
        result => {
            let removed = result?;
            Ok(Outcome::answer(Done::Removed, RemovedKey::of(&removed), keyward.now()))
        }
    }
}

/// The key of that id, deleted ones included. Those of other keyspaces are none.
async fn find(
    keyward: &Keyward,
    keyspace: &KeyspaceId,
    id: &str,
) -> Result<StoredKey, NestjsError> {
    let id = KeyId::parse(id).map_err(|_| NestjsError::key_not_found())?;
    let key = keyward.key(&id).await?.filter(|key| key.record.keyspace == *keyspace);
    key.ok_or_else(NestjsError::key_not_found)
}

fn read(body: &UpdateBody, now: Timestamp) -> Result<KeyChanges, NestjsError> {
    let mut fields = Fields::default();
    let name = fields.optional("name", body.name.as_deref(), |text| Name::parse(text));
    let description =
        fields.nullable("description", body.description.as_ref(), |text| Description::parse(text));
    fields.finish()?;
    let expiry = match &body.expires_at {
        Some(Some(text)) => Some(read_expiry(text, now)?),
        Some(None) => Some(Expiry::Never),
        None => None,
    };
    let (name, enabled) = (name.map(Some), body.is_active);
    Ok(KeyChanges { name, description, enabled, expiry, ..KeyChanges::default() })
}
