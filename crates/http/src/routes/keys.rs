//! Keys: issue, list, show, change, delete. The other acts are in [`acts`] and [`reap`].
#![expect(unused_qualifications, reason = "utoipa writes them")]

pub(crate) mod acts;
pub(crate) mod reap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::jose::Claims;
use keyward::store::{
    Cursor, KeyPage, KeyPosition, KeyQuery, KeySort, KeyStates, Order, Search, StoredKey,
};
use keyward::{
    ClientId, Digest, Invalid, Issued, KeyId, KeyState, KeyspaceId, Keyward, MatchTags, NewKey,
    OwnerId, Tag, TagFilter, TagSet, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::accounts::IssuedAccountView;
use super::{ON_A_PAGE, page_limit, page_number, read_flag, skipped};
use crate::access::Right;
use crate::caller::{Actor, Caller};
use crate::fields::{Fields, KeyChangesBody, NewKeyFields, nullable};
use crate::input::{Body, Members, Path, Query};
use crate::problem::{Problem, Problems};
use crate::view::{Answer, Json, KeyView, Page, Pagination, SecretJson};

/// A key to issue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueBody {
    /// The keyspace under which to issue it; by default `default`.
    keyspace: Option<String>,
    /// Whoever the key acts for: 1 to 256 characters.
    owner: String,
    /// The service account that the key shall belong to, which must be the owner's. Left out: as the
    /// keyspace says.
    service_account_id: Option<String>,
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
    /// The owner's primary service account and its client secret, if they were made with the key: this
    /// is the only time that the secret can be seen.
    #[serde(flatten)]
    account: Option<IssuedAccountView<'a>>,
}

impl<'a> IssuedView<'a> {
    pub(crate) fn of(issued: &'a Issued, now: Timestamp) -> Self {
        Self {
            secret: issued.secret.expose(),
            key: KeyView::of(&issued.key, now),
            account: issued.account.as_ref().map(IssuedAccountView::from),
        }
    }
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
    /// Only keys of this service account.
    service_account_id: Option<String>,
    /// Only keys in this state, or `inactive`: disabled or not yet valid. Left out: all that are not
    /// deleted.
    #[param(value_type = Option<crate::view::KeyStateName>)]
    state: Option<String>,
    /// Whether deleted keys are listed, too, where no state is asked for: `true` or `false` (default).
    include_deleted: Option<String>,
    /// Only keys of this keyspace.
    keyspace: Option<String>,
    /// Only keys with this text in name, description, owner, id or hint, in any case.
    search: Option<String>,
    /// By what to sort: `created_at` (default), `updated_at`, `expires_at`, `name` or `enabled`.
    sort: Option<String>,
    /// In which direction: `desc` (default) or `asc`.
    order: Option<String>,
    /// How many keys, 1 to 200; by default 50.
    limit: Option<String>,
    /// The `next_cursor` of the page before, with the same `sort` and `order`.
    cursor: Option<String>,
    /// The number of a page, from 1, instead of a cursor. The answer then tells how many keys there are
    /// in all. Far pages take longer to find than by cursors.
    page: Option<String>,
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
    let view = IssuedView::of(&issued, keyward.now());
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
    let (query, number) = read_query(&parameters, keyward.now())?;
    caller.may(Right::KeysRead, query.keyspace.as_ref())?;
    let page = match &parameters.digest {
        Some(digest) => page_of_digest(&keyward, digest, &query).await?,
        None => keyward.list(&query).await?,
    };
    let data: Vec<_> = page.keys.iter().map(|key| KeyView::new(key, query.now)).collect();
    let next_cursor = page.next.map(|next| next.to_cursor());
    let pagination =
        number.zip(page.total).map(|(number, total)| Pagination::new(number, query.limit, total));
    Ok(Json(StatusCode::OK, Page::new(data, next_cursor).numbered(pagination)).into_response())
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
    Ok(Json(StatusCode::OK, KeyView::changed(&record, &key, keyward.now())).into_response())
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
    Ok(Json(StatusCode::OK, KeyView::changed(&record, &key, keyward.now())).into_response())
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
    let service_account =
        fields.optional("service_account_id", body.service_account_id.as_deref(), ClientId::parse);
    let new = said.read(keyspace, &mut fields);
    let expiry = fields.expiry(body.expires_at.as_ref(), body.expires_in.as_deref());
    fields.finish()?;
    // Without a complaint there is a key.
    let new = new.ok_or_else(Problem::unreadable_body)?;
    let (expiry, claims) = (expiry.unwrap_or_default(), body.claims.unwrap_or_default());
    Ok(NewKey { claims, expiry, service_account, ..new })
}

