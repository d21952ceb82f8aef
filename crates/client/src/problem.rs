//! Refusals and failures over HTTP: as problem documents (RFC 9457), or as japikey writes them.

use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use keyward_core::UnreadableHeader;
use serde::Serialize;

use crate::error::VerifyError;

/// Why a request was refused, or could not be judged: 401 for a key that is missing or malformed, 403
/// for one that is refused or lacks a scope, 400 for headers that cannot be read in one way only, 503
/// where the public key cannot be fetched.
///
/// In the extensions of every answer that refuses, so that an application can tell the cases apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub(crate) cause: Cause,
    pub(crate) form: ErrorForm,
}

/// What was wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    InsufficientScope,
    Missing,
    Unreadable(UnreadableHeader),
    Verify(VerifyError),
}

/// How refusals are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ErrorForm {
    /// `{"error":{"type":…,"message":…}}`.
    Japikey,
    #[default]
    Problem,
}

impl Rejection {
    /// The stable code, for programs.
    pub const fn code(&self) -> &'static str {
        match &self.cause {
            Cause::InsufficientScope => "insufficient_scope",
            Cause::Missing => "missing",
            Cause::Unreadable(UnreadableHeader::Repeated(_)) => "repeated_header",
            Cause::Unreadable(_) => "malformed_token",
            Cause::Verify(error) => error.code(),
        }
    }

    /// What the verifier said, if it was asked.
    pub const fn error(&self) -> Option<&VerifyError> {
        match &self.cause {
            Cause::Verify(error) => Some(error),
            _ => None,
        }
    }

    /// The type of error in japikey's own words, where it has one.
    const fn japikey_type(&self) -> &'static str {
        match &self.cause {
            Cause::InsufficientScope => "unauthorized",
            Cause::Unreadable(UnreadableHeader::Repeated(_)) => "invalid_input",
            Cause::Missing | Cause::Unreadable(_) => "malformed_token",
            Cause::Verify(error) => error.code(),
        }
    }

    const fn message(&self) -> &'static str {
        match &self.cause {
            Cause::InsufficientScope => "the API key lacks the right to do this",
            Cause::Missing => "an API key is needed",
            Cause::Unreadable(UnreadableHeader::Repeated(_)) => {
                "the header that holds the key must be given once"
            }
            Cause::Unreadable(_) => "the API key is malformed",
            Cause::Verify(error) => error.message(),
        }
    }

    fn status(&self) -> StatusCode {
        match &self.cause {
            Cause::InsufficientScope => StatusCode::FORBIDDEN,
            Cause::Unreadable(UnreadableHeader::Repeated(_)) => StatusCode::BAD_REQUEST,
            Cause::Missing | Cause::Unreadable(_) => StatusCode::UNAUTHORIZED,
            Cause::Verify(error) => {
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }

    fn body(&self) -> (&'static str, String) {
        match self.form {
            ErrorForm::Japikey => {
                let error = JapikeyError { r#type: self.japikey_type(), message: self.message() };
                let document = JapikeyDocument { error };
                ("application/json", serde_json::to_string(&document).unwrap_or_default())
            }
            ErrorForm::Problem => {
                let status = self.status();
                let document = ProblemDocument {
                    r#type: format!("urn:keyward:problem:{}", self.code()),
                    title: status.canonical_reason().unwrap_or_default(),
                    status: status.as_u16(),
                    code: self.code(),
                    detail: self.message(),
                };
                let body = serde_json::to_string(&document).unwrap_or_default();
                ("application/problem+json", body)
            }
        }
    }

    /// The answer.
    pub(crate) fn render<B: From<String>>(self) -> Response<B> {
        let (content_type, body) = self.body();
        let mut response = Response::new(B::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(retry_after) = self.error().and_then(VerifyError::retry_after) {
            headers.insert(RETRY_AFTER, whole_seconds(retry_after).into());
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"keyward\""));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<VerifyError> for Cause {
    fn from(error: VerifyError) -> Self {
        Self::Verify(error)
    }
}

impl From<UnreadableHeader> for Cause {
    fn from(unreadable: UnreadableHeader) -> Self {
        Self::Unreadable(unreadable)
    }
}

/// Seconds, rounded up: waiting less would be too early. At least one.
fn whole_seconds(duration: Duration) -> u64 {
    (duration.as_secs() + u64::from(duration.subsec_nanos() > 0)).max(1)
}

#[derive(Serialize)]
struct ProblemDocument {
    r#type: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'static str,
}

#[derive(Serialize)]
struct JapikeyDocument {
    error: JapikeyError,
}

#[derive(Serialize)]
struct JapikeyError {
    r#type: &'static str,
    message: &'static str,
}
