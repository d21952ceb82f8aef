//! What every request goes through: its id, its deadline, and its problem document.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use keyward::{Alphabet, Keyward};

use crate::problem::Problem;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the caller's `x-request-id` if it has a decent form, or one of ours.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn of(request: &Request, keyward: &Keyward) -> Self {
        let given = request.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
        let is_decent = |id: &&str| {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            (1..=64).contains(&id.len()) && id.bytes().all(is_plain)
        };
        let drawn = || Alphabet::base58().draw(keyward.entropy(), 16).to_string();
        Self(given.filter(is_decent).map_or_else(drawn, str::to_owned))
    }
}

/// What the envelope needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) deadline: Duration,
    pub(crate) keyward: Keyward,
}

/// Gives the request an id and a deadline, and its answer the document of its problem, if it is one.
pub(crate) async fn wrap(
    State(envelope): State<Envelope>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId::of(&request, &envelope.keyward);
    request.extensions_mut().insert(id.clone());
    let answer = tokio::time::timeout(envelope.deadline, next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| Problem::timed_out().into_response());
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = problem.or_else(|| Problem::of_status(status)) {
        tracing::debug!(request_id = id.as_str(), code = problem.code, "refused");
        let headers = std::mem::take(response.headers_mut());
        response = problem.render(id.as_str());
        // What the framework said in headers, such as the allowed methods, stays.
        for (name, value) in headers.iter().filter(|(name, _)| *name == axum::http::header::ALLOW) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(X_REQUEST_ID, value);
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
