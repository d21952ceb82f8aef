//! Purging the keys that ended long enough ago.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::{Keyward, Lifetime};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::acts::spared;
use crate::access::Right;
use crate::caller::Actor;
use crate::fields::Fields;
use crate::input::Body;
use crate::problem::{Problem, Problems};
use crate::view::{Answer, Json};

/// Keys that are purged by one call, so that it ends well before its deadline.
const MOST_AT_ONCE: usize = 1_000;

/// Which keys are purged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReapBody {
    /// How long ago they must have expired, or been revoked, at least: such as `30d`.
    older_than: String,
}

/// How many keys were purged.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReapedView {
    /// Keys that are no longer there: up to 1,000.
    purged: usize,
    /// Whether there are more, for another call.
    has_more: bool,
}

/// Purges keys that expired or were revoked long enough ago, deleted ones included. Their audit
/// events stay.
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
    let by = fields.required("older_than", &body.older_than, |text| {
        keyward.now().before(Lifetime::parse(text)?)
    });
    fields.finish()?;
    let by = by.ok_or_else(Problem::unreadable_body)?;
    let reaped = keyward.reap(by, MOST_AT_ONCE, &spared(&caller), caller.context()).await?;
    let view = ReapedView { purged: reaped.purged, has_more: reaped.has_more };
    Ok(Json(StatusCode::OK, view).into_response())
}
