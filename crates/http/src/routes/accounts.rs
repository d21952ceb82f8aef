//! Service accounts: create, list, show, change, delete; and the other acts.
#![expect(unused_qualifications, reason = "utoipa writes them")]

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::store::{AccountPosition, AccountQuery, AccountSort, Cursor, Search};
use keyward::{
    AccountChanges, AccountState, ClientId, Description, Invalid, IssuedAccount, Keyward, Lifetime,
    NewServiceAccount, OwnerId, ScopeSet, ServiceAccount, Version,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::keys::read_order;
use super::{ON_A_PAGE, page_limit, page_number, read_flag, skipped};
use crate::access::Right;
use crate::caller::{Actor, Caller};
use crate::fields::{Fields, nullable};
use crate::input::{Body, OptionalBody, Path, Query, given};
use crate::problem::{Problem, Problems};
use crate::view::{AccountView, Answer, Json, Page, Pagination, SecretJson};

/// A service account to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateAccountBody {
    /// Whoever the account acts for: 1 to 256 characters.
    owner: String,
    /// A note for people: 1 to 2,000 characters.
    description: Option<String>,
    /// What access tokens of the account may be for: up to 256 scopes.
    #[serde(default)]
    scopes: Vec<String>,
    /// Whether the account is switched on; by default it is.
    enabled: Option<bool>,
}

/// Changes to a service account: a field that is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateAccountBody {
    /// The version that the caller saw; any other is a conflict.
    #[serde(default, deserialize_with = "given")]
    version: Option<u64>,
    /// A new note, or null for none.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// All the scopes that access tokens of the account may be for.
    #[serde(default, deserialize_with = "given")]
    scopes: Option<Vec<String>>,
}

/// How to give a service account a new client secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateAccountBody {
    /// How long the old client secret still works, such as `24h`; left out: not at all.
    grace: Option<String>,
}

/// Which service accounts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// Only accounts of this owner.
    owner: Option<String>,
    /// Only accounts that are their owner's primary one, or only others: `true` or `false`.
    primary: Option<String>,
    /// Only accounts in this state. Left out: all that are not deleted.
    #[param(value_type = Option<crate::view::AccountStateName>)]
    state: Option<String>,
    /// Whether deleted accounts are listed, too, where no state is asked for: `true` or `false`
    /// (default).
    include_deleted: Option<String>,
    /// Only accounts with this text in description, owner or id, in any case.
    search: Option<String>,
    /// By what to sort: `created_at` (default) or `updated_at`.
    sort: Option<String>,
    /// In which direction: `desc` (default) or `asc`.
    order: Option<String>,
    /// How many accounts, 1 to 200; by default 50.
    limit: Option<String>,
    /// The `next_cursor` of the page before, with the same `sort` and `order`.
    cursor: Option<String>,
    /// The number of a page, from 1, instead of a cursor. The answer then tells how many accounts there
    /// are in all.
    page: Option<String>,
}

/// A service account's credentials: this is the only time that the client secret can be seen.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IssuedAccountView<'a> {
    /// The client id, which is the account's id.
    #[schema(value_type = String, example = "550e8400-e29b-41d4-a716-446655440000")]
    client_id: ClientId,
    /// The text to hand out with it.
    #[schema(example = "kwcs_7Kx2mPqRtUvW_\u{2026}")]
    client_secret: &'a str,
    /// The record that is stored.
    service_account: AccountView<'a>,
}

impl<'a> From<&'a IssuedAccount> for IssuedAccountView<'a> {
    fn from(issued: &'a IssuedAccount) -> Self {
        Self {
            client_id: issued.account.id,
            client_secret: issued.client_secret.expose(),
            service_account: AccountView::from(&issued.account),
        }
    }
}

/// Creates a service account. The client secret is in this answer and never again.
#[utoipa::path(
    post, path = "/v1/service-accounts", tag = "service accounts",
    request_body = CreateAccountBody,
    responses((status = 201, body = IssuedAccountView<'_>), Problems),
)]
pub(crate) async fn create(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<CreateAccountBody>,
) -> Answer {
    caller.may(Right::AccountsWrite, None)?;
    let mut fields = Fields::default();
    let owner = fields.required("owner", &body.owner, |text| OwnerId::parse(text));
    let description = fields
        .optional("description", body.description.as_deref(), |text| Description::parse(text));
    let scopes = fields.take(ScopeSet::parse(&body.scopes, "scopes"));
    fields.finish()?;
    // Without a complaint both are there.
    let (Some(owner), Some(scopes)) = (owner, scopes) else {
        return Err(Problem::unreadable_body());
    };
    let enabled = body.enabled.unwrap_or(true);
    let new = NewServiceAccount { description, scopes, enabled, ..NewServiceAccount::new(owner) };
    let issued = keyward.create_account(new, caller.context()).await?;
    Ok(SecretJson(StatusCode::CREATED, IssuedAccountView::from(&issued)).into_response())
}

