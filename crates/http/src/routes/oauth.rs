//! The authorization server: access tokens for client credentials, what presented texts are worth, taking
//! them back, and the documents for whoever verifies elsewhere.

pub(crate) mod caller;
pub(crate) mod documents;
pub(crate) mod error;
pub(crate) mod form;
pub(crate) mod introspect;
pub(crate) mod revoke;
pub(crate) mod token;

use axum::response::Response;
pub(crate) use documents::{is_metadata, metadata_document};

use error::OAuthProblem;

/// What a handler of these routes answers.
type OAuthAnswer = Result<Response, OAuthProblem>;
