//! Verifying a presented secret on behalf of an application.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use keyward::{
    Asked, Decision, DenyReason, Keyward, MatchScopes, Permit, ResourceId, Scope, Secret, Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Right;
use crate::caller::Caller;
use crate::fields::Fields;
use crate::input::Body;
use crate::problem::Problems;
use crate::view::{Answer, Json, KeyView, WrittenJson};

/// A presented secret, and what its holder wants to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyBody {
    /// The text that was presented.
    #[schema(value_type = String)]
    secret: Secret,
    /// The scopes that are needed; none: being valid is enough.
    #[serde(default)]
    scopes: Vec<String>,
    /// Whether all of the scopes are needed or any one.
    #[serde(default)]
    r#match: Match,
    /// The resource on which they are needed, as `type:id`.
    resource: Option<String>,
}

/// How many of the scopes are needed.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Match {
    #[default]
    All,
    Any,
}

/// The decision on a presented secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "it lives as long as one answer is written")]
pub(crate) enum Verification<'a> {
    /// It may.
    #[expect(dead_code, reason = "the schema of what the function `valid` writes")]
    Valid {
        /// Always true.
        valid: bool,
        /// The key that the secret belongs to.
        key: KeyView<'a>,
    },
    /// It may not.
    Invalid {
        /// Always false.
        valid: bool,
        /// The reason as a stable word: `missing`, `malformed`, `unknown`, `expired`, `revoked`,
        /// `disabled`, `not_yet_valid`, `insufficient_scope` or `rate_limited`.
        code: &'static str,
        /// The reason as a sentence.
        message: &'static str,
        /// With `rate_limited`: how many seconds to wait.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<f64>,
    },
}

/// Whether the key with this secret may do what is asked.
///
/// Answers 200 for both decisions. A secret that is unknown and one that is wrong are not told apart.
#[utoipa::path(
    post, path = "/v1/verify", tag = "verify", request_body = VerifyBody,
    responses((status = 200, body = Verification<'_>), Problems),
)]
pub(crate) async fn verify(
    State(keyward): State<Keyward>,
    caller: Caller,
    Body(body): Body<VerifyBody>,
) -> Answer {
    caller.may(Right::KeysVerify, None)?;
    let mut fields = Fields::default();
    let scopes = fields.take(Scope::parse_list(&body.scopes, "scopes"));
    let resource =
        fields.optional("resource", body.resource.as_deref(), |text| ResourceId::parse(text));
    fields.finish()?;
    let scopes = scopes.unwrap_or_default();
    let asked = Asked {
        keyspace: None,
        matching: match body.r#match {
            Match::All => MatchScopes::All,
            Match::Any => MatchScopes::Any,
        },
        resource: resource.as_ref(),
        scopes: &scopes,
    };
    let decision = keyward.verify(body.secret.expose(), &asked).await?;
    Ok(match &decision {
        Decision::Allow(permit) => valid(permit, keyward.now()),
        Decision::Deny(reason) => Json(StatusCode::OK, invalid(reason)).into_response(),
    })
}

/// The view of the key, used just now. Writing the record would be the dearest part of each
/// verification, so it is written once and kept; only the instant is put in.
fn valid(permit: &Permit, now: Timestamp) -> Response {
    let record = permit.holder().written(|record| {
        let view = serde_json::to_string(&KeyView::of(record, None, now)).ok()?;
        view.strip_suffix(r#""last_used_at":null}"#).map(Box::from)
    });
    match record {
        Some(record) => {
            let body = format!(r#"{{"valid":true,"key":{record}"last_used_at":"{now}"}}}}"#);
            WrittenJson(StatusCode::OK, body.into_bytes()).into_response()
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn invalid(reason: &DenyReason) -> Verification<'static> {
    Verification::Invalid {
        valid: false,
        code: reason.code(),
        message: reason.message(),
        retry_after: match reason {
            DenyReason::RateLimited { retry_after } => Some(retry_after.as_secs_f64()),
            _ => None,
        },
    }
}