/// Service accounts, the newest first or as asked, in pages.
#[utoipa::path(
    get, path = "/v1/service-accounts", tag = "service accounts", params(ListParameters),
    responses((status = 200, body = Page<AccountView<'_>>), Problems),
)]
pub(crate) async fn list(
    State(keyward): State<Keyward>,
    caller: Caller,
    Query(parameters): Query<ListParameters>,
) -> Answer {
    let (query, number) = read_query(&parameters)?;
    caller.may(Right::AccountsRead, None)?;
    let page = keyward.accounts(&query).await?;
    let data: Vec<_> = page.accounts.iter().map(AccountView::from).collect();
    let next_cursor = page.next.map(|next| next.to_cursor());
    let pagination =
        number.zip(page.total).map(|(number, total)| Pagination::new(number, query.limit, total));
    Ok(Json(StatusCode::OK, Page::new(data, next_cursor).numbered(pagination)).into_response())
}

/// One service account, deleted ones included.
#[utoipa::path(
    get, path = "/v1/service-accounts/{id}", tag = "service accounts",
    params(("id" = String, Path)),
    responses((status = 200, body = AccountView<'_>), Problems),
)]
pub(crate) async fn show(
    State(keyward): State<Keyward>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    caller.may(Right::AccountsRead, None).map_err(Problem::hidden)?;
    let id = known_id(&id)?;
    let account = keyward.account(&id).await?.ok_or_else(Problem::not_found)?;
    Ok(told(&account))
}

/// Changes a service account. A field that is left out stays as it is.
#[utoipa::path(
    patch, path = "/v1/service-accounts/{id}", tag = "service accounts",
    params(("id" = String, Path)), request_body = UpdateAccountBody,
    responses((status = 200, body = AccountView<'_>), Problems),
)]
pub(crate) async fn update(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
    Body(body): Body<UpdateAccountBody>,
) -> Answer {
    let id = writable_id(&caller, &id)?;
    let mut fields = Fields::default();
    let scopes = body.scopes.as_ref().map(|scopes| ScopeSet::parse(scopes, "scopes"));
    let changes = AccountChanges {
        version: body.version.map(Version::new),
        description: fields
            .nullable("description", body.description.as_ref(), |text| Description::parse(text)),
        scopes: scopes.and_then(|scopes| fields.take(scopes)),
    };
    fields.finish()?;
    if changes.fields().is_empty() {
        let rule = Invalid::new("must change at least one field");
        return Err(Problem::invalid_body(vec![rule.at("body")]));
    }
    let account = keyward.update_account(&id, changes, caller.context()).await?;
    Ok(told(&account))
}

/// Deletes a service account softly, and with it each of its keys: they stop working, and can be
/// restored with it until it is purged.
#[utoipa::path(
    delete, path = "/v1/service-accounts/{id}", tag = "service accounts",
    params(("id" = String, Path)),
    responses((status = 200, body = AccountView<'_>), Problems),
)]
pub(crate) async fn delete(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let id = writable_id(&caller, &id)?;
    let account = keyward.delete_account(&id, caller.context()).await?;
    Ok(told(&account))
}

/// Gives a service account a new client secret. Of rotations at the same time exactly one is done.
#[utoipa::path(
    post, path = "/v1/service-accounts/{id}/rotate", tag = "service accounts",
    params(("id" = String, Path)), request_body = Option<RotateAccountBody>,
    responses((status = 201, body = IssuedAccountView<'_>), Problems),
)]
pub(crate) async fn rotate(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
    OptionalBody(body): OptionalBody<RotateAccountBody>,
) -> Answer {
    let id = writable_id(&caller, &id)?;
    let mut fields = Fields::default();
    let grace = fields.optional("grace", body.grace.as_deref(), Lifetime::parse);
    fields.finish()?;
    let issued = keyward.rotate_account(&id, grace, caller.context()).await?;
    Ok(SecretJson(StatusCode::CREATED, IssuedAccountView::from(&issued)).into_response())
}

