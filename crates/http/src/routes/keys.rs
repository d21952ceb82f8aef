//! Keys: issue, list, show, change, delete. The other acts are in [`acts`] and [`reap`].
#![expect(unused_qualifications, reason = "utoipa writes them")]

pub(crate) mod acts;
pub(crate) mod reap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::jose::Claims;
use keyward::store::{Cursor, KeyPage, KeyPosition, KeyQuery, KeySort, Order, Search, StoredKey};
use keyward::{
    Digest, Invalid, KeyId, KeyState, KeyspaceId, Keyward, MatchTags, NewKey, OwnerId, Tag,
    TagFilter, TagSet, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{ON_A_PAGE, page_limit};
use crate::access::Right;
use crate::caller::{Actor, Caller};
use crate::fields::{Fields, KeyChangesBody, NewKeyFields, nullable};
use crate::input::{Body, Members, Path, Query};
use crate::problem::{Problem, Problems};
use crate::view::{Answer, Json, KeyView, Page, SecretJson};

/// A key to issue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueBody {
    /// The keyspace under which to issue it; by default `default`.
    keyspace: Option<String>,
    /// Whoever the key acts for: 1 to 256 characters.
    owner: String,
    /// A name for people: 1 to 200 characters.
    name: Option<String>,
    /// A longer note for people: 1 to 2,000 characters.
    description: Option<String>,
    /// What the key may do everywhere: up to 256 scopes.
    #[serde(default)]
    scopes: Vec<String>,
    /// What the key may do to single resources, by `type:id`.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>)]
    resources: Members<Vec<String>>,
    /// Labels to find the key by: up to 64, in any case.
    #[serde(default)]
    tags: Vec<String>,
    /// Free data of the application: up to 16 KiB.
    #[serde(default)]
    #[schema(value_type = Object)]
    metadata: Members<Value>,
    /// Whether the key is switched on; by default it is.
    enabled: Option<bool>,
    /// When it expires (RFC 3339), or null for never. Left out: as the keyspace says.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Option<String>>,
    /// After which time it expires, such as `30d`; instead of `expires_at`.
    expires_in: Option<String>,
    /// It is not valid before this instant (RFC 3339).
    #[schema(format = DateTime)]
    not_before: Option<String>,
    /// What the token of a signed key shall say besides `sub`, `iss`, `aud`, `exp`, `ver` and `iat`,
    /// which are never the caller's.
    #[schema(value_type = Option<Object>)]
    claims: Option<Claims>,
}

/// A new secret: this is the only time that it can be seen.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IssuedView<'a> {
    /// The text to hand out.
    #[schema(example = "kw_7Kx2mPqRtUvW_…")]
    secret: &'a str,
    /// The record that is stored.
    key: KeyView<'a>,
}

/// Which keys to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only keys of this owner.
    owner: Option<String>,
    /// Only keys with this tag.
    tag: Option<String>,
    /// Only keys with these tags, separated by commas; one that holds a comma is asked for by `tag`.
    tags: Option<String>,
    /// Whether `any` of the tags (default) or `all` of them are wanted.
    #[serde(rename = "match")]
    matching: Option<String>,
    /// Only the key with this digest, written `sha256:` and hexadecimal digits, or with another
    /// scheme: of the formats whose keys are found by digest.
    digest: Option<String>,
    /// Only keys in this state. Left out: all that are not deleted.
    #[param(value_type = Option<crate::view::KeyStateName>)]
    state: Option<String>,
    /// Only keys of this keyspace.
    keyspace: Option<String>,
    /// Only keys with this text in name, description, owner, id or hint, in any case.
    search: Option<String>,
    /// By what to sort: `created_at` (default), `expires_at` or `name`.
    sort: Option<String>,
    /// In which direction: `desc` (default) or `asc`.
    order: Option<String>,
    /// How many keys, 1 to 200; by default 50.
    limit: Option<String>,
    /// The `next_cursor` of the page before, with the same `sort` and `order`.
    cursor: Option<String>,
}

