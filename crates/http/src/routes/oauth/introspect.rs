//! What a presented text is worth now (RFC 7662).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::jose::Audiences;
use keyward::{ClientId, Introspected, Keyward, Permit, ProvedAccess, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::OAuthAnswer;
use super::caller::OAuthCaller;
use super::error::{OAuthErrors, OAuthProblem};
use super::form::OAuthRequest;
use crate::access::Right;
use crate::view::Json;

/// A text to look at. A client authenticates as at the token endpoint, and sees its own alone.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form in the OpenAPI document")]
pub(crate) struct TokenQuestionForm {
    /// The text that was presented: an access token, or the secret of a key of any format.
    token: String,
    /// What the text is thought to be. It is not looked at.
    token_type_hint: Option<String>,
    /// The client id, where the client does not use HTTP Basic.
    client_id: Option<String>,
    /// The client secret, where the client does not use HTTP Basic.
    client_secret: Option<String>,
}

/// What a text is worth. Of one that is worth nothing, nothing else is told.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Introspection)]
pub(crate) struct IntrospectionView<'a> {
    /// Whether it is worth anything.
    active: bool,
    /// What it is good for, with a space between two scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    /// The service account that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    client_id: Option<ClientId>,
    /// Whoever it acts for: the service account of an access token, the owner of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    /// How it is presented: always `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// It is expired at and after this instant, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    /// When it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    /// It is not valid before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    /// Who issued it, if it says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    /// For whom it is, if it says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    aud: Option<&'a Audiences>,
    /// What tells it from others: the `jti` of an access token, the id of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
}

impl<'a> IntrospectionView<'a> {
    fn of(worth: &'a Introspected) -> Self {
        match worth {
            Introspected::AccessToken(proved) => Self::of_access_token(proved),
            Introspected::Inactive => Self::default(),
            Introspected::Key(permit) => Self::of_key(permit),
        }
    }

    fn of_access_token(proved: &'a ProvedAccess) -> Self {
        let claims = &proved.claims;
        Self {
            active: true,
            scope: something(claims.scopes.as_words()),
            client_id: Some(proved.client),
            sub: Some(&claims.registered.subject),
            token_type: Some("Bearer"),
            exp: Some(seconds(claims.registered.expires_at)),
            iat: claims.registered.issued_at.map(seconds),
            nbf: claims.registered.not_before.map(seconds),
            iss: Some(&claims.registered.issuer),
            aud: Some(&claims.registered.audiences),
            jti: Some(&claims.id),
        }
    }

    fn of_key(permit: &'a Permit) -> Self {
        let key = permit.key();
        let registered = permit.holder().proved().map(|proved| proved.registered());
        let audiences = registered.map(|registered| &registered.audiences);
        Self {
            active: true,
            scope: something(key.scopes.as_words()),
            client_id: key.service_account,
            sub: Some(key.owner.as_str()),
            token_type: Some("Bearer"),
            exp: key.expires_at.map(seconds),
            iat: Some(seconds(key.created_at)),
            nbf: key.not_before.map(seconds),
            iss: registered.map(|registered| registered.issuer.as_str()),
            aud: audiences.filter(|audiences| audiences.iter().next().is_some()),
            jti: Some(key.id.as_str()),
        }
    }
}

fn something(words: &str) -> Option<&str> {
    Some(words).filter(|words| !words.is_empty())
}

fn seconds(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(1_000_000)
}

/// Whether a presented text is worth anything, and what.
///
/// Needs the credentials of a service account, or a management key with `keys:verify` as a bearer token. A
/// service account sees its own access tokens and keys; whatever else there is, is not active to it.
#[utoipa::path(
    post, path = "/oauth/introspect", tag = "oauth", security(()),
    request_body(
        content = TokenQuestionForm, content_type = "application/x-www-form-urlencoded"
    ),
    responses((status = 200, body = IntrospectionView<'_>), OAuthErrors),
)]
pub(crate) async fn introspect(
    State(keyward): State<Keyward>,
    request: Result<OAuthRequest, OAuthProblem>,
) -> OAuthAnswer {
    let mut request = request?;
    let caller = OAuthCaller::of(&mut request, &keyward).await?;
    if let OAuthCaller::Management(actor) = &caller {
        actor.may(Right::KeysVerify, None)?;
    }
    let worth = keyward.introspect(request.form.token()?, caller.client()).await?;
    Ok(Json(StatusCode::OK, IntrospectionView::of(&worth)).into_response())
}
