//! Questions for lists of keys.

use keyward_core::{
    ClientId, KeyId, KeyRecord, KeyState, KeyspaceId, OwnerId, TagFilter, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Order, Position, Search, SortValue};
use crate::StoredKey;

/// Which keys to list, in which order, how many, and from where on.
#[derive(Clone, Debug)]
pub struct KeyQuery {
    /// Only keys of this owner.
    pub owner: Option<OwnerId>,
    /// Only keys of this service account.
    pub service_account: Option<ClientId>,
    /// Only keys of this keyspace.
    pub keyspace: Option<KeyspaceId>,
    /// Only keys with these tags.
    pub tags: TagFilter,
    /// Only keys in one of these states at `now`.
    pub states: KeyStates,
    /// Only keys that contain this text.
    pub search: Option<Search>,
    /// The instant for which states are told.
    pub now: Timestamp,
    /// By what to sort.
    pub sort: KeySort,
    /// In which direction to sort.
    pub order: Order,
    /// The most keys to return.
    pub limit: usize,
    /// Only keys after this place in the order.
    pub after: Option<KeyPosition>,
    /// Passes over that many keys, wherever the list begins, and counts all that it holds: for pages
    /// with numbers.
    pub skip: Option<u64>,
}

impl KeyQuery {
    /// The newest keys that are not deleted, up to `limit`.
    pub fn new(now: Timestamp, limit: usize) -> Self {
        Self {
            owner: None,
            service_account: None,
            keyspace: None,
            tags: TagFilter::default(),
            states: KeyStates::NOT_DELETED,
            search: None,
            now,
            sort: KeySort::CreatedAt,
            order: Order::Descending,
            limit,
            after: None,
            skip: None,
        }
    }

    /// Whether a key belongs to the list, wherever its pages begin.
    pub fn includes(&self, key: &StoredKey) -> bool {
        let record = &key.record;
        self.states.contains(key.state(self.now))
            && self.owner.as_ref().is_none_or(|owner| *owner == record.owner)
            && self.service_account.is_none_or(|id| record.service_account == Some(id))
            && self.keyspace.as_ref().is_none_or(|keyspace| *keyspace == record.keyspace)
            && self.tags.includes(&record.tags)
            && self.search.as_ref().is_none_or(|search| search.finds_key(record))
    }
}

/// A set of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStates(u8);

impl KeyStates {
    /// Every state.
    pub const ALL: Self = Self(0b11_1111);
    /// Every state but [`KeyState::Deleted`].
    pub const NOT_DELETED: Self = Self(Self::ALL.0 & !Self::bit(KeyState::Deleted));

    /// What is switched off, or not valid yet: nothing else speaks against it.
    pub const INACTIVE: Self =
        Self(Self::bit(KeyState::Disabled) | Self::bit(KeyState::NotYetValid));

    /// These states.
    pub fn of(states: &[KeyState]) -> Self {
        Self(states.iter().fold(0, |set, state| set | Self::bit(*state)))
    }

    /// Whether it holds a state.
    pub const fn contains(self, state: KeyState) -> bool {
        self.0 & Self::bit(state) != 0
    }

    /// The states that it holds.
    pub fn iter(self) -> impl Iterator<Item = KeyState> {
        KeyState::ALL.into_iter().filter(move |state| self.contains(*state))
    }

    const fn bit(state: KeyState) -> u8 {
        1 << state as u8
    }
}

impl From<KeyState> for KeyStates {
    fn from(state: KeyState) -> Self {
        Self(Self::bit(state))
    }
}

/// By what keys are sorted. Keys that are alike in it are sorted by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySort {
    /// When they were issued.
    #[default]
    CreatedAt,
    /// Whether they are switched on; those that are not are the first.
    Enabled,
    /// When they expire; those that never do are the last.
    ExpiresAt,
    /// Their name, by its bytes; those without one are the first.
    Name,
    /// When they were last changed.
    UpdatedAt,
}

/// A page of keys.
#[derive(Clone, Debug)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<StoredKey>,
    /// Where the next page begins, if there is one.
    pub next: Option<KeyPosition>,
    /// How many keys the list holds in all, where it was asked to skip.
    pub total: Option<u64>,
}

/// A place in a list of keys.
pub type KeyPosition = Position<KeySort, KeyId>;

impl KeyPosition {
    /// Whether it is a place in a list that is sorted so.
    pub fn is_of(&self, sort: KeySort, order: Order) -> bool {
        let is_text = matches!(self.value, SortValue::Text(_));
        (self.sort, self.order) == (sort, order) && is_text == (sort == KeySort::Name)
    }

    /// The place of a key in the order of a query.
    pub fn of(key: &KeyRecord, query: &KeyQuery) -> Self {
        let value = match query.sort {
            KeySort::CreatedAt => SortValue::Number(key.created_at.as_micros()),
            KeySort::Enabled => SortValue::Number(key.enabled.into()),
            KeySort::ExpiresAt => {
                SortValue::Number(key.expires_at.map_or(i64::MAX, Timestamp::as_micros))
            }
            KeySort::Name => {
                SortValue::Text(key.name.as_ref().map_or("", |name| name.as_str()).to_owned())
            }
            KeySort::UpdatedAt => SortValue::Number(key.updated_at.as_micros()),
        };
        Self { sort: query.sort, order: query.order, value, id: key.id.clone() }
    }
}