/// Issues a key. The secret is in this answer and never again.
#[utoipa::path(
    post, path = "/v1/keys", tag = "keys", request_body = IssueBody,
    responses((status = 201, body = IssuedView<'_>), Problems),
)]
pub(crate) async fn issue(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<IssueBody>,
) -> Answer {
    let new = read_new(body)?;
    caller.may(Right::to_write_keys_of(&new.keyspace), Some(&new.keyspace))?;
    let issued = keyward.issue(new, caller.context()).await?;
    let key = KeyView::of(&issued.key, None, keyward.now());
    let view = IssuedView { secret: issued.secret.expose(), key };
    Ok(SecretJson(StatusCode::CREATED, view).into_response())
}

/// Keys, the newest first or as asked, in pages.
#[utoipa::path(
    get, path = "/v1/keys", tag = "keys", params(ListParameters),
    responses((status = 200, body = Page<KeyView<'_>>), Problems),
)]
pub(crate) async fn list(
    State(keyward): State<Keyward>,
    caller: Caller,
    Query(parameters): Query<ListParameters>,
) -> Answer {
    let query = read_query(&parameters, keyward.now())?;
    caller.may(Right::KeysRead, query.keyspace.as_ref())?;
    let page = match &parameters.digest {
        Some(digest) => page_of_digest(&keyward, digest, &query).await?,
        None => keyward.list(&query).await?,
    };
    let data: Vec<_> = page.keys.iter().map(|key| KeyView::new(key, query.now)).collect();
    let next_cursor = page.next.map(|next| next.to_cursor());
    Ok(Json(StatusCode::OK, Page { data, next_cursor }).into_response())
}

/// One key, deleted ones included.
#[utoipa::path(
    get, path = "/v1/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = KeyView<'_>), Problems),
)]
pub(crate) async fn show(
    State(keyward): State<Keyward>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    let key = known_key(&keyward, &id).await?;
    caller.may_know(Right::KeysRead, &key.record.keyspace)?;
    Ok(Json(StatusCode::OK, KeyView::new(&key, keyward.now())).into_response())
}

/// Changes a key. A field that is left out stays as it is.
#[utoipa::path(
    patch, path = "/v1/keys/{id}", tag = "keys", params(("id" = String, Path)),
    request_body = KeyChangesBody,
    responses((status = 200, body = KeyView<'_>), Problems),
)]
pub(crate) async fn update(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
    Body(body): Body<KeyChangesBody>,
) -> Answer {
    let key = writable_key(&keyward, &caller, &id).await?;
    let mut fields = Fields::default();
    let changes = body.read(&mut fields);
    fields.finish()?;
    if changes.fields().is_empty() {
        let rule = Invalid::new("must change at least one field");
        return Err(Problem::invalid_body(vec![rule.at("body")]));
    }
    let record = keyward.update(&key.record.id, changes, caller.context()).await?;
    Ok(Json(StatusCode::OK, KeyView::of(&record, Some(key.usage), keyward.now())).into_response())
}

/// Deletes a key softly: it stops working, and can be restored until it is purged.
#[utoipa::path(
    delete, path = "/v1/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 200, body = KeyView<'_>), Problems),
)]
pub(crate) async fn delete(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let key = writable_key(&keyward, &caller, &id).await?;
    let record = keyward.delete(&key.record.id, caller.context()).await?;
    Ok(Json(StatusCode::OK, KeyView::of(&record, Some(key.usage), keyward.now())).into_response())
}

async fn known_key(keyward: &Keyward, id: &str) -> Result<StoredKey, Problem> {
    let id = KeyId::parse(id).map_err(|_| Problem::not_found())?;
    keyward.key(&id).await?.ok_or_else(Problem::not_found)
}

/// The key of that id, if the caller may write it; it is kept secret from whoever may not read it.
pub(crate) async fn writable_key(
    keyward: &Keyward,
    caller: &Caller,
    id: &str,
) -> Result<StoredKey, Problem> {
    let key = known_key(keyward, id).await?;
    let keyspace = &key.record.keyspace;
    let right = Right::to_write_keys_of(keyspace);
    let Err(refused) = caller.may(right, Some(keyspace)) else { return Ok(key) };
    caller.may_know(Right::KeysRead, keyspace)?;
    Err(refused)
}

