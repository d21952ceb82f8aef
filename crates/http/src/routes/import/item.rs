//! One key to take over, from its fields to what the library takes.

use std::collections::{HashMap, HashSet};

use keyward::jose::{Claims, PublicKey};
use keyward::store::Usage;
use keyward::{
    ActorId, ClientId, Deletion, Expiry, FieldError, ImportedKey, Invalid, KeyId, KeyspaceId,
    Keyward, NewKey, OwnerId, Past, Reason, Revocation, Secret, Timestamp,
};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::parts::{HashBody, PreviousBody, of_fields, read_version};
use crate::fields::{Fields, NewKeyFields};
use crate::input::Members;
use crate::problem::Problem;

/// A key to take over: with its secret, or with a hash of it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportItem {
    /// Its keyspace: that of the request, if it is given at all.
    keyspace: Option<String>,
    /// Its id, if it shall stay the same; 1 to 64 of `A-Z a-z 0-9 . _ -`.
    id: Option<String>,
    /// The secret itself.
    #[schema(value_type = Option<String>)]
    secret: Option<Secret>,
    /// A hash of the secret.
    hash: Option<HashBody>,
    /// The public key of a signed key (JWK, RFC 7517). Its id is the `kid`.
    #[schema(value_type = Option<Object>)]
    jwk: Option<Box<RawValue>>,
    /// What was asked for to stand in a signed key's token: a successor gets it, too.
    #[schema(value_type = Option<Object>)]
    claims: Option<Claims>,
    /// Whoever the key acts for. Left out where a service account is named: as that.
    #[serde(default)]
    owner: String,
    /// The service account that it belongs to, which must be there and the owner's, in whatever state.
    service_account_id: Option<String>,
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
    /// It is not valid before this instant (RFC 3339).
    not_before: Option<String>,
    /// When it was issued (RFC 3339).
    created_at: Option<String>,
    /// When its record was last changed (RFC 3339).
    updated_at: Option<String>,
    /// When it expires or has expired (RFC 3339); left out: never.
    expires_at: Option<String>,
    /// When it was used last (RFC 3339).
    last_used_at: Option<String>,
    /// How often it was allowed.
    uses: Option<u64>,
    /// How often of these by the secret before its last rotation.
    previous_uses: Option<u64>,
    /// When it was revoked (RFC 3339).
    revoked_at: Option<String>,
    /// Why it was revoked.
    revoked_reason: Option<String>,
    /// Who revoked it; left out: whoever takes it over.
    revoked_by: Option<String>,
    /// When it was deleted (RFC 3339). It can be restored.
    deleted_at: Option<String>,
    /// Who deleted it; left out: whoever takes it over.
    deleted_by: Option<String>,
    /// The secret before its last rotation, which still works for a while.
    previous: Option<PreviousBody>,
    /// When it got its present secret (RFC 3339).
    rotated_at: Option<String>,
    /// The key that it succeeded.
    rotated_from: Option<String>,
    /// The key that succeeded it.
    rotated_to: Option<String>,
    /// How often its record had changed.
    version: Option<u64>,
}

/// The owners of the service accounts that are named in place of one.
pub(super) struct Owners(HashMap<ClientId, OwnerId>);

impl Owners {
    /// Asks for each account once.
    pub(super) async fn of_accounts(
        keyward: &Keyward,
        items: impl Iterator<Item = &ImportItem>,
    ) -> Result<Self, Problem> {
        let unowned = items.filter(|item| item.owner.is_empty());
        let named = unowned.filter_map(|item| item.service_account_id.as_deref());
        let ids: HashSet<_> = named.filter_map(|id| ClientId::parse(id).ok()).collect();
        let mut owners = HashMap::with_capacity(ids.len());
        for id in ids {
            owners.extend(keyward.account(&id).await?.map(|account| (id, account.owner)));
        }
        Ok(Self(owners))
    }
}

impl ImportItem {
    pub(super) fn read(
        mut self,
        keyward: &Keyward,
        keyspace: &KeyspaceId,
        by: &ActorId,
        owners: &Owners,
    ) -> Result<ImportedKey, Problem> {
        let mut fields = Fields::default();
        let account = self.service_account_id.as_deref();
        let service_account = fields.optional("service_account_id", account, ClientId::parse);
        if let Some(id) = service_account.filter(|_| self.owner.is_empty()) {
            let unknown = || Invalid::new("must be a service account").at("service_account_id");
            let owner = owners.0.get(&id);
            self.owner = owner.ok_or_else(|| Problem::invalid_body(vec![unknown()]))?.to_string();
        }
        if self.keyspace.as_ref().is_some_and(|named| named != keyspace.as_str()) {
            let rule = Invalid::new("must be that of the request, or be left out");
            fields.take::<()>(Err(rule.at("keyspace")));
        }
        let id = fields.optional("id", self.id.as_deref(), |text| KeyId::parse(text));
        let key = self.new_key(keyspace, &mut fields);
        let key = key.map(|key| NewKey { service_account, ..key });
        let past = self.past(by, &mut fields);
        let previous = self.previous.take();
        let hash = self.hash.as_ref().map(|hash| (hash.scheme.as_str(), hash.value.as_str()));
        let rule = "must be given, or else hash or jwk, and one of them alone";
        let given = [self.secret.is_some(), hash.is_some(), self.jwk.is_some()];
        let has_one = given.into_iter().filter(|is_given| *is_given).count() == 1;
        if !has_one {
            fields.take::<()>(Err(Invalid::new(rule).at("secret")));
        }
        let Some(key) = key.filter(|_| has_one) else {
            return Err(fields.finish().err().unwrap_or_else(Problem::unreadable_body));
        };
        let previous = previous.and_then(|previous| {
            previous.read(|hash| keyward.foreign_digest(&key, id.as_ref(), hash), &mut fields)
        });
        let imported = match (&self.secret, &self.jwk, hash) {
            (Some(secret), ..) => keyward.of_secret(key, secret),
            (None, Some(jwk), _) => signed(key, id.as_ref(), jwk.get()).map_err(Into::into),
            (None, None, hash) => keyward.of_hash(key, id.clone(), hash.unwrap_or_default()),
        };
        let imported = fields.take(of_fields(imported)?);
        let id_in_secret = imported.as_ref().and_then(|imported| imported.id.as_ref());
        if id.is_some() && id_in_secret.is_some_and(|within| id.as_ref() != Some(within)) {
            fields.take::<()>(Err(Invalid::new("must be the one that the secret holds").at("id")));
        }
        fields.finish()?;
        let imported = imported.ok_or_else(Problem::unreadable_body)?;
        // That of a prefixed secret stands in it.
        let id = id.or(imported.id);
        Ok(ImportedKey { id, past: Past { previous, ..past }, ..imported })
    }

