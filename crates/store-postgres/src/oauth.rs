//! Signing keys and revoked access tokens as rows.

use keyward_core::{Change, RevokedToken, SigningKey, TokenId};

use crate::apply::Step;
use crate::row::{Fields, Shape, Unreadable, flag, text, time, token_id};
use crate::sql::{self, Sql};

/// A signing key.
pub(crate) const SIGNING_KEY: Shape<SigningKey> = Shape { what: "signing key", read };
/// A revoked access token.
pub(crate) const REVOKED_TOKEN: Shape<RevokedToken> = Shape {
    what: "revoked access token",
    read: |fields| Ok(RevokedToken { id: fields.read(token_id)?, until: fields.read(time)? }),
};
/// Whether an access token was revoked.
pub(crate) const IS_REVOKED: Shape<bool> =
    Shape { what: "revoked access token", read: |fields| fields.read(flag) };

/// Asks for all signing keys.
pub(crate) fn signing_keys() -> Sql {
    let text = "SELECT id, jwk, created_at, expires_at FROM keyward.signing_keys ORDER BY id";
    Sql::fixed(text, Vec::new())
}

/// Asks whether an access token was revoked.
pub(crate) fn is_token_revoked(id: &TokenId) -> Sql {
    let text = "SELECT EXISTS (SELECT 1 FROM keyward.revoked_tokens WHERE id = $1)";
    Sql::fixed(text, vec![id.as_bytes().to_vec().into()])
}

/// Asks for all revoked access tokens.
pub(crate) fn revoked_tokens() -> Sql {
    Sql::fixed("SELECT id, until FROM keyward.revoked_tokens ORDER BY id", Vec::new())
}

/// Writes what a change says of both, and removes what has ended.
pub(crate) fn write(steps: &mut Vec<Step>, change: &Change) {
    let now = change.at.as_micros();
    if !change.signing_keys.is_empty() {
        let text = "DELETE FROM keyward.signing_keys WHERE expires_at <= $1";
        steps.push(Step::any(Sql::fixed(text, vec![now.into()])));
    }
    for key in &change.signing_keys {
        let text = "INSERT INTO keyward.signing_keys (id, jwk, created_at, expires_at) \
                    VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET jwk = excluded.jwk, \
                    created_at = excluded.created_at, expires_at = excluded.expires_at";
        let values = vec![
            sql::text(&key.id),
            key.to_jwk().into(),
            key.created_at.as_micros().into(),
            key.expires_at.as_micros().into(),
        ];
        steps.push(Step::any(Sql::fixed(text, values)));
    }
    if !change.revoked_tokens.is_empty() {
        let text = "DELETE FROM keyward.revoked_tokens WHERE until <= $1";
        steps.push(Step::any(Sql::fixed(text, vec![now.into()])));
    }
    for token in &change.revoked_tokens {
        let text = "INSERT INTO keyward.revoked_tokens AS stored (id, until) VALUES ($1, $2) \
                    ON CONFLICT (id) DO UPDATE SET until = greatest(stored.until, excluded.until)";
        let values = vec![token.id.as_bytes().to_vec().into(), token.until.as_micros().into()];
        steps.push(Step::any(Sql::fixed(text, values)));
    }
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
