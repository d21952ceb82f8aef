//! What the application does.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use keyward::{
    Error, Expiry, KeyId, Keyward, Name, NewKey, OwnerId, ResourceId, ResourceScopes, ScopeSet,
    Timestamp,
};
use keyward_http::{Rejection, VerifiedKey};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::actor::{Actor, Admin};

/// A key to issue. The types of its fields know their rules: what breaks one is no such request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRequest {
    owner: OwnerId,
    name: Option<Name>,
    #[serde(default)]
    scopes: ScopeSet,
    #[serde(default)]
    resources: ResourceScopes,
    expires_at: Option<Timestamp>,
}

impl From<KeyRequest> for NewKey {
    fn from(request: KeyRequest) -> Self {
        Self {
            name: request.name,
            scopes: request.scopes,
            resources: request.resources,
            expiry: request.expires_at.map_or(Expiry::Default, Expiry::At),
            ..Self::new(request.owner)
        }
    }
}

/// Something for keys that may read.
pub(crate) async fn data(key: VerifiedKey) -> Result<Json<Value>, Rejection> {
    key.require(&"read".parse()?)?;
    Ok(Json(json!({ "data": "sensitive data" })))
}

/// Something for keys that may read this project, or every one.
pub(crate) async fn project(
    key: VerifiedKey,
    Path(id): Path<String>,
) -> Result<Json<Value>, Rejection> {
    let project = ResourceId::new("project", &id).map_err(|_| Error::NotFound("project"))?;
    key.require_on(&"read".parse()?, &project)?;
    Ok(Json(json!({ "project": { "id": id } })))
}

/// Issues a key. Its secret is in this answer and never again.
pub(crate) async fn issue(
    State(keyward): State<Keyward>,
    Admin(admin): Admin,
    Json(request): Json<KeyRequest>,
) -> Result<impl IntoResponse, Rejection> {
    let issued = keyward.issue(request.into(), &admin.context).await?;
    let body = json!({ "id": issued.key.id, "secret": issued.secret.expose() });
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(body)))
}

/// Revokes a key of the same owner; an admin, any key.
pub(crate) async fn revoke(
    State(keyward): State<Keyward>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Rejection> {
    let found = match KeyId::parse(id) {
        Ok(id) => keyward.key(&id).await?.map(|found| found.record),
        Err(_) => None,
    };
    // The database may hold other keys than this application's.
    let found = found.filter(|found| found.keyspace == actor.key.record().keyspace);
    // This comes first, and is the same for a foreign key and for none: whoever may not revoke a
    // key must not learn whether it exists.
    if found.as_ref().is_none_or(|found| found.owner != actor.key.record().owner) {
        actor.require_admin()?;
    }
    let found = found.ok_or(Error::NotFound("key"))?;
    keyward.revoke(&found.id, None, &actor.context).await?;
    Ok(StatusCode::NO_CONTENT)
}
