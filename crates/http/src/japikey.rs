//! The routes of japikey's routers, over signed keys: the same paths, bodies and error types, for
//! applications that move from there.
//!
//! Who is asking, and what a request to create a key says, is the application's business:
//!
//! ```
//! use axum::Router;
//! use axum::extract::Request;
//! use axum::http::request::Parts;
//! use keyward_http::japikey::{self, Act, Application, JapikeyError, NewApiKey, User};
//!
//! #[derive(Clone)]
//! struct Shop;
//!
//! impl Application for Shop {
//!     async fn user(&self, parts: &Parts, _: Act) -> Result<User, JapikeyError> {
//!         let user = parts.headers.get("x-user").and_then(|user| user.to_str().ok());
//!         user.ok_or(JapikeyError::unauthorized("log in first"))?.parse()
//!     }
//!
//!     async fn new_key(&self, request: Request) -> Result<NewApiKey, JapikeyError> {
//!         NewApiKey::from_json(request).await
//!     }
//! }
//!
//! # fn example(keyward: keyward::Keyward) -> Result<Router, keyward::Invalid> {
//! let keyspace = "japikey".parse()?;
//! let router = Router::new()
//!     .nest("/api-keys", japikey::api_key_router(keyward.clone(), keyspace, Shop))
//!     .nest("/jwks", japikey::jwks_router(keyward, std::time::Duration::from_secs(60)));
//! # Ok(router)
//! # }
//! ```

mod error;
mod new_key;
mod routes;
mod server;

use std::str::FromStr;

use axum::extract::Request;
use axum::http::request::Parts;
pub use error::JapikeyError;
use keyward::{ActContext, ActorId, OwnerId};
pub use new_key::NewApiKey;
pub use routes::{api_key_router, jwks_router};
pub use server::prepare;
pub(crate) use server::router as server_router;

/// What an application has to say about requests.
pub trait Application: Clone + Send + Sync + 'static {
    /// Whose keys the request is about, if whoever makes it may do that.
    fn user(
        &self,
        parts: &Parts,
        act: Act,
    ) -> impl Future<Output = Result<User, JapikeyError>> + Send;

    /// What a request to create a key asks for.
    fn new_key(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<NewApiKey, JapikeyError>> + Send;
}

/// What is done to a user's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// One is created.
    Create,
    /// They are looked at.
    Read,
    /// One is revoked.
    Revoke,
}

/// Whose keys a request is about.
#[derive(Clone, Debug)]
pub struct User {
    /// The user's id, which becomes the owner of keys and the `sub` of tokens.
    pub id: OwnerId,
    /// Whom the audit trail names.
    pub context: ActContext,
}

impl FromStr for User {
    type Err = JapikeyError;

    /// A user that acts for itself.
    fn from_str(id: &str) -> Result<Self, JapikeyError> {
        let invalid = |_| JapikeyError::invalid_input("the user id is not usable");
        let context = ActContext::by(ActorId::parse(id).map_err(invalid)?);
        Ok(Self { id: OwnerId::parse(id).map_err(invalid)?, context })
    }
}
