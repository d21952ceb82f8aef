//! What records look like in answers.

mod account;
mod json;
mod keyspace;
mod page;

pub(crate) use account::{AccountStateName, AccountView};
use axum::response::Response;
pub(crate) use json::{Json, SecretJson, WrittenJson};
pub(crate) use keyspace::{
    AccountRuleName, AlgorithmName, KeyspaceView, RateLimitBody, WeakSecretsName,
};
use keyward::jose::Claims;
use keyward::store::{StoredKey, Usage};
use keyward::{
    AccountState, AuditEvent, ClientId, FormatKind, KeyId, KeyRecord, KeyState, Metadata,
    ResourceScopes, ScopeSet, StoredSignature, TagSet, Timestamp, Version,
};
pub(crate) use page::{Page, Pagination};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::problem::Problem;

/// A key's record. Instants are RFC 3339 in UTC.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyView<'a> {
    /// The key's id. It is not secret.
    #[schema(value_type = String, example = "7Kx2mPqRtUvW")]
    id: &'a KeyId,
    /// The keyspace under which the key was issued.
    #[schema(example = "default")]
    keyspace: &'a str,
    /// How the secret is written.
    #[schema(value_type = FormatName)]
    format: FormatKind,
    /// Whoever the key acts for.
    #[schema(example = "customer-1")]
    owner: &'a str,
    /// The service account that the key belongs to.
    #[schema(value_type = Option<String>)]
    service_account_id: Option<ClientId>,
    /// A name for people.
    name: Option<&'a str>,
    /// A longer note for people.
    description: Option<&'a str>,
    /// What may be shown of the secret: prefix and id.
    #[schema(example = "kw_7Kx2mPqRtUvW")]
    hint: &'a str,
    /// What the key may do everywhere.
    #[schema(value_type = Vec<String>)]
    scopes: &'a ScopeSet,
    /// What the key may do to single resources, by `type:id`.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>)]
    resources: &'a ResourceScopes,
    /// Labels to find the key by, in lower case.
    #[schema(value_type = Vec<String>)]
    tags: &'a TagSet,
    /// Free data of the application.
    #[schema(value_type = Object)]
    metadata: &'a Metadata,
    /// Whether the key is switched on.
    enabled: bool,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When its record was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// It is expired at and after this instant; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// It is not valid before this instant; null: from the start.
    #[schema(value_type = Option<String>, format = DateTime)]
    not_before: Option<Timestamp>,
    /// It is revoked at and after this instant, which may lie in the future.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// Why it was revoked.
    revoked_reason: Option<&'a str>,
    /// Who revoked it.
    revoked_by: Option<&'a str>,
    /// When it got its present secret, if not when it was issued.
    #[schema(value_type = Option<String>, format = DateTime)]
    rotated_at: Option<Timestamp>,
    /// The key that this one succeeded.
    #[schema(value_type = Option<String>)]
    rotated_from: Option<&'a KeyId>,
    /// The key that succeeds this one.
    #[schema(value_type = Option<String>)]
    rotated_to: Option<&'a KeyId>,
    /// The public half of a signed key's pair (JWK, RFC 7517).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    jwk: Option<Box<RawValue>>,
    /// What was asked for to stand in a signed key's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    claims: Option<&'a Claims>,
    /// Until when the secret before the last rotation works, too.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_secret_until: Option<Timestamp>,
    /// When it was deleted.
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
    /// Who deleted it.
    deleted_by: Option<&'a str>,
    /// What the record comes to now.
    #[schema(value_type = KeyStateName)]
    state: KeyState,
    /// How often the record has changed.
    #[schema(value_type = u64)]
    version: Version,
    /// When it was last allowed.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// How often it was allowed. Left out where it is not looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<u64>,
    /// How often of these by the secret before its last rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_uses: Option<u64>,
}

/// How a secret is written.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of keyward::FormatKind")]
pub(crate) enum FormatName {
    Opaque,
    Prefixed,
    Signed,
}

/// What a key's record comes to.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of keyward::KeyState")]
pub(crate) enum KeyStateName {
    Active,
    Deleted,
    Disabled,
    Expired,
    NotYetValid,
    Revoked,
}

impl<'a> KeyView<'a> {
    /// The view of a stored key.
    pub(crate) fn new(key: &'a StoredKey, now: Timestamp) -> Self {
        Self::changed(&key.record, key, now)
    }

    /// The view of a record that an act on a stored key has made.
    pub(crate) fn changed(record: &'a KeyRecord, before: &StoredKey, now: Timestamp) -> Self {
        Self::with(record, before.account, Some(before.usage), now)
    }

