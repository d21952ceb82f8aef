//! Revoking what was found.
//!
//! Whoever can write into a repository can make up a secret that names somebody else's key, with a
//! checksum that is right. So a key is revoked only if the server says that the secret is its own.

use std::collections::HashMap;

use axum::http::Method;
use keyward::{DigestScheme, Hasher, Secret};
use keyward_scan::Find;
use serde_json::{Value, json};

use super::super::query;
use crate::api::Api;

/// What became of a key that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It cannot be used any more anyway, for this reason.
    Dead(String),
    /// It was to be revoked, and could not be.
    Failed(String),
    /// It is a key, and nothing tells which: it must be looked for by hand.
    NotFound,
    /// It is no key of this installation: made up, or of another one.
    NotOurs,
    /// It is revoked now.
    Revoked,
}

impl Fate {
    /// A stable word for it.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Dead(_) => "dead",
            Self::Failed(_) => "failed",
            Self::NotFound => "not_found",
            Self::NotOurs => "not_ours",
            Self::Revoked => "revoked",
        }
    }
}

impl std::fmt::Display for Fate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dead(why) => write!(f, "{why} already"),
            Self::Failed(why) => write!(f, "NOT revoked: {why}"),
            Self::NotFound => f.write_str("NOT revoked: it is valid, but its id is not known"),
            Self::NotOurs => f.write_str("not a key of this installation"),
            Self::Revoked => f.write_str("revoked"),
        }
    }
}

/// Does what can be done about each find; the same secret is asked about once.
pub(super) async fn all(api: &Api, finds: &[Find], reason: &str) -> Vec<Fate> {
    let mut known: HashMap<&str, Fate> = HashMap::new();
    let mut fates = Vec::with_capacity(finds.len());
    let mut failure = None;
    for find in finds {
        let secret = find.secret.expose();
        let fate = match (known.get(secret), &failure) {
            (Some(fate), _) => fate.clone(),
            // Where one call fails the next would, after as long a wait.
            (None, Some(failure)) => Fate::Failed(String::clone(failure)),
            (None, None) => match one(api, find, reason).await {
                Ok(fate) => fate,
                Err(error) => {
                    let failed = format!("{error:#}");
                    failure = Some(failed.clone());
                    Fate::Failed(failed)
                }
            },
        };
        known.insert(secret, fate.clone());
        fates.push(fate);
    }
    fates
}

async fn one(api: &Api, find: &Find, reason: &str) -> anyhow::Result<Fate> {
    let body = json!({"secret": find.secret.expose(), "skip_cache": true, "skip_tracking": true});
    let answer = api.call(Method::POST, "/v1/verify", Some(&body)).await?;
    let Ok(verification) = answer.granted(false)? else {
        return Ok(Fate::Failed("it may not be verified".to_owned()));
    };
    let text = |pointer: &str| verification.pointer(pointer).and_then(Value::as_str);
    let id = match (text("/key/id"), text("/code").unwrap_or_default()) {
        (Some(id), _) => Some(id.to_owned()),
        (None, "malformed" | "missing" | "unknown") => return Ok(Fate::NotOurs),
        (None, dead @ ("expired" | "revoked")) => return Ok(Fate::Dead(dead.to_owned())),
        // For any other reason a secret is refused only after it has proved to be the key's.
        (None, _) => match &find.key {
            Some(id) => Some(id.to_string()),
            None => id_by_digest(api, &find.secret).await?,
        },
    };
    let Some(id) = id else { return Ok(Fate::NotFound) };
    let path = query::path_of("keys", &id, "/revoke");
    let answer = api.call(Method::POST, &path, Some(&json!({ "reason": reason }))).await?;
    Ok(match answer.granted(false)? {
        Ok(_) => Fate::Revoked,
        Err(_) => Fate::Failed("it may not be revoked".to_owned()),
    })
}

/// The id of the key with this secret, if its digest takes no pepper.
async fn id_by_digest(api: &Api, secret: &Secret) -> anyhow::Result<Option<String>> {
    let hasher = Hasher::new(Vec::new());
    for scheme in [DigestScheme::Sha256, DigestScheme::Sha512] {
        let Some(digest) = hasher.digest(scheme, secret.expose()) else { continue };
        let digest = format!("{scheme}:{}", digest.to_hex());
        let path = query::path("/v1/keys", &[("digest", Some(digest))]);
        let Ok(page) = api.call(Method::GET, &path, None).await?.granted(false)? else {
            return Ok(None);
        };
        if let Some(id) = page.pointer("/data/0/id").and_then(Value::as_str) {
            return Ok(Some(id.to_owned()));
        }
    }
    Ok(None)
}
