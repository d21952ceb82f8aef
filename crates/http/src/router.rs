//! All routes together, and what every request goes through.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use keyward::Keyward;
use tower_http::catch_panic::CatchPanicLayer;

use crate::envelope::{self, Envelope};
use crate::input::BODY_LIMIT;
use crate::routes::jwks::{self, JwksSettings};
use crate::{japikey, nestjs, openapi};

/// How requests are limited, and what is shown beside the interface.
#[derive(Clone, Debug)]
pub struct RouterSettings {
    /// The largest body that is read, in bytes.
    pub body_limit: usize,
    /// How long a request may take, its body included.
    pub deadline: Duration,
    /// For how long others may keep a document with a public key (`max-age`, RFC 9111 §5.2.2.1): as
    /// long may a revocation take to reach them.
    pub jwks_max_age: Duration,
    /// Whether the routes of [`crate::japikey`] are served, under `/compat/japikey`.
    pub japikey: bool,
    /// Whether the routes of [`crate::nestjs`] are served, at their own paths and under `/compat/nestjs`.
    pub nestjs: bool,
    /// What `/metrics` answers, without a key; absent: there is no such route.
    pub metrics: Option<MetricsPage>,
}

/// Writes metrics in the text format of Prometheus, anew for each request.
#[derive(Clone)]
pub struct MetricsPage(Arc<dyn Fn() -> String + Send + Sync>);

impl MetricsPage {
    /// A page that this function writes.
    pub fn new(write: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    fn answer(&self) -> Response {
        ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (self.0)()).into_response()
    }
}

impl fmt::Debug for MetricsPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsPage").finish_non_exhaustive()
    }
}

impl Default for RouterSettings {
    fn default() -> Self {
        Self {
            body_limit: BODY_LIMIT,
            deadline: Duration::from_secs(30),
            jwks_max_age: Duration::from_mins(1),
            japikey: false,
            nestjs: false,
            metrics: None,
        }
    }
}

/// The REST interface over an instance.
pub fn router(keyward: Keyward, settings: RouterSettings) -> Router {
    let RouterSettings { body_limit, deadline, jwks_max_age, .. } = settings;
    let jwks = JwksSettings::new(jwks_max_age);
    let envelope = Envelope { body_limit, deadline, jwks, keyward: keyward.clone() };
    let compat = compat(&keyward, &settings);
    let (mut routes, _) = openapi::routes().split_for_parts();
    if let Some(page) = settings.metrics {
        routes = routes.route("/metrics", get(async move || page.answer()));
    }
    routes
        .fallback(jwks::elsewhere)
        .with_state(keyward)
        .merge(compat)
        .layer(CatchPanicLayer::custom(|_| -> Response {
            tracing::error!("a request handler panicked");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }))
        .layer(middleware::from_fn_with_state(envelope, envelope::wrap))
}

/// The interfaces of other systems.
fn compat(keyward: &Keyward, settings: &RouterSettings) -> Router {
    let mut routes = Router::new();
    if settings.japikey {
        // As a service, so that there may be a slash behind the path.
        routes = routes.nest_service("/compat/japikey", japikey::server_router(keyward));
    }
    if settings.nestjs {
        let keys = nestjs::server_router(keyward);
        routes = routes.nest("/compat/nestjs", keys.clone()).merge(keys);
    }
    routes
}
