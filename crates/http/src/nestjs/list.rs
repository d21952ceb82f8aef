//! Listing keys.
#![expect(unused_qualifications, reason = "utoipa writes them")]

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use keyward::store::{KeyQuery, KeySort, KeyStates, Order, Search, SearchIn};
use keyward::{ClientId, Invalid, KeyState, KeyspaceId, Keyward, OwnerId, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::NestjsError;
use super::envelope::Outcome;
use super::error::{Done, Failures};
use super::view::{KeyList, ListedKey};
use crate::access::Right;
use crate::caller::Caller;
use crate::fields::Fields;
use crate::input::Query;
use crate::routes::{page_number, read_flag, skipped};
use crate::view::Pagination;

/// The most keys on a page.
const MOST_ON_A_PAGE: usize = 100;
/// The keys on a page where no number is asked for.
const ON_A_PAGE: usize = 10;

/// Which keys to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParameters {
    /// Only keys of this service account.
    client_id: Option<String>,
    /// Only keys of this user.
    user_id: Option<String>,
    /// Only keys that come to this. Left out: all that are not deleted.
    #[param(value_type = Option<super::view::Status>)]
    status: Option<String>,
    /// Only keys with this text in name or description, in any case.
    search: Option<String>,
    /// By what to sort: `created_at` (default), `updated_at`, `expiry_date`, `name` or `is_active`. Keys
    /// that are alike in it are sorted by id.
    sort_by: Option<String>,
    /// In which direction: `DESC` (default) or `ASC`, in any case.
    sort_order: Option<String>,
    /// The number of the page, from 1.
    page: Option<String>,
    /// How many keys, 1 to 100; by default 10.
    limit: Option<String>,
    /// Whether deleted keys are listed, too, where no status is asked for: `true` or `false` (default).
    include_deleted: Option<String>,
}

/// Keys, the newest first or as asked, in pages.
#[utoipa::path(
    get, path = "/api/keys", tag = "keys", params(ListParameters),
    responses((status = 200, body = Outcome<KeyList<'_>>), Failures),
)]
pub(super) async fn list(
    State(keyward): State<Keyward>,
    Extension(keyspace): Extension<KeyspaceId>,
    caller: Caller,
    Query(parameters): Query<ListParameters>,
) -> Result<Response, NestjsError> {
    caller.may(Right::KeysRead, Some(&keyspace))?;
    let (query, page) = read(&parameters, keyspace, keyward.now())?;
    if let Some(id) = &query.service_account {
        let account = keyward.account(id).await?;
        let is_asked_for = |owner| query.owner.as_ref().is_none_or(|asked| *asked == owner);
        if !account.is_some_and(|account| is_asked_for(account.owner)) {
            return Err(NestjsError::service_account_not_found());
        }
    }
    let found = keyward.list(&query).await?;
    let pagination = Pagination::new(page, query.limit, found.total.unwrap_or_default());
    let keys = found.keys.iter().map(|key| ListedKey::of(key, query.now)).collect();
    let list = KeyList { keys, pagination };
    Ok(Outcome::page(Done::Listed, list, pagination, query.now))
}

/// The query, and the number of the page.
fn read(
    p: &ListParameters,
    keyspace: KeyspaceId,
    now: Timestamp,
) -> Result<(KeyQuery, u64), NestjsError> {
    let mut fields = Fields::default();
    let limit = read_limit(p.limit.as_deref())?;
    let page = page_number(p.page.as_deref(), None, &mut fields).unwrap_or(1);
    let with_deleted = fields.optional("include_deleted", p.include_deleted.as_deref(), read_flag);
    let all = if with_deleted == Some(true) { KeyStates::ALL } else { KeyStates::NOT_DELETED };
    let search = fields.optional("search", p.search.as_deref(), Search::parse);
    let query = KeyQuery {
        owner: fields.optional("user_id", p.user_id.as_deref(), |text| OwnerId::parse(text)),
        service_account: fields.optional("client_id", p.client_id.as_deref(), ClientId::parse),
        keyspace: Some(keyspace),
        states: fields.optional("status", p.status.as_deref(), read_status).unwrap_or(all),
        search: search.map(|search| search.within(SearchIn::Notes)),
        sort: fields.optional("sort_by", p.sort_by.as_deref(), read_sort).unwrap_or_default(),
        order: fields
            .optional("sort_order", p.sort_order.as_deref(), read_order)
            .unwrap_or_default(),
        skip: Some(skipped(page, limit)),
        ..KeyQuery::new(now, limit)
    };
    fields.finish_query()?;
    Ok((query, page))
}

fn read_limit(text: Option<&str>) -> Result<usize, NestjsError> {
    let Some(text) = text else { return Ok(ON_A_PAGE) };
    let limit = text.parse().ok().filter(|limit| (1..=MOST_ON_A_PAGE).contains(limit));
    limit.ok_or_else(NestjsError::invalid_limit)
}

/// The states that are shown as this status.
fn read_status(text: &str) -> Result<KeyStates, Invalid> {
    match text {
        "active" => Ok(KeyState::Active.into()),
        "deleted" => Ok(KeyState::Deleted.into()),
        "expired" => Ok(KeyState::Expired.into()),
        "inactive" => Ok(KeyStates::INACTIVE),
        "revoked" => Ok(KeyState::Revoked.into()),
        _ => Err(Invalid::new("must be active, deleted, expired, inactive or revoked")),
    }
}

fn read_sort(text: &str) -> Result<KeySort, Invalid> {
    match text {
        "created_at" => Ok(KeySort::CreatedAt),
        "expiry_date" => Ok(KeySort::ExpiresAt),
        "is_active" => Ok(KeySort::Enabled),
        "name" => Ok(KeySort::Name),
        "updated_at" => Ok(KeySort::UpdatedAt),
        _ => Err(Invalid::new("must be created_at, expiry_date, is_active, name or updated_at")),
    }
}

fn read_order(text: &str) -> Result<Order, Invalid> {
    if text.eq_ignore_ascii_case("asc") {
        Ok(Order::Ascending)
    } else if text.eq_ignore_ascii_case("desc") {
        Ok(Order::Descending)
    } else {
        Err(Invalid::new("must be ASC or DESC"))
    }
}
