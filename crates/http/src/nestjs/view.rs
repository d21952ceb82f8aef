//! What keys look like in answers. Ids are texts, whatever they are made of.

use std::fmt;

use keyward::store::StoredKey;
use keyward::{
    AccountState, ClientId, Description, Issued, KeyId, KeyRecord, KeyState, Name, Timestamp,
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::view::Pagination;

/// An instant in UTC with milliseconds, as JavaScript writes it: `2027-01-31T12:00:00.000Z`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Millis(pub(super) Timestamp);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.0.floor_to_seconds();
        let millis = (self.0.as_micros() - second.as_micros()) / 1_000;
        write!(f, "{}.{millis:03}Z", second.to_string().trim_end_matches('Z'))
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a key's record comes to.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Active,
    Deleted,
    Expired,
    /// Switched off, itself or its service account, or not valid yet.
    Inactive,
    Revoked,
}

impl From<KeyState> for Status {
    fn from(state: KeyState) -> Self {
        match state {
            KeyState::Active => Self::Active,
            KeyState::Deleted => Self::Deleted,
            KeyState::Disabled | KeyState::NotYetValid => Self::Inactive,
            KeyState::Expired => Self::Expired,
            KeyState::Revoked => Self::Revoked,
        }
    }
}

/// A new key: this is the only time that its secret can be seen.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedKey<'a> {
    #[schema(value_type = String, example = "7Kx2mPqRtUvW")]
    key_id: &'a KeyId,
    /// The text to hand out.
    #[schema(example = "kw_nest_7Kx2mPqRtUvW_\u{2026}")]
    raw_key: &'a str,
    #[schema(example = "123")]
    user_id: &'a str,
    #[schema(value_type = String, example = "550e8400-e29b-41d4-a716-446655440000")]
    client_id: Option<ClientId>,
    /// The client secret, if the service account was created with the key: this is the only time that
    /// it can be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "kwcs_7Kx2mPqRtUvW_\u{2026}")]
    client_secret: Option<&'a str>,
    name: Option<&'a str>,
    description: Option<&'a str>,
    is_active: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    /// It is expired at and after this instant; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Millis>,
    status: Status,
}

impl<'a> CreatedKey<'a> {
    pub(super) fn of(issued: &'a Issued, now: Timestamp) -> Self {
        let Issued { key, secret, account } = issued;
        Self {
            key_id: &key.id,
            raw_key: secret.expose(),
            user_id: key.owner.as_str(),
            client_id: key.service_account,
            client_secret: account.as_ref().map(|account| account.client_secret.expose()),
            name: key.name.as_ref().map(Name::as_str),
            description: key.description.as_ref().map(Description::as_str),
            is_active: key.enabled,
            created_at: Millis(key.created_at),
            expires_at: key.expires_at.map(Millis),
            // No key is issued under an account that is not active.
            status: key.state(AccountState::Active, now).into(),
        }
    }
}

/// A valid key.
#[derive(Serialize, ToSchema)]
pub(super) struct ValidKey<'a> {
    #[schema(value_type = String, example = "7Kx2mPqRtUvW")]
    key_id: &'a KeyId,
    #[schema(example = "123")]
    user_id: &'a str,
    #[schema(value_type = String, example = "550e8400-e29b-41d4-a716-446655440000")]
    client_id: Option<ClientId>,
    /// It is expired at and after this instant; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Millis>,
    status: Status,
}

impl<'a> ValidKey<'a> {
    pub(super) fn of(key: &'a KeyRecord) -> Self {
        Self {
            key_id: &key.id,
            user_id: key.owner.as_str(),
            client_id: key.service_account,
            expires_at: key.expires_at.map(Millis),
            status: Status::Active,
        }
    }
}

/// A key that was changed.
#[derive(Serialize, ToSchema)]
pub(super) struct UpdatedKey<'a> {
    #[schema(value_type = String, example = "7Kx2mPqRtUvW")]
    key_id: &'a KeyId,
    #[schema(value_type = String, example = "550e8400-e29b-41d4-a716-446655440000")]
    client_id: Option<ClientId>,
    name: Option<&'a str>,
    description: Option<&'a str>,
    is_active: bool,
    /// It is expired at and after this instant; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Millis>,
    status: Status,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Millis,
}

impl<'a> UpdatedKey<'a> {
    pub(super) fn of(key: &'a KeyRecord, before: &StoredKey, now: Timestamp) -> Self {
        Self {
            key_id: &key.id,
            client_id: key.service_account,
            name: key.name.as_ref().map(Name::as_str),
            description: key.description.as_ref().map(Description::as_str),
            is_active: key.enabled,
            expires_at: key.expires_at.map(Millis),
            status: key.state(before.account, now).into(),
            updated_at: Millis(key.updated_at),
        }
    }
}

/// A key that was removed.
#[derive(Serialize, ToSchema)]
pub(super) struct RemovedKey<'a> {
    #[schema(value_type = String, example = "7Kx2mPqRtUvW")]
    key_id: &'a KeyId,
    #[schema(value_type = String, example = "550e8400-e29b-41d4-a716-446655440000")]
    client_id: Option<ClientId>,
    status: Status,
    #[schema(value_type = String, format = DateTime)]
    deleted_at: Option<Millis>,
    /// Who removed it: `key:<id>` for a management key.
    #[schema(value_type = String)]
    deleted_by: Option<&'a str>,
}

impl<'a> RemovedKey<'a> {
    pub(super) fn of(key: &'a KeyRecord) -> Self {
        let deletion = key.deletion.as_ref();
        Self {
            key_id: &key.id,
            client_id: key.service_account,
            status: Status::Deleted,
            deleted_at: deletion.map(|deletion| Millis(deletion.at)),
            deleted_by: deletion.map(|deletion| deletion.by.as_str()),
        }
    }
}

/// Keys, and where they are among all.
#[derive(Serialize, ToSchema)]
pub(super) struct KeyList<'a> {
    pub(super) keys: Vec<ListedKey<'a>>,
    /// The same as beside `data`: here is where the library has it.
    pub(super) pagination: Pagination,
}

/// A key in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedKey<'a> {
    /// The same as `key_id`: lists of the library call it so.
    #[schema(value_type = String, example = "7Kx2mPqRtUvW")]
    id: &'a KeyId,
    #[schema(value_type = String, example = "7Kx2mPqRtUvW")]
    key_id: &'a KeyId,
    #[schema(value_type = String, example = "550e8400-e29b-41d4-a716-446655440000")]
    client_id: Option<ClientId>,
    name: Option<&'a str>,
    description: Option<&'a str>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
    /// It is expired at and after this instant; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Millis>,
    status: Status,
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Millis>,
    deleted_by: Option<&'a str>,
}

impl<'a> ListedKey<'a> {
    pub(super) fn of(stored: &'a StoredKey, now: Timestamp) -> Self {
        let key = &stored.record;
        let deletion = key.deletion.as_ref();
        Self {
            id: &key.id,
            key_id: &key.id,
            client_id: key.service_account,
            name: key.name.as_ref().map(Name::as_str),
            description: key.description.as_ref().map(Description::as_str),
            created_at: Millis(key.created_at),
            expires_at: key.expires_at.map(Millis),
            status: stored.state(now).into(),
            deleted_at: deletion.map(|deletion| Millis(deletion.at)),
            deleted_by: deletion.map(|deletion| deletion.by.as_str()),
        }
    }
}
