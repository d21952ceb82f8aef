//! An application whose routes need API keys, to copy from.
//!
//! | route | which keys may call it |
//! | --- | --- |
//! | `GET /api/data` | those with the scope `read` |
//! | `GET /api/projects/{id}` | those with the scope `read`, everywhere or on `project:<id>` |
//! | `POST /api/keys` | those with the scope `admin` |
//! | `DELETE /api/keys/{id}` | those of the same owner, and those with the scope `admin` |
//!
//! A key is sent as `Authorization: Bearer <key>`. What goes wrong is answered by
//! [`keyward_http::Rejection`]: 401 without a valid key, 403 for a disabled one or for want of a
//! right, 404 and 409 for acts that are not possible, 422 for values that are not acceptable, 503
//! while the store does not answer. Axum itself answers a body that cannot be read.
#![forbid(unsafe_code)]

mod actor;
mod routes;

use axum::Router;
use axum::routing::{delete, get, post};
use keyward::{KeyspaceId, Keyward};
use keyward_http::ProtectLayer;

/// The application, with its keys in this instance.
pub fn app(keyward: Keyward) -> Router {
    let api = Router::new()
        .route("/data", get(routes::data))
        .route("/projects/{id}", get(routes::project))
        .route("/keys", post(routes::issue))
        .route("/keys/{id}", delete(routes::revoke))
        // Covers the routes above, and none that is added below.
        .route_layer(ProtectLayer::new(keyward.clone()).keyspace(KeyspaceId::default_keyspace()))
        .with_state(keyward);
    Router::new().nest("/api", api)
}
