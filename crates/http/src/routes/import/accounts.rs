//! Taking over service accounts that somebody else has made.

use axum::extract::State;
use keyward::{
    AccountPast, ActorId, ClientId, Deletion, Description, Digest, Error, ImportedAccount, Invalid,
    Keyward, NewServiceAccount, OwnerId, ScopeSet, Secret, Timestamp,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::parts::{HashBody, PreviousBody, of_fields, read_version};
use super::{Imported, Mode, report};
use crate::access::Right;
use crate::caller::Actor;
use crate::fields::Fields;
use crate::input::{Body, parse_part};
use crate::problem::{Problem, Problems};
use crate::routes::many::{check_count, together};
use crate::view::Answer;

/// Service accounts to take over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportAccountsBody {
    /// 1 to 100 service accounts. Each is read for itself: what is wrong with one is no harm to the
    /// others.
    #[schema(value_type = Vec<ImportAccountItem>)]
    service_accounts: Vec<Box<RawValue>>,
    /// What is written: `each` account that is acceptable (default), the `whole` of them or nothing, or
    /// nothing at all (`check`).
    #[serde(default)]
    mode: Mode,
}

/// A service account to take over: with its client secret, or with a hash of it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportAccountItem {
    /// Its id, which is the client id, if it shall stay the same: a UUID.
    id: Option<String>,
    /// The client secret itself: 22 to 512 characters of ASCII without spaces.
    #[schema(value_type = Option<String>)]
    client_secret: Option<Secret>,
    /// A hash of the whole client secret.
    hash: Option<HashBody>,
    /// Whoever the account acts for.
    #[serde(default)]
    owner: String,
    /// Whether it is the account that the owner's keys get where none is named, of which there is one at
    /// most; left out: it is another one.
    primary: Option<bool>,
    /// A note for people.
    description: Option<String>,
    /// What access tokens of the account may be for.
    #[serde(default)]
    scopes: Vec<String>,
    /// Whether it is switched on; left out: it is.
    enabled: Option<bool>,
    /// When it was created (RFC 3339).
    created_at: Option<String>,
    /// Who created it; left out: whoever takes it over.
    created_by: Option<String>,
    /// When its record was last changed (RFC 3339).
    updated_at: Option<String>,
    /// Who changed it last; left out: who created it.
    updated_by: Option<String>,
    /// When it got its present client secret (RFC 3339).
    rotated_at: Option<String>,
    /// When it was deleted, and its keys with it (RFC 3339). It can be restored.
    deleted_at: Option<String>,
    /// Who deleted it; left out: whoever takes it over.
    deleted_by: Option<String>,
    /// The client secret before its last rotation, which still works for a while.
    previous: Option<PreviousBody>,
    /// How often its record had changed.
    version: Option<u64>,
}

/// Takes over service accounts that somebody else has made: their holders can use them from now on.
///
/// What is not acceptable of one is told for it, and the others are taken over, unless the `mode`
/// says otherwise. An id that exists is never overwritten; doing the same again is safe, and told as
/// `already_imported`. Keys are taken over after the accounts that they belong to.
#[utoipa::path(
    post, path = "/v1/service-accounts/import", tag = "service accounts",
    request_body = ImportAccountsBody,
    responses((status = 200, body = Imported<'_>), Problems),
)]
pub(crate) async fn import(
    State(keyward): State<Keyward>,
    caller: Actor,
    Body(body): Body<ImportAccountsBody>,
) -> Answer {
    caller.may(Right::AccountsWrite, None)?;
    check_count(body.service_accounts.len(), "service_accounts")?;
    let by = &caller.context().actor;
    let read = |item: Box<RawValue>| -> Result<ImportedAccount, Problem> {
        parse_part::<ImportAccountItem>(&item)?.read(&keyward, by)
    };
    let read: Vec<_> = body.service_accounts.into_iter().map(read).collect();
    let mode = body.mode.of_readable(read.iter().all(Result::is_ok));
    let acceptable = read.iter().flatten().cloned();
    let imported = keyward.import_accounts(acceptable, mode, caller.context()).await?;
    Ok(report(&together(read, imported), mode))
}

impl ImportAccountItem {
    fn read(self, keyward: &Keyward, by: &ActorId) -> Result<ImportedAccount, Problem> {
        let mut fields = Fields::default();
        let id = fields.optional("id", self.id.as_deref(), ClientId::parse);
        let account = self.new_account(&mut fields);
        let past = self.past(keyward, by, &mut fields);
        let hash = self.hash.as_ref().map(|hash| (hash.scheme.as_str(), hash.value.as_str()));
        let has_one = self.client_secret.is_some() != hash.is_some();
        if !has_one {
            let rule = "must be given, or else hash, and one of them alone";
            fields.take::<()>(Err(Invalid::new(rule).at("client_secret")));
        }
        let Some(account) = account.filter(|_| has_one) else {
            return Err(fields.finish().err().unwrap_or_else(Problem::unreadable_body));
        };
        let imported = if let Some(secret) = &self.client_secret {
            keyward.of_client_secret(account, secret)
        } else {
            let digest = digest(keyward, hash.unwrap_or_default());
            digest.map(|digest| ImportedAccount::new(account, digest))
        };
        let imported = fields.take(of_fields(imported)?);
        fields.finish()?;
        let imported = imported.ok_or_else(Problem::unreadable_body)?;
        let is_primary = self.primary.unwrap_or_default();
        Ok(ImportedAccount { id, is_primary, past, ..imported })
    }

    fn new_account(&self, fields: &mut Fields) -> Option<NewServiceAccount> {
        let owner = fields.required("owner", &self.owner, |text| OwnerId::parse(text));
        let description = fields
            .optional("description", self.description.as_deref(), |text| Description::parse(text));
        let scopes = fields.take(ScopeSet::parse(&self.scopes, "scopes"))?;
        let enabled = self.enabled.unwrap_or(true);
        Some(NewServiceAccount { owner: owner?, description, scopes, enabled })
    }

    /// What had become of it.
    fn past(&self, keyward: &Keyward, by: &ActorId, fields: &mut Fields) -> AccountPast {
        let mut instant = |field, text: &Option<String>| {
            fields.optional(field, text.as_deref(), Timestamp::parse)
        };
        let created_at = instant("created_at", &self.created_at);
        let updated_at = instant("updated_at", &self.updated_at);
        let rotated_at = instant("rotated_at", &self.rotated_at);
        let deleted_at = instant("deleted_at", &self.deleted_at);
        let mut actor = |field, text: &Option<String>| {
            fields.optional(field, text.as_deref(), |text| ActorId::parse(text))
        };
        let created_by = actor("created_by", &self.created_by);
        let updated_by = actor("updated_by", &self.updated_by);
        let deleted_by = actor("deleted_by", &self.deleted_by).unwrap_or_else(|| by.clone());
        let previous = self.previous.as_ref();
        let previous =
            previous.and_then(|previous| previous.read(|hash| digest(keyward, hash), fields));
        AccountPast {
            created_at,
            created_by,
            updated_at,
            updated_by,
            deletion: deleted_at.map(|at| Deletion { at, by: deleted_by }),
            previous,
            rotated_at,
            version: fields.take(read_version(self.version)).flatten(),
        }
    }
}

fn digest(keyward: &Keyward, hash: (&str, &str)) -> Result<Digest, Error> {
    keyward.client_secret_digest(hash).map_err(Error::from)
}
