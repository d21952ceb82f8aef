//! Access tokens for client credentials (RFC 6749 §4.4).

use axum::extract::State;
use axum::http::header::PRAGMA;
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse;
use keyward::{Keyward, ScopeSet};
use serde::Serialize;
use utoipa::ToSchema;

use super::OAuthAnswer;
use super::caller::authenticate;
use super::error::{OAuthErrors, OAuthProblem};
use super::form::OAuthRequest;
use crate::view::SecretJson;

/// A request for an access token. The client authenticates by HTTP Basic or by `client_id` and
/// `client_secret`, never by both.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form in the OpenAPI document")]
pub(crate) struct TokenForm {
    /// Always `client_credentials`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// The scopes, with a space between two of them. Left out: all that the account has.
    scope: Option<String>,
    /// The client id, where the client does not use HTTP Basic.
    client_id: Option<String>,
    /// The client secret, where the client does not use HTTP Basic.
    client_secret: Option<String>,
}

/// An access token: this is the only time that it can be seen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessToken)]
pub(crate) struct TokenView<'a> {
    /// The token: a JWT (RFC 9068), which others need not read.
    access_token: &'a str,
    /// Always `Bearer` (RFC 6750).
    token_type: &'static str,
    /// How long it is valid, in seconds.
    expires_in: u64,
    /// What it is good for; left out: nothing in particular.
    #[serde(skip_serializing_if = "str::is_empty")]
    #[schema(value_type = Option<String>)]
    scope: &'a str,
}

/// Issues an access token to a service account, by its client credentials.
#[utoipa::path(
    post, path = "/oauth/token", tag = "oauth", security(()),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenView<'_>), OAuthErrors),
)]
pub(crate) async fn issue(
    State(keyward): State<Keyward>,
    request: Result<OAuthRequest, OAuthProblem>,
) -> OAuthAnswer {
    if keyward.oauth_settings().issuer.is_none() {
        return Err(keyward::OAuthError::NoIssuer.into());
    }
    let request = request?;
    let grant = request.form.text("grant_type");
    let grant =
        grant.ok_or(OAuthProblem::invalid_request("the parameter grant_type must be given"))?;
    let client = authenticate(&request, &keyward).await?;
    if grant != "client_credentials" {
        return Err(OAuthProblem::unsupported_grant_type());
    }
    let scopes = request.form.text("scope").map(ScopeSet::parse_words).transpose();
    let rule = "the parameter scope must hold scopes with one space between two of them";
    let scopes = scopes.map_err(|_| OAuthProblem::invalid_scope(rule))?;
    let issued = keyward.issue_token(&client, scopes.as_ref()).await?;
    let view = TokenView {
        access_token: issued.token.expose(),
        token_type: "Bearer",
        expires_in: issued.lifetime.as_secs(),
        scope: issued.scopes.as_words(),
    };
    let mut response = SecretJson(StatusCode::OK, view).into_response();
    // As RFC 6749 §5.1 has it, beside the `Cache-Control: no-store` that all answers get.
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(response)
}
