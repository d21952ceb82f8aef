//! Refusals and failures as problem documents (RFC 9457). The only file that knows status codes.

use std::fmt;
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use keyward::store::{Conflict, StoreError};
use keyward::{DenyReason, Error, FieldError, Refusal, UnreadableHeader};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::caller::DeniedCall;

/// An answer that is a problem. Its document is written when the request's id is known.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    /// That a known caller lacked a right, for the audit trail.
    pub(crate) denied: Option<Box<DeniedCall>>,
    detail: &'static str,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    status: StatusCode,
}

/// A problem document (RFC 9457 §3) with a stable code.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument<'a> {
    /// The kind of problem as a URI.
    #[schema(example = "urn:keyward:problem:not_found")]
    r#type: String,
    /// The status in words.
    title: &'a str,
    /// The status code.
    #[schema(example = 404)]
    status: u16,
    /// The kind of problem as a stable word, for programs.
    #[schema(example = "not_found")]
    code: &'a str,
    /// The problem in a sentence, for people.
    detail: &'a str,
    /// The id of the request, as in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    request_id: Option<&'a str>,
    /// The fields of the request that are not acceptable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem<'a>>,
}

/// A field that is not acceptable.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem<'a> {
    /// The path of the field.
    #[schema(example = "scopes[2]")]
    field: &'a str,
    /// The rule that it breaks.
    #[schema(example = "must be 1 to 128 characters long")]
    message: &'a str,
}

impl fmt::Display for FieldProblem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.message)
    }
}

/// The problems that any route may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the responses of Problem in the OpenAPI document")]
pub(crate) enum Problems {
    /// The request cannot be read.
    #[response(status = 400, content_type = "application/problem+json")]
    Unreadable(#[to_schema] ProblemDocument<'static>),
    /// The management key is missing, malformed, unknown, expired or revoked.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(#[to_schema] ProblemDocument<'static>),
    /// The management key is disabled or lacks the right.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemDocument<'static>),
    /// There is nothing here, or not for this management key.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemDocument<'static>),
    /// What is there stands against it.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemDocument<'static>),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] ProblemDocument<'static>),
    /// The body is not said to be JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    WrongType(#[to_schema] ProblemDocument<'static>),
    /// The body can be read and has fields that are not acceptable.
    #[response(status = 422, content_type = "application/problem+json")]
    Unacceptable(#[to_schema] ProblemDocument<'static>),
    /// The management key was used too often.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(#[to_schema] ProblemDocument<'static>),
    /// Something went wrong here.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(#[to_schema] ProblemDocument<'static>),
    /// The store of this server cannot do that.
    #[response(status = 501, content_type = "application/problem+json")]
    Unsupported(#[to_schema] ProblemDocument<'static>),
    /// The store does not answer, or not in time.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemDocument<'static>),
}

impl Problem {
    const fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self { code, denied: None, detail, errors: Vec::new(), retry_after: None, status }
    }

    pub(crate) const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here, or not for this key")
    }

    pub(crate) fn forbidden(denied: Option<DeniedCall>) -> Self {
        let detail = "the management key lacks the right to do this";
        let problem = Self::new(StatusCode::FORBIDDEN, "insufficient_scope", detail);
        Self { denied: denied.map(Box::new), ..problem }
    }

    /// The same for whoever may not know that there is something.
    pub(crate) fn hidden(self) -> Self {
        Self { denied: self.denied, ..Self::not_found() }
    }

    pub(crate) const fn repeated_header() -> Self {
        let detail = "the header that holds the key must be given once";
        Self::new(StatusCode::BAD_REQUEST, "repeated_header", detail)
    }

    /// A header that was to hold a key.
    pub(crate) fn unreadable_header(unreadable: &UnreadableHeader) -> Self {
        match unreadable {
            UnreadableHeader::Repeated(_) => Self::repeated_header(),
            _ => DenyReason::Malformed.into(),
        }
    }

    pub(crate) const fn invalid_header() -> Self {
        let detail = "the header keyward-audit-metadata must be a JSON object of at most 4 KiB";
        Self::new(StatusCode::BAD_REQUEST, "invalid_header", detail)
    }

    pub(crate) const fn invalid_last_event_id() -> Self {
        let detail = "the header last-event-id must be the id of an event, given once";
        Self::new(StatusCode::BAD_REQUEST, "invalid_header", detail)
    }

    pub(crate) const fn internal() -> Self {
        let detail = "something went wrong here";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    pub(crate) const fn not_json() -> Self {
        let detail = "the body must be of the type application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    pub(crate) const fn unreadable_json() -> Self {
        let detail = "the body is not JSON, or is nested too deeply";
        Self::new(StatusCode::BAD_REQUEST, "invalid_json", detail)
    }

    pub(crate) const fn unreadable_body() -> Self {
        let detail = "the body could not be read";
        Self::new(StatusCode::BAD_REQUEST, "invalid_body", detail)
    }

    pub(crate) const fn body_too_large() -> Self {
        let detail = "the body is larger than this route takes";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    }

    pub(crate) fn invalid_body(errors: Vec<FieldError>) -> Self {
        let detail = "the body has fields that are not acceptable";
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", detail) }
    }

    pub(crate) fn invalid_query(errors: Vec<FieldError>) -> Self {
        let detail = "the query has parameters that are not acceptable";
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, "invalid_query", detail) }
    }

