//! The documents with the public keys of signed keys, for whoever verifies elsewhere.

use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use keyward::jose::SignedToken;
use keyward::{KeyDocument, KeyId, Keyward};

use crate::envelope::RequestContext;
use crate::input::Path;
use crate::problem::{Problem, Problems};
use crate::routes::oauth;
use crate::view::Answer;

/// How documents are served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JwksSettings {
    /// For how long others may keep one, in seconds.
    max_age: u64,
}

impl JwksSettings {
    /// Others may keep documents for that long.
    pub(crate) const fn new(max_age: Duration) -> Self {
        Self { max_age: max_age.as_secs() }
    }
}

/// What stands behind an issuer.
const WELL_KNOWN: &str = "/.well-known/jwks.json";

/// The public half of a signed key's pair, as a JWK Set (RFC 7517 §5) with one key.
///
/// There is none for a key that is unknown, revoked, expired or switched off: nobody can tell which. The
/// same document is served under the path of every base issuer.
#[utoipa::path(
    get, path = "/jwks/{kid}/.well-known/jwks.json", tag = "jwks", security(()),
    params(("kid" = String, Path)),
    responses((status = 200, body = Object), (status = 304), Problems),
)]
pub(crate) async fn document(
    State(keyward): State<Keyward>,
    Extension(context): Extension<RequestContext>,
    kid: Result<Path<String>, Problem>,
    headers: HeaderMap,
) -> Response {
    with_origin(match kid {
        Ok(Path(kid)) => serve(&keyward, &kid, &headers, context.jwks).await,
        Err(problem) => Err(problem),
    })
}

/// Any path that no route has: a document under the path of a base issuer, that about the authorization
/// server at the place that its issuer has for it, or nothing.
pub(crate) async fn elsewhere(
    State(keyward): State<Keyward>,
    Extension(context): Extension<RequestContext>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let issuer = uri.path().strip_suffix(WELL_KNOWN).and_then(|issuer| issuer.rsplit_once('/'));
    let key = issuer.filter(|(path, _)| keyward.has_issuer_path(path));
    if key.is_none() && !oauth::is_metadata(&keyward, uri.path()) {
        return Problem::not_found().into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        let allow = HeaderValue::from_static("GET,HEAD");
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, allow)]).into_response();
    }
    with_origin(match key {
        Some((_, kid)) => serve(&keyward, kid, &headers, context.jwks).await,
        None => oauth::metadata_document(&keyward, &headers, context.jwks),
    })
}

pub(crate) async fn serve(
    keyward: &Keyward,
    kid: &str,
    headers: &HeaderMap,
    settings: JwksSettings,
) -> Answer {
    // Whoever makes ids up costs no read.
    let id = KeyId::parse(kid).ok().filter(|_| SignedToken::fits_id(kid));
    let id = id.ok_or_else(Problem::not_found)?;
    let key = keyward.published_key(&id).await?.ok_or_else(Problem::not_found)?;
    answer(key.document().ok_or_else(Problem::not_found)?, headers, settings)
}

/// The document, or that the caller has it already.
pub(crate) fn answer(
    document: &KeyDocument,
    headers: &HeaderMap,
    settings: JwksSettings,
) -> Answer {
    let is_known = is_known(document, headers);
    let body = if is_known { Body::empty() } else { Body::from(document.body.clone()) };
    let mut response = Response::new(body);
    let head = response.headers_mut();
    // As many as there are going to be: one that grows costs more than all of its values.
    head.reserve(8);
    let max_age = format!("max-age={}", settings.max_age);
    head.insert(CACHE_CONTROL, HeaderValue::try_from(max_age).map_err(|_| Problem::internal())?);
    head.insert(ETAG, document.etag.clone());
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        head.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(response)
}

/// Whether the caller has the document already (RFC 9110 §13.1.2).
fn is_known(document: &KeyDocument, headers: &HeaderMap) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == document.etag)
}

/// Lets pages of any origin read the answer: there is nothing in it that is not public.
pub(crate) fn with_origin(answer: Answer) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
