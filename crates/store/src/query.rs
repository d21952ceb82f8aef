//! Questions for lists, and the places between their pages.

mod accounts;
mod audit;
mod keys;
mod search;

pub use accounts::{AccountPage, AccountPosition, AccountQuery, AccountSort};
pub use audit::{AuditPage, AuditPosition, AuditQuery, AuditSummary};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
pub use keys::{KeyPage, KeyPosition, KeyQuery, KeySort, KeyStates};
use keyward_core::Invalid;
pub use search::{Search, SearchIn, account_search_text, notes_search_text, search_text};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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

/// A place in a list: just after a record, in the order in which it was listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position<S, I> {
    /// By what the list is sorted.
    pub sort: S,
    /// In which direction.
    pub order: Order,
    /// What the record is sorted by.
    pub value: SortValue,
    /// The record.
    pub id: I,
}

/// What a record is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortValue {
    /// An instant in microseconds, or 0 and 1 for no and yes.
    Number(i64),
    /// A text.
    Text(String),
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