    fn new_key(&mut self, keyspace: &KeyspaceId, fields: &mut Fields) -> Option<NewKey> {
        let said = NewKeyFields {
            owner: &self.owner,
            name: self.name.as_deref(),
            description: self.description.as_deref(),
            scopes: &self.scopes,
            resources: &self.resources.0,
            tags: &self.tags,
            metadata: std::mem::take(&mut self.metadata),
            enabled: self.enabled,
            not_before: self.not_before.as_deref(),
        };
        let key = said.read(Some(keyspace.clone()), fields);
        let claims = self.claims.take().unwrap_or_default();
        // Its expiry is a fact of its past, and none means never.
        key.map(|key| NewKey { claims, expiry: Expiry::Never, ..key })
    }

    /// What had become of it, the secret before its last rotation excepted.
    fn past(&self, by: &ActorId, fields: &mut Fields) -> Past {
        let mut instant = |field, text: &Option<String>| {
            fields.optional(field, text.as_deref(), Timestamp::parse)
        };
        let created_at = instant("created_at", &self.created_at);
        let updated_at = instant("updated_at", &self.updated_at);
        let expires_at = instant("expires_at", &self.expires_at);
        let last_used_at = instant("last_used_at", &self.last_used_at);
        let revoked_at = instant("revoked_at", &self.revoked_at);
        let deleted_at = instant("deleted_at", &self.deleted_at);
        let rotated_at = instant("rotated_at", &self.rotated_at);
        let mut actor = |field, text: &Option<String>| {
            let named = fields.optional(field, text.as_deref(), |text| ActorId::parse(text));
            named.unwrap_or_else(|| by.clone())
        };
        let revoked_by = actor("revoked_by", &self.revoked_by);
        let deleted_by = actor("deleted_by", &self.deleted_by);
        let mut key_id = |field, text: &Option<String>| {
            fields.optional(field, text.as_deref(), |text| KeyId::parse(text))
        };
        let rotated_from = key_id("rotated_from", &self.rotated_from);
        let rotated_to = key_id("rotated_to", &self.rotated_to);
        let version = fields.take(read_version(self.version)).flatten();
        if last_used_at.is_none() && (self.uses.is_some_and(|uses| uses > 0)) {
            let rule = Invalid::new("must be given together with uses");
            fields.take::<()>(Err(rule.at("last_used_at")));
        }
        let reason = fields
            .optional("revoked_reason", self.revoked_reason.as_deref(), |text| Reason::parse(text));
        Past {
            created_at,
            updated_at,
            expires_at,
            revocation: revoked_at.map(|at| Revocation { at, reason, by: revoked_by }),
            deletion: deleted_at.map(|at| Deletion { at, by: deleted_by }),
            previous: None,
            rotated_at,
            rotated_from,
            rotated_to,
            usage: Usage {
                last_used_at,
                uses: self.uses.unwrap_or_default(),
                previous_uses: self.previous_uses.unwrap_or_default(),
            },
            version,
        }
    }
}

/// A signed key of which the public half is known. Its id stands in it, or is given, or both.
fn signed(key: NewKey, id: Option<&KeyId>, jwk: &str) -> Result<ImportedKey, FieldError> {
    let at = |error: keyward::jose::InvalidJwk| {
        Invalid::new(format!("must be usable: {error}")).at("jwk")
    };
    let (public_key, kid) = PublicKey::read(jwk).map_err(at)?;
    let kid = kid.map(KeyId::parse).transpose().map_err(|invalid| invalid.at("jwk"))?;
    if kid.is_some() && id.is_some_and(|id| kid.as_ref() != Some(id)) {
        return Err(Invalid::new("must be the one that the jwk holds").at("id"));
    }
    let id = kid.as_ref().or(id).ok_or_else(|| Invalid::new("must hold a kid").at("jwk"))?;
    Ok(ImportedKey::signed(key, id.clone(), public_key))
}
