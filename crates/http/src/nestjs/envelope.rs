//! The one envelope of every answer.

use axum::extract::{Request, State};
use axum::http::header::ALLOW;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use keyward::{Keyward, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::NestjsError;
use super::error::Done;
use super::view::Millis;
use crate::problem::Problem;
use crate::view::{Json, Pagination, SecretJson};

/// What was done.
#[derive(Serialize, ToSchema)]
pub(super) struct Outcome<T> {
    /// Always true.
    success: bool,
    /// What was done in a sentence, for people.
    message: &'static str,
    /// What was done as a stable word, for programs.
    #[schema(example = "KEY_CREATED")]
    code: &'static str,
    /// What came of it.
    data: T,
    /// Where the page is among all; of lists alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Pagination>,
    /// When it was answered.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Millis,
}

impl<T: Serialize> Outcome<T> {
    fn new(done: Done, data: T, now: Timestamp) -> Self {
        let (message, code, timestamp) = (done.message(), done.code(), Millis(now));
        Self { success: true, message, code, data, pagination: None, timestamp }
    }

    pub(super) fn answer(done: Done, data: T, now: Timestamp) -> Response {
        Json(done.status(), Self::new(done, data, now)).into_response()
    }

    /// An answer that holds secrets.
    pub(super) fn secret_answer(done: Done, data: T, now: Timestamp) -> Response {
        SecretJson(done.status(), Self::new(done, data, now)).into_response()
    }

    /// A page of a list.
    pub(super) fn page(done: Done, data: T, place: Pagination, now: Timestamp) -> Response {
        let page = Self { pagination: Some(place), ..Self::new(done, data, now) };
        Json(done.status(), page).into_response()
    }
}

/// Writes what was refused, wherever on the way.
pub(super) async fn wrap(State(keyward): State<Keyward>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>();
    let own = response.extensions_mut().remove::<NestjsError>();
    let Some(error) = own.or(problem.map(NestjsError::from)) else { return response };
    let mut written = error.render(keyward.now());
    if let Some(allow) = response.headers_mut().remove(ALLOW) {
        written.headers_mut().insert(ALLOW, allow);
    }
    written
}
