//! Reading answers. What cannot be read is an error, never skipped.

use std::error::Error;
use std::str::FromStr;
use std::vec;

use keyward_store::StoreError;
use redis::Value;

/// Why something that is stored cannot be read: says the rule, never the value.
pub(crate) type Unreadable = Box<dyn Error + Send + Sync>;

/// Something stored cannot be read.
pub(crate) fn corrupt(what: &'static str) -> impl Fn(Unreadable) -> StoreError {
    move |source| StoreError::Corrupt { what, source }
}

/// The parts of an answer, which are read from the first to the last.
pub(crate) struct Reply(vec::IntoIter<Value>);

impl Reply {
    /// The parts of an answer that has some.
    pub(crate) fn of(value: Value) -> Result<Self, Unreadable> {
        match value {
            Value::Array(parts) => Ok(Self(parts.into_iter())),
            Value::Map(pairs) => {
                let parts: Vec<_> =
                    pairs.into_iter().flat_map(|(key, value)| [key, value]).collect();
                Ok(Self(parts.into_iter()))
            }
            _ => Err("must be a list".into()),
        }
    }

    /// The next part.
    pub(crate) fn next(&mut self) -> Result<Value, Unreadable> {
        self.0.next().ok_or_else(|| "must have more parts".into())
    }

    /// The next part, which may be absent.
    pub(crate) fn optional(&mut self) -> Result<Option<Vec<u8>>, Unreadable> {
        match self.next()? {
            Value::Nil => Ok(None),
            Value::BulkString(bytes) => Ok(Some(bytes)),
            _ => Err("must be a text".into()),
        }
    }

    /// The next part as bytes.
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, Unreadable> {
        self.optional()?.ok_or_else(|| "must not be absent".into())
    }

    /// The next part as text.
    pub(crate) fn text(&mut self) -> Result<String, Unreadable> {
        Ok(String::from_utf8(self.bytes()?)?)
    }

    /// The next part as something that is read from text.
    pub(crate) fn parse<T>(&mut self) -> Result<T, Unreadable>
    where
        T: FromStr,
        T::Err: Error + Send + Sync + 'static,
    {
        Ok(self.text()?.parse()?)
    }

    /// The next part as parts.
    pub(crate) fn parts(&mut self) -> Result<Self, Unreadable> {
        Self::of(self.next()?)
    }

    /// Whether there are more parts.
    pub(crate) fn has_more(&self) -> bool {
        !self.0.as_slice().is_empty()
    }
}

/// Reads each part of a list as parts.
pub(crate) fn each<T>(
    mut list: Reply,
    read: impl Fn(Reply) -> Result<T, Unreadable>,
) -> Result<Vec<T>, Unreadable> {
    let mut all = Vec::new();
    while list.has_more() {
        all.push(read(list.parts()?)?);
    }
    Ok(all)
}

/// Reads JSON. The complaint holds the place and nothing of what stands there.
pub(crate) fn json<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(bytes).map_err(|error| {
        format!("not the JSON that is expected, at character {}", error.column()).into()
    })
}
