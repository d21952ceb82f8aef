//! The OpenAPI 3.1 document, written from the code.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use keyward::Keyward;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::ProblemDocument;
use crate::routes::changes::ChangesView;
use crate::routes::{
    accounts, audit, changes, export, health, import, jwks, keys, keyspaces, many, verify,
};
use crate::view::{AccountRuleName, AccountStateName, AlgorithmName, FormatName, KeyStateName};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keyward",
        description = "API keys done right: issue, verify, rotate and revoke them.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(
        AccountRuleName, AccountStateName, AlgorithmName, ChangesView<'_>, FormatName, KeyStateName, ProblemDocument<'_>,
    )),
    modifiers(&BearerToken),
    security(("bearer" = [])),
)]
struct Document;

/// The management key as a bearer token.
pub(crate) struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        openapi.components.get_or_insert_default().add_security_scheme("bearer", scheme);
    }
}

/// The document of this version's routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}

/// Every route, with its part of the document.
pub(crate) fn routes() -> OpenApiRouter<Keyward> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(key_routes())
        .merge(key_act_routes())
        .merge(many_routes())
        .merge(account_routes())
        .routes(routes!(verify::verify))
        .routes(routes!(many::verify))
        .routes(routes!(keyspaces::create, keyspaces::list))
        .routes(routes!(keyspaces::show, keyspaces::update))
        .routes(routes!(audit::list, audit::erase))
        .routes(routes!(audit::summary))
        .routes(routes!(changes::follow))
        .merge(open_routes())
}

fn key_routes() -> OpenApiRouter<Keyward> {
    OpenApiRouter::new().routes(routes!(keys::issue, keys::list)).routes(routes!(
        keys::show,
        keys::update,
        keys::delete
    ))
}

fn key_act_routes() -> OpenApiRouter<Keyward> {
    OpenApiRouter::new()
        .routes(routes!(keys::acts::rotate))
        .routes(routes!(keys::acts::revoke))
        .routes(routes!(keys::acts::enable))
        .routes(routes!(keys::acts::disable))
        .routes(routes!(keys::acts::restore))
        .routes(routes!(keys::acts::purge))
        .routes(routes!(keys::acts::touch))
        .routes(routes!(keys::acts::invalidate))
        .routes(routes!(keys::acts::revoke_all))
        .routes(routes!(keys::reap::reap))
}

fn account_routes() -> OpenApiRouter<Keyward> {
    OpenApiRouter::new()
        .routes(routes!(accounts::create, accounts::list))
        .routes(routes!(accounts::show, accounts::update, accounts::delete))
        .routes(routes!(accounts::rotate))
        .routes(routes!(accounts::enable))
        .routes(routes!(accounts::disable))
        .routes(routes!(accounts::restore))
        .routes(routes!(accounts::purge))
}

/// The routes that act on many keys or service accounts.
fn many_routes() -> OpenApiRouter<Keyward> {
    OpenApiRouter::new()
        .routes(routes!(many::issue))
        .routes(routes!(many::revoke))
        .routes(routes!(export::export))
        .routes(routes!(import::import))
        .routes(routes!(export::accounts::export))
        .routes(routes!(import::accounts::import))
}

/// The routes that need no key.
fn open_routes() -> OpenApiRouter<Keyward> {
    OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(document))
        .routes(routes!(jwks::document))
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
async fn document() -> impl IntoResponse {
    // Anyone may ask for it, so it is written once.
    static WRITTEN: LazyLock<String> = LazyLock::new(|| openapi().to_json().unwrap_or_default());
    ([(CONTENT_TYPE, "application/json")], WRITTEN.as_str())
}
