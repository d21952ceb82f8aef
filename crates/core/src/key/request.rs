//! What a caller may ask for when a key is issued, changed or rotated.

use crate::jose::Claims;
use crate::{
    ClientId, Description, KeyspaceId, Lifetime, Metadata, Name, OwnerId, ResourceScopes, ScopeSet,
    TagSet, Timestamp, Version,
};

/// A key to issue.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The policy under which to issue it.
    pub keyspace: KeyspaceId,
    /// Whoever the key acts for.
    pub owner: OwnerId,
    /// The service account that the key shall belong to; absent: as the keyspace says.
    pub service_account: Option<ClientId>,
    /// A name for people.
    pub name: Option<Name>,
    /// A longer note for people.
    pub description: Option<Description>,
    /// What the key may do everywhere.
    pub scopes: ScopeSet,
    /// What the key may do to single resources.
    pub resources: ResourceScopes,
    /// Labels to find the key by.
    pub tags: TagSet,
    /// Free data of the application.
    pub metadata: Metadata,
    /// Whether the key is switched on.
    pub enabled: bool,
    /// When the key expires.
    pub expiry: Expiry,
    /// The key is not valid before this instant.
    pub not_before: Option<Timestamp>,
    /// What the token of a signed key shall say besides what it says anyway.
    pub claims: Claims,
}

impl NewKey {
    /// A key of the default keyspace that is switched on and may do nothing yet.
    pub fn new(owner: OwnerId) -> Self {
        Self {
            keyspace: KeyspaceId::default_keyspace(),
            owner,
            service_account: None,
            name: None,
            description: None,
            scopes: ScopeSet::default(),
            resources: ResourceScopes::default(),
            tags: TagSet::default(),
            metadata: Metadata::default(),
            enabled: true,
            expiry: Expiry::Default,
            not_before: None,
            claims: Claims::default(),
        }
    }
}

/// When a key shall expire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// At this instant.
    At(Timestamp),
    /// As the keyspace says.
    #[default]
    Default,
    /// That long from now.
    In(Lifetime),
    /// Never; refused where the keyspace has a maximum lifetime.
    Never,
}

/// Changes to a key's record: what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct KeyChanges {
    /// The version that the caller saw; any other is a conflict. Absent: whichever there is.
    pub version: Option<Version>,
    /// A new name, or none.
    pub name: Option<Option<Name>>,
    /// A new note, or none.
    pub description: Option<Option<Description>>,
    /// All the scopes.
    pub scopes: Option<ScopeSet>,
    /// All the resource scopes.
    pub resources: Option<ResourceScopes>,
    /// All the tags.
    pub tags: Option<TagSet>,
    /// All the metadata.
    pub metadata: Option<Metadata>,
    /// Whether it is switched on, which it may be already.
    pub enabled: Option<bool>,
    /// A new expiry.
    pub expiry: Option<Expiry>,
    /// A new first instant, or none.
    pub not_before: Option<Option<Timestamp>>,
}

impl KeyChanges {
    /// The names of the fields that are changed.
    pub fn fields(&self) -> Vec<&'static str> {
        let fields = [
            ("name", self.name.is_some()),
            ("description", self.description.is_some()),
            ("scopes", self.scopes.is_some()),
            ("resources", self.resources.is_some()),
            ("tags", self.tags.is_some()),
            ("metadata", self.metadata.is_some()),
            ("enabled", self.enabled.is_some()),
            ("expires_at", self.expiry.is_some()),
            ("not_before", self.not_before.is_some()),
        ];
        fields.into_iter().filter_map(|(name, is_changed)| is_changed.then_some(name)).collect()
    }
}

/// How to give a key a new secret.
#[derive(Clone, Debug, Default)]
pub struct Rotation {
    /// How long the old secret stays usable; absent: not at all.
    pub grace: Option<Lifetime>,
    /// Whether the key keeps its id; absent: it does, if its format can.
    pub mode: Option<RotationMode>,
    /// What the token of a signed key shall say; absent: the same as before.
    pub claims: Option<Claims>,
    /// Changes made to the key on the occasion.
    pub changes: KeyChanges,
}

/// Whether a rotated key keeps its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationMode {
    /// The record stays and gets a new secret.
    SameId,
    /// A new record succeeds the old one, which is revoked when the grace period ends.
    Successor,
}
