//! Errors as OAuth 2.0 words them (RFC 6749 §5.2, RFC 6750 §3.1). The only file of this face that knows
//! status codes.

use std::time::Duration;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use keyward::store::StoreError;
use keyward::{Error, OAuthError};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::caller::DeniedCall;
use crate::envelope::OwnWords;
use crate::problem::{Problem, ProblemDocument, whole_seconds};
use crate::view::Json;

/// Why a request was not done. Holds nothing of what was sent, and never a cause.
#[derive(Clone, Debug)]
pub(crate) struct OAuthProblem {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
    /// How to authenticate (RFC 9110 §11.6.1).
    challenge: Option<&'static str>,
    /// That a known caller lacked a right, for the audit trail.
    denied: Option<Box<DeniedCall>>,
    retry_after: Option<Duration>,
}

/// An error of the authorization server (RFC 6749 §5.2).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OAuthError)]
pub(crate) struct ErrorDocument {
    /// The kind of error as a stable word, for programs.
    #[schema(example = "invalid_client")]
    error: &'static str,
    /// The error in a sentence, for people.
    error_description: &'static str,
}

/// The errors that any route of the authorization server may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the responses of OAuthProblem in the OpenAPI document")]
pub(crate) enum OAuthErrors {
    /// `invalid_request`, `invalid_scope`, `unauthorized_client` or `unsupported_grant_type`.
    #[response(status = 400, content_type = "application/json")]
    Refused(#[to_schema] ErrorDocument),
    /// `invalid_client`: no credentials, or wrong ones; `invalid_token`: of a management key.
    #[response(status = 401, content_type = "application/json")]
    Unauthorized(#[to_schema] ErrorDocument),
    /// `insufficient_scope`: the management key lacks the right.
    #[response(status = 403, content_type = "application/json")]
    Forbidden(#[to_schema] ErrorDocument),
    /// This server has no issuer for access tokens.
    #[response(status = 404, content_type = "application/problem+json")]
    NotHere(#[to_schema] ProblemDocument<'static>),
    /// `invalid_request`: the body is too large.
    #[response(status = 413, content_type = "application/json")]
    TooLarge(#[to_schema] ErrorDocument),
    /// `temporarily_unavailable`: the management key was used too often.
    #[response(status = 429, content_type = "application/json")]
    TooMany(#[to_schema] ErrorDocument),
    /// `server_error`.
    #[response(status = 500, content_type = "application/json")]
    Internal(#[to_schema] ErrorDocument),
    /// `temporarily_unavailable`: the store does not answer.
    #[response(status = 503, content_type = "application/json")]
    Unavailable(#[to_schema] ErrorDocument),
}

/// What a client is asked for that did not authenticate.
const BASIC: &str = "Basic realm=\"keyward\", charset=\"UTF-8\"";
/// What a management key is told that is not valid.
const BEARER: &str = "Bearer realm=\"keyward\", error=\"invalid_token\"";
/// What a management key is told that may not do that.
const BEARER_SCOPE: &str = "Bearer realm=\"keyward\", error=\"insufficient_scope\"";

impl OAuthProblem {
    const fn new(status: StatusCode, error: &'static str, description: &'static str) -> Self {
        Self { status, error, description, challenge: None, denied: None, retry_after: None }
    }

    pub(crate) const fn invalid_request(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    pub(crate) fn invalid_client(description: &'static str) -> Self {
        let problem = Self::new(StatusCode::UNAUTHORIZED, "invalid_client", description);
        Self { challenge: Some(BASIC), ..problem }
    }

    pub(crate) const fn invalid_scope(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_scope", description)
    }

    pub(crate) const fn unsupported_grant_type() -> Self {
        let description = "the only grant type is client_credentials";
        Self::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", description)
    }
}

impl IntoResponse for OAuthProblem {
    fn into_response(self) -> Response {
        // There is no such route: not one that says no.
        if self.status == StatusCode::NOT_FOUND {
            return Problem::not_found().into_response();
        }
        let document = ErrorDocument { error: self.error, error_description: self.description };
        let mut response = Json(self.status, document).into_response();
        response.extensions_mut().insert(OwnWords);
        if let Some(denied) = self.denied {
            response.extensions_mut().insert(*denied);
        }
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(retry_after) = self.retry_after {
            headers.insert(RETRY_AFTER, whole_seconds(retry_after).into());
        }
        response
    }
}

impl From<OAuthError> for OAuthProblem {
    fn from(error: OAuthError) -> Self {
        match error {
            OAuthError::InvalidClient => {
                Self::invalid_client("the client is unknown, or its secret is wrong")
            }
            OAuthError::InvalidScope => {
                Self::invalid_scope("the service account does not have each of the scopes")
            }
            OAuthError::NoIssuer => Problem::not_found().into(),
            OAuthError::TooManyScopes => {
                Self::invalid_scope("the scopes are too many for one token: ask for fewer")
            }
            OAuthError::UnauthorizedClient => {
                let description = "the service account is disabled";
                Self::new(StatusCode::BAD_REQUEST, "unauthorized_client", description)
            }
            OAuthError::Failed(error) => error.into(),
            other => {
                tracing::error!(error = %other, "an unforeseen error");
                Problem::internal().into()
            }
        }
    }
}

impl From<Error> for OAuthProblem {
    fn from(error: Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<StoreError> for OAuthProblem {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

/// What a management key is told, and whatever else is no business of OAuth 2.0.
impl From<Problem> for OAuthProblem {
    fn from(mut problem: Problem) -> Self {
        let (denied, retry_after) = (problem.denied.take(), problem.retry_after());
        let status = problem.status();
        let (error, challenge) = match status {
            StatusCode::UNAUTHORIZED => ("invalid_token", Some(BEARER)),
            StatusCode::FORBIDDEN => ("insufficient_scope", Some(BEARER_SCOPE)),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                ("temporarily_unavailable", None)
            }
            status if status.is_server_error() => ("server_error", None),
            _ => ("invalid_request", None),
        };
        Self { challenge, denied, retry_after, ..Self::new(status, error, problem.detail()) }
    }
}
