//! The audit trail.
#![expect(unused_qualifications, reason = "utoipa writes them")]

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::store::{AuditPosition, AuditQuery, Cursor};
use keyward::{Action, ActorId, KeyId, KeyspaceId, Keyward, OwnerId, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ON_A_PAGE, page_limit};
use crate::access::Right;
use crate::caller::Caller;
use crate::fields::Fields;
use crate::input::Query;
use crate::problem::Problems;
use crate::view::{Answer, AuditView, Json, Page};

/// Which events to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParameters {
    /// Only events of this key.
    key: Option<String>,
    /// Only events of keys of this owner.
    owner: Option<String>,
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
    /// How many events, 1 to 200; by default 50.
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Management acts, the newest first.
#[utoipa::path(
    get, path = "/v1/audit", tag = "audit", params(AuditParameters),
    responses((status = 200, body = Page<AuditView<'_>>), Problems),
)]
pub(crate) async fn list(
    State(keyward): State<Keyward>,
    caller: Caller,
    Query(parameters): Query<AuditParameters>,
) -> Answer {
    let p = &parameters;
    let mut fields = Fields::default();
    let query = AuditQuery {
        key: fields.optional("key", p.key.as_deref(), |text| KeyId::parse(text)),
        owner: fields.optional("owner", p.owner.as_deref(), |text| OwnerId::parse(text)),
        keyspace: fields
            .optional("keyspace", p.keyspace.as_deref(), |text| KeyspaceId::parse(text)),
        action: fields.optional("action", p.action.as_deref(), str::parse::<Action>),
        actor: fields.optional("actor", p.actor.as_deref(), |text| ActorId::parse(text)),
        since: fields.optional("since", p.since.as_deref(), Timestamp::parse),
        until: fields.optional("until", p.until.as_deref(), Timestamp::parse),
        limit: fields.optional("limit", p.limit.as_deref(), page_limit).unwrap_or(ON_A_PAGE),
        after: fields.optional("cursor", p.cursor.as_deref(), AuditPosition::from_cursor),
    };
    fields.finish_query()?;
    caller.may(Right::AuditRead, query.keyspace.as_ref())?;
    let page = keyward.audit(&query).await?;
    let data: Vec<_> = page.events.iter().map(AuditView::from).collect();
    let next_cursor = page.next.map(|next| next.to_cursor());
    Ok(Json(StatusCode::OK, Page { data, next_cursor }).into_response())
}