    pub(crate) fn timed_out() -> Self {
        let detail = "the request took too long";
        Self::unavailable("timeout", detail)
    }

    /// The problem that a status alone tells, for answers that are not ours.
    pub(crate) const fn of_status(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::NOT_FOUND => Some(Self::not_found()),
            StatusCode::METHOD_NOT_ALLOWED => {
                let detail = "this route does not take that method";
                Some(Self::new(status, "method_not_allowed", detail))
            }
            StatusCode::INTERNAL_SERVER_ERROR => Some(Self::internal()),
            _ => None,
        }
    }

    /// The status code.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// How long to wait before the next attempt.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The problem in a sentence, for people.
    pub(crate) const fn detail(&self) -> &'static str {
        self.detail
    }

    /// The fields that are not acceptable.
    pub(crate) fn field_problems(&self) -> Vec<FieldProblem<'_>> {
        let errors = self.errors.iter();
        errors.map(|e| FieldProblem { field: &e.field, message: &e.message }).collect()
    }

    fn unavailable(code: &'static str, detail: &'static str) -> Self {
        let retry_after = Some(Duration::from_secs(1));
        Self { retry_after, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail) }
    }

    /// The answer with its document.
    pub(crate) fn render(&self, request_id: Option<&str>) -> Response {
        let document = ProblemDocument {
            r#type: format!("urn:keyward:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
            request_id,
            errors: self.field_problems(),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(retry_after) = self.retry_after {
            headers.insert(RETRY_AFTER, whole_seconds(retry_after).into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"keyward\""));
        }
        response
    }
}

/// Seconds, rounded up: waiting less would be too early.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A management key that was refused.
impl From<DenyReason> for Problem {
    fn from(reason: DenyReason) -> Self {
        let status = match reason {
            DenyReason::Disabled | DenyReason::InsufficientScope => StatusCode::FORBIDDEN,
            DenyReason::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::UNAUTHORIZED,
        };
        let retry_after = match reason {
            DenyReason::RateLimited { retry_after } => Some(retry_after),
            _ => None,
        };
        Self { retry_after, ..Self::new(status, reason.code(), reason.message()) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Conflict::Exists | Conflict::Outdated) => Refusal::Outdated.into(),
            StoreError::Sealed => {
                let detail =
                    "nothing can be changed while the keys move to another store; try again";
                Self::unavailable("sealed", detail)
            }
            StoreError::Unsupported { .. } => {
                let detail = "the store of this server cannot do that";
                Self::new(StatusCode::NOT_IMPLEMENTED, "unsupported", detail)
            }
            error => {
                tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
                Self::unavailable("unavailable", "the store does not answer; try again")
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = refusal.code();
        let detail = match refusal {
            Refusal::Invalid(field) => return Self::invalid_body(vec![field]),
            Refusal::AccountDeleted => "the service account is deleted; restore it first",
            Refusal::AccountDisabled => "the service account is disabled; enable it first",
            Refusal::AlreadyDisabled => "it is already disabled",
            Refusal::AlreadyEnabled => "it is already enabled",
            Refusal::AlreadyRevoked => "the key is already revoked",
            Refusal::AlreadySucceeded => "the key already has a successor",
            Refusal::Deleted => "the key is deleted; restore it first",
            Refusal::NotDeleted => "it is not deleted",
            Refusal::Revoked => "a revoked key cannot be changed",
            _ => "somebody else changed this at the same time",
        };
        Self::new(StatusCode::CONFLICT, code, detail)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = error.code();
        let conflict = |detail| Self::new(StatusCode::CONFLICT, code, detail);
        match error {
            Error::Cache(error) => {
                tracing::error!(%error, "the shared cache failed");
                Self::unavailable("cache_failed", "the shared cache does not answer; try again")
            }
            Error::Busy => {
                let detail = "too many keys are being issued at once; try again";
                Self::unavailable(code, detail)
            }
            Error::TooManyKeys { retry_after } => {
                let detail = "too many keys were issued for this owner; wait";
                let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail);
                Self { retry_after: Some(retry_after), ..problem }
            }
            Error::Signing => {
                let detail = "the key could not be signed";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, detail)
            }
            Error::AccountExists => conflict("a service account of that id exists"),
            Error::AlreadyImported => conflict("the same was taken over before"),
            Error::AuditOff => conflict("the audit trail is switched off"),
            Error::KeyExists => conflict("a key of that id or digest exists"),
            Error::KeyspaceExists => conflict("a keyspace of that id exists"),
            Error::NoFurtherStream => {
                let detail = "no further stream of changes can be opened now; try again";
                Self::unavailable(code, detail)
            }
            Error::NotFound(_) => Self::not_found(),
            Error::Refused(refusal) => refusal.into(),
            Error::Store(error) => error.into(),
            other => {
                tracing::error!(error = %other, "an unforeseen error");
                Self::internal()
            }
        }
    }
}
