//! The routes of the `NestJS` library for API keys, over service accounts: the same paths, fields and
//! codes, for applications that move from there.
//!
//! Whoever calls needs a management key, as on every other route. The paths are `/api/keys` and below,
//! wherever the router is merged or nested:
//!
//! ```
//! use axum::Router;
//! use keyward_http::nestjs;
//!
//! # async fn example(keyward: keyward::Keyward) -> Result<Router, keyward::Error> {
//! nestjs::prepare(&keyward).await?;
//! let keyspace = nestjs::keyspace();
//! let router = Router::new().merge(nestjs::api_key_router(keyward, keyspace));
//! # Ok(router)
//! # }
//! ```

mod bodies;
mod create;
mod envelope;
mod error;
mod list;
mod routes;
mod validate;
mod view;

use std::sync::LazyLock;
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::{Extension, Router, middleware};
use error::NestjsError;
use keyward::{
    AccountRule, ActContext, ActorId, Error, FieldError, Format, Invalid, KeyspaceId, Keyward,
    Lifetime, NewKeyspace, Prefix, Prefixed,
};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::openapi::BearerToken;

/// The lifetime of a key for which none is asked.
const A_YEAR: Duration = Duration::from_hours(365 * 24);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keyward: the routes of the NestJS library",
        description = "API keys of service accounts, in the form of the NestJS library.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(error::Failure<'_>, view::Status)),
    modifiers(&BearerToken),
    security(("bearer" = [])),
)]
struct Document;

/// `POST /api/keys` creates a key in that keyspace, whose keys must have service accounts, `POST
/// /api/keys/validate` validates one, `PUT` and `DELETE /api/keys/{id}` change and remove it, `GET
/// /api/keys` lists them, `GET /api/keys/openapi.json` describes all that.
pub fn api_key_router(keyward: Keyward, keyspace: KeyspaceId) -> Router {
    let (routes, _) = documented().split_for_parts();
    routes
        .method_not_allowed_fallback(async || NestjsError::method_not_allowed())
        .layer(middleware::from_fn_with_state(keyward.clone(), envelope::wrap))
        .layer(Extension(keyspace))
        .with_state(keyward)
}

/// The OpenAPI document of these routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}

/// The keyspace of the server's routes.
pub fn keyspace() -> KeyspaceId {
    static ID: LazyLock<KeyspaceId> =
        LazyLock::new(|| KeyspaceId::parse("nestjs").unwrap_or(KeyspaceId::default_keyspace()));
    ID.clone()
}

/// Makes the keyspace of the server's routes, `nestjs`, if there is none: of prefixed keys that live for
/// a year and belong to the primary service account of their owner.
pub async fn prepare(keyward: &Keyward) -> Result<(), Error> {
    let id = keyspace();
    if let Some(keyspace) = keyward.keyspace(&id).await? {
        let has_accounts = keyspace.service_account == AccountRule::Primary;
        let rule = "nestjs exists, and its keys need no service account";
        return if has_accounts { Ok(()) } else { Err(Invalid::new(rule).at("keyspace").into()) };
    }
    let new = new_keyspace(id)?;
    let actor = ActorId::parse("keyward").map_err(|invalid| invalid.at("actor"))?;
    match keyward.create_keyspace(new, &ActContext::by(actor)).await {
        // Another node was faster.
        Ok(_) | Err(Error::KeyspaceExists) => Ok(()),
        Err(error) => Err(error),
    }
}

fn new_keyspace(id: KeyspaceId) -> Result<NewKeyspace, FieldError> {
    let prefix = Prefix::parse("kw_nest").map_err(|invalid| invalid.at("prefix"))?;
    let lifetime = Lifetime::new(A_YEAR).map_err(|invalid| invalid.at("default_lifetime"))?;
    Ok(NewKeyspace {
        default_lifetime: Some(lifetime),
        service_account: AccountRule::Primary,
        ..NewKeyspace::new(id, Format::Prefixed(Prefixed::new(prefix)))
    })
}

/// The routes of a server.
pub(crate) fn server_router(keyward: &Keyward) -> Router {
    api_key_router(keyward.clone(), keyspace())
}

fn documented() -> OpenApiRouter<Keyward> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(create::create, list::list))
        .routes(routes!(validate::validate))
        .routes(routes!(routes::update, routes::remove))
        .routes(routes!(document))
}

/// This document.
#[utoipa::path(
    get, path = "/api/keys/openapi.json", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
async fn document() -> impl IntoResponse {
    // Anyone may ask for it, so it is written once.
    static WRITTEN: LazyLock<String> = LazyLock::new(|| openapi().to_json().unwrap_or_default());
    ([(CONTENT_TYPE, "application/json")], WRITTEN.as_str())
}
