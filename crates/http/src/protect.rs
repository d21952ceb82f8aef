//! For applications of your own: only requests with a valid key come through.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request};
use axum::response::{IntoResponse, Response};
use keyward::jose::Claims;
use keyward::store::StoreError;
use keyward::{
    Asked, Decision, DenyReason, Error, HeaderRules, KeyRecord, KeyspaceId, Keyward, MatchScopes,
    Permit, ResourceId, Scope, VerifyOptions, extract_key,
};
use tower::{Layer, Service};

use crate::problem::Problem;

/// A request's key, verified. In the extensions of every request that came through [`ProtectLayer`];
/// without the layer, as an extractor, it verifies the request itself.
///
/// ```
/// # use axum::{Router, routing::get};
/// # use keyward_http::{Rejection, VerifiedKey};
/// async fn hello(key: VerifiedKey) -> Result<String, Rejection> {
///     key.require(&"read".parse()?)?;
///     Ok(format!("Hello, {}!", key.record().owner))
/// }
/// # let _: Router<keyward::Keyward> = Router::new().route("/hello", get(hello));
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedKey(Arc<Permit>);

impl VerifiedKey {
    /// The key's record, as it was when the request came.
    pub fn record(&self) -> &KeyRecord {
        self.0.key()
    }

    /// What the token of a signed key says, all of it: nobody can have changed it since it was signed.
    pub fn claims(&self) -> Option<Claims> {
        self.0.holder().proved().map(|proved| proved.claims())
    }

    /// The proof that it was verified.
    pub fn permit(&self) -> &Permit {
        &self.0
    }

    /// Goes on if the key has the scope everywhere.
    pub fn require(&self, scope: &Scope) -> Result<(), Rejection> {
        self.require_of(&Asked { scopes: std::slice::from_ref(scope), ..Asked::default() })
    }

    /// Goes on if the key has the scope everywhere or on the resource.
    pub fn require_on(&self, scope: &Scope, resource: &ResourceId) -> Result<(), Rejection> {
        let scopes = std::slice::from_ref(scope);
        self.require_of(&Asked { resource: Some(resource), scopes, ..Asked::default() })
    }

    /// Goes on if the key may do all that is asked.
    pub fn require_of(&self, asked: &Asked<'_>) -> Result<(), Rejection> {
        if self.0.allows(asked) { Ok(()) } else { Err(DenyReason::InsufficientScope.into()) }
    }
}

impl<S> FromRequestParts<S> for VerifiedKey
where
    Keyward: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        if let Some(key) = parts.extensions.get::<Self>() {
            return Ok(key.clone());
        }
        ProtectLayer::new(Keyward::from_ref(state)).verify(&parts.headers).await
    }
}

/// A tower layer that verifies each request's key and hands it on as a [`VerifiedKey`].
///
/// ```
/// # use axum::{Router, routing::get};
/// # use keyward_http::ProtectLayer;
/// # fn example(keyward: keyward::Keyward) -> Result<Router, keyward::Invalid> {
/// let router = Router::new()
///     .route("/data", get(async || "sensitive"))
///     .route_layer(ProtectLayer::new(keyward).scopes(["read".parse()?]));
/// # Ok(router)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ProtectLayer {
    keyspace: Option<KeyspaceId>,
    keyward: Keyward,
    matching: MatchScopes,
    rules: Arc<HeaderRules>,
    scopes: Arc<[Scope]>,
}

impl ProtectLayer {
    /// Lets every valid key through. It is looked for where the instance looks.
    pub fn new(keyward: Keyward) -> Self {
        let rules = Arc::new(keyward.header_rules().clone());
        Self { keyspace: None, keyward, matching: MatchScopes::All, rules, scopes: Arc::new([]) }
    }

    /// Only keys of this keyspace; others are unknown here. Where the store is shared with a Keyward
    /// server, it keeps that one's management keys out.
    #[must_use]
    pub fn keyspace(self, keyspace: KeyspaceId) -> Self {
        Self { keyspace: Some(keyspace), ..self }
    }

    /// Only keys that have all of these scopes.
    #[must_use]
    pub fn scopes(self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self { matching: MatchScopes::All, scopes: scopes.into_iter().collect(), ..self }
    }

    /// Only keys that have any of these scopes.
    #[must_use]
    pub fn any_scope(self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self { matching: MatchScopes::Any, scopes: scopes.into_iter().collect(), ..self }
    }

    /// Looks for keys in other headers than the instance does.
    #[must_use]
    pub fn header_rules(self, rules: HeaderRules) -> Self {
        Self { rules: Arc::new(rules), ..self }
    }

    async fn verify(&self, headers: &HeaderMap) -> Result<VerifiedKey, Rejection> {
        let key = extract_key(headers, &self.rules)
            .map_err(|error| Problem::unreadable_header(&error))?;
        let asked = Asked {
            keyspace: self.keyspace.as_ref(),
            matching: self.matching,
            resource: None,
            scopes: &self.scopes,
            ..Asked::default()
        };
        let options = VerifyOptions { bearer: keyward::Bearer::Keep, ..VerifyOptions::default() };
        let decision = self.keyward.verify_with(key.unwrap_or_default(), &asked, &options).await?;
        match decision {
            Decision::Allow(permit) => Ok(VerifiedKey(Arc::new(permit))),
            Decision::Deny(reason) => Err(reason.into()),
        }
    }
}

impl<S> Layer<S> for ProtectLayer {
    type Service = Protect<S>;

    fn layer(&self, inner: S) -> Protect<S> {
        Protect { inner, layer: self.clone() }
    }
}

/// The service that [`ProtectLayer`] makes.
#[derive(Clone, Debug)]
pub struct Protect<S> {
    inner: S,
    layer: ProtectLayer,
}

impl<S, B> Service<Request<B>> for Protect<S>
where
    S: Service<Request<B>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let layer = self.layer.clone();
        // The one that is ready, and not its clone, takes the request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            match layer.verify(request.headers()).await {
                Ok(key) => {
                    request.extensions_mut().insert(key);
                    inner.call(request).await
                }
                Err(rejection) => Ok(rejection.into_response()),
            }
        })
    }
}

/// Why a request was refused, or could not be judged, as a problem document (RFC 9457).
///
/// Made of a refused decision, of a management act's [`Error`] and of a value that is not acceptable,
/// so that handlers can use `?`: 401 for a key that is missing, malformed, unknown, expired or
/// revoked, 403 for one that is disabled or lacks a right, 404, 409 and 422 for acts that are not
/// possible, 503 where the store does not answer.
#[derive(Clone)]
pub struct Rejection(Problem);

impl Rejection {
    /// The stable code, for programs.
    pub const fn code(&self) -> &'static str {
        self.0.code
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rejection").field(&self.0.code).finish()
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.0.render(None)
    }
}

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<DenyReason> for Rejection {
    fn from(reason: DenyReason) -> Self {
        Self(reason.into())
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}

impl From<StoreError> for Rejection {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl From<keyward::FieldError> for Rejection {
    fn from(error: keyward::FieldError) -> Self {
        Self(Problem::invalid_body(vec![error]))
    }
}

impl From<keyward::Invalid> for Rejection {
    fn from(invalid: keyward::Invalid) -> Self {
        invalid.at("body").into()
    }
}

impl From<Infallible> for Rejection {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
