//! Reading rows back. What cannot be read is an error, never skipped.

use std::error::Error;
use std::str::FromStr;

use keyward_core::{
    ClientId, Deletion, Digest, PreviousSecret, Sequence, StoredDigests, Timestamp, TokenId,
};
use keyward_store::StoreError;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

/// Why a value cannot be read: names the column and the rule, never the value.
pub(crate) type Unreadable = Box<dyn Error + Send + Sync>;

/// What is made of a row, and what to call it in errors.
pub(crate) struct Shape<T> {
    pub(crate) what: &'static str,
    pub(crate) read: fn(&mut Fields<'_>) -> Result<T, Unreadable>,
}

impl<T> Shape<T> {
    /// The first of these rows.
    pub(crate) fn first(&self, rows: &[Row]) -> Result<Option<T>, StoreError> {
        rows.first().map(|row| self.of(row)).transpose()
    }

    /// All of these rows.
    pub(crate) fn all(&self, rows: &[Row]) -> Result<Vec<T>, StoreError> {
        rows.iter().map(|row| self.of(row)).collect()
    }

    /// A row that begins with a place in the feed, and may hold nothing else.
    pub(crate) fn beside_position(&self, row: &Row) -> Result<(Sequence, Option<T>), StoreError> {
        let mut fields = Fields { row, next: 0 };
        let read = |fields: &mut Fields<'_>| {
            let position = Sequence::new(fields.read(count)?);
            let found = (!fields.is_null()).then(|| (self.read)(fields)).transpose()?;
            Ok((position, found))
        };
        read(&mut fields).map_err(|source| self.corrupt(source))
    }

    fn of(&self, row: &Row) -> Result<T, StoreError> {
        (self.read)(&mut Fields { row, next: 0 }).map_err(|source| self.corrupt(source))
    }

    fn corrupt(&self, source: Unreadable) -> StoreError {
        StoreError::Corrupt { what: self.what, source }
    }
}

/// The columns of a row, which are read from the first to the last.
pub(crate) struct Fields<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Fields<'r> {
    /// Reads the next column.
    pub(crate) fn read<S: FromSql<'r>, T>(
        &mut self,
        read: impl FnOnce(S) -> Result<T, Unreadable>,
    ) -> Result<T, Unreadable> {
        let index = self.next;
        self.next += 1;
        let value = self.row.try_get(index).map_err(Unreadable::from);
        value.and_then(read).map_err(|reason| {
            let column = self.row.columns().get(index).map_or("unknown", |column| column.name());
            UnreadableColumn { column: column.to_owned(), reason }.into()
        })
    }

    /// Reads the next column, which may be null.
    pub(crate) fn optional<S: FromSql<'r>, T>(
        &mut self,
        read: impl FnOnce(S) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Unreadable> {
        self.read(|value: Option<S>| value.map(read).transpose())
    }

    /// Passes over the next column, which only makes sense together with others, which are missing.
    pub(crate) fn null(&mut self) -> Result<(), Unreadable> {
        self.read(|value: Option<Anything>| match value {
            None => Ok(()),
            Some(Anything) => Err("must be null".into()),
        })
    }

    /// Whether the next column is null. It is not passed over.
    pub(crate) fn is_null(&self) -> bool {
        self.row.try_get(self.next).is_ok_and(|value: Option<Anything>| value.is_none())
    }

    /// Reads the next two columns, scheme and digest, which are both null or both not.
    pub(crate) fn digest(&mut self) -> Result<Option<Digest>, Unreadable> {
        match self.optional(text)? {
            Some(scheme) => self.read(|value: &[u8]| Ok(Digest::new(scheme, value)?)).map(Some),
            None => self.null().map(|()| None),
        }
    }
}

/// That a column is not null.
struct Anything;

impl FromSql<'_> for Anything {
    fn from_sql(_: &Type, _: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[derive(Debug, thiserror::Error)]
#[error("column {column}: {reason}")]
struct UnreadableColumn {
    column: String,
    reason: Unreadable,
}

/// A text with a rule.
pub(crate) fn text<T>(value: &str) -> Result<T, Unreadable>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    Ok(value.parse()?)
}

/// A value written as JSON. The complaint holds the place and nothing of what stands there.
pub(crate) fn json<T: DeserializeOwned>(value: &str) -> Result<T, Unreadable> {
    serde_json::from_str(value).map_err(|error| {
        format!("not the JSON that is expected, at character {}", error.column()).into()
    })
}

/// An instant.
pub(crate) fn time(value: i64) -> Result<Timestamp, Unreadable> {
    Ok(Timestamp::from_micros(value)?)
}

/// A count or a version.
pub(crate) fn count(value: i64) -> Result<u64, Unreadable> {
    u64::try_from(value).map_err(|_| "must not be negative".into())
}

/// The identifier of a service account.
pub(crate) fn client_id(value: &[u8]) -> Result<ClientId, Unreadable> {
    Ok(ClientId::from_bytes(value.try_into()?))
}

/// The identifier of an access token.
pub(crate) fn token_id(value: &[u8]) -> Result<TokenId, Unreadable> {
    Ok(TokenId::from_bytes(value.try_into()?))
}

/// Yes or no.
#[expect(clippy::unnecessary_wraps, reason = "has the form of the others")]
pub(crate) fn flag(value: bool) -> Result<bool, Unreadable> {
    Ok(value)
}

/// The digests of a secret and of the one before it: five columns.
pub(crate) fn digests(fields: &mut Fields<'_>) -> Result<StoredDigests, Unreadable> {
    let current = fields.digest()?.ok_or("column digest_scheme: must not be null")?;
    let previous = match fields.digest()? {
        Some(digest) => Some(PreviousSecret { digest, until: fields.read(time)? }),
        None => fields.null().map(|()| None)?,
    };
    Ok(StoredDigests { current, previous })
}

/// A soft deletion: its instant and its actor.
pub(crate) fn deletion(fields: &mut Fields<'_>) -> Result<Option<Deletion>, Unreadable> {
    match fields.optional(time)? {
        Some(at) => Ok(Some(Deletion { at, by: fields.read(text)? })),
        None => fields.null().map(|()| None),
    }
}
