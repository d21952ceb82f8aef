//! Purging the keys that ended long enough ago.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::{EndedBy, Invalid, Keyward, Lifetime, Reaped};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::acts::spared;
use crate::access::Right;
use crate::caller::Actor;
use crate::fields::Fields;
use crate::input::Body;
use crate::problem::Problems;
use crate::view::{Answer, Json};

/// Keys that are purged by one call, so that it ends well before its deadline.
const MOST_AT_ONCE: usize = 1_000;

/// Which keys are purged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReapBody {
    /// How long ago they must have expired, or been revoked, at least: such as `30d`. Left out: those
    /// that only ended so stay.
    older_than: Option<String>,
    /// How long ago they must have been deleted, at least; service accounts, too, with their keys. Left
    /// out: that they are deleted does not count. One of the two must be given.
    deleted_older_than: Option<String>,
}

/// What was purged.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReapedView {
    /// Keys that are no longer there: up to 1,000.
    purged: usize,
    /// Service accounts that are no longer there; their keys are counted with the others.
    accounts: usize,
    /// Whether there are more, for another call.
    has_more: bool,
}

/// Purges keys that expired or were revoked long enough ago, deleted ones included, and keys and service
/// accounts that were deleted long enough ago. Audit events stay.
///
/// Management keys are left out unless the caller has `root`.
#[utoipa::path(
    post, path = "/v1/keys/reap", tag = "keys", request_body = ReapBody,
    responses((status = 200, body = ReapedView), Problems),
)]
pub(crate) async fn reap(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<ReapBody>,
) -> Answer {
    // There may be such keys in every keyspace.
    caller.may(Right::KeysWrite, None)?;
    let mut fields = Fields::default();
    let before = |text: &str| keyward.now().before(Lifetime::parse(text)?);
    let by = EndedBy {
        deleted: fields.optional("deleted_older_than", body.deleted_older_than.as_deref(), before),
        ended: fields.optional("older_than", body.older_than.as_deref(), before),
    };
    if body.older_than.is_none() && body.deleted_older_than.is_none() {
        let rule = Invalid::new("must be given, or deleted_older_than");
        fields.take::<()>(Err(rule.at("older_than")));
    }
    fields.finish()?;
    if by.deleted.is_some() {
        caller.may(Right::AccountsWrite, None)?;
    }
    let reaped = keyward.reap(by, MOST_AT_ONCE, &spared(&caller), caller.context()).await?;
    let Reaped { accounts, purged, has_more } = reaped;
    let view = ReapedView { purged, accounts, has_more };
    Ok(Json(StatusCode::OK, view).into_response())
}
