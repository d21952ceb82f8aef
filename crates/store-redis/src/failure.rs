//! What Redis's errors mean to callers.

use keyward_store::StoreError;
use redis::RedisError;

use crate::link::LinkError;
use crate::requirements::Refusal;

/// A call did not work.
pub(crate) fn failure(operation: &'static str, error: LinkError) -> StoreError {
    let what = match &error {
        LinkError::Refused(Refusal::Failed(error)) => corrupted(error),
        _ => None,
    };
    match what {
        Some(what) => StoreError::Corrupt { what, source: error.into() },
        None if is_of_another_schema(&error) => {
            StoreError::Unavailable { operation, source: Replaced.into() }
        }
        None => StoreError::Unavailable { operation, source: error.into() },
    }
}

/// What our scripts call corrupt; anything else that they cannot work with is a corrupt database.
fn corrupted(error: &RedisError) -> Option<&'static str> {
    let detail = error.detail().unwrap_or_default();
    match error.code()? {
        "CORRUPT" => {
            let known = ["audit event", "key", "service account", "signing key"];
            Some(known.into_iter().find(|what| detail.starts_with(what)).unwrap_or("database"))
        }
        "WRONGTYPE" => Some("database"),
        // What Lua itself says of values that are not what they should be.
        "ERR" if detail.contains("attempt to ") || detail.contains("bad argument") => {
            Some("database")
        }
        _ => None,
    }
}

fn is_of_another_schema(error: &LinkError) -> bool {
    let LinkError::Refused(Refusal::Failed(error)) = error else { return false };
    error.code() == Some("SCHEMA")
}

#[derive(Debug, thiserror::Error)]
#[error("the records are gone, or another version of keyward has taken them over: start anew")]
struct Replaced;