    /// The view of a key that was verified just now.
    pub(crate) fn just_used(record: &'a KeyRecord, now: Timestamp) -> Self {
        Self { last_used_at: Some(now), ..Self::of(record, now) }
    }

    /// The view of a record whose usage is not looked up, and whose service account is active.
    pub(crate) fn of(record: &'a KeyRecord, now: Timestamp) -> Self {
        Self::with(record, AccountState::Active, None, now)
    }

    fn with(
        record: &'a KeyRecord,
        account: AccountState,
        usage: Option<Usage>,
        now: Timestamp,
    ) -> Self {
        let revocation = record.revocation.as_ref();
        let deletion = record.deletion.as_ref();
        let previous = record.secret.previous();
        let signature = record.secret.signature();
        Self {
            id: &record.id,
            keyspace: record.keyspace.as_str(),
            format: record.format,
            owner: record.owner.as_str(),
            service_account_id: record.service_account,
            name: record.name.as_ref().map(keyward::Name::as_str),
            description: record.description.as_ref().map(keyward::Description::as_str),
            hint: &record.hint,
            scopes: &record.scopes,
            resources: &record.resources,
            tags: &record.tags,
            metadata: &record.metadata,
            enabled: record.enabled,
            created_at: record.created_at,
            updated_at: record.updated_at,
            expires_at: record.expires_at,
            not_before: record.not_before,
            revoked_at: revocation.map(|revocation| revocation.at),
            revoked_reason: revocation.and_then(|r| Some(r.reason.as_ref()?.as_str())),
            revoked_by: revocation.map(|revocation| revocation.by.as_str()),
            rotated_at: record.rotated_at,
            rotated_from: record.rotated_from.as_ref(),
            rotated_to: record.rotated_to.as_ref(),
            jwk: signature.and_then(|s| jwk(s, &record.id)),
            claims: signature.map(|signature| &signature.claims),
            previous_secret_until: previous.map(|previous| previous.until),
            deleted_at: deletion.map(|deletion| deletion.at),
            deleted_by: deletion.map(|deletion| deletion.by.as_str()),
            state: record.state(account, now),
            version: record.version,
            last_used_at: usage.and_then(|usage| usage.last_used_at),
            uses: usage.map(|usage| usage.uses),
            previous_uses: usage.map(|usage| usage.previous_uses),
        }
    }
}

/// The public half of a signed key's pair as JSON.
pub(crate) fn jwk(signature: &StoredSignature, id: &KeyId) -> Option<Box<RawValue>> {
    RawValue::from_string(signature.public_key.to_jwk(id.as_str())).ok()
}

/// A management act.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub(crate) struct AuditView<'a> {
    /// The event's id, a UUID of version 7.
    id: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What was done.
    #[schema(example = "key.revoked")]
    action: &'a str,
    /// Who did it: `key:<id>` for a management key.
    #[schema(example = "key:7Kx2mPqRtUvW")]
    actor: &'a str,
    /// The address that the request came from.
    ip: Option<String>,
    /// The program that made the request, by its own account.
    user_agent: Option<&'a str>,
    /// The id of the request.
    request_id: Option<&'a str>,
    /// What else the caller wanted to be kept about the act.
    #[schema(value_type = Object)]
    metadata: &'a Metadata,
    /// The key that it was done to.
    key: Option<&'a str>,
    /// The keyspace that it was done to, or that of the key.
    keyspace: Option<&'a str>,
    /// The owner of the key or service account.
    owner: Option<&'a str>,
    /// The service account that it was done to, or that of the key.
    #[schema(value_type = Option<String>)]
    service_account: Option<ClientId>,
    /// What more there is to say.
    #[schema(value_type = Object)]
    data: &'a Map<String, Value>,
}

impl<'a> From<&'a AuditEvent> for AuditView<'a> {
    fn from(event: &'a AuditEvent) -> Self {
        Self {
            id: event.id.to_string(),
            at: event.at,
            action: event.action.as_str(),
            actor: event.context.actor.as_str(),
            ip: event.context.ip.map(|ip| ip.to_string()),
            user_agent: event.context.user_agent.as_deref(),
            request_id: event.context.request_id.as_deref(),
            metadata: &event.context.metadata,
            key: event.key.as_ref().map(KeyId::as_str),
            keyspace: event.keyspace.as_ref().map(keyward::KeyspaceId::as_str),
            owner: event.owner.as_ref().map(keyward::OwnerId::as_str),
            service_account: event.service_account,
            data: &event.data,
        }
    }
}

/// What handlers answer.
pub(crate) type Answer = Result<Response, Problem>;
