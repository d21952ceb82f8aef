//! Verifying a presented secret on behalf of an application.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::{
    Asked, ClientCredentials, Decision, DenyReason, Invalid, Keyward, MatchScopes, Permit,
    ResourceId, Scope, Secret, Timestamp, VerifyOptions,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::access::Right;
use crate::caller::Caller;
use crate::fields::Fields;
use crate::input::Body;
use crate::problem::{Problem, Problems};
use crate::view::{Answer, Json, KeyView, WrittenJson};

/// A presented secret, and what its holder wants to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyBody {
    /// The text that was presented.
    #[schema(value_type = String)]
    secret: Secret,
    /// The client id of the service account as whose the secret was presented; together with
    /// `client_secret`.
    client_id: Option<String>,
    /// The account's client secret. If any of the three is wrong, or they do not belong together, the
    /// code is `unknown`.
    #[schema(value_type = Option<String>)]
    client_secret: Option<Secret>,
    /// The scopes that are needed; none: being valid is enough.
    #[serde(default)]
    scopes: Vec<String>,
    /// Whether all of the scopes are needed or any one.
    #[serde(default)]
    r#match: Match,
    /// The resource on which they are needed, as `type:id`.
    resource: Option<String>,
    /// Asks the store, whatever this node has cached.
    #[serde(default)]
    skip_cache: bool,
    /// Does not count the use.
    #[serde(default)]
    skip_tracking: bool,
}

impl VerifyBody {
    /// The credentials of a service account, if there are any: one alone is a mistake.
    fn client(&self) -> Result<Option<ClientCredentials<'_>>, Problem> {
        let missing = |field| {
            let rule = Invalid::new("must be given with the other one");
            Problem::invalid_body(vec![rule.at(field)])
        };
        match (&self.client_id, &self.client_secret) {
            (Some(id), Some(secret)) => Ok(Some(ClientCredentials { id, secret: secret.expose() })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(missing("client_secret")),
            (None, Some(_)) => Err(missing("client_id")),
        }
    }
}

/// How many of the scopes are needed.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Match {
    #[default]
    All,
    Any,
}

/// What is asked of a key, read from a request.
pub(crate) struct Question {
    matching: MatchScopes,
    resource: Option<ResourceId>,
    scopes: Box<[Scope]>,
}

impl Question {
    pub(crate) fn read(
        scopes: &[String],
        matching: Match,
        resource: Option<&str>,
    ) -> Result<Self, Problem> {
        let mut fields = Fields::default();
        let scopes = fields.take(Scope::parse_list(scopes, "scopes"));
        let resource = fields.optional("resource", resource, |text| ResourceId::parse(text));
        fields.finish()?;
        let matching = match matching {
            Match::All => MatchScopes::All,
            Match::Any => MatchScopes::Any,
        };
        Ok(Self { matching, resource, scopes: scopes.unwrap_or_default() })
    }

    pub(crate) fn asked(&self) -> Asked<'_> {
        let Self { matching, resource, scopes } = self;
        let (matching, resource) = (*matching, resource.as_ref());
        Asked { matching, resource, scopes, ..Asked::default() }
    }
}

/// The decision on a presented secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verification)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "it lives as long as one answer is written")]
pub(crate) enum Verdict<'a> {
    /// It may.
    Valid {
        /// Always true.
        valid: bool,
        /// The key that the secret belongs to.
        key: KeyView<'a>,
        /// All that the token of a signed key says.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Object>)]
        claims: Option<&'a RawValue>,
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

/// The decision as it is told.
pub(crate) fn verdict(decision: &Decision, now: Timestamp) -> Verdict<'_> {
    match decision {
        Decision::Allow(permit) => {
            let key = KeyView::just_used(permit.key(), now);
            Verdict::Valid { valid: true, key, claims: claims(permit) }
        }
        Decision::Deny(reason) => Verdict::Invalid {
            valid: false,
            code: reason.code(),
            message: reason.message(),
            retry_after: match reason {
                DenyReason::RateLimited { retry_after } => Some(retry_after.as_secs_f64()),
                _ => None,
            },
        },
    }
}

/// Whether the key with this secret may do what is asked.
///
/// Answers 200 for both decisions. A secret that is unknown and one that is wrong are not told apart.
#[utoipa::path(
    post, path = "/v1/verify", tag = "verify", request_body = VerifyBody,
    responses((status = 200, body = Verdict<'_>), Problems),
)]
pub(crate) async fn verify(
    State(keyward): State<Keyward>,
    caller: Caller,
    Body(body): Body<VerifyBody>,
) -> Answer {
    caller.may(Right::KeysVerify, None)?;
    let question = Question::read(&body.scopes, body.r#match, body.resource.as_deref())?;
    let VerifyBody { skip_cache, skip_tracking, .. } = body;
    let client = body.client()?;
    let options = VerifyOptions { client, skip_cache, skip_tracking, ..VerifyOptions::default() };
    let asked = question.asked();
    let decision = keyward.verify_with(body.secret.expose(), &asked, &options).await?;
    let now = keyward.now();
    let written = match &decision {
        Decision::Allow(permit) => written(permit, now),
        Decision::Deny(_) => None,
    };
    Ok(match written {
        Some(body) => WrittenJson(StatusCode::OK, body.into_bytes()).into_response(),
        None => Json(StatusCode::OK, verdict(&decision, now)).into_response(),
    })
}

/// The verdict on an allowed key as JSON. Writing its record would be the dearest part of each
/// verification, so it is written once and kept; only the instant is put in.
fn written(permit: &Permit, now: Timestamp) -> Option<String> {
    let record = permit.holder().written(|record| {
        let view = serde_json::to_string(&KeyView::of(record, now)).ok()?;
        view.strip_suffix(r#""last_used_at":null}"#).map(Box::from)
    })?;
    let proved = permit.holder().proved();
    let (name, claims) = proved.map_or(("", ""), |proved| (",\"claims\":", proved.payload()));
    Some(format!(r#"{{"valid":true,"key":{record}"last_used_at":"{now}"}}{name}{claims}}}"#))
}

fn claims(permit: &Permit) -> Option<&RawValue> {
    let proved = permit.holder().proved()?;
    serde_json::from_str(proved.payload()).ok()
}
