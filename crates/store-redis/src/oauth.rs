//! Signing keys and revoked access tokens as they are stored.

use keyward_core::{RevokedToken, SigningKey, TokenId};
use keyward_store::StoreError;
use redis::Value;
use serde::{Deserialize, Serialize};

use crate::calls::Calls;
use crate::place::{instant, read_instant};
use crate::reply::{Reply, Unreadable, corrupt, json};

/// A signing key as it is stored.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    jwk: String,
    created: String,
    expires: String,
}

/// A signing key as JSON.
pub(crate) fn stored(key: &SigningKey) -> Result<String, serde_json::Error> {
    let (created, expires) = (instant(key.created_at), instant(key.expires_at));
    serde_json::to_string(&Stored { jwk: key.to_jwk(), created, expires })
}

pub(crate) async fn signing_keys(calls: &Calls) -> Result<Vec<SigningKey>, StoreError> {
    let found = calls.ask("read the signing keys", "HGETALL", "signing_keys", &[]).await?;
    let mut keys = Reply::of(found).and_then(read_keys).map_err(corrupt("signing key"))?;
    keys.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Ok(keys)
}

fn read_keys(mut reply: Reply) -> Result<Vec<SigningKey>, Unreadable> {
    let mut all = Vec::new();
    while reply.has_more() {
        let id = reply.text()?;
        let stored = reply.bytes()?;
        let Stored { jwk, created, expires } = json(&stored)?;
        let key = SigningKey::from_stored(&jwk, read_instant(&created)?, read_instant(&expires)?)?;
        if key.id.as_str() != id {
            return Err("must have the id that it is stored under".into());
        }
        all.push(key);
    }
    Ok(all)
}

pub(crate) async fn is_token_revoked(calls: &Calls, id: &TokenId) -> Result<bool, StoreError> {
    const OPERATION: &str = "look for a revoked access token";
    let found = calls.ask(OPERATION, "HEXISTS", "tokens", &[&id.to_string()]).await?;
    Ok(found == Value::Int(1))
}

pub(crate) async fn revoked_tokens(calls: &Calls) -> Result<Vec<RevokedToken>, StoreError> {
    let found = calls.ask("read the revoked access tokens", "HGETALL", "tokens", &[]).await?;
    let tokens = Reply::of(found).and_then(read_tokens);
    let mut tokens = tokens.map_err(corrupt("revoked access token"))?;
    tokens.sort_unstable_by_key(|token| token.id);
    Ok(tokens)
}

fn read_tokens(mut reply: Reply) -> Result<Vec<RevokedToken>, Unreadable> {
    let mut all = Vec::new();
    while reply.has_more() {
        let id = TokenId::parse(&reply.text()?)?;
        all.push(RevokedToken { id, until: read_instant(&reply.text()?)? });
    }
    Ok(all)
}
