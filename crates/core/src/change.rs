//! Management acts as values, which a store applies whole or not at all.

use uuid::Uuid;

use crate::{
    AuditEvent, AuditFilter, ClientId, Entropy, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator,
    RevokedToken, ServiceAccount, SigningKey, Timestamp, Version,
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
    /// Service accounts to write, before the keys: those may belong to them.
    pub accounts: Vec<AccountWrite>,
    /// Keys to write.
    pub keys: Vec<KeyWrite>,
    /// Public halves of pairs that sign access tokens: new ones, or others in place of those of the same
    /// id. With them, those go that have ended.
    pub signing_keys: Vec<SigningKey>,
    /// Access tokens that count no more. With them, those go that have ended by themselves.
    pub revoked_tokens: Vec<RevokedToken>,
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
        Self {
            id: ChangeId::generate(entropy),
            at,
            keyspaces: Vec::new(),
            accounts: Vec::new(),
            keys: Vec::new(),
            signing_keys: Vec::new(),
            revoked_tokens: Vec::new(),
            erasure: None,
            events: Vec::new(),
        }
    }

    /// What readers must forget once the change is accepted.
    pub fn touched(&self) -> Touched {
        let mut locators: Vec<_> = self.keys.iter().flat_map(KeyWrite::touched).collect();
        locators.dedup();
        Touched {
            account_states: self.accounts.iter().any(AccountWrite::changes_state),
            accounts: self.accounts.iter().map(|write| *write.id()).collect(),
            keyspaces: !self.keyspaces.is_empty(),
            locators,
        }
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

/// A record that a store keeps in a row of its own.
pub trait Row {
    /// What tells it from others.
    type Id;

    /// Its identifier.
    fn id(&self) -> &Self::Id;

    /// How often it has changed.
    fn version(&self) -> Version;
}

impl Row for KeyRecord {
    type Id = KeyId;

    fn id(&self) -> &KeyId {
        &self.id
    }

    fn version(&self) -> Version {
        self.version
    }
}

impl Row for ServiceAccount {
    type Id = ClientId;

    fn id(&self) -> &ClientId {
        &self.id
    }

    fn version(&self) -> Version {
        self.version
    }
}

/// A row to write.
#[derive(Clone, Debug)]
pub enum RowWrite<R> {
    /// A new record; its id, and what it is found by, must be new.
    Insert(Box<R>),
    /// A record to remove with all that belongs to it; refused if it has another version by now.
    Purge(Box<R>),
    /// A changed record; refused if it has another version by now than `before`.
    Update {
        /// The record that the change was made from.
        before: Box<R>,
        /// The record to write.
        after: Box<R>,
    },
}

/// A key's row to write.
pub type KeyWrite = RowWrite<KeyRecord>;

/// A service account's row to write.
///
/// Of the accounts of an owner that are not deleted, one at most may be primary: another one is refused
/// as one that exists. An account that has keys is not purged: it is refused as outdated.
pub type AccountWrite = RowWrite<ServiceAccount>;

impl<R: Row> RowWrite<R> {
    /// The id of the record that is written.
    pub fn id(&self) -> &R::Id {
        match self {
            Self::Insert(record) | Self::Purge(record) => record.id(),
            Self::Update { before, .. } => before.id(),
        }
    }

    /// The version that the stored record must have, if there must be one.
    pub fn expected(&self) -> Option<Version> {
        match self {
            Self::Insert(_) => None,
            Self::Purge(record) => Some(record.version()),
            Self::Update { before, .. } => Some(before.version()),
        }
    }

    /// The record that is stored afterwards, if any.
    pub fn result(&self) -> Option<&R> {
        match self {
            Self::Insert(record) => Some(record),
            Self::Purge(_) => None,
            Self::Update { after, .. } => Some(after),
        }
    }
}

impl KeyWrite {
    fn touched(&self) -> Vec<Locator> {
        match self {
            Self::Insert(record) | Self::Purge(record) => record.locators().collect(),
            Self::Update { before, after } => before.locators().chain(after.locators()).collect(),
        }
    }
}

impl AccountWrite {
    /// Whether the state of the account's keys changes with it.
    fn changes_state(&self) -> bool {
        match self {
            Self::Insert(_) => false,
            Self::Purge(_) => true,
            Self::Update { before, after } => before.state() != after.state(),
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
    /// Whether the state of a service account changed, and that of its keys with it.
    pub account_states: bool,
    /// The service accounts that must be read anew.
    pub accounts: Vec<ClientId>,
    /// Whether a keyspace was written.
    pub keyspaces: bool,
    /// The locators whose records, or whose absence, must be read anew.
    pub locators: Vec<Locator>,
}

impl Touched {
    /// Adds what another change has touched.
    pub fn add(&mut self, other: Self) {
        self.account_states |= other.account_states;
        self.accounts.extend(other.accounts);
        self.keyspaces |= other.keyspaces;
        self.locators.extend(other.locators);
    }
}
