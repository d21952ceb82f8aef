//! A tower layer: only requests with a valid signed key come through.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response};
use keyward_core::{HeaderRules, Scope, extract_key};
use tower::{Layer, Service};

use crate::problem::{Cause, ErrorForm, Rejection};
use crate::{VerifiedToken, Verifier, VerifyError};

/// A tower layer that verifies each request's key and hands it on as a [`VerifiedToken`] in the request's
/// extensions.
///
/// Requests without a key, and with something else in its place, are refused, unless the layer is
/// [`optional`](Self::optional).
///
/// ```
/// # use keyward_client::{Verifier, VerifiedToken, VerifyLayer};
/// # #[cfg(feature = "axum")]
/// # fn example(verifier: Verifier) -> axum::Router {
/// use axum::{Router, routing::get};
///
/// Router::new()
///     .route("/hello", get(async |key: VerifiedToken| format!("Hello, {}!", key.subject())))
///     .route_layer(VerifyLayer::new(verifier))
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct VerifyLayer {
    form: ErrorForm,
    is_optional: bool,
    rules: Arc<HeaderRules>,
    scopes: Arc<[Scope]>,
    verifier: Verifier,
}

impl VerifyLayer {
    /// Lets every valid key through. It is looked for in `Authorization`, then in `X-API-Key`.
    pub fn new(verifier: Verifier) -> Self {
        Self {
            form: ErrorForm::default(),
            is_optional: false,
            rules: Arc::default(),
            scopes: Arc::new([]),
            verifier,
        }
    }

    /// Lets requests through that hold no signed key of these issuers, without a [`VerifiedToken`]: for
    /// applications that take other credentials, too, and look themselves. A signed key that is refused,
    /// and one that cannot be judged, is refused all the same.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }

    /// Writes refusals as japikey does: `{"error":{"type":…,"message":…}}`.
    #[must_use]
    pub fn japikey_errors(self) -> Self {
        Self { form: ErrorForm::Japikey, ..self }
    }

    /// Looks for keys in these headers.
    #[must_use]
    pub fn header_rules(self, rules: HeaderRules) -> Self {
        Self { rules: Arc::new(rules), ..self }
    }

    /// Only keys that have all of these scopes.
    #[must_use]
    pub fn scopes(self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self { scopes: scopes.into_iter().collect(), ..self }
    }

    async fn verify(&self, headers: &HeaderMap) -> Result<Option<VerifiedToken>, Cause> {
        let token = match extract_key(headers, &self.rules)? {
            None if self.is_optional => return Ok(None),
            None => return Err(Cause::Missing),
            Some(key) => match self.verifier.verify(key).await {
                // It is no signed key of ours.
                Err(VerifyError::Malformed(_)) if self.is_optional => return Ok(None),
                verified => verified?,
            },
        };
        if token.has_scopes(self.scopes.iter().map(Scope::as_str)) {
            Ok(Some(token))
        } else {
            Err(Cause::InsufficientScope)
        }
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = Verify<S>;

    fn layer(&self, inner: S) -> Verify<S> {
        Verify { inner, layer: self.clone() }
    }
}

/// The service that [`VerifyLayer`] makes.
#[derive(Clone, Debug)]
pub struct Verify<S> {
    inner: S,
    layer: VerifyLayer,
}

impl<S, B, R> Service<Request<B>> for Verify<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let layer = self.layer.clone();
        // The one that is ready, and not its clone, takes the request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            // Whoever stands before this layer must not be able to say who is calling.
            request.extensions_mut().remove::<VerifiedToken>();
            let verified = layer.verify(request.headers()).await;
            request.extensions_mut().insert(layer.form);
            match verified {
                Ok(token) => {
                    token.map(|token| request.extensions_mut().insert(token));
                    inner.call(request).await
                }
                Err(cause) => {
                    tracing::debug!(?cause, "a request was refused");
                    Ok(Rejection { cause, form: layer.form }.render())
                }
            }
        })
    }
}
