//! The acts on keys that are more than a change of fields.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use keyward::jose::Claims;
use keyward::store::StoredKey;
use keyward::{
    FieldError, KeyRecord, KeyspaceId, Keyward, Lifetime, OwnerId, Reason, Rotation, RotationMode,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::writable_key;
use crate::access::Right;
use crate::caller::{Actor, Caller};
use crate::fields::{Fields, KeyChangesBody};
use crate::input::{Body, Members, OptionalBody, Path, given, parse_object};
use crate::problem::{Problem, Problems};
use crate::view::{Answer, Json, KeyView, SecretJson};

/// How to rotate a key, and what to change on the occasion.
#[derive(Debug, ToSchema)]
pub(crate) struct RotateBody {
    #[schema(inline)]
    #[serde(flatten)]
    how: RotateHow,
    #[serde(flatten)]
    changes: KeyChangesBody,
}

/// How to rotate a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateHow {
    /// How long the old secret still works, such as `24h`; left out: not at all.
    grace: Option<String>,
    /// Whether the key keeps its id; by default it does, if it can: a signed one cannot.
    #[serde(default, deserialize_with = "given")]
    mode: Option<Mode>,
    /// What the token of a signed key shall say; left out: the same as before.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    claims: Option<Claims>,
}

impl RotateBody {
    /// Reads the two halves apart: serde cannot refuse unknown fields in a flattened struct.
    fn read(Members(mut body): Members<Value>) -> Result<Self, Problem> {
        let how = ["grace", "mode", "claims"].into_iter();
        let how = how.filter_map(|name| body.remove_entry(name)).collect();
        Ok(Self { how: parse_object(Members(how))?, changes: parse_object(Members(body))? })
    }
}

/// Whether a rotated key keeps its id.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// The key stays and gets a new secret.
    SameId,
    /// A new key succeeds it, and it is revoked at the end of the grace period.
    Successor,
}

/// A new secret: this is the only time that it can be seen.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RotatedView<'a> {
    /// The text to hand out.
    secret: &'a str,
    /// The key that the secret belongs to.
    key: KeyView<'a>,
    /// The key that was rotated, as it is now.
    previous: KeyView<'a>,
}

/// Why a key is revoked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeBody {
    /// For people and the audit trail: 1 to 500 characters.
    reason: Option<String>,
}

/// Whose keys are revoked, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeAllBody {
    /// The owner.
    owner: String,
    /// For people and the audit trail: 1 to 500 characters.
    reason: Option<String>,
}

/// How many keys were revoked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RevokedAll {
    /// Keys that were not revoked before.
    revoked: usize,
}

/// Gives a key a new secret. Of concurrent rotations of one key exactly one is done.
#[utoipa::path(
    post, path = "/v1/keys/{id}/rotate", tag = "keys", params(("id" = String, Path)),
    request_body = Option<RotateBody>,
    responses((status = 201, body = RotatedView<'_>), Problems),
)]
pub(crate) async fn rotate(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
    OptionalBody(body): OptionalBody<Members<Value>>,
) -> Answer {
    let key = writable_key(&keyward, &caller, &id).await?;
    let body = RotateBody::read(body)?;
    let mut fields = Fields::default();
    let rotation = Rotation {
        grace: fields.optional("grace", body.how.grace.as_deref(), Lifetime::parse),
        mode: body.how.mode.map(|mode| match mode {
            Mode::SameId => RotationMode::SameId,
            Mode::Successor => RotationMode::Successor,
        }),
        claims: body.how.claims,
        changes: body.changes.read(&mut fields),
    };
    fields.finish()?;
    let rotated = keyward.rotate(&key.record.id, rotation, caller.context()).await?;
    let now = keyward.now();
    let view = RotatedView {
        secret: rotated.secret.expose(),
        key: KeyView::of(&rotated.key, now),
        previous: KeyView::changed(&rotated.previous, &key, now),
    };
    Ok(SecretJson(StatusCode::CREATED, view).into_response())
}

/// Revokes a key for good.
#[utoipa::path(
    post, path = "/v1/keys/{id}/revoke", tag = "keys", params(("id" = String, Path)),
    request_body = Option<RevokeBody>,
    responses((status = 200, body = KeyView<'_>), Problems),
)]
pub(crate) async fn revoke(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
    OptionalBody(body): OptionalBody<RevokeBody>,
) -> Answer {
    let key = writable_key(&keyward, &caller, &id).await?;
    let reason = read_reason(body.reason.as_deref()).map_err(|e| Problem::invalid_body(vec![e]))?;
    let record = keyward.revoke(&key.record.id, reason, caller.context()).await?;
    Ok(changed(&keyward, &record, &key))
}

