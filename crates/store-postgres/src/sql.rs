//! Statements, and the values that are bound in them.

use std::borrow::Cow;
use std::error::Error;

use bytes::BytesMut;
use keyward_core::{ClientId, Digest, Timestamp};
use serde::Serialize;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// A statement. Its text comes from this crate alone; whatever comes from outside is bound.
#[derive(Debug)]
pub(crate) struct Sql {
    /// Texts that never vary are prepared once for each connection.
    pub(crate) text: Cow<'static, str>,
    pub(crate) values: Vec<Value>,
}

impl Sql {
    /// A statement that is always the same, with `$1` and so on for its values.
    pub(crate) const fn fixed(text: &'static str, values: Vec<Value>) -> Self {
        Self { text: Cow::Borrowed(text), values }
    }

    /// The beginning of a statement that depends on what is asked.
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text: Cow::Owned(text.to_owned()), values: Vec::new() }
    }

    /// Adds text that binds nothing.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.to_mut().push_str(text);
    }

    /// Adds text with one placeholder, which is a question mark, and its value.
    pub(crate) fn bind(&mut self, text: &'static str, value: impl Into<Value>) {
        self.values.push(value.into());
        let place = format!("${}", self.values.len());
        self.push(&text.replacen('?', &place, 1));
    }

    /// Ends the statement: one row more than are returned tells whether there are more.
    pub(crate) fn limit_one_more_than(&mut self, limit: usize) {
        self.bind(" LIMIT ?", count(limit).saturating_add(1));
    }
}

/// A value, which knows its type: nobody has to ask the server for it.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Boolean(bool),
    Bytes(Option<Vec<u8>>),
    BytesList(Vec<Vec<u8>>),
    Integer(Option<i64>),
    Integers(Vec<i64>),
    Text(Option<String>),
    Texts(Vec<String>),
}

impl Value {
    pub(crate) const fn kind(&self) -> Type {
        match self {
            Self::Boolean(_) => Type::BOOL,
            Self::Bytes(_) => Type::BYTEA,
            Self::BytesList(_) => Type::BYTEA_ARRAY,
            Self::Integer(_) => Type::INT8,
            Self::Integers(_) => Type::INT8_ARRAY,
            Self::Text(_) => Type::TEXT,
            Self::Texts(_) => Type::TEXT_ARRAY,
        }
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Boolean(value) => value.to_sql(kind, out),
            Self::Bytes(value) => value.to_sql(kind, out),
            Self::BytesList(value) => value.to_sql(kind, out),
            Self::Integer(value) => value.to_sql(kind, out),
            Self::Integers(value) => value.to_sql(kind, out),
            Self::Text(value) => value.to_sql(kind, out),
            Self::Texts(value) => value.to_sql(kind, out),
        }
    }

    /// Each is bound as its own kind.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

macro_rules! values_from {
    ($($kind:ident: $from:ty;)*) => {
        $(
            impl From<$from> for Value {
                fn from(value: $from) -> Self {
                    Self::$kind(value.into())
                }
            }
        )*
    };
}

values_from! {
    Boolean: bool;
    Bytes: Vec<u8>;
    Bytes: Option<Vec<u8>>;
    BytesList: Vec<Vec<u8>>;
    Integer: i64;
    Integer: Option<i64>;
    Integers: Vec<i64>;
    Text: String;
    Text: Option<String>;
    Texts: Vec<String>;
}

/// A number as PostgreSQL keeps it. None of ours comes near the end of its range.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of rows.
pub(crate) fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A text.
pub(crate) fn text(text: &(impl AsRef<str> + ?Sized)) -> Value {
    text.as_ref().to_owned().into()
}

/// A text that may be missing.
pub(crate) fn optional(value: Option<&(impl AsRef<str> + ?Sized)>) -> Value {
    value.map(|text| text.as_ref().to_owned()).into()
}

/// An identifier of a service account.
pub(crate) fn client_id(id: ClientId) -> Value {
    id.as_bytes().to_vec().into()
}

/// A digest's scheme.
pub(crate) fn scheme(digest: &Digest) -> String {
    digest.scheme().to_string()
}

/// A digest's bytes.
pub(crate) fn bytes(digest: &Digest) -> Vec<u8> {
    digest.as_bytes().to_vec()
}

/// An instant.
pub(crate) fn micros(instant: Option<Timestamp>) -> Value {
    instant.map(Timestamp::as_micros).into()
}

/// A value as JSON text.
pub(crate) fn json(value: &impl Serialize) -> Result<Value, serde_json::Error> {
    serde_json::to_string(value).map(Value::from)
}

/// What `LIKE` finds a text with, wherever it stands and whatever is in it.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
