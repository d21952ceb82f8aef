//! Handing service accounts out with their digests.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::store::{AccountPosition, AccountQuery, AccountSort, Cursor, Order};
use keyward::{
    ClientId, Description, Invalid, Keyward, OwnerId, ScopeSet, ServiceAccount, Timestamp, Version,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ExportedHash, ExportedPrevious};
use crate::access::Right;
use crate::caller::Actor;
use crate::fields::Fields;
use crate::input::Body;
use crate::problem::Problems;
use crate::routes::MOST_ON_A_PAGE;
use crate::routes::accounts::read_state;
use crate::view::{Answer, Json, Page};

/// Which service accounts to export.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportAccountsBody {
    /// Only accounts of this owner.
    owner: Option<String>,
    /// Only accounts in this state. Left out: all that are not deleted.
    #[schema(value_type = Option<crate::view::AccountStateName>)]
    state: Option<String>,
    /// How many accounts, 1 to 200; by default 200.
    limit: Option<usize>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A service account as `POST /v1/service-accounts/import` takes it: its record and its digests, never
/// its client secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportedAccount<'a> {
    #[schema(value_type = String)]
    id: ClientId,
    /// The digest of the client secret.
    hash: ExportedHash,
    owner: &'a str,
    primary: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[schema(value_type = Vec<String>)]
    scopes: &'a ScopeSet,
    enabled: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    created_by: &'a str,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    updated_by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    rotated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_by: Option<&'a str>,
    /// The digest of the client secret before the last rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<ExportedPrevious>,
    #[schema(value_type = u64)]
    version: Version,
}

/// A page of service accounts with their digests, the oldest first, for taking them over elsewhere: each
/// is what `POST /v1/service-accounts/import` takes.
///
/// Whoever has the digests can try out guesses, so that only weak secrets are in danger. The audit
/// trail tells of it.
#[utoipa::path(
    post, path = "/v1/service-accounts/export", tag = "service accounts",
    request_body = ExportAccountsBody,
    responses((status = 200, body = Page<ExportedAccount<'_>>), Problems),
)]
pub(crate) async fn export(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<ExportAccountsBody>,
) -> Answer {
    let mut fields = Fields::default();
    let limit = body.limit.unwrap_or(MOST_ON_A_PAGE);
    if !(1..=MOST_ON_A_PAGE).contains(&limit) {
        fields.take::<()>(Err(Invalid::new("must be a number from 1 to 200").at("limit")));
    }
    let query = AccountQuery {
        owner: fields.optional("owner", body.owner.as_deref(), |text| OwnerId::parse(text)),
        state: fields.optional("state", body.state.as_deref(), read_state),
        sort: AccountSort::CreatedAt,
        order: Order::Ascending,
        after: fields.optional("cursor", body.cursor.as_deref(), AccountPosition::from_cursor),
        ..AccountQuery::new(limit)
    };
    if query.after.as_ref().is_some_and(|after| !after.is_of(query.sort, query.order)) {
        let rule = Invalid::new("must be one of an export");
        fields.take::<()>(Err(rule.at("cursor")));
    }
    fields.finish()?;
    caller.may(Right::AccountsExport, None)?;
    let page = keyward.export_accounts(&query, caller.context()).await?;
    let data: Vec<_> = page.accounts.iter().map(ExportedAccount::from).collect();
    let next_cursor = page.next.map(|next| next.to_cursor());
    Ok(Json(StatusCode::OK, Page::new(data, next_cursor)).into_response())
}

impl<'a> From<&'a ServiceAccount> for ExportedAccount<'a> {
    fn from(account: &'a ServiceAccount) -> Self {
        let deletion = account.deletion.as_ref();
        Self {
            id: account.id,
            hash: (&account.secret.current).into(),
            owner: account.owner.as_str(),
            primary: account.is_primary,
            description: account.description.as_ref().map(Description::as_str),
            scopes: &account.scopes,
            enabled: account.enabled,
            created_at: account.created_at,
            created_by: account.created_by.as_str(),
            updated_at: account.updated_at,
            updated_by: account.updated_by.as_str(),
            rotated_at: account.rotated_at,
            deleted_at: deletion.map(|deletion| deletion.at),
            deleted_by: deletion.map(|deletion| deletion.by.as_str()),
            previous: account.secret.previous.as_ref().map(ExportedPrevious::from),
            version: account.version,
        }
    }
}
