//! The record of a key.

mod ending;
mod lifecycle;
mod refusal;
mod request;
mod stored;

use std::sync::Arc;

pub use ending::{EndedBy, Ending};
pub(crate) use lifecycle::grace_end;
pub use refusal::Refusal;
pub use request::{Expiry, KeyChanges, NewKey, Rotation, RotationMode};
use serde::{Deserialize, Serialize};
pub(crate) use stored::Digests as DigestsForm;

use crate::jose::{Claims, PublicKey};
use crate::{
    AccountState, ActorId, ClientId, Description, Digest, FormatKind, KeyId, KeyspaceId, Locator,
    Metadata, Name, OwnerId, Reason, ResourceId, ResourceScopes, Scope, ScopeSet, SecretUsed,
    TagSet, Timestamp, Version,
};

/// Everything that is known about a key, its secret excepted.
///
/// Changes are made by the methods that take the record and return the next version of it.
// What judging reads comes first and stays together (`repr(C)`): with many keys, a verification
// waits for each part of the memory that it has to look at.
#[repr(C)]
#[derive(Clone, Debug, PartialEq)]
pub struct KeyRecord {
    /// The key's identifier; in prefixed keys it is part of the secret's text.
    pub id: KeyId,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The key is expired at and after this instant; absent: never.
    pub expires_at: Option<Timestamp>,
    /// The key is not valid before this instant; absent: from the start.
    pub not_before: Option<Timestamp>,
    /// What the key may do everywhere.
    pub scopes: ScopeSet,
    /// What proves the secret.
    pub secret: StoredSecret,
    /// The revocation, which may lie in the future.
    pub revocation: Option<Revocation>,
    /// The soft deletion.
    pub deletion: Option<Deletion>,
    /// Whether the key is switched on.
    pub enabled: bool,
    /// How the secret is written.
    pub format: FormatKind,
    /// The service account that the key belongs to, if it belongs to one.
    pub service_account: Option<ClientId>,
    /// The policy under which the key was issued.
    pub keyspace: KeyspaceId,
    /// What the key may do to single resources.
    pub resources: ResourceScopes,
    /// How often the record has changed.
    pub version: Version,
    /// Whoever the key acts for.
    pub owner: OwnerId,
    /// A name for people.
    pub name: Option<Name>,
    /// A longer note for people.
    pub description: Option<Description>,
    /// What may be shown of the secret: prefix and id, never a secret character.
    pub hint: String,
    /// Labels to find the key by.
    pub tags: TagSet,
    /// Free data of the application.
    pub metadata: Metadata,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it got its present secret, if that was not when it was issued.
    pub rotated_at: Option<Timestamp>,
    /// The key that this one succeeded.
    pub rotated_from: Option<KeyId>,
    /// The key that succeeds this one.
    pub rotated_to: Option<KeyId>,
}

/// What is stored of a key's secret: what proves it, and what it cannot be made from.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredSecret {
    /// Digests of the secret's text.
    Digests(StoredDigests),
    /// The public key that checks the secret's signature.
    Signature(Arc<StoredSignature>),
}

/// The digests of a key's secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDigests {
    /// The digest of the secret that was issued last.
    pub current: Digest,
    /// The digest before it, if a rotation granted a grace period.
    pub previous: Option<PreviousSecret>,
}

/// A secret that a rotation replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct PreviousSecret {
    /// Its digest.
    pub digest: Digest,
    /// It is refused at and after this instant.
    pub until: Timestamp,
}

/// What is stored of a signed key. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSignature {
    /// The public half of the pair that signed the token.
    pub public_key: PublicKey,
    /// The claims that were asked for when the key was issued: its successor gets them, too.
    pub claims: Claims,
}

impl StoredDigests {
    /// A secret of which this is the digest.
    pub const fn of(digest: Digest) -> Self {
        Self { current: digest, previous: None }
    }

    /// Which of the secrets it is of whose digest `matches` knows; the one before the last rotation
    /// counts in its grace period.
    pub(crate) fn which(
        &self,
        now: Timestamp,
        matches: impl Fn(&Digest) -> bool,
    ) -> Option<SecretUsed> {
        if matches(&self.current) {
            return Some(SecretUsed::Current);
        }
        let previous = self.previous.as_ref()?;
        (!previous.until.has_come(now) && matches(&previous.digest)).then_some(SecretUsed::Previous)
    }
}

impl StoredSecret {
    /// A secret of which this is the digest.
    pub const fn of_digest(digest: Digest) -> Self {
        Self::Digests(StoredDigests::of(digest))
    }

    /// A secret that was signed by the other half of this key.
    pub fn of_signature(public_key: PublicKey, claims: Claims) -> Self {
        Self::Signature(Arc::new(StoredSignature { public_key, claims }))
    }

    /// The same with other claims, if it is a signed key's and there are any; and its claims then.
    #[must_use]
    pub fn with_claims(&self, claims: Option<Claims>) -> (Self, Claims) {
        match self {
            Self::Digests(_) => (self.clone(), Claims::default()),
            Self::Signature(signature) => {
                let claims = claims.unwrap_or_else(|| signature.claims.clone());
                (Self::of_signature(signature.public_key.clone(), claims.clone()), claims)
            }
        }
    }

