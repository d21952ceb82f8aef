//! Reading rows back. What cannot be read is an error, never skipped.

use std::error::Error;
use std::str::FromStr;

use keyward_core::{ClientId, Deletion, Digest, PreviousSecret, StoredDigests, Timestamp, TokenId};
use keyward_store::StoreError;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params, Row};
use serde::de::DeserializeOwned;

use crate::failure::failure;

/// Why a value cannot be read: names the column and the rule, never the value.
pub(crate) type Unreadable = Box<dyn Error + Send + Sync>;

/// What is made of a row, and what to call it in errors.
pub(crate) struct Shape<T> {
    pub(crate) what: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) read: fn(&mut Fields<'_>) -> Result<T, Unreadable>,
}

impl<T> Shape<T> {
    /// The first row that the statement finds.
    pub(crate) fn first(
        &self,
        connection: &Connection,
        sql: &str,
        params: impl Params,
    ) -> Result<Option<T>, StoreError> {
        let failed = |error| failure(self.operation, error);
        let mut statement = connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params).map_err(failed)?;
        let row = rows.next().map_err(failed)?;
        row.map(|row| self.of(row)).transpose()
    }

    /// All rows that the statement finds.
    pub(crate) fn all(
        &self,
        connection: &Connection,
        sql: &str,
        params: impl Params,
    ) -> Result<Vec<T>, StoreError> {
        let failed = |error| failure(self.operation, error);
        let mut statement = connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params).map_err(failed)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            all.push(self.of(row)?);
        }
        Ok(all)
    }

    fn of(&self, row: &Row<'_>) -> Result<T, StoreError> {
        (self.read)(&mut Fields { row, next: 0 })
            .map_err(|source| StoreError::Corrupt { what: self.what, source })
    }
}

/// The columns of a row, which are read from the first to the last.
pub(crate) struct Fields<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl Fields<'_> {
    /// Reads the next column.
    pub(crate) fn read<T>(
        &mut self,
        read: impl FnOnce(ValueRef<'_>) -> Result<T, Unreadable>,
    ) -> Result<T, Unreadable> {
        let index = self.next;
        self.next += 1;
        read(self.row.get_ref(index)?).map_err(|reason| {
            let column = self.row.as_ref().column_name(index).unwrap_or("unknown").to_owned();
            UnreadableColumn { column, reason }.into()
        })
    }

    /// Reads the next column, which may be null.
    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(ValueRef<'_>) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Unreadable> {
        self.read(|value| match value {
            ValueRef::Null => Ok(None),
            _ => read(value).map(Some),
        })
    }

    /// Reads the next two columns, scheme and digest, which are both null or both not.
    pub(crate) fn digest(&mut self) -> Result<Option<Digest>, Unreadable> {
        match self.optional(text)? {
            Some(scheme) => self.read(|value| Ok(Digest::new(scheme, value.as_blob()?)?)).map(Some),
            None => self.read(null).map(|()| None),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("column {column}: {reason}")]
struct UnreadableColumn {
    column: String,
    reason: Unreadable,
}

/// A text with a rule.
pub(crate) fn text<T>(value: ValueRef<'_>) -> Result<T, Unreadable>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    Ok(value.as_str()?.parse()?)
}

/// A value written as JSON. The complaint holds the place and nothing of what stands there.
pub(crate) fn json<T: DeserializeOwned>(value: ValueRef<'_>) -> Result<T, Unreadable> {
    serde_json::from_str(value.as_str()?).map_err(|error| {
        format!("not the JSON that is expected, at character {}", error.column()).into()
    })
}

/// An instant.
pub(crate) fn time(value: ValueRef<'_>) -> Result<Timestamp, Unreadable> {
    Ok(Timestamp::from_micros(value.as_i64()?)?)
}

/// A count or a version.
pub(crate) fn count(value: ValueRef<'_>) -> Result<u64, Unreadable> {
    u64::try_from(value.as_i64()?).map_err(|_| "must not be negative".into())
}

/// The identifier of a service account.
pub(crate) fn client_id(value: ValueRef<'_>) -> Result<ClientId, Unreadable> {
    Ok(ClientId::from_bytes(value.as_blob()?.try_into()?))
}

/// The identifier of an access token.
pub(crate) fn token_id(value: ValueRef<'_>) -> Result<TokenId, Unreadable> {
    Ok(TokenId::from_bytes(value.as_blob()?.try_into()?))
}

/// The digests of a secret and of the one before it: five columns.
pub(crate) fn digests(fields: &mut Fields<'_>) -> Result<StoredDigests, Unreadable> {
    let current = fields.digest()?.ok_or("column digest_scheme: must not be null")?;
    let previous = match fields.digest()? {
        Some(digest) => Some(PreviousSecret { digest, until: fields.read(time)? }),
        None => fields.read(null).map(|()| None)?,
    };
    Ok(StoredDigests { current, previous })
}

/// A soft deletion: its instant and its actor.
pub(crate) fn deletion(fields: &mut Fields<'_>) -> Result<Option<Deletion>, Unreadable> {
    match fields.optional(time)? {
        Some(at) => Ok(Some(Deletion { at, by: fields.read(text)? })),
        None => fields.read(null).map(|()| None),
    }
}

/// Yes or no.
pub(crate) fn flag(value: ValueRef<'_>) -> Result<bool, Unreadable> {
    match value.as_i64()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err("must be 0 or 1".into()),
    }
}

/// Nothing: for columns that only make sense together with others, which are missing.
pub(crate) fn null(value: ValueRef<'_>) -> Result<(), Unreadable> {
    match value {
        ValueRef::Null => Ok(()),
        _ => Err("must be null".into()),
    }
}
