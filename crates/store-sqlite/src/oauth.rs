//! Signing keys and revoked access tokens as rows.

use keyward_core::{Change, RevokedToken, SigningKey, TokenId};
use keyward_store::StoreError;
use rusqlite::Connection;

use crate::row::{Fields, Shape, Unreadable, flag, text, time, token_id};
use crate::sql::execute;

const SIGNING_KEY: Shape<SigningKey> =
    Shape { what: "signing key", operation: "read the signing keys", read };
const REVOKED_TOKEN: Shape<RevokedToken> = Shape {
    what: "revoked access token",
    operation: "read the revoked access tokens",
    read: |fields| Ok(RevokedToken { id: fields.read(token_id)?, until: fields.read(time)? }),
};
const IS_REVOKED: Shape<bool> = Shape {
    what: "revoked access token",
    operation: "look for a revoked access token",
    read: |fields| fields.read(flag),
};

pub(crate) fn signing_keys(connection: &Connection) -> Result<Vec<SigningKey>, StoreError> {
    let sql = "SELECT id, jwk, created_at, expires_at FROM signing_keys ORDER BY id";
    SIGNING_KEY.all(connection, sql, [])
}

pub(crate) fn is_token_revoked(connection: &Connection, id: &TokenId) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM revoked_tokens WHERE id = ?)";
    Ok(IS_REVOKED.first(connection, sql, [id.as_bytes()])?.unwrap_or_default())
}

pub(crate) fn revoked_tokens(connection: &Connection) -> Result<Vec<RevokedToken>, StoreError> {
    REVOKED_TOKEN.all(connection, "SELECT id, until FROM revoked_tokens ORDER BY id", [])
}

/// Writes what a change says of both, and removes what has ended.
pub(crate) fn write(connection: &Connection, change: &Change) -> rusqlite::Result<()> {
    let now = change.at.as_micros();
    if !change.signing_keys.is_empty() {
        execute(connection, "DELETE FROM signing_keys WHERE expires_at <= ?", [now])?;
    }
    for key in &change.signing_keys {
        let sql = "INSERT OR REPLACE INTO signing_keys (id, jwk, created_at, expires_at) \
                   VALUES (?, ?, ?, ?)";
        let (created_at, expires_at) = (key.created_at.as_micros(), key.expires_at.as_micros());
        execute(connection, sql, (key.id.as_str(), key.to_jwk(), created_at, expires_at))?;
    }
    if !change.revoked_tokens.is_empty() {
        execute(connection, "DELETE FROM revoked_tokens WHERE until <= ?", [now])?;
    }
    for token in &change.revoked_tokens {
        let sql = "INSERT INTO revoked_tokens (id, until) VALUES (?, ?) \
                   ON CONFLICT (id) DO UPDATE SET until = max(until, excluded.until)";
        execute(connection, sql, (token.id.as_bytes(), token.until.as_micros()))?;
    }
    Ok(())
}

fn read(fields: &mut Fields<'_>) -> Result<SigningKey, Unreadable> {
    let id: String = fields.read(text)?;
    let jwk: String = fields.read(text)?;
    let key = SigningKey::from_stored(&jwk, fields.read(time)?, fields.read(time)?)?;
    if key.id.as_str() != id {
        return Err("column jwk: must have the row's id".into());
    }
    Ok(key)
}
