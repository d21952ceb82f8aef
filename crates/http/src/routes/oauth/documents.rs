//! What whoever verifies access tokens elsewhere has to know: the public keys, and where things are.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use keyward::jose::BaseIssuer;
use keyward::{KeyDocument, Keyward};
use serde::Serialize;
use utoipa::ToSchema;

use crate::envelope::RequestContext;
use crate::problem::{Problem, Problems};
use crate::routes::jwks::{JwksSettings, answer, with_origin};
use crate::view::Answer;

/// What an authorization server says of itself (RFC 8414 §2).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthorizationServer)]
pub(crate) struct Metadata<'a> {
    /// What stands in tokens as their issuer.
    issuer: &'a str,
    /// Where access tokens are issued.
    token_endpoint: String,
    /// Where the public keys are.
    jwks_uri: String,
    /// Where to ask what a token is worth.
    introspection_endpoint: String,
    /// Where tokens are revoked.
    revocation_endpoint: String,
    /// Always `client_credentials` alone.
    grant_types_supported: [&'static str; 1],
    /// There is no authorization endpoint, and so none.
    response_types_supported: [&'static str; 0],
    /// How clients may authenticate.
    token_endpoint_auth_methods_supported: [&'static str; 2],
    /// How clients, and holders of management keys, may authenticate.
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
    /// How clients may authenticate.
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
}

const CLIENT_METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

impl<'a> Metadata<'a> {
    fn of(issuer: &'a BaseIssuer) -> Self {
        let at = |path: &str| format!("{issuer}/oauth/{path}");
        Self {
            issuer: issuer.as_str(),
            token_endpoint: at("token"),
            jwks_uri: at("jwks"),
            introspection_endpoint: at("introspect"),
            revocation_endpoint: at("revoke"),
            grant_types_supported: ["client_credentials"],
            response_types_supported: [],
            token_endpoint_auth_methods_supported: CLIENT_METHODS,
            introspection_endpoint_auth_methods_supported: [
                "client_secret_basic",
                "client_secret_post",
                "Bearer",
            ],
            revocation_endpoint_auth_methods_supported: CLIENT_METHODS,
        }
    }
}

/// Whether the metadata is found at this path: the issuer's own stands behind the well-known one (RFC 8414
/// §3.1).
pub(crate) fn is_metadata(keyward: &Keyward, path: &str) -> bool {
    let issuer = keyward.oauth_settings().issuer.as_ref();
    let own = path.strip_prefix(BaseIssuer::METADATA_PATH);
    issuer.is_some_and(|issuer| own == Some(issuer.path().as_str()))
}

/// The metadata as a document.
pub(crate) fn metadata_document(
    keyward: &Keyward,
    headers: &HeaderMap,
    settings: JwksSettings,
) -> Answer {
    let issuer = keyward.oauth_settings().issuer.as_ref().ok_or_else(Problem::not_found)?;
    let written = serde_json::to_string(&Metadata::of(issuer)).map_err(|_| Problem::internal())?;
    answer(&KeyDocument::new(written).ok_or_else(Problem::internal)?, headers, settings)
}

/// What the authorization server says of itself (RFC 8414).
///
/// The same document is served at the place that the issuer's path has for it.
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server", tag = "oauth", security(()),
    responses((status = 200, body = Metadata<'_>), (status = 304), Problems),
)]
pub(crate) async fn metadata(
    State(keyward): State<Keyward>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Response {
    with_origin(metadata_document(&keyward, &headers, context.jwks))
}

/// The public keys of the pairs that sign access tokens, as a JWK Set (RFC 7517 §5).
///
/// Those of all nodes, for as long as a token that they signed may be valid.
#[utoipa::path(
    get, path = "/oauth/jwks", tag = "oauth", security(()),
    responses((status = 200, body = Object), (status = 304), Problems),
)]
pub(crate) async fn keys(
    State(keyward): State<Keyward>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Response {
    with_origin(key_document(&keyward, &headers, context.jwks).await)
}

async fn key_document(keyward: &Keyward, headers: &HeaderMap, settings: JwksSettings) -> Answer {
    if keyward.oauth_settings().issuer.is_none() {
        return Err(Problem::not_found());
    }
    let document = keyward.signing_key_document().await?.ok_or_else(Problem::internal)?;
    answer(&document, headers, settings)
}
