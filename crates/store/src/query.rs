//! Questions for lists of keys and audit events, and the places between their pages.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyward_core::{
    Action, AuditEvent, AuditEventId, AuditFilter, Invalid, KeyId, KeyRecord, KeyState, KeyspaceId,
    OwnerId, TagFilter, Timestamp,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::StoredKey;

/// Which keys to list, in which order, how many, and after which place.
#[derive(Clone, Debug)]
pub struct KeyQuery {
    /// Only keys of this owner.
    pub owner: Option<OwnerId>,
    /// Only keys of this keyspace.
    pub keyspace: Option<KeyspaceId>,
    /// Only keys with these tags.
    pub tags: TagFilter,
    /// Only keys in this state at `now`. Absent: all that are not deleted.
    pub state: Option<KeyState>,
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
}

impl KeyQuery {
    /// The newest keys that are not deleted, up to `limit`.
    pub fn new(now: Timestamp, limit: usize) -> Self {
        Self {
            owner: None,
            keyspace: None,
            tags: TagFilter::default(),
            state: None,
            search: None,
            now,
            sort: KeySort::CreatedAt,
            order: Order::Descending,
            limit,
            after: None,
        }
    }

    /// Whether a key belongs to the list, wherever its pages begin.
    pub fn includes(&self, key: &KeyRecord) -> bool {
        let state = key.state(self.now);
        self.state.map_or(state != KeyState::Deleted, |wanted| wanted == state)
            && self.owner.as_ref().is_none_or(|owner| *owner == key.owner)
            && self.keyspace.as_ref().is_none_or(|keyspace| *keyspace == key.keyspace)
            && self.tags.includes(&key.tags)
            && self.search.as_ref().is_none_or(|s| search_text(key).contains(s.as_str()))
    }
}

/// A text to search for in name, description, owner, id and hint, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search(String);

impl Search {
    /// Reads a text of 1 to 200 characters, in whichever case.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
            return Err(Invalid::new("must be 1 to 200 characters without control characters"));
        }
        Ok(Self(text.to_lowercase()))
    }

    /// The text in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What searches look at in a key: backends store it, so that all of them find the same.
pub fn search_text(key: &KeyRecord) -> String {
    let name = key.name.as_ref().map_or("", |name| name.as_str());
    let description = key.description.as_ref().map_or("", |description| description.as_str());
    // Line feeds cannot be searched for, so no text is found across two fields.
    let fields = [name, description, key.owner.as_str(), key.id.as_str(), &key.hint];
    fields.join("\n").to_lowercase()
}

/// By what keys are sorted. Keys that are alike in it are sorted by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySort {
    /// When they were issued.
    #[default]
    CreatedAt,
    /// When they expire; those that never do are the last.
    ExpiresAt,
    /// Their name, by its bytes; those without one are the first.
    Name,
}

/// A direction in which to sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The smallest first.
    #[serde(rename = "asc")]
    Ascending,
    /// The largest first.
    #[default]
    #[serde(rename = "desc")]
    Descending,
}

/// A page of keys.
#[derive(Clone, Debug)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<StoredKey>,
    /// Where the next page begins, if there is one.
    pub next: Option<KeyPosition>,
}

/// A place in a list of keys: just after a key, in the order in which it was listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPosition {
    /// By what the list is sorted.
    pub sort: KeySort,
    /// In which direction.
    pub order: Order,
    /// What the key is sorted by.
    pub value: SortValue,
    /// The key.
    pub id: KeyId,
}

/// What a key is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortValue {
    /// An instant in microseconds.
    Micros(i64),
    /// A text.
    Text(String),
}

impl KeyPosition {
    /// Whether it is a place in a list that is sorted so.
    pub fn is_of(&self, sort: KeySort, order: Order) -> bool {
        let is_text = matches!(self.value, SortValue::Text(_));
        (self.sort, self.order) == (sort, order) && is_text == (sort == KeySort::Name)
    }

    /// The place of a key in the order of a query.
    pub fn of(key: &KeyRecord, query: &KeyQuery) -> Self {
        let value = match query.sort {
            KeySort::CreatedAt => SortValue::Micros(key.created_at.as_micros()),
            KeySort::ExpiresAt => {
                SortValue::Micros(key.expires_at.map_or(i64::MAX, Timestamp::as_micros))
            }
            KeySort::Name => {
                SortValue::Text(key.name.as_ref().map_or("", |name| name.as_str()).to_owned())
            }
        };
        Self { sort: query.sort, order: query.order, value, id: key.id.clone() }
    }
}

/// Which audit events to list, how many, and after which place.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Which events.
    pub filter: AuditFilter,
    /// The most events to return.
    pub limit: usize,
    /// Only events after this place in the order, that is, older ones.
    pub after: Option<AuditPosition>,
}

/// What the audit trail comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSummary {
    /// How many events there are of each action, of those that there are any of.
    pub by_action: BTreeMap<&'static str, u64>,
    /// When the last one happened.
    pub last_at: Option<Timestamp>,
}

impl AuditSummary {
    /// Counts events of an action, the last of which happened then.
    pub fn add(&mut self, action: Action, count: u64, last_at: Timestamp) {
        *self.by_action.entry(action.as_str()).or_default() += count;
        self.last_at = self.last_at.max(Some(last_at));
    }

    /// How many events there are.
    pub fn total(&self) -> u64 {
        self.by_action.values().sum()
    }
}

/// A page of audit events.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// Where the next page begins, if there is one.
    pub next: Option<AuditPosition>,
}

/// A place in a list of audit events: just after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "(i64, String)", into = "(i64, String)")]
pub struct AuditPosition {
    /// When the event happened.
    pub at: Timestamp,
    /// The event.
    pub id: AuditEventId,
}

impl AuditPosition {
    /// The place of an event.
    pub const fn of(event: &AuditEvent) -> Self {
        Self { at: event.at, id: event.id }
    }
}

impl TryFrom<(i64, String)> for AuditPosition {
    type Error = Invalid;

    fn try_from((at, id): (i64, String)) -> Result<Self, Invalid> {
        Ok(Self { at: Timestamp::from_micros(at)?, id: id.parse()? })
    }
}

impl From<AuditPosition> for (i64, String) {
    fn from(position: AuditPosition) -> Self {
        (position.at.as_micros(), position.id.to_string())
    }
}

/// A position as callers carry it from page to page: opaque to them, not secret.
pub trait Cursor: Sized {
    /// The position as text for a URL.
    fn to_cursor(&self) -> String;

    /// Reads a text that [`Cursor::to_cursor`] wrote.
    fn from_cursor(text: &str) -> Result<Self, Invalid>;
}

impl<P: Serialize + DeserializeOwned> Cursor for P {
    fn to_cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn from_cursor(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("must be the next_cursor of a page of the same list");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        serde_json::from_slice(&bytes).map_err(|_| invalid())
    }
}