/// Switches a key on.
#[utoipa::path(
    post, path = "/v1/keys/{id}/enable", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = KeyView<'_>), Problems),
)]
pub(crate) async fn enable(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let key = writable_key(&keyward, &caller, &id).await?;
    let record = keyward.enable(&key.record.id, caller.context()).await?;
    Ok(changed(&keyward, &record, &key))
}

/// Switches a key off.
#[utoipa::path(
    post, path = "/v1/keys/{id}/disable", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = KeyView<'_>), Problems),
)]
pub(crate) async fn disable(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let key = writable_key(&keyward, &caller, &id).await?;
    let record = keyward.disable(&key.record.id, caller.context()).await?;
    Ok(changed(&keyward, &record, &key))
}

/// Brings a deleted key back. If it was revoked, it stays so.
#[utoipa::path(
    post, path = "/v1/keys/{id}/restore", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = KeyView<'_>), Problems),
)]
pub(crate) async fn restore(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let key = writable_key(&keyward, &caller, &id).await?;
    let record = keyward.restore(&key.record.id, caller.context()).await?;
    Ok(changed(&keyward, &record, &key))
}

/// Removes a deleted key for good. Its audit events stay.
#[utoipa::path(
    post, path = "/v1/keys/{id}/purge", tag = "keys", params(("id" = String, Path)),
    responses((status = 204), Problems),
)]
pub(crate) async fn purge(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let key = writable_key(&keyward, &caller, &id).await?;
    keyward.purge(&key.record.id, caller.context()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Writes down that a key was used, now, without counting it.
#[utoipa::path(
    post, path = "/v1/keys/{id}/touch", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = KeyView<'_>), Problems),
)]
pub(crate) async fn touch(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let key = writable_key(&keyward, &caller, &id).await?;
    keyward.touch(&key.record.id).await?;
    let key = super::known_key(&keyward, &id).await?;
    Ok(Json(StatusCode::OK, KeyView::new(&key, keyward.now())).into_response())
}

/// Lets this node forget what it has cached of a key, so that the next verification reads it anew.
/// It is not needed for any change made through Keyward.
#[utoipa::path(
    post, path = "/v1/keys/{id}/invalidate", tag = "keys", params(("id" = String, Path)),
    responses((status = 204), Problems),
)]
pub(crate) async fn invalidate(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let key = writable_key(&keyward, &caller, &id).await?;
    let locators: Vec<_> = key.record.locators().collect();
    keyward.invalidate(&locators).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Revokes every key of an owner. Doing it again is no conflict: it finds nothing more to revoke.
///
/// Management keys are left out unless the caller has `root`.
#[utoipa::path(
    post, path = "/v1/keys/revoke-all", tag = "keys", request_body = RevokeAllBody,
    responses((status = 200, body = RevokedAll), Problems),
)]
pub(crate) async fn revoke_all(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<RevokeAllBody>,
) -> Answer {
    // The owner may have keys in every keyspace.
    caller.may(Right::KeysWrite, None)?;
    let mut fields = Fields::default();
    let owner = fields.required("owner", &body.owner, |text| OwnerId::parse(text));
    let reason = fields.take(read_reason(body.reason.as_deref())).flatten();
    fields.finish()?;
    let owner = owner.ok_or_else(Problem::unreadable_body)?;
    let spared = spared(&caller);
    let revoked = keyward.revoke_all_except(&owner, &spared, reason, caller.context()).await?;
    Ok(Json(StatusCode::OK, RevokedAll { revoked }).into_response())
}

/// The keyspaces whose keys the caller may not write, though it may write those of all others.
pub(crate) fn spared(caller: &Caller) -> Vec<KeyspaceId> {
    let management = KeyspaceId::management();
    let right = Right::to_write_keys_of(&management);
    if caller.may(right, Some(&management)).is_ok() { Vec::new() } else { vec![management] }
}

pub(crate) fn read_reason(text: Option<&str>) -> Result<Option<Reason>, FieldError> {
    text.map(|text| Reason::parse(text).map_err(|invalid| invalid.at("reason"))).transpose()
}

fn changed(keyward: &Keyward, record: &KeyRecord, before: &StoredKey) -> Response {
    let view = KeyView::changed(record, before, keyward.now());
    Json(StatusCode::OK, view).into_response()
}
