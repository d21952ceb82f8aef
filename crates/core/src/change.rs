//! Management acts as values, which a store applies whole or not at all.

use uuid::Uuid;

use crate::{
    AuditEvent, AuditFilter, Entropy, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator, Timestamp,
    Version,
};

/// One management act: the rows that it writes and the events that tell of it.
#[derive(Clone, Debug)]
pub struct Change {
    /// The act's identifier: applying it a second time changes nothing.
    pub id: ChangeId,
    /// When it was made.
    pub at: Timestamp,
    /// Keyspaces to write.
    pub keyspaces: Vec<KeyspaceWrite>,
    /// Keys to write.
    pub keys: Vec<KeyWrite>,
    /// Audit events to remove, before the change's own are written.
    pub erasure: Option<AuditErasure>,
    /// The audit events that commit with it.
    pub events: Vec<AuditEvent>,
}

/// Audit events to remove.
#[derive(Clone, Debug)]
pub struct AuditErasure {
    /// Which events.
    pub filter: AuditFilter,
    /// The most events to remove: the oldest go first.
    pub most: usize,
}

impl Change {
    /// A change that does nothing yet.
    pub fn new(entropy: &dyn Entropy, at: Timestamp) -> Self {
        let (keyspaces, keys, events) = (Vec::new(), Vec::new(), Vec::new());
        Self { id: ChangeId::generate(entropy), at, keyspaces, keys, erasure: None, events }
    }

    /// What readers must forget once the change is accepted.
    pub fn touched(&self) -> Touched {
        let mut locators: Vec<_> = self.keys.iter().flat_map(KeyWrite::touched).collect();
        locators.dedup();
        Touched { locators, keyspaces: !self.keyspaces.is_empty() }
    }
}

/// The identifier of a change, for telling a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChangeId(Uuid);

impl ChangeId {
    /// Draws an identifier.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(uuid::Builder::from_random_bytes(entropy.bytes()).into_uuid())
    }

    /// The identifier as stored.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The identifier's bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// A key's row to write.
#[derive(Clone, Debug)]
pub enum KeyWrite {
    /// A new key; its id and its locators must be new.
    Insert(Box<KeyRecord>),
    /// A key to remove with its usage; refused if it has another version by now.
    Purge(Box<KeyRecord>),
    /// A changed key; refused if it has another version by now than `before`.
    Update {
        /// The record that the change was made from.
        before: Box<KeyRecord>,
        /// The record to write.
        after: Box<KeyRecord>,
    },
}

impl KeyWrite {
    /// The id of the key that is written.
    pub fn id(&self) -> &KeyId {
        match self {
            Self::Insert(record) | Self::Purge(record) => &record.id,
            Self::Update { before, .. } => &before.id,
        }
    }

    /// The version that the stored record must have, if there must be one.
    pub fn expected(&self) -> Option<Version> {
        match self {
            Self::Insert(_) => None,
            Self::Purge(record) => Some(record.version),
            Self::Update { before, .. } => Some(before.version),
        }
    }

    /// The record that is stored afterwards, if any.
    pub fn result(&self) -> Option<&KeyRecord> {
        match self {
            Self::Insert(record) => Some(record),
            Self::Purge(_) => None,
            Self::Update { after, .. } => Some(after),
        }
    }

    fn touched(&self) -> Vec<Locator> {
        match self {
            Self::Insert(record) | Self::Purge(record) => record.locators().collect(),
            Self::Update { before, after } => before.locators().chain(after.locators()).collect(),
        }
    }
}

/// A keyspace's row to write.
#[derive(Clone, Debug)]
pub enum KeyspaceWrite {
    /// A new keyspace; its id must be new.
    Insert(Keyspace),
    /// A changed keyspace; refused if it has another version by now than `from`.
    Update {
        /// The version that the change was made from.
        from: Version,
        /// The keyspace to write.
        after: Keyspace,
    },
}

impl KeyspaceWrite {
    /// The id of the keyspace that is written.
    pub const fn id(&self) -> &KeyspaceId {
        &self.result().id
    }

    /// The keyspace that is stored afterwards.
    pub const fn result(&self) -> &Keyspace {
        match self {
            Self::Insert(keyspace) | Self::Update { after: keyspace, .. } => keyspace,
        }
    }
}

/// What a change makes outdated in caches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Whether a keyspace was written.
    pub keyspaces: bool,
    /// The locators whose records, or whose absence, must be read anew.
    pub locators: Vec<Locator>,
}
