//! Revoking what was found.
//!
//! Whoever can write into a repository can make up a secret that names somebody else's key, with a
//! checksum that is right. So a key is revoked only if the server says that the secret is its own.

use std::collections::HashMap;

use axum::http::Method;
use keyward::{Dialect, Digest, DigestScheme, Hasher, KeyId, KeyspaceId, Profile, Reason, Secret};
use keyward_scan::Find;
use serde_json::{Value, json};

use super::super::query;
use crate::api::Api;

/// What became of a key that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is revoked already.
    Dead,
    /// It was to be revoked, and could not be.
    Failed(String),
    /// It is a key, and nothing tells which: it must be looked for by hand.
    NotFound,
    /// It is no key of this installation: made up, or of another one.
    NotOurs,
    /// It is the key that the calls are made with.
    OwnKey,
    /// It is revoked now.
    Revoked,
}

impl Fate {
    /// A stable word for it.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Failed(_) => "failed",
            Self::NotFound => "not_found",
            Self::NotOurs => "not_ours",
            Self::OwnKey => "own_key",
            Self::Revoked => "revoked",
        }
    }
}

impl std::fmt::Display for Fate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dead => f.write_str("revoked already"),
            Self::Failed(why) => write!(f, "NOT revoked: {why}"),
            Self::NotFound => f.write_str("NOT revoked: it is valid, but its id is not known"),
            Self::NotOurs => f.write_str("not a key of this installation"),
            Self::OwnKey => f.write_str("NOT revoked: it is the key of this call"),
            Self::Revoked => f.write_str("revoked"),
        }
    }
}

/// Revokes keys through an interface.
pub(super) struct Revoking<'a> {
    pub(super) api: &'a Api,
    /// The key that the calls are made with, if they are made with one.
    pub(super) own: Option<OwnKey>,
    pub(super) reason: Reason,
}

/// The key that calls are made with. Without it no other could be revoked.
pub(super) struct OwnKey {
    digest: Option<Digest>,
    id: Option<KeyId>,
}

impl OwnKey {
    pub(super) fn new(secret: &str) -> Self {
        let components = Profile::new(Dialect::Keyward).components(secret);
        let id = components.ok().and_then(|components| KeyId::parse(components.id).ok());
        Self { digest: digest(secret), id }
    }

    /// Whether a secret is this key's, or one from before it was rotated.
    fn is(&self, find: &Find) -> bool {
        let found = digest(find.secret.expose());
        let is_same =
            self.digest.as_ref().zip(found).is_some_and(|(own, found)| own.matches(&found));
        is_same || find.key.as_ref().is_some_and(|id| self.has_id(id.as_str()))
    }

    fn has_id(&self, id: &str) -> bool {
        self.id.as_ref().is_some_and(|own| own.as_str() == id)
    }
}

/// Digests of equal length compare in a time that tells nothing of the secrets.
fn digest(secret: &str) -> Option<Digest> {
    Hasher::new(Vec::new()).digest(DigestScheme::Sha256, secret)
}

impl Revoking<'_> {
    /// Does what can be done about each find; the same secret is asked about once. Management keys come
    /// last: the calls may be made with one of them all the same.
    pub(super) async fn all(&self, finds: &[Find]) -> Vec<Fate> {
        let is_management = |find: &&Find| {
            let keyspace = find.keyspace.as_ref().map(KeyspaceId::as_str);
            keyspace == Some(KeyspaceId::MANAGEMENT)
        };
        let (last, first): (Vec<_>, Vec<_>) = finds.iter().partition(is_management);
        let mut known: HashMap<&str, Fate> = HashMap::new();
        let mut failure = None;
        for find in first.into_iter().chain(last) {
            let secret = find.secret.expose();
            if known.contains_key(secret) {
                continue;
            }
            let fate = match &failure {
                // Where one call fails the next would, after as long a wait.
                Some(failure) => Fate::Failed(String::clone(failure)),
                None => self.one(find).await.unwrap_or_else(|error| {
                    let failed = format!("{error:#}");
                    failure = Some(failed.clone());
                    Fate::Failed(failed)
                }),
            };
            known.insert(secret, fate);
        }
        // Each has its fate by now.
        finds.iter().filter_map(|find| known.get(find.secret.expose()).cloned()).collect()
    }

    async fn one(&self, find: &Find) -> anyhow::Result<Fate> {
        if self.own.as_ref().is_some_and(|own| own.is(find)) {
            return Ok(Fate::OwnKey);
        }
        let secret = find.secret.expose();
        let body = json!({"secret": secret, "skip_cache": true, "skip_tracking": true});
        let answer = self.api.call(Method::POST, "/v1/verify", Some(&body)).await?;
        let Ok(verification) = answer.granted(false)? else {
            return Ok(Fate::Failed("it may not be verified".to_owned()));
        };
        let text = |pointer: &str| verification.pointer(pointer).and_then(Value::as_str);
        let id = match (text("/key/id"), text("/code").unwrap_or_default()) {
            (Some(id), _) => Some(id.to_owned()),
            (None, "malformed" | "missing" | "unknown") => return Ok(Fate::NotOurs),
            (None, "revoked") => return Ok(Fate::Dead),
            // For any other reason a secret is refused only after it has proved to be the key's. Such
            // a key may come back: one that has expired, by another expiry.
            (None, _) => match &find.key {
                Some(id) => Some(id.to_string()),
                None => id_by_digest(self.api, &find.secret).await?,
            },
        };
        let Some(id) = id else { return Ok(Fate::NotFound) };
        // That it has expired is said of a key that is revoked, too.
        if text("/code") == Some("expired") && self.is_revoked(&id).await? {
            return Ok(Fate::Dead);
        }
        self.revoke(&id).await
    }

    async fn is_revoked(&self, id: &str) -> anyhow::Result<bool> {
        let path = query::path_of("keys", id, "");
        let answer = self.api.call(Method::GET, &path, None).await?.granted(false)?;
        Ok(answer.is_ok_and(|key| key.get("revoked_at").is_some_and(|at| !at.is_null())))
    }

    async fn revoke(&self, id: &str) -> anyhow::Result<Fate> {
        // With a form of secrets that has no id in it this is known only now.
        if self.own.as_ref().is_some_and(|own| own.has_id(id)) {
            return Ok(Fate::OwnKey);
        }
        let path = query::path_of("keys", id, "/revoke");
        let body = json!({ "reason": self.reason.as_str() });
        let answer = self.api.call(Method::POST, &path, Some(&body)).await?;
        Ok(match answer.granted(false)? {
            Ok(_) => Fate::Revoked,
            Err(_) => Fate::Failed("it may not be revoked".to_owned()),
        })
    }
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
