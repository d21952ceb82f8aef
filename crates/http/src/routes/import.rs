//! Keys that somebody else has issued.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::{
    ActorId, Expiry, ImportedKey, Invalid, KeyId, KeyspaceId, Keyward, NewKey, Reason, Revocation,
    Secret, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::many::{WithDenied, check_count, together};
use crate::access::Right;
use crate::caller::Actor;
use crate::fields::{Fields, NewKeyFields};
use crate::input::{Body, Members};
use crate::problem::{FieldProblem, Problem, Problems};
use crate::view::{Answer, Json};

/// Keys to take over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportBody {
    /// The keyspace that describes the form of their secrets.
    keyspace: String,
    /// 1 to 100 keys.
    keys: Vec<ImportItem>,
}

/// A key to take over: with its secret, or with a hash of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportItem {
    /// Its id, if it shall stay the same; 1 to 64 of `A-Z a-z 0-9 . _ -`.
    id: Option<String>,
    /// The secret itself.
    #[schema(value_type = Option<String>)]
    secret: Option<Secret>,
    /// A hash of the secret.
    hash: Option<HashBody>,
    /// Whoever the key acts for.
    #[serde(default)]
    owner: String,
    /// A name for people.
    name: Option<String>,
    /// A longer note for people.
    description: Option<String>,
    /// What the key may do everywhere.
    #[serde(default)]
    scopes: Vec<String>,
    /// What the key may do to single resources, by `type:id`.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>)]
    resources: Members<Vec<String>>,
    /// Labels to find the key by.
    #[serde(default)]
    tags: Vec<String>,
    /// Free data of the application.
    #[serde(default)]
    #[schema(value_type = Object)]
    metadata: Members<Value>,
    /// Whether it is switched on; left out: it is.
    enabled: Option<bool>,
    /// When it was issued (RFC 3339).
    created_at: Option<String>,
    /// When it expires or has expired (RFC 3339); left out: never.
    expires_at: Option<String>,
    /// It is not valid before this instant (RFC 3339).
    not_before: Option<String>,
    /// When it was used last (RFC 3339).
    last_used_at: Option<String>,
    /// When it was revoked (RFC 3339).
    revoked_at: Option<String>,
    /// Why it was revoked.
    revoked_reason: Option<String>,
    /// The key that succeeded it.
    rotated_to: Option<String>,
}

/// A hash that somebody else has stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HashBody {
    /// How it was made: `sha256-hex`, `sha512-hex`, `sha256-base64`, `hmac-sha256`,
    /// `keypal-salted-sha256` or `keypal-salted-sha512`.
    #[schema(example = "sha256-hex")]
    scheme: String,
    /// The hash as it is stored there.
    value: String,
}

/// What became of the keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Imported<'a> {
    /// How many were taken over.
    imported: usize,
    /// Those that were not.
    failed: Vec<FailedItem<'a>>,
}

/// A key that was not taken over.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailedItem<'a> {
    /// Its place in the request, from 0.
    index: usize,
    /// The kind of problem as a stable word.
    #[schema(example = "key_exists")]
    code: &'a str,
    /// The problem in a sentence.
    detail: &'a str,
    /// The fields that are not acceptable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem<'a>>,
}

/// Takes over keys that somebody else has issued: their holders can use them from now on.
///
/// What is not acceptable of one is told for it, and the others are taken over. An id or a secret
/// that exists is never overwritten.
#[utoipa::path(
    post, path = "/v1/keys/import", tag = "keys", request_body = ImportBody,
    responses((status = 200, body = Imported<'_>), Problems),
)]
pub(crate) async fn import(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<ImportBody>,
) -> Answer {
    let mut fields = Fields::default();
    let keyspace = fields.required("keyspace", &body.keyspace, |text| KeyspaceId::parse(text));
    fields.finish()?;
    let keyspace = keyspace.ok_or_else(Problem::unreadable_body)?;
    caller.may(Right::to_write_keys_of(&keyspace), Some(&keyspace))?;
    check_count(body.keys.len(), "keys")?;
    let by = &caller.context().actor;
    let read: Vec<_> =
        body.keys.into_iter().map(|item| item.read(&keyward, &keyspace, by)).collect();
    let acceptable = read.iter().flatten().cloned();
    let imported = keyward.import_many(acceptable, caller.context()).await;
    let results = together(read, imported);
    let failed = results.iter().enumerate().filter_map(|(index, result)| {
        let problem = result.as_ref().err()?;
        let (code, detail, errors) = (problem.code, problem.detail(), problem.field_problems());
        Some(FailedItem { index, code, detail, errors })
    });
    let failed: Vec<_> = failed.collect();
    let imported = results.len() - failed.len();
    let answer = Json(StatusCode::OK, Imported { imported, failed }).into_response();
    Ok(answer.with_denied(&results))
}

impl ImportItem {
    fn read(
        self,
        keyward: &Keyward,
        keyspace: &KeyspaceId,
        by: &ActorId,
    ) -> Result<ImportedKey, Problem> {
        let mut fields = Fields::default();
        let instant = Timestamp::parse;
        let id = fields.optional("id", self.id.as_deref(), |text| KeyId::parse(text));
        let created_at = fields.optional("created_at", self.created_at.as_deref(), instant);
        let expires_at = fields.optional("expires_at", self.expires_at.as_deref(), instant);
        let last_used_at = fields.optional("last_used_at", self.last_used_at.as_deref(), instant);
        let revoked_at = fields.optional("revoked_at", self.revoked_at.as_deref(), instant);
        let reason = fields
            .optional("revoked_reason", self.revoked_reason.as_deref(), |text| Reason::parse(text));
        let rotated_to =
            fields.optional("rotated_to", self.rotated_to.as_deref(), |text| KeyId::parse(text));
        let revocation = revoked_at.map(|at| Revocation { at, reason, by: by.clone() });
        let (secret, hash) = (self.secret.as_ref(), self.hash.as_ref());
        let said = NewKeyFields {
            owner: &self.owner,
            name: self.name.as_deref(),
            description: self.description.as_deref(),
            scopes: &self.scopes,
            resources: &self.resources.0,
            tags: &self.tags,
            metadata: self.metadata,
            enabled: self.enabled,
            not_before: self.not_before.as_deref(),
        };
        let key = said.read(Some(keyspace.clone()), &mut fields);
        // Its own expiry, if it has one, is `expires_at`.
        let key = key.map(|key| NewKey { expiry: Expiry::Never, ..key });
        let imported = match (secret, hash, key) {
            (Some(secret), None, Some(key)) => Some(keyward.of_secret(key, secret)?),
            (None, Some(hash), Some(key)) => {
                let digest = keyward.foreign_digest(&hash.scheme, &hash.value);
                let digest = fields.take(digest.map_err(|invalid| invalid.at("hash")));
                digest.map(|digest| ImportedKey::new(key, digest))
            }
            (_, _, None) => None,
            _ => fields
                .take(Err(Invalid::new("must be given, or else hash, and not both").at("secret"))),
        };
        fields.finish()?;
        let imported = imported.ok_or_else(Problem::unreadable_body)?;
        let id = id.or_else(|| imported.id.clone());
        let past = ImportedKey { id, created_at, expires_at, revocation, ..imported };
        Ok(ImportedKey { rotated_to, last_used_at, ..past })
    }
}
