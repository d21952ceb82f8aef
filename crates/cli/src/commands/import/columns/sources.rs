//! Whose export has which columns.

use serde_json::{Map, Value, json};

use crate::args::Source;
use crate::commands::import::noun::Noun;

/// A field, and the columns that may hold it: the first that is there does.
pub(super) type Columns = (&'static str, &'static [&'static str]);

const KEYPAL: &[Columns] = &[
    ("id", &["id"]),
    ("hash", &["keyHash", "key_hash"]),
    ("owner", &["ownerId", "owner_id"]),
    ("name", &["name"]),
    ("description", &["description"]),
    ("scopes", &["scopes"]),
    ("resources", &["resources"]),
    ("tags", &["tags"]),
    ("enabled", &["enabled"]),
    ("created_at", &["createdAt", "created_at"]),
    ("expires_at", &["expiresAt", "expires_at"]),
    ("last_used_at", &["lastUsedAt", "last_used_at"]),
    ("revoked_at", &["revokedAt", "revoked_at"]),
    ("rotated_to", &["rotatedTo", "rotated_to"]),
];

const NESTJS_ACCOUNTS: &[Columns] = &[
    ("id", &["id", "client_id"]),
    ("client_secret", &["client_secret"]),
    ("owner", &["user_id"]),
    ("description", &["description"]),
    ("created_at", &["created_at"]),
    ("created_by", &["created_by"]),
    ("updated_at", &["updated_at"]),
    ("updated_by", &["updated_by"]),
    ("deleted_at", &["deleted_at"]),
    ("deleted_by", &["deleted_by"]),
];

const NESTJS_KEYS: &[Columns] = &[
    ("id", &["id", "key_id"]),
    ("secret", &["api_key"]),
    ("owner", &["user_id"]),
    ("service_account_id", &["client_id"]),
    ("name", &["name"]),
    ("description", &["description"]),
    ("enabled", &["is_active"]),
    ("created_at", &["created_at"]),
    ("updated_at", &["updated_at"]),
    ("expires_at", &["expiry_date"]),
    ("deleted_at", &["deleted_at"]),
    ("deleted_by", &["deleted_by"]),
];

const PREFIXED: &[Columns] = &[
    ("id", &["short_token", "shortToken", "key_id", "keyId", "id"]),
    (
        "hash",
        &["long_token_hash", "longTokenHash", "secret_hash", "secretHash", "key_hash", "hash"],
    ),
    ("owner", &["owner", "owner_id", "ownerId", "user_id", "userId", "account_id", "accountId"]),
    ("name", &["name"]),
    ("description", &["description"]),
    ("scopes", &["scopes"]),
    ("tags", &["tags"]),
    ("enabled", &["enabled", "is_active"]),
    ("created_at", &["created_at", "createdAt"]),
    ("expires_at", &["expires_at", "expiresAt"]),
    ("last_used_at", &["last_used_at", "lastUsedAt"]),
    ("revoked_at", &["revoked_at", "revokedAt"]),
    ("deleted_at", &["deleted_at", "deletedAt"]),
];

const SANCTUM: &[Columns] = &[
    ("id", &["id"]),
    ("name", &["name"]),
    ("scopes", &["abilities"]),
    ("created_at", &["created_at"]),
    ("updated_at", &["updated_at"]),
    ("expires_at", &["expires_at"]),
    ("last_used_at", &["last_used_at"]),
];

/// The columns of a source. Ours has the fields themselves.
pub(super) const fn columns(noun: Noun, source: Source) -> &'static [Columns] {
    match (noun, source) {
        (Noun::Accounts, Source::Nestjs) => NESTJS_ACCOUNTS,
        (_, Source::Keyward) | (Noun::Accounts, _) => &[],
        (Noun::Keys, Source::Fork4 | Source::Seam) => PREFIXED,
        (Noun::Keys, Source::Keypal) => KEYPAL,
        (Noun::Keys, Source::Nestjs) => NESTJS_KEYS,
        (Noun::Keys, Source::Sanctum) => SANCTUM,
    }
}

/// How a source hashes.
pub(super) const fn scheme(source: Source) -> Option<&'static str> {
    match source {
        Source::Fork4 => Some("fork4"),
        Source::Keypal | Source::Seam => Some("sha256-hex"),
        Source::Sanctum => Some("sanctum"),
        Source::Keyward | Source::Nestjs => None,
    }
}

/// Whether a column is part of a field that is put together from several.
pub(super) fn is_part(source: Source, column: &str) -> bool {
    source == Source::Sanctum && ["token", "tokenable_id", "tokenable_type"].contains(&column)
}

/// Fields that are put together from several columns.
pub(super) fn made_of(source: Source, row: &Map<String, Value>) -> Map<String, Value> {
    let text = |column: &str| {
        let value = row.get(column)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let fields = match source {
        Source::Sanctum => {
            let hash = text("id").zip(text("token"));
            let hash = hash.map(|(number, hash)| json!(format!("{number}|{hash}")));
            // `App\Models\User` and its number: other kinds of owners have the same numbers.
            let kind = text("tokenable_type").unwrap_or_default();
            let kind = kind.rsplit('\\').next().unwrap_or_default().to_owned();
            let owner = text("tokenable_id").map(|id| match kind.as_str() {
                "" => json!(id),
                kind => json!(format!("{kind}:{id}")),
            });
            [("hash", hash), ("owner", owner)]
        }
        _ => [("hash", None), ("owner", None)],
    };
    fields.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?))).collect()
}
