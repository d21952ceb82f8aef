//! Service accounts: the machine identities of an owner, each with a client id and a client secret,
//! under which keys are held.

mod client;
mod lifecycle;
mod stored;

pub use client::Client;

use crate::format::Prefixed;
use crate::{
    ActorId, ClientId, Deletion, Description, Entropy, Hasher, KeyId, MAX_SECRET_LENGTH, OwnerId,
    Prefix, ScopeSet, Secret, StoredDigests, Timestamp, Version,
};

/// Everything that is known about a service account, its client secret excepted.
///
/// Changes are made by the methods that take the record and return the next version of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceAccount {
    /// The account's identifier, which is the client id.
    pub id: ClientId,
    /// How often the record has changed.
    pub version: Version,
    /// Whoever the account acts for.
    pub owner: OwnerId,
    /// Whether it is the one account that the owner's keys get where none is named. An owner has at
    /// most one such account that is not deleted.
    pub is_primary: bool,
    /// A note for people.
    pub description: Option<Description>,
    /// What access tokens of the account may be for.
    pub scopes: ScopeSet,
    /// What proves the client secret.
    pub secret: StoredDigests,
    /// Whether the account, and with it each of its keys, is switched on.
    pub enabled: bool,
    /// The soft deletion, which takes the account's keys with it.
    pub deletion: Option<Deletion>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: ActorId,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: ActorId,
    /// When it got its present client secret, if that was not when it was created.
    pub rotated_at: Option<Timestamp>,
}

/// A service account to create.
#[derive(Clone, Debug)]
pub struct NewServiceAccount {
    /// Whoever the account acts for.
    pub owner: OwnerId,
    /// A note for people.
    pub description: Option<Description>,
    /// What access tokens of the account may be for.
    pub scopes: ScopeSet,
    /// Whether it is switched on.
    pub enabled: bool,
}

impl NewServiceAccount {
    /// An account that is switched on and has no scopes.
    pub fn new(owner: OwnerId) -> Self {
        Self { owner, description: None, scopes: ScopeSet::default(), enabled: true }
    }
}

/// Changes to a service account: what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct AccountChanges {
    /// The version that the caller saw; any other is a conflict. Absent: whichever there is.
    pub version: Option<Version>,
    /// A new note, or none.
    pub description: Option<Option<Description>>,
    /// All the scopes.
    pub scopes: Option<ScopeSet>,
}

impl AccountChanges {
    /// The names of the fields that are changed.
    pub fn fields(&self) -> Vec<&'static str> {
        let fields =
            [("description", self.description.is_some()), ("scopes", self.scopes.is_some())];
        fields.into_iter().filter_map(|(name, is_changed)| is_changed.then_some(name)).collect()
    }
}

/// What a service account's record comes to. The first that holds, in this order: deleted, disabled,
/// active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AccountState {
    /// Nothing speaks against it.
    #[default]
    Active,
    /// Deleted, and restorable until it is purged.
    Deleted,
    /// Switched off.
    Disabled,
}

impl AccountState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Active, Self::Deleted, Self::Disabled];

    /// The state's name as it is written in queries and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
            Self::Disabled => "disabled",
        }
    }
}

impl ServiceAccount {
    /// What the record comes to. Lists filter by the same rule.
    pub const fn state(&self) -> AccountState {
        if self.deletion.is_some() {
            AccountState::Deleted
        } else if self.enabled {
            AccountState::Active
        } else {
            AccountState::Disabled
        }
    }

    /// Whether this is the client secret, or the one before it in its grace period; in time that does
    /// not depend on where it differs. Says nothing of the account's state.
    pub fn is_proved_by(&self, secret: &str, hasher: &Hasher, now: Timestamp) -> bool {
        if secret.len() > MAX_SECRET_LENGTH {
            return false;
        }
        let which = self.secret.which(self.at_least(now), |stored| {
            let presented = hasher.digest(stored.scheme(), secret);
            presented.is_some_and(|presented| presented.matches(stored))
        });
        which.is_some()
    }

    /// The present as far as this record goes: never before its last change.
    pub fn at_least(&self, now: Timestamp) -> Timestamp {
        now.max(self.updated_at)
    }
}

/// Draws a client secret: as the secret of a prefixed key, so that scanners find it, with `kwcs` as its
/// prefix and an id that names nothing.
pub fn draw_client_secret(entropy: &dyn Entropy) -> Secret {
    let format = Prefixed::new(Prefix::client_secret());
    format.mint(entropy, &KeyId::generate(entropy)).secret
}
