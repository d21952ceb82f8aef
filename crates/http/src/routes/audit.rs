//! The audit trail.
#![expect(unused_qualifications, reason = "utoipa writes them")]

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::store::{AuditPosition, AuditQuery, Cursor};
use keyward::{
    Action, ActorId, AuditFilter, ClientId, Invalid, KeyId, KeyspaceId, Keyward, OwnerId, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{ON_A_PAGE, page_limit};
use crate::access::Right;
use crate::caller::{Actor, Caller};
use crate::fields::Fields;
use crate::input::{Members, Query, parse_parameters};
use crate::problem::Problems;
use crate::view::{Answer, AuditView, Json, Page};

/// Which events are meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilterParameters {
    /// Only events of this key.
    key: Option<String>,
    /// Only events of keys and service accounts of this owner.
    owner: Option<String>,
    /// Only events of this service account and its keys.
    service_account: Option<String>,
    /// Only events of this keyspace and its keys.
    keyspace: Option<String>,
    /// Only events of this action, such as `key.revoked`.
    action: Option<String>,
    /// Only events by this actor.
    actor: Option<String>,
    /// Only events at or after this instant (RFC 3339).
    since: Option<String>,
    /// Only events before this instant (RFC 3339).
    until: Option<String>,
}

/// Which part of the events to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParameters {
    /// How many events, 1 to 200; by default 50.
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What the events come to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SummaryView {
    /// How many there are.
    total: u64,
    /// How many there are of each action that there are any of.
    by_action: BTreeMap<&'static str, u64>,
    /// When the last one happened.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<Timestamp>,
}

/// How many events were removed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Erased {
    /// Events that are no longer there.
    erased: usize,
}

/// Management acts, the newest first.
#[utoipa::path(
    get, path = "/v1/audit", tag = "audit", params(FilterParameters, PageParameters),
    responses((status = 200, body = Page<AuditView<'_>>), Problems),
)]
pub(crate) async fn list(
    State(keyward): State<Keyward>,
    caller: Caller,
    Query(Members(mut parameters)): Query<Members<Value>>,
) -> Answer {
    let page = ["limit", "cursor"].into_iter();
    let page = page.filter_map(|name| parameters.remove_entry(name)).collect();
    let page: PageParameters = parse_parameters(Members(page))?;
    let filter = parse_parameters(Members(parameters))?;
    let mut fields = Fields::default();
    let query = AuditQuery {
        filter: read_filter(&filter, &mut fields),
        limit: fields.optional("limit", page.limit.as_deref(), page_limit).unwrap_or(ON_A_PAGE),
        after: fields.optional("cursor", page.cursor.as_deref(), AuditPosition::from_cursor),
    };
    fields.finish_query()?;
    caller.may(Right::AuditRead, query.filter.keyspace.as_ref())?;
    let page = keyward.audit(&query).await?;
    let data: Vec<_> = page.events.iter().map(AuditView::from).collect();
    let next_cursor = page.next.map(|next| next.to_cursor());
    Ok(Json(StatusCode::OK, Page::new(data, next_cursor)).into_response())
}

/// How many events there are, by action, and when the last one happened.
#[utoipa::path(
    get, path = "/v1/audit/summary", tag = "audit", params(FilterParameters),
    responses((status = 200, body = SummaryView), Problems),
)]
pub(crate) async fn summary(
    State(keyward): State<Keyward>,
    caller: Caller,
    Query(parameters): Query<FilterParameters>,
) -> Answer {
    let mut fields = Fields::default();
    let filter = read_filter(&parameters, &mut fields);
    fields.finish_query()?;
    caller.may(Right::AuditRead, filter.keyspace.as_ref())?;
    let summary = keyward.summarize_audit(&filter).await?;
    let (total, last_at) = (summary.total(), summary.last_at);
    let view = SummaryView { total, by_action: summary.by_action, last_at };
    Ok(Json(StatusCode::OK, view).into_response())
}

/// Removes events that happened before now. That they were removed is an event itself.
///
/// At least one parameter must be given.
#[utoipa::path(
    delete, path = "/v1/audit", tag = "audit", params(FilterParameters),
    responses((status = 200, body = Erased), Problems),
)]
pub(crate) async fn erase(
    State(keyward): State<Keyward>,
    caller: Actor,
    Query(parameters): Query<FilterParameters>,
) -> Answer {
    let mut fields = Fields::default();
    let filter = read_filter(&parameters, &mut fields);
    if filter.is_empty() {
        let rule = Invalid::new("must name which events are to be removed");
        fields.take::<()>(Err(rule.at("query")));
    }
    fields.finish_query()?;
    caller.may(Right::AuditWrite, filter.keyspace.as_ref())?;
    let erased = keyward.erase_audit(&filter, caller.context()).await?;
    Ok(Json(StatusCode::OK, Erased { erased }).into_response())
}

fn read_filter(p: &FilterParameters, fields: &mut Fields) -> AuditFilter {
    AuditFilter {
        key: fields.optional("key", p.key.as_deref(), |text| KeyId::parse(text)),
        owner: fields.optional("owner", p.owner.as_deref(), |text| OwnerId::parse(text)),
        service_account: fields.optional(
            "service_account",
            p.service_account.as_deref(),
            ClientId::parse,
        ),
        keyspace: fields
            .optional("keyspace", p.keyspace.as_deref(), |text| KeyspaceId::parse(text)),
        action: fields.optional("action", p.action.as_deref(), str::parse::<Action>),
        actor: fields.optional("actor", p.actor.as_deref(), |text| ActorId::parse(text)),
        since: fields.optional("since", p.since.as_deref(), Timestamp::parse),
        until: fields.optional("until", p.until.as_deref(), Timestamp::parse),
    }
}
