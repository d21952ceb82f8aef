//! Keyward over HTTP.
//!
//! [`router`] is the REST interface as an axum router, to be served by [`serve`] or mounted in an
//! application of your own. Every route under `/v1` needs a management key as a bearer token
//! (RFC 6750 §2.1); requests made in the process may carry an [`Operator`] instead.
//!
//! [`ProtectLayer`] and [`VerifiedKey`] protect the routes of an application of your own.
#![forbid(unsafe_code)]

mod access;
mod caller;
mod envelope;
mod fields;
mod input;
pub mod japikey;
pub mod nestjs;
mod openapi;
pub mod postman;
mod problem;
mod protect;
mod router;
mod routes;
mod serve;
mod view;

pub use caller::Operator;
pub use openapi::openapi;
pub use protect::{Protect, ProtectLayer, Rejection, VerifiedKey};
pub use router::{MetricsPage, RouterSettings, router};
pub use serve::{ServeSettings, serve};
