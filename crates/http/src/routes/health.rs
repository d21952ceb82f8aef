//! Whether the process lives, and whether it can answer.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::Keyward;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problems;
use crate::view::{Answer, Json};

/// How the process is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`: anything else is a problem document.
    status: &'static str,
}

const OK: Health = Health { status: "ok" };

/// Whether the process lives. Says nothing about the store.
#[utoipa::path(
    get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, body = Health)),
)]
pub(crate) async fn alive() -> Json<Health> {
    Json(StatusCode::OK, OK)
}

/// Whether this node can answer: its store reads, and takes what is to be written.
#[utoipa::path(
    get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = Health), Problems),
)]
pub(crate) async fn ready(State(keyward): State<Keyward>) -> Answer {
    keyward.health().await?;
    Ok(Json(StatusCode::OK, OK).into_response())
}
