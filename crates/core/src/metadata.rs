//! Free data that an application keeps with a key.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Invalid;

/// A JSON object of up to 16 KiB when written without white space, nested up to 16 levels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    const MOST_BYTES: usize = 16 * 1024;
    const MOST_LEVELS: usize = 16;

    /// Takes over a JSON object.
    pub fn new(object: Map<String, Value>) -> Result<Self, Invalid> {
        if object.values().any(|value| deeper_than(value, Self::MOST_LEVELS - 1)) {
            return Err(Invalid::new("must be nested at most 16 levels deep"));
        }
        let written = serde_json::to_vec(&object)
            .map_err(|_| Invalid::new("must be an object that can be written as JSON"))?;
        if written.len() <= Self::MOST_BYTES {
            Ok(Self(object))
        } else {
            Err(Invalid::new("must be at most 16 KiB as JSON"))
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This, overlaid by `other` member by member.
    pub fn overlaid(&self, other: &Self) -> Result<Self, Invalid> {
        let members = self.0.iter().chain(&other.0);
        Self::new(members.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The object.
    pub const fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl TryFrom<Map<String, Value>> for Metadata {
    type Error = Invalid;

    fn try_from(object: Map<String, Value>) -> Result<Self, Invalid> {
        Self::new(object)
    }
}

fn deeper_than(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(|v| deeper_than(v, levels - 1)),
        Value::Object(members) => {
            levels == 0 || members.values().any(|v| deeper_than(v, levels - 1))
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(value: &Value) -> Result<Metadata, Invalid> {
        Metadata::new(value.as_object().unwrap().clone())
    }

    #[test]
    fn metadata_over_16_kib_is_refused() {
        assert!(metadata(&json!({"a": "x".repeat(16_000)})).is_ok());
        assert!(metadata(&json!({"a": "x".repeat(16_384)})).is_err());
    }

    #[test]
    fn metadata_nested_over_16_levels_is_refused() {
        let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({"a": inner}));
        assert!(metadata(&nested(16)).is_ok());
        assert!(metadata(&nested(17)).is_err());
    }
}
