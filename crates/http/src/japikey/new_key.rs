//! What a request to create a key asks for.

use axum::extract::Request;
use http_body_util::{BodyExt, Limited};
use keyward::jose::Claims;
use keyward::{Expiry, Lifetime, Metadata, Timestamp};
use serde::Deserialize;

use super::JapikeyError;
use crate::input::{self, Object};

/// A key to create, as japikey knows it.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// When it expires; it must be in the future.
    pub expiry: Expiry,
    /// What the token shall say besides what it says anyway.
    pub claims: Claims,
    /// What is stored with the key and not in the token.
    pub metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    expires_at: Option<String>,
    expires_in: Option<String>,
    #[serde(default)]
    claims: Claims,
    #[serde(default)]
    metadata: Metadata,
}

impl NewApiKey {
    /// Bytes in the largest body.
    const BODY_LIMIT: usize = 64 * 1_024;

    /// Reads a JSON body of `expires_at` (RFC 3339) or `expires_in` (such as `30d`), and perhaps
    /// `claims` and `metadata`.
    pub async fn from_json(request: Request) -> Result<Self, JapikeyError> {
        if !input::is_json(&request) {
            return Err(JapikeyError::invalid_input(
                "the body must be of the type application/json",
            ));
        }
        let body = Limited::new(request.into_body(), Self::BODY_LIMIT).collect().await;
        let body = body.map_err(|error| {
            let is_length = error.is::<http_body_util::LengthLimitError>();
            let unreadable = || JapikeyError::invalid_input("the body cannot be read");
            if is_length { JapikeyError::too_large() } else { unreadable() }
        })?;
        let read = serde_json::from_slice(&body.to_bytes());
        let Object(body): Object<Body> = read.map_err(|_| {
            let rule =
                "the body must be a JSON object of expires_at or expires_in, claims and metadata";
            JapikeyError::invalid_input(rule)
        })?;
        let expiry = match (&body.expires_at, &body.expires_in) {
            (Some(at), None) => {
                Expiry::At(Timestamp::parse(at).map_err(|invalid| invalid.at("expires_at"))?)
            }
            (None, Some(lifetime)) => {
                Expiry::In(Lifetime::parse(lifetime).map_err(|invalid| invalid.at("expires_in"))?)
            }
            (None, None) => Expiry::Default,
            (Some(_), Some(_)) => {
                let rule = "expires_in must not be given together with expires_at";
                return Err(JapikeyError::invalid_input(rule));
            }
        };
        Ok(Self { expiry, claims: body.claims, metadata: body.metadata })
    }
}
