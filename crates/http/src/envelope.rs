//! What every request goes through: its id, its deadline, and its problem document.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL};
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use keyward::{Alphabet, Keyward};

use crate::caller::{DeniedCall, Origin};
use crate::problem::Problem;
use crate::routes::jwks::JwksSettings;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What handlers may know of their request. In the extensions of every request.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    /// The largest body that is read, in bytes.
    pub(crate) body_limit: usize,
    /// How the documents with public keys are served.
    pub(crate) jwks: JwksSettings,
    /// The id: the caller's `x-request-id` if it has a decent form, or one of ours.
    id: HeaderValue,
}

impl RequestContext {
    /// The request's id.
    pub(crate) fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    fn of(request: &Request, envelope: &Envelope) -> Self {
        let given = request.headers().get(X_REQUEST_ID).filter(|id| is_decent(id));
        let id = given.cloned().or_else(|| {
            let drawn = Alphabet::base58().draw(envelope.keyward.entropy(), 16);
            HeaderValue::from_str(&drawn).ok()
        });
        let id = id.unwrap_or(HeaderValue::from_static("none"));
        Self { body_limit: envelope.body_limit, jwks: envelope.jwks, id }
    }
}

fn is_decent(id: &HeaderValue) -> bool {
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=64).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
}

/// The headers of an answer that are kept when the document of its problem takes its place.
const KEPT: [HeaderName; 2] = [ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW];

/// In the extensions of an answer: it says in its own way what is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnWords;

/// What the envelope needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) body_limit: usize,
    pub(crate) deadline: Duration,
    pub(crate) jwks: JwksSettings,
    pub(crate) keyward: Keyward,
}

/// What the audit trail tells of a call that was refused.
struct Call {
    method: Method,
    origin: Origin,
    uri: Uri,
}

impl Call {
    fn of(request: &Request) -> Self {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        Self { method, origin: Origin::of(request.headers(), request.extensions()), uri }
    }

    async fn record(&self, denied: &DeniedCall, keyward: &Keyward, request_id: &str) {
        let context = self.origin.context(denied.actor.clone(), Some(request_id));
        let path: String = self.uri.path().chars().take(256).collect();
        let data = [
            ("method", self.method.as_str()),
            ("path", path.as_str()),
            ("needed", denied.right.scope()),
        ];
        let data = data.map(|(name, value)| (name.to_owned(), value.into()));
        let keyspace = denied.keyspace.as_ref();
        let recorded = keyward.record_denied(&context, keyspace, data.into_iter().collect()).await;
        if let Err(error) = recorded {
            tracing::error!(%error, "a refused call could not be written down");
        }
    }
}

/// Gives the request an id and a deadline, and its answer the document of its problem, if it is one.
pub(crate) async fn wrap(
    State(envelope): State<Envelope>,
    mut request: Request,
    next: Next,
) -> Response {
    let context = RequestContext::of(&request, &envelope);
    request.extensions_mut().insert(context.clone());
    let call = Call::of(&request);
    let answer = tokio::time::timeout(envelope.deadline, next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| Problem::timed_out().into_response());
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    // Of many items in one request, some may have been refused.
    let mut denied = response.extensions_mut().remove::<DeniedCall>();
    let is_own = response.extensions_mut().remove::<OwnWords>().is_some();
    if let Some(problem) = problem.or_else(|| Problem::of_status(status)).filter(|_| !is_own) {
        tracing::debug!(request_id = context.id(), code = problem.code, "refused");
        denied = problem.denied.as_deref().cloned();
        let mut before = std::mem::take(response.headers_mut());
        response = problem.render(Some(context.id()));
        for name in KEPT {
            if let Some(value) = before.remove(&name) {
                response.headers_mut().insert(name, value);
            }
        }
    }
    if let Some(denied) = denied {
        call.record(&denied, &envelope.keyward, context.id()).await;
    }
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, context.id);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