/// The query, and the number of the page that is asked for, if one is.
fn read_query(
    parameters: &ListParameters,
    now: Timestamp,
) -> Result<(KeyQuery, Option<u64>), Problem> {
    let p = parameters;
    let mut fields = Fields::default();
    let limit = fields.optional("limit", p.limit.as_deref(), page_limit).unwrap_or(ON_A_PAGE);
    let number = page_number(p.page.as_deref(), p.cursor.as_deref(), &mut fields);
    let query = KeyQuery {
        owner: fields.optional("owner", p.owner.as_deref(), |text| OwnerId::parse(text)),
        keyspace: fields
            .optional("keyspace", p.keyspace.as_deref(), |text| KeyspaceId::parse(text)),
        tags: read_tags(p, &mut fields),
        service_account: fields.optional(
            "service_account_id",
            p.service_account_id.as_deref(),
            ClientId::parse,
        ),
        states: listed_states(p, &mut fields),
        search: fields.optional("search", p.search.as_deref(), Search::parse),
        now,
        sort: fields.optional("sort", p.sort.as_deref(), read_sort).unwrap_or_default(),
        order: fields.optional("order", p.order.as_deref(), read_order).unwrap_or_default(),
        limit,
        after: fields.optional("cursor", p.cursor.as_deref(), KeyPosition::from_cursor),
        skip: number.map(|number| skipped(number, limit)),
    };
    if query.after.as_ref().is_some_and(|after| !after.is_of(query.sort, query.order)) {
        let rule = Invalid::new("must be used with the sort and order of its list");
        fields.take::<()>(Err(rule.at("cursor")));
    }
    fields.finish_query()?;
    Ok((query, number))
}

fn listed_states(parameters: &ListParameters, fields: &mut Fields) -> KeyStates {
    let with_deleted =
        fields.optional("include_deleted", parameters.include_deleted.as_deref(), read_flag);
    let all = if with_deleted == Some(true) { KeyStates::ALL } else { KeyStates::NOT_DELETED };
    fields.optional("state", parameters.state.as_deref(), read_states).unwrap_or(all)
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
    let keys: Vec<_> = key.into_iter().filter(|key| query.includes(key)).collect();
    let total = query.skip.map(|_| u64::try_from(keys.len()).unwrap_or(u64::MAX));
    let keys = if query.skip.is_some_and(|skip| skip > 0) { Vec::new() } else { keys };
    Ok(KeyPage { keys, next: None, total })
}

pub(crate) fn read_states(text: &str) -> Result<KeyStates, Invalid> {
    if text == "inactive" {
        return Ok(KeyStates::INACTIVE);
    }
    let state = KeyState::ALL.into_iter().find(|state| state.as_str() == text);
    state.map(KeyStates::from).ok_or_else(|| {
        let rule = "must be active, deleted, disabled, expired, inactive, not_yet_valid or revoked";
        Invalid::new(rule)
    })
}

fn read_sort(text: &str) -> Result<KeySort, Invalid> {
    match text {
        "created_at" => Ok(KeySort::CreatedAt),
        "enabled" => Ok(KeySort::Enabled),
        "expires_at" => Ok(KeySort::ExpiresAt),
        "name" => Ok(KeySort::Name),
        "updated_at" => Ok(KeySort::UpdatedAt),
        _ => Err(Invalid::new("must be created_at, updated_at, expires_at, name or enabled")),
    }
}

pub(crate) fn read_order(text: &str) -> Result<Order, Invalid> {
    match text {
        "asc" => Ok(Order::Ascending),
        "desc" => Ok(Order::Descending),
        _ => Err(Invalid::new("must be asc or desc")),
    }
}
