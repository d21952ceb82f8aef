//! What is taken over, and how the interface calls it.

use serde_json::{Map, Value, json};

/// What a file describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noun {
    Accounts,
    Keys,
}

impl Noun {
    /// Many of them, for people.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Accounts => "service accounts",
            Self::Keys => "keys",
        }
    }

    /// Where the interface takes them.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Accounts => "/v1/service-accounts/import",
            Self::Keys => "/v1/keys/import",
        }
    }

    /// The body of a request. Keys that go together are all of one keyspace.
    pub(super) fn body(self, keyspace: Option<&str>, mode: &str, items: Vec<Value>) -> Value {
        let list = match self {
            Self::Accounts => "service_accounts",
            Self::Keys => "keys",
        };
        let mut body = Map::new();
        body.insert(list.to_owned(), Value::Array(items));
        body.insert("mode".to_owned(), json!(mode));
        if let Some(keyspace) = keyspace {
            body.insert("keyspace".to_owned(), json!(keyspace));
        }
        Value::Object(body)
    }

    /// The problem of one that a line before has described, too.
    pub(super) fn repeated(self) -> Value {
        let (code, detail) = match self {
            Self::Accounts => (
                "service_account_exists",
                "a line before has the same id, client secret or hash, or is the owner's primary one",
            ),
            Self::Keys => ("key_exists", "a line before has the same id, secret or hash"),
        };
        json!({"code": code, "detail": detail})
    }
}
