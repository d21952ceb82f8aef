//! What service accounts look like in answers.

use keyward::{ClientId, Description, ScopeSet, ServiceAccount, Timestamp, Version};
use serde::Serialize;
use utoipa::ToSchema;

/// A service account. Instants are RFC 3339 in UTC.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceAccount)]
pub(crate) struct AccountView<'a> {
    /// The account's id, which is the client id. It is not secret.
    #[schema(value_type = String, example = "550e8400-e29b-41d4-a716-446655440000")]
    id: ClientId,
    /// Whoever the account acts for.
    #[schema(example = "customer-1")]
    owner: &'a str,
    /// Whether it is the account that the owner's keys get where none is named.
    primary: bool,
    /// A note for people.
    description: Option<&'a str>,
    /// What access tokens of the account may be for.
    #[schema(value_type = Vec<String>)]
    scopes: &'a ScopeSet,
    /// Whether the account, and with it each of its keys, is switched on.
    enabled: bool,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Who created it.
    created_by: &'a str,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Who changed it last.
    updated_by: &'a str,
    /// When it got its present client secret, if not when it was created.
    #[schema(value_type = Option<String>, format = DateTime)]
    rotated_at: Option<Timestamp>,
    /// Until when the client secret before the last rotation works, too.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_secret_until: Option<Timestamp>,
    /// When it was deleted, and its keys with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
    /// Who deleted it.
    deleted_by: Option<&'a str>,
    /// What the record comes to.
    #[schema(value_type = AccountStateName)]
    state: &'static str,
    /// How often the record has changed.
    #[schema(value_type = u64)]
    version: Version,
}

/// What a service account's record comes to.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "the schema of keyward::AccountState")]
pub(crate) enum AccountStateName {
    Active,
    Deleted,
    Disabled,
}

impl<'a> From<&'a ServiceAccount> for AccountView<'a> {
    fn from(account: &'a ServiceAccount) -> Self {
        let deletion = account.deletion.as_ref();
        Self {
            id: account.id,
            owner: account.owner.as_str(),
            primary: account.is_primary,
            description: account.description.as_ref().map(Description::as_str),
            scopes: &account.scopes,
            enabled: account.enabled,
            created_at: account.created_at,
            created_by: account.created_by.as_str(),
            updated_at: account.updated_at,
            updated_by: account.updated_by.as_str(),
            rotated_at: account.rotated_at,
            previous_secret_until: account.secret.previous.as_ref().map(|previous| previous.until),
            deleted_at: deletion.map(|deletion| deletion.at),
            deleted_by: deletion.map(|deletion| deletion.by.as_str()),
            state: account.state().as_str(),
            version: account.version,
        }
    }
}
