//! Errors as japikey words them: `{"error":{"type":…,"message":…}}`. The only file of this face that
//! knows status codes.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use keyward::store::StoreError;
use keyward::{Error, FieldError, Refusal};
use serde::Serialize;

use crate::caller::DeniedCall;
use crate::envelope::OwnWords;
use crate::problem::{Problem, whole_seconds};
use crate::view::Json;

/// Why a request was not done. Holds nothing of what was sent, and never a cause.
#[derive(Clone, Debug)]
pub struct JapikeyError {
    status: StatusCode,
    kind: &'static str,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
    /// That a known caller lacked a right, for the audit trail.
    denied: Option<Box<DeniedCall>>,
}

/// The body of an error, with its members in this order.
#[derive(Serialize)]
struct Body<'a> {
    error: Told<'a>,
}

#[derive(Serialize)]
struct Told<'a> {
    r#type: &'a str,
    message: &'a str,
}

impl JapikeyError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, kind, message: message.into(), retry_after: None, denied: None }
    }

    /// 400: the request breaks a rule.
    pub fn invalid_input(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_input", message)
    }

    /// 401: there is no key, or the text is none.
    pub fn malformed_token() -> Self {
        let message = "the API key is missing or malformed";
        Self::new(StatusCode::UNAUTHORIZED, "malformed_token", message)
    }

    /// 403: whoever asks may not do that.
    pub fn unauthorized(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "unauthorized", message)
    }

    /// 404: there is no such key, or not for this user.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "API key not found")
    }

    /// 413: the body is too large.
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_input", "the body is too large")
    }

    /// 500: something went wrong here.
    pub fn unknown() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unknown", "something went wrong here")
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "this route does not take that method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "invalid_input", message)
    }

    fn later(self, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }
}

impl IntoResponse for JapikeyError {
    fn into_response(self) -> Response {
        let body = Body { error: Told { r#type: self.kind, message: &self.message } };
        let mut response = Json(self.status, body).into_response();
        response.extensions_mut().insert(OwnWords);
        if let Some(denied) = self.denied {
            response.extensions_mut().insert(*denied);
        }
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(retry_after) = self.retry_after {
            headers.insert(RETRY_AFTER, whole_seconds(retry_after).into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"keyward\""));
        }
        response
    }
}

impl From<FieldError> for JapikeyError {
    fn from(error: FieldError) -> Self {
        Self::invalid_input(error.to_string())
    }
}

impl From<StoreError> for JapikeyError {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
        let message = "the store does not answer; try again";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_error", message);
        problem.later(Duration::from_secs(1))
    }
}

impl From<Error> for JapikeyError {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(Refusal::Invalid(field)) => field.into(),
            Error::NotFound(_) => Self::not_found(),
            Error::Store(error) => error.into(),
            Error::Busy => {
                let message = "too many keys are being issued at once; try again";
                let busy = Self::new(StatusCode::SERVICE_UNAVAILABLE, "signing_error", message);
                busy.later(Duration::from_secs(1))
            }
            Error::TooManyKeys { retry_after } => {
                let message = "too many keys were issued for this user; wait";
                let too_many = Self::new(StatusCode::TOO_MANY_REQUESTS, "unauthorized", message);
                too_many.later(retry_after)
            }
            Error::Signing => {
                let message = "the key could not be signed";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "signing_error", message)
            }
            other => {
                tracing::error!(error = %other, "an unforeseen error");
                Self::unknown()
            }
        }
    }
}

/// What a management key may not do, on a server.
impl From<Problem> for JapikeyError {
    fn from(mut problem: Problem) -> Self {
        let denied = problem.denied.take();
        let (status, detail) = (problem.status(), problem.detail());
        let kind = match status {
            StatusCode::UNAUTHORIZED => "malformed_token",
            StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => "unauthorized",
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::SERVICE_UNAVAILABLE => "database_error",
            status if status.is_client_error() => "invalid_input",
            _ => "unknown",
        };
        let message = problem.field_problems().first().map(ToString::to_string);
        let message = message.map_or(Cow::Borrowed(detail), Cow::Owned);
        Self { retry_after: problem.retry_after(), denied, ..Self::new(status, kind, message) }
    }
}
