//! The routers.

use std::time::Duration;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, LINK};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use keyward::store::{Cursor, KeyPosition, KeyQuery, Order, StoredKey};
use keyward::{KeyId, KeyRecord, KeyspaceId, Keyward, Metadata, NewKey, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::{Act, Application, JapikeyError};
use crate::input::Query;
use crate::problem::Problem;
use crate::routes::jwks::{JwksSettings, serve, with_origin};
use crate::view::{Json, SecretJson, jwk};

/// Keys on a page of `/my`, where no number is asked for, and at most.
const ON_A_PAGE: usize = 1_000;

/// An id in a path. What is not UTF-8 is none.
type PathId = Result<Path<String>, PathRejection>;

/// What the handlers share.
#[derive(Clone)]
struct Face<A> {
    application: A,
    keyspace: KeyspaceId,
    keyward: Keyward,
}

/// `POST /` creates a key in that keyspace, which must be a signed one; `GET /my` lists the user's
/// keys, `GET /{id}` shows one of them, `DELETE /{id}` revokes it.
pub fn api_key_router<A: Application>(
    keyward: Keyward,
    keyspace: KeyspaceId,
    application: A,
) -> Router {
    Router::new()
        .route("/", post(create::<A>))
        .route("/my", get(list::<A>))
        .route("/{id}", get(show::<A>))
        .route("/{id}", delete(revoke::<A>))
        .method_not_allowed_fallback(async || JapikeyError::method_not_allowed())
        .with_state(Face { application, keyspace, keyward })
}

/// `GET /{kid}/.well-known/jwks.json`: the documents with public keys, which others may keep for
/// `max_age`.
pub fn jwks_router(keyward: Keyward, max_age: Duration) -> Router {
    let document = async move |kid: PathId, headers: HeaderMap| {
        let answer = match kid {
            Ok(Path(kid)) => serve(&keyward, &kid, &headers, JwksSettings::new(max_age)).await,
            Err(_) => Err(Problem::not_found()),
        };
        let response = answer.unwrap_or_else(|problem| match problem.status() {
            StatusCode::NOT_FOUND => JapikeyError::not_found().into_response(),
            _ => JapikeyError::from(problem).into_response(),
        });
        with_origin(Ok(response))
    };
    Router::new()
        .route("/{kid}/.well-known/jwks.json", get(document))
        .method_not_allowed_fallback(async || JapikeyError::method_not_allowed())
}

/// A key as japikey's drivers return it.
#[derive(Serialize)]
struct Row<'a> {
    kid: &'a KeyId,
    user_id: &'a str,
    revoked: bool,
    jwk: Option<Box<RawValue>>,
    metadata: &'a Metadata,
}

impl<'a> Row<'a> {
    fn of(record: &'a KeyRecord, now: Timestamp) -> Self {
        Self {
            kid: &record.id,
            user_id: record.owner.as_str(),
            revoked: record.is_revoked(now),
            jwk: record.secret.signature().and_then(|signature| jwk(signature, &record.id)),
            metadata: &record.metadata,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<String>,
    cursor: Option<String>,
}

async fn create<A: Application>(
    State(face): State<Face<A>>,
    request: Request,
) -> Result<Response, JapikeyError> {
    let (parts, body) = request.into_parts();
    let user = face.application.user(&parts, Act::Create).await?;
    let asked = face.application.new_key(Request::from_parts(parts, body)).await?;
    let new = NewKey {
        keyspace: face.keyspace.clone(),
        expiry: asked.expiry,
        claims: asked.claims,
        metadata: asked.metadata,
        ..NewKey::new(user.id)
    };
    let issued = face.keyward.issue(new, &user.context).await?;
    let created = Created { api_key: issued.secret.expose(), kid: &issued.key.id };
    Ok(unkept(SecretJson(StatusCode::OK, created)))
}

#[derive(Serialize)]
struct Created<'a> {
    api_key: &'a str,
    kid: &'a KeyId,
}

async fn list<A: Application>(
    State(face): State<Face<A>>,
    mut parts: Parts,
) -> Result<Response, JapikeyError> {
    let user = face.application.user(&parts, Act::Read).await?;
    let page = Query::<Page>::from_request_parts(&mut parts, &face.keyward).await;
    let Query(page) = page?;
    let limit = page.limit.map_or(Some(ON_A_PAGE), |limit| limit.parse().ok());
    let limit = limit.filter(|limit| (1..=ON_A_PAGE).contains(limit));
    let rule = "limit must be a number from 1 to 1000";
    let limit = limit.ok_or_else(|| JapikeyError::invalid_input(rule))?;
    let after = page.cursor.as_deref().map(KeyPosition::from_cursor).transpose();
    let after = after.map_err(|invalid| invalid.at("cursor"))?;
    let query = KeyQuery {
        owner: Some(user.id),
        keyspace: Some(face.keyspace.clone()),
        order: Order::Ascending,
        after,
        ..KeyQuery::new(face.keyward.now(), limit)
    };
    if query.after.as_ref().is_some_and(|after| !after.is_of(query.sort, query.order)) {
        return Err(JapikeyError::invalid_input("cursor must be one of this list"));
    }
    let page = face.keyward.list(&query).await?;
    let rows: Vec<_> = page.keys.iter().map(|key| Row::of(&key.record, query.now)).collect();
    let mut response = unkept(Json(StatusCode::OK, rows));
    let next =
        page.next.map(|next| format!("<?limit={limit}&cursor={}>; rel=\"next\"", next.to_cursor()));
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        response.headers_mut().insert(LINK, next);
    }
    Ok(response)
}

async fn show<A: Application>(
    State(face): State<Face<A>>,
    id: PathId,
    parts: Parts,
) -> Result<Response, JapikeyError> {
    let user = face.application.user(&parts, Act::Read).await?;
    let key = face.key_of(&user, id).await?;
    Ok(unkept(Json(StatusCode::OK, Row::of(&key.record, face.keyward.now()))))
}

async fn revoke<A: Application>(
    State(face): State<Face<A>>,
    id: PathId,
    parts: Parts,
) -> Result<Response, JapikeyError> {
    let user = face.application.user(&parts, Act::Revoke).await?;
    let key = face.key_of(&user, id).await?;
    match face.keyward.revoke(&key.record.id, None, &user.context).await {
        Ok(_) | Err(keyward::Error::Refused(Refusal::AlreadyRevoked)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(unkept(Json(StatusCode::OK, json!({}))))
}

impl<A> Face<A> {
    /// The key of that id, if it is one of the user's.
    async fn key_of(&self, user: &super::User, id: PathId) -> Result<StoredKey, JapikeyError> {
        let Path(id) = id.map_err(|_| JapikeyError::not_found())?;
        let id = KeyId::parse(&*id).map_err(|_| JapikeyError::not_found())?;
        let key = self.keyward.key(&id).await?;
        let is_own = |key: &StoredKey| {
            let KeyRecord { owner, keyspace, deletion, .. } = &key.record;
            *owner == user.id && *keyspace == self.keyspace && deletion.is_none()
        };
        key.filter(is_own).ok_or_else(JapikeyError::not_found)
    }
}

/// An answer that nobody on the way keeps.
fn unkept(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
