//! Handing keys out with their digests; and, in [`accounts`], service accounts.

pub(crate) mod accounts;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use keyward::jose::Claims;
use keyward::store::{Cursor, KeyPosition, KeyQuery, KeySort, KeyStates, Order, StoredKey};
use keyward::{
    ClientId, Digest, Invalid, KeyId, KeyspaceId, Keyward, Metadata, OwnerId, PreviousSecret,
    ResourceScopes, ScopeSet, TagSet, Timestamp, Version,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::MOST_ON_A_PAGE;
use super::keys::read_states;
use crate::access::Right;
use crate::caller::Actor;
use crate::fields::Fields;
use crate::input::Body;
use crate::problem::{Problem, Problems};
use crate::view::{Answer, Json, Page, jwk};

/// Which keys to export.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportBody {
    /// Only keys of this keyspace.
    keyspace: String,
    /// Only keys of this owner.
    owner: Option<String>,
    /// Only keys in this state. Left out: all that are not deleted.
    #[schema(value_type = Option<crate::view::KeyStateName>)]
    state: Option<String>,
    /// How many keys, 1 to 200; by default 200.
    limit: Option<usize>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A key as `POST /v1/keys/import` takes it: its record and its digests, never its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportedKey<'a> {
    id: &'a str,
    keyspace: &'a str,
    /// The digest of the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<ExportedHash>,
    /// The public half of a signed key's pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    jwk: Option<Box<RawValue>>,
    /// What was asked for to stand in a signed key's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    claims: Option<&'a Claims>,
    owner: &'a str,
    /// The service account that it belongs to, which must be there before it is taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    service_account_id: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[schema(value_type = Vec<String>)]
    scopes: &'a ScopeSet,
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>)]
    resources: &'a ResourceScopes,
    #[schema(value_type = Vec<String>)]
    tags: &'a TagSet,
    #[schema(value_type = Object)]
    metadata: &'a Metadata,
    enabled: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    not_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    uses: u64,
    previous_uses: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_by: Option<&'a str>,
    /// The digest of the secret before the last rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<ExportedPrevious>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    rotated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated_from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated_to: Option<&'a str>,
    #[schema(value_type = u64)]
    version: Version,
}

/// A digest: the tag of its scheme, and hexadecimal digits.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportedHash {
    #[schema(value_type = String, example = "hmac-sha256:v2")]
    scheme: String,
    value: String,
}

/// The digest of the secret before the last rotation.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportedPrevious {
    #[serde(flatten)]
    hash: ExportedHash,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// A page of keys with their digests, the oldest first, for taking them over elsewhere: each is what
/// `POST /v1/keys/import` takes.
///
/// Whoever has the digests can try out guesses, so that only weak secrets are in danger. The audit
/// trail tells of it.
#[utoipa::path(
    post, path = "/v1/keys/export", tag = "keys", request_body = ExportBody,
    responses((status = 200, body = Page<ExportedKey<'_>>), Problems),
)]
pub(crate) async fn export(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<ExportBody>,
) -> Answer {
    let mut fields = Fields::default();
    let keyspace = fields.required("keyspace", &body.keyspace, |text| KeyspaceId::parse(text));
    let limit = body.limit.unwrap_or(MOST_ON_A_PAGE);
    if !(1..=MOST_ON_A_PAGE).contains(&limit) {
        fields.take::<()>(Err(Invalid::new("must be a number from 1 to 200").at("limit")));
    }
    let query = KeyQuery {
        owner: fields.optional("owner", body.owner.as_deref(), |text| OwnerId::parse(text)),
        keyspace: keyspace.clone(),
        states: fields
            .optional("state", body.state.as_deref(), read_states)
            .unwrap_or(KeyStates::NOT_DELETED),
        sort: KeySort::CreatedAt,
        order: Order::Ascending,
        after: fields.optional("cursor", body.cursor.as_deref(), KeyPosition::from_cursor),
        ..KeyQuery::new(keyward.now(), limit)
    };
    if query.after.as_ref().is_some_and(|after| !after.is_of(query.sort, query.order)) {
        let rule = Invalid::new("must be one of an export");
        fields.take::<()>(Err(rule.at("cursor")));
    }
    fields.finish()?;
    let keyspace = keyspace.ok_or_else(Problem::unreadable_body)?;
    caller.may(Right::to_export_keys_of(&keyspace), Some(&keyspace))?;
    let page = keyward.export(&query, caller.context()).await?;
    let data: Vec<_> = page.keys.iter().map(ExportedKey::from).collect();
    let next_cursor = page.next.map(|next| next.to_cursor());
    Ok(Json(StatusCode::OK, Page::new(data, next_cursor)).into_response())
}

impl<'a> From<&'a StoredKey> for ExportedKey<'a> {
    fn from(key: &'a StoredKey) -> Self {
        let StoredKey { record, usage, .. } = key;
        let (revocation, deletion) = (record.revocation.as_ref(), record.deletion.as_ref());
        let previous = record.secret.previous();
        let signature = record.secret.signature();
        Self {
            id: record.id.as_str(),
            keyspace: record.keyspace.as_str(),
            hash: record.secret.digest().map(ExportedHash::from),
            jwk: signature.and_then(|s| jwk(s, &record.id)),
            claims: signature.map(|s| &s.claims).filter(|claims| !claims.is_empty()),
            owner: record.owner.as_str(),
            service_account_id: record.service_account,
            name: record.name.as_ref().map(keyward::Name::as_str),
            description: record.description.as_ref().map(keyward::Description::as_str),
            scopes: &record.scopes,
            resources: &record.resources,
            tags: &record.tags,
            metadata: &record.metadata,
            enabled: record.enabled,
            created_at: record.created_at,
            updated_at: record.updated_at,
            expires_at: record.expires_at,
            not_before: record.not_before,
            last_used_at: usage.last_used_at,
            uses: usage.uses,
            previous_uses: usage.previous_uses,
            revoked_at: revocation.map(|revocation| revocation.at),
            revoked_reason: revocation.and_then(|r| Some(r.reason.as_ref()?.as_str())),
            revoked_by: revocation.map(|revocation| revocation.by.as_str()),
            deleted_at: deletion.map(|deletion| deletion.at),
            deleted_by: deletion.map(|deletion| deletion.by.as_str()),
            previous: previous.map(ExportedPrevious::from),
            rotated_at: record.rotated_at,
            rotated_from: record.rotated_from.as_ref().map(KeyId::as_str),
            rotated_to: record.rotated_to.as_ref().map(KeyId::as_str),
            version: record.version,
        }
    }
}

impl From<&PreviousSecret> for ExportedPrevious {
    fn from(previous: &PreviousSecret) -> Self {
        Self { hash: (&previous.digest).into(), until: previous.until }
    }
}

impl From<&Digest> for ExportedHash {
    fn from(digest: &Digest) -> Self {
        Self { scheme: digest.scheme().to_string(), value: digest.to_hex() }
    }
}
