//! What is refused, and with which code. The only file of this face that knows status codes.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use keyward::store::StoreError;
use keyward::{DenyReason, Error, FieldError, Refusal, Timestamp};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use super::view::Millis;
use crate::caller::DeniedCall;
use crate::envelope::OwnWords;
use crate::problem::{Problem, whole_seconds};
use crate::view::Json;

/// Why a request was not done. Holds nothing of what was sent, and never a cause. Its answer is written
/// when it is known what time it is.
#[derive(Clone, Debug)]
pub(super) struct NestjsError {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
    /// That a known caller lacked a right, for the audit trail.
    denied: Option<Box<DeniedCall>>,
}

/// What was done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Done {
    Created,
    Listed,
    Removed,
    Updated,
    Valid,
}

impl Done {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Created => StatusCode::CREATED,
            Self::Listed | Self::Removed | Self::Updated | Self::Valid => StatusCode::OK,
        }
    }

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Created => "KEY_CREATED",
            Self::Listed => "KEYS_LISTED",
            Self::Removed => "KEY_REMOVED",
            Self::Updated => "KEY_UPDATED",
            Self::Valid => "KEY_VALID",
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Created => "API key created successfully",
            Self::Listed => "API keys retrieved successfully",
            Self::Removed => "API key removed successfully",
            Self::Updated => "API key updated successfully",
            Self::Valid => "API key is valid",
        }
    }
}

/// A refusal in the one envelope.
#[derive(Serialize, ToSchema)]
pub(super) struct Failure<'a> {
    /// Always false.
    success: bool,
    /// The reason in a sentence, for people.
    #[schema(example = "API key not found or already deleted")]
    message: &'a str,
    /// The reason as a stable word, for programs.
    #[schema(example = "KEY_NOT_FOUND")]
    code: &'a str,
    /// When it was answered.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Millis,
}

