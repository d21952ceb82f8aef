//! Statements that depend on what is asked, and the values that are written.

use keyward_core::{ClientId, Digest, Timestamp};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde::Serialize;

/// A statement under construction. Its text comes from this crate alone; whatever comes from
/// outside is bound.
#[derive(Debug)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

impl Sql {
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds text that binds nothing.
    pub(crate) fn push(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    /// Adds text with one placeholder, and its value.
    pub(crate) fn bind(&mut self, text: &'static str, value: impl Into<Value>) {
        self.text.push_str(text);
        self.values.push(value.into());
    }

    /// Ends the statement: one row more than are returned tells whether there are more.
    pub(crate) fn limit_one_more_than(&mut self, limit: usize) {
        let rows = u64::try_from(limit).unwrap_or(u64::MAX);
        self.bind(" LIMIT ?", integer(rows.saturating_add(1)));
    }
}

/// Executes a statement and returns how many rows it wrote.
pub(crate) fn execute(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(params)
}

/// A number as SQLite keeps it. None of ours comes near the end of its range.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A text.
pub(crate) fn owned(text: &(impl AsRef<str> + ?Sized)) -> Value {
    text.as_ref().to_owned().into()
}

/// An identifier of a service account.
pub(crate) fn client_id(id: ClientId) -> Value {
    id.as_bytes().to_vec().into()
}

/// A digest's scheme.
pub(crate) fn scheme(digest: &Digest) -> Value {
    digest.scheme().to_string().into()
}

/// A digest's bytes.
pub(crate) fn bytes(digest: &Digest) -> Value {
    digest.as_bytes().to_vec().into()
}

/// An instant.
pub(crate) fn micros(instant: Option<Timestamp>) -> Value {
    instant.map(Timestamp::as_micros).into()
}

/// A value as JSON text.
pub(crate) fn json_text(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
