//! All routes together, and what every request goes through.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use keyward::Keyward;
use tower_http::catch_panic::CatchPanicLayer;

use crate::envelope::{self, Envelope};
use crate::openapi;
use crate::problem::Problem;

/// How requests are limited.
#[derive(Clone, Copy, Debug)]
pub struct RouterSettings {
    /// The largest body that is read, in bytes.
    pub body_limit: usize,
    /// How long a request may take, its body included.
    pub deadline: Duration,
}

impl Default for RouterSettings {
    fn default() -> Self {
        Self { body_limit: 64 * 1024, deadline: Duration::from_secs(30) }
    }
}

/// The REST interface over an instance.
pub fn router(keyward: Keyward, settings: RouterSettings) -> Router {
    let RouterSettings { body_limit, deadline } = settings;
    let envelope = Envelope { body_limit, deadline, keyward: keyward.clone() };
    let (routes, _) = openapi::routes().split_for_parts();
    routes
        .with_state(keyward)
        .fallback(async || Problem::not_found())
        .layer(CatchPanicLayer::custom(|_| -> Response {
            tracing::error!("a request handler panicked");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }))
        .layer(middleware::from_fn_with_state(envelope, envelope::wrap))
}