/// Switches a service account on, and with it its keys that are switched on themselves.
#[utoipa::path(
    post, path = "/v1/service-accounts/{id}/enable", tag = "service accounts",
    params(("id" = String, Path)),
    responses((status = 200, body = AccountView<'_>), Problems),
)]
pub(crate) async fn enable(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let id = writable_id(&caller, &id)?;
    let account = keyward.enable_account(&id, caller.context()).await?;
    Ok(told(&account))
}

/// Switches a service account off, and with it all of its keys.
#[utoipa::path(
    post, path = "/v1/service-accounts/{id}/disable", tag = "service accounts",
    params(("id" = String, Path)),
    responses((status = 200, body = AccountView<'_>), Problems),
)]
pub(crate) async fn disable(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let id = writable_id(&caller, &id)?;
    let account = keyward.disable_account(&id, caller.context()).await?;
    Ok(told(&account))
}

/// Brings a deleted service account back, and with it its keys as they were.
#[utoipa::path(
    post, path = "/v1/service-accounts/{id}/restore", tag = "service accounts",
    params(("id" = String, Path)),
    responses((status = 200, body = AccountView<'_>), Problems),
)]
pub(crate) async fn restore(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let id = writable_id(&caller, &id)?;
    let account = keyward.restore_account(&id, caller.context()).await?;
    Ok(told(&account))
}

/// Removes a deleted service account for good, and with it each of its keys. Audit events stay.
#[utoipa::path(
    post, path = "/v1/service-accounts/{id}/purge", tag = "service accounts",
    params(("id" = String, Path)),
    responses((status = 204), Problems),
)]
pub(crate) async fn purge(
    State(keyward): State<Keyward>,
    caller: Actor,
    Path(id): Path<String>,
) -> Answer {
    let id = writable_id(&caller, &id)?;
    keyward.purge_account(&id, caller.context()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn told(account: &ServiceAccount) -> axum::response::Response {
    Json(StatusCode::OK, AccountView::from(account)).into_response()
}

fn known_id(id: &str) -> Result<ClientId, Problem> {
    ClientId::parse(id).map_err(|_| Problem::not_found())
}

/// That id, if the caller may change service accounts; which there are is kept secret from whoever may
/// not read them.
fn writable_id(caller: &Caller, id: &str) -> Result<ClientId, Problem> {
    let Err(refused) = caller.may(Right::AccountsWrite, None) else { return known_id(id) };
    caller.may(Right::AccountsRead, None).map_err(Problem::hidden)?;
    Err(refused)
}

/// The query, and the number of the page that is asked for, if one is.
fn read_query(p: &ListParameters) -> Result<(AccountQuery, Option<u64>), Problem> {
    let mut fields = Fields::default();
    let limit = fields.optional("limit", p.limit.as_deref(), page_limit).unwrap_or(ON_A_PAGE);
    let number = page_number(p.page.as_deref(), p.cursor.as_deref(), &mut fields);
    let with_deleted = fields.optional("include_deleted", p.include_deleted.as_deref(), read_flag);
    let query = AccountQuery {
        owner: fields.optional("owner", p.owner.as_deref(), |text| OwnerId::parse(text)),
        is_primary: fields.optional("primary", p.primary.as_deref(), read_flag),
        state: fields.optional("state", p.state.as_deref(), read_state),
        with_deleted: with_deleted.unwrap_or_default(),
        search: fields.optional("search", p.search.as_deref(), Search::parse),
        sort: fields.optional("sort", p.sort.as_deref(), read_sort).unwrap_or_default(),
        order: fields.optional("order", p.order.as_deref(), read_order).unwrap_or_default(),
        after: fields.optional("cursor", p.cursor.as_deref(), AccountPosition::from_cursor),
        skip: number.map(|number| skipped(number, limit)),
        ..AccountQuery::new(limit)
    };
    if query.after.as_ref().is_some_and(|after| !after.is_of(query.sort, query.order)) {
        let rule = Invalid::new("must be used with the sort and order of its list");
        fields.take::<()>(Err(rule.at("cursor")));
    }
    fields.finish_query()?;
    Ok((query, number))
}

pub(crate) fn read_state(text: &str) -> Result<AccountState, Invalid> {
    let state = AccountState::ALL.into_iter().find(|state| state.as_str() == text);
    state.ok_or_else(|| Invalid::new("must be active, deleted or disabled"))
}

fn read_sort(text: &str) -> Result<AccountSort, Invalid> {
    match text {
        "created_at" => Ok(AccountSort::CreatedAt),
        "updated_at" => Ok(AccountSort::UpdatedAt),
        _ => Err(Invalid::new("must be created_at or updated_at")),
    }
}