pub(crate) fn read_new(body: IssueBody) -> Result<NewKey, Problem> {
    let mut fields = Fields::default();
    let keyspace =
        fields.optional("keyspace", body.keyspace.as_deref(), |text| KeyspaceId::parse(text));
    let said = NewKeyFields {
        owner: &body.owner,
        name: body.name.as_deref(),
        description: body.description.as_deref(),
        scopes: &body.scopes,
        resources: &body.resources.0,
        tags: &body.tags,
        metadata: body.metadata,
        enabled: body.enabled,
        not_before: body.not_before.as_deref(),
    };
    let new = said.read(keyspace, &mut fields);
    let expiry = fields.expiry(body.expires_at.as_ref(), body.expires_in.as_deref());
    fields.finish()?;
    // Without a complaint there is a key.
    let new = new.ok_or_else(Problem::unreadable_body)?;
    let (expiry, claims) = (expiry.unwrap_or_default(), body.claims.unwrap_or_default());
    Ok(NewKey { claims, expiry, ..new })
}

fn read_query(parameters: &ListParameters, now: Timestamp) -> Result<KeyQuery, Problem> {
    let p = parameters;
    let mut fields = Fields::default();
    let query = KeyQuery {
        owner: fields.optional("owner", p.owner.as_deref(), |text| OwnerId::parse(text)),
        keyspace: fields
            .optional("keyspace", p.keyspace.as_deref(), |text| KeyspaceId::parse(text)),
        tags: read_tags(p, &mut fields),
        state: fields.optional("state", p.state.as_deref(), read_state),
        search: fields.optional("search", p.search.as_deref(), Search::parse),
        now,
        sort: fields.optional("sort", p.sort.as_deref(), read_sort).unwrap_or_default(),
        order: fields.optional("order", p.order.as_deref(), read_order).unwrap_or_default(),
        limit: fields.optional("limit", p.limit.as_deref(), page_limit).unwrap_or(ON_A_PAGE),
        after: fields.optional("cursor", p.cursor.as_deref(), KeyPosition::from_cursor),
    };
    if query.after.as_ref().is_some_and(|after| !after.is_of(query.sort, query.order)) {
        let rule = Invalid::new("must be used with the sort and order of its list");
        fields.take::<()>(Err(rule.at("cursor")));
    }
    fields.finish_query()?;
    Ok(query)
}

fn read_tags(parameters: &ListParameters, fields: &mut Fields) -> TagFilter {
    let one = fields.optional("tag", parameters.tag.as_deref(), Tag::parse);
    let several = fields.optional("tags", parameters.tags.as_deref(), |text| {
        text.split(',').map(|tag| Tag::parse(tag.trim())).collect::<Result<Vec<_>, _>>()
    });
    let matching = fields.optional("match", parameters.matching.as_deref(), |text| match text {
        "all" => Ok(MatchTags::All),
        "any" => Ok(MatchTags::Any),
        _ => Err(Invalid::new("must be any or all")),
    });
    let tags = TagSet::new(one.into_iter().chain(several.into_iter().flatten()));
    let tags = fields.take(tags.map_err(|invalid| invalid.at("tags")));
    TagFilter { tags: tags.unwrap_or_default(), matching: matching.unwrap_or_default() }
}

/// The page of the one key with a digest, if the query would list it.
async fn page_of_digest(
    keyward: &Keyward,
    text: &str,
    query: &KeyQuery,
) -> Result<KeyPage, Problem> {
    let digest = Digest::parse(text).map_err(|e| Problem::invalid_query(vec![e.at("digest")]))?;
    let key = keyward.find_by_digest(&digest).await?;
    let keys = key.into_iter().filter(|key| query.includes(&key.record)).collect();
    Ok(KeyPage { keys, next: None })
}

pub(crate) fn read_state(text: &str) -> Result<KeyState, Invalid> {
    let state = KeyState::ALL.into_iter().find(|state| state.as_str() == text);
    state.ok_or_else(|| {
        Invalid::new("must be active, deleted, disabled, expired, not_yet_valid or revoked")
    })
}

fn read_sort(text: &str) -> Result<KeySort, Invalid> {
    match text {
        "created_at" => Ok(KeySort::CreatedAt),
        "expires_at" => Ok(KeySort::ExpiresAt),
        "name" => Ok(KeySort::Name),
        _ => Err(Invalid::new("must be created_at, expires_at or name")),
    }
}

fn read_order(text: &str) -> Result<Order, Invalid> {
    match text {
        "asc" => Ok(Order::Ascending),
        "desc" => Ok(Order::Descending),
        _ => Err(Invalid::new("must be asc or desc")),
    }
}