/// The refusals that any route may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the responses of NestjsError in the OpenAPI document")]
pub(super) enum Failures {
    /// The request breaks a rule: `VALIDATION_ERROR`, `INVALID_EXPIRY_DATE`, `EXPIRY_DATE_PAST`,
    /// `INVALID_LIMIT`, `MISSING_UPDATE_FIELDS`, `KEY_ALREADY_DELETED`, `SERVICE_ACCOUNT_DELETED`.
    #[response(status = 400)]
    Invalid(#[to_schema] Failure<'static>),
    /// `INVALID_CLIENT_CREDENTIALS`, `KEY_EXPIRED`; of the management key `UNAUTHORIZED`.
    #[response(status = 401)]
    Unauthorized(#[to_schema] Failure<'static>),
    /// `KEY_INACTIVE`, `SERVICE_ACCOUNT_DISABLED`; of the management key `FORBIDDEN`.
    #[response(status = 403)]
    Forbidden(#[to_schema] Failure<'static>),
    /// `KEY_NOT_FOUND`, `SERVICE_ACCOUNT_NOT_FOUND`.
    #[response(status = 404)]
    NotFound(#[to_schema] Failure<'static>),
    /// `CONFLICT`: somebody else changed it at the same time.
    #[response(status = 409)]
    Conflict(#[to_schema] Failure<'static>),
    /// `PAYLOAD_TOO_LARGE`.
    #[response(status = 413)]
    TooLarge(#[to_schema] Failure<'static>),
    /// `UNSUPPORTED_MEDIA_TYPE`: the body is not said to be JSON.
    #[response(status = 415)]
    WrongType(#[to_schema] Failure<'static>),
    /// `TOO_MANY_REQUESTS`.
    #[response(status = 429)]
    TooMany(#[to_schema] Failure<'static>),
    /// `INTERNAL_ERROR`.
    #[response(status = 500)]
    Internal(#[to_schema] Failure<'static>),
    /// `SERVICE_UNAVAILABLE`: the store does not answer.
    #[response(status = 503)]
    Unavailable(#[to_schema] Failure<'static>),
}

impl NestjsError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, denied: None }
    }

    /// 400: a field breaks a rule.
    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
    }

    pub(super) fn invalid_expiry_date() -> Self {
        let message =
            "expires_at must be a date, or a date and a time with its zone, as ISO 8601 has them";
        Self::new(StatusCode::BAD_REQUEST, "INVALID_EXPIRY_DATE", message)
    }

    pub(super) fn expiry_date_past() -> Self {
        let message = "expires_at must be in the future";
        Self::new(StatusCode::BAD_REQUEST, "EXPIRY_DATE_PAST", message)
    }

    pub(super) fn invalid_limit() -> Self {
        let message = "limit must be a number from 1 to 100";
        Self::new(StatusCode::BAD_REQUEST, "INVALID_LIMIT", message)
    }

    pub(super) fn missing_update_fields() -> Self {
        let message = "one of name, description, expires_at and is_active must be given";
        Self::new(StatusCode::BAD_REQUEST, "MISSING_UPDATE_FIELDS", message)
    }

    pub(super) fn key_not_found() -> Self {
        let message = "API key not found or already deleted";
        Self::new(StatusCode::NOT_FOUND, "KEY_NOT_FOUND", message)
    }

    pub(super) fn key_already_deleted() -> Self {
        let message = "API key is already deleted";
        Self::new(StatusCode::BAD_REQUEST, "KEY_ALREADY_DELETED", message)
    }

    pub(super) fn service_account_not_found() -> Self {
        let message = "service account not found";
        Self::new(StatusCode::NOT_FOUND, "SERVICE_ACCOUNT_NOT_FOUND", message)
    }

    /// The same for every wrong credential, so that nobody can find out which one it was.
    pub(super) fn invalid_client_credentials() -> Self {
        let message = "Invalid API key or client credentials";
        Self::new(StatusCode::UNAUTHORIZED, "INVALID_CLIENT_CREDENTIALS", message)
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "this route does not take that method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
    }

    fn key_inactive(message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "KEY_INACTIVE", message)
    }

    fn internal() -> Self {
        let message = "something went wrong here";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", message)
    }

    fn later(self, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }

    /// The answer at this instant.
    pub(super) fn render(self, now: Timestamp) -> Response {
        let timestamp = Millis(now);
        let (code, message) = (self.code, &*self.message);
        let failure = Failure { success: false, message, code, timestamp };
        let mut response = Json(self.status, failure).into_response();
        response.extensions_mut().insert(OwnWords);
        if let Some(denied) = self.denied {
            response.extensions_mut().insert(*denied);
        }
        let headers = response.headers_mut();
        if let Some(retry_after) = self.retry_after {
            headers.insert(RETRY_AFTER, whole_seconds(retry_after).into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"keyward\""));
        }
        response
    }
}

impl IntoResponse for NestjsError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Why a key is not valid: nothing of it is told before all credentials were proved.
impl From<DenyReason> for NestjsError {
    fn from(reason: DenyReason) -> Self {
        match reason {
            DenyReason::Expired => {
                Self::new(StatusCode::UNAUTHORIZED, "KEY_EXPIRED", "API key has expired")
            }
            DenyReason::Disabled | DenyReason::NotYetValid | DenyReason::Revoked => {
                Self::key_inactive("API key is not active")
            }
            DenyReason::RateLimited { retry_after } => {
                let message = "API key was used too often; wait";
                let too_often =
                    Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", message);
                too_often.later(retry_after)
            }
            _ => Self::invalid_client_credentials(),
        }
    }
}

impl From<FieldError> for NestjsError {
    fn from(error: FieldError) -> Self {
        match &*error.field {
            "service_account_id" => Self::service_account_not_found(),
            _ => Self::invalid(error.to_string()),
        }
    }
}

impl From<StoreError> for NestjsError {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl From<Error> for NestjsError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(_) | Error::Refused(Refusal::Deleted) => Self::key_not_found(),
            Error::Refused(Refusal::AccountDeleted) => {
                let message = "service account is deleted";
                Self::new(StatusCode::BAD_REQUEST, "SERVICE_ACCOUNT_DELETED", message)
            }
            Error::Refused(Refusal::AccountDisabled) => {
                let message = "service account is not active";
                Self::new(StatusCode::FORBIDDEN, "SERVICE_ACCOUNT_DISABLED", message)
            }
            Error::Refused(Refusal::Invalid(field)) => field.into(),
            Error::Refused(Refusal::Revoked) => {
                Self::key_inactive("a revoked API key cannot be changed")
            }
            other => Problem::from(other).into(),
        }
    }
}

/// What is refused alike on all routes of a server, and what a management key may not do.
impl From<Problem> for NestjsError {
    fn from(mut problem: Problem) -> Self {
        let denied = problem.denied.take();
        let fields: Vec<_> = problem.field_problems().iter().map(ToString::to_string).collect();
        let message = if fields.is_empty() {
            Cow::Borrowed(problem.detail())
        } else {
            Cow::Owned(fields.join("; "))
        };
        let status = match problem.status() {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        };
        let code = match status {
            StatusCode::BAD_REQUEST => "VALIDATION_ERROR",
            StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
            StatusCode::FORBIDDEN => "FORBIDDEN",
            StatusCode::NOT_FOUND => "NOT_FOUND",
            StatusCode::CONFLICT => "CONFLICT",
            StatusCode::PAYLOAD_TOO_LARGE => "PAYLOAD_TOO_LARGE",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "UNSUPPORTED_MEDIA_TYPE",
            StatusCode::TOO_MANY_REQUESTS => "TOO_MANY_REQUESTS",
            StatusCode::SERVICE_UNAVAILABLE => "SERVICE_UNAVAILABLE",
            _ => return Self { denied, ..Self::internal() },
        };
        Self { retry_after: problem.retry_after(), denied, ..Self::new(status, code, message) }
    }
}