    /// The digests, if there are any.
    pub const fn digests(&self) -> Option<&StoredDigests> {
        match self {
            Self::Digests(digests) => Some(digests),
            Self::Signature(_) => None,
        }
    }

    /// What is stored of a signed key, if it is one.
    pub fn signature(&self) -> Option<&StoredSignature> {
        match self {
            Self::Digests(_) => None,
            Self::Signature(signature) => Some(signature),
        }
    }

    /// The digest of the secret that was issued last, if there is one.
    pub fn digest(&self) -> Option<&Digest> {
        self.digests().map(|digests| &digests.current)
    }

    /// The secret that the last rotation replaced, while there is one.
    pub fn previous(&self) -> Option<&PreviousSecret> {
        self.digests().and_then(|digests| digests.previous.as_ref())
    }
}

/// That a key was revoked. There is no way back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revocation {
    /// The key is refused at and after this instant.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<Reason>,
    /// Who did it.
    pub by: ActorId,
}

/// That a key was deleted and can still be restored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deletion {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: ActorId,
}

/// What a key's record comes to at some instant. The first that holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Deleted, and restorable until it is purged.
    Deleted,
    /// Its last instant has come.
    Expired,
    /// Revoked for good.
    Revoked,
    /// Switched off.
    Disabled,
    /// Its first instant has not come.
    NotYetValid,
    /// Nothing speaks against it.
    Active,
}

impl KeyRecord {
    /// What the record comes to, together with the service account that the key belongs to; without
    /// one, with [`AccountState::Active`]. Lists filter by the same rule.
    pub fn state(&self, account: AccountState, now: Timestamp) -> KeyState {
        let now = self.at_least(now);
        if self.deletion.is_some() || account == AccountState::Deleted {
            return KeyState::Deleted;
        }
        if self.expires_at.is_some_and(|at| at.has_come(now)) {
            return KeyState::Expired;
        }
        if self.is_revoked(now) {
            return KeyState::Revoked;
        }
        if !self.enabled || account == AccountState::Disabled {
            return KeyState::Disabled;
        }
        match self.not_before {
            Some(at) if !at.has_come(now) => KeyState::NotYetValid,
            _ => KeyState::Active,
        }
    }

    /// Whether the key is revoked by now; a revocation in the future does not count yet.
    pub fn is_revoked(&self, now: Timestamp) -> bool {
        let now = self.at_least(now);
        self.revocation.as_ref().is_some_and(|revocation| revocation.at.has_come(now))
    }

    /// Whether the key has a scope: everywhere or, where one is named, on the resource. Says nothing
    /// about whether the key is valid: a [`crate::Permit`] does.
    pub fn has_scope(&self, scope: &Scope, on: Option<&ResourceId>) -> bool {
        self.scopes.contains(scope)
            || on.is_some_and(|resource| self.resources.grants(resource, scope))
    }

    /// Whether the key has any of the scopes, in the sense of [`Self::has_scope`]. Of no scopes, it
    /// has none.
    pub fn has_any_scope(&self, scopes: &[Scope], on: Option<&ResourceId>) -> bool {
        scopes.iter().any(|scope| self.has_scope(scope, on))
    }

    /// Whether the key has each of the scopes, in the sense of [`Self::has_scope`]. Of no scopes, it
    /// lacks none.
    pub fn has_all_scopes(&self, scopes: &[Scope], on: Option<&ResourceId>) -> bool {
        scopes.iter().all(|scope| self.has_scope(scope, on))
    }

    /// The present as far as this record goes: never before its last change, so that a clock which is
    /// set back does not undo a revocation.
    pub fn at_least(&self, now: Timestamp) -> Timestamp {
        now.max(self.updated_at)
    }

    /// Whether the locator finds this record.
    pub fn is_at(&self, locator: &Locator) -> bool {
        let by_id = self.format.is_found_by_id();
        match locator {
            Locator::Digest(digest) => !by_id && self.digests().any(|known| known == digest),
            Locator::KeyId(id) => by_id && self.id == *id,
        }
    }

    /// Everything that finds this record: its id, or the digests of its secrets.
    pub fn locators(&self) -> impl Iterator<Item = Locator> + '_ {
        let by_id = self.format.is_found_by_id();
        let id = by_id.then(|| Locator::KeyId(self.id.clone()));
        let digests = self.digests().filter(move |_| !by_id).cloned();
        id.into_iter().chain(digests.map(Locator::Digest))
    }

    fn digests(&self) -> impl Iterator<Item = &Digest> {
        let previous = self.secret.previous().map(|previous| &previous.digest);
        self.secret.digest().into_iter().chain(previous)
    }
}

impl AsRef<Self> for KeyRecord {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl KeyState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Active,
        Self::Deleted,
        Self::Disabled,
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
    ];

    /// The state's name as it is written in queries and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Revoked => "revoked",
        }
    }
}
