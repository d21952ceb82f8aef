//! Verified tokens as arguments of axum's handlers.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::Extensions;
use http::request::Parts;
use keyward_core::Scope;

use crate::VerifiedToken;
use crate::problem::{Cause, ErrorForm, Rejection};

/// What a [`VerifyLayer`](crate::VerifyLayer) has verified. Without the layer, and without a key where it
/// is optional, the request is refused.
impl<S: Send + Sync> FromRequestParts<S> for VerifiedToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let token = parts.extensions.get::<Self>().cloned();
        token.ok_or_else(|| Rejection { cause: Cause::Missing, form: form(&parts.extensions) })
    }
}

/// What an [optional](crate::VerifyLayer::optional) layer has verified, if there was something.
impl<S: Send + Sync> OptionalFromRequestParts<S> for VerifiedToken {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

fn form(extensions: &Extensions) -> ErrorForm {
    extensions.get().copied().unwrap_or_default()
}

impl VerifiedToken {
    /// Goes on if the key has the scope.
    pub fn require(&self, scope: &Scope) -> Result<(), Rejection> {
        let cause = Cause::InsufficientScope;
        let missing = || Rejection { cause, form: ErrorForm::Problem };
        if self.has_scope(scope.as_str()) { Ok(()) } else { Err(missing()) }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.render()
    }
}
