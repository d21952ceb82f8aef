//! Resource scopes: what a key may do to one resource.

mod builder;

use std::collections::BTreeMap;

pub use builder::ResourceScopesBuilder;
use serde::{Deserialize, Serialize, Serializer};

use crate::text::{ascii, one_line, text};
use crate::{FieldError, Invalid, Scope, ScopeSet};

text! {
    /// A resource, written `type:id`, such as `project:123`.
    ///
    /// The type is 1 to 64 of `A-Z a-z 0-9 . _ -`; the id is 1 to 256 characters on one line. The
    /// type holds no colon, so the first colon divides them and no two resources are written alike.
    ResourceId, |text| {
        let Some((kind, id)) = text.split_once(':') else {
            return Err(Invalid::new("must be written type:id"));
        };
        ascii(kind, 64, "a type of A-Z, a-z, 0-9, '.', '_' and '-', a colon, and an id", |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
        })?;
        one_line(id, 256)
    }
}

impl ResourceId {
    /// The resource of this type and id.
    pub fn new(kind: &str, id: &str) -> Result<Self, Invalid> {
        if kind.contains(':') {
            return Err(Invalid::new("must have a type without a colon"));
        }
        Self::parse(format!("{kind}:{id}"))
    }
}

/// Scopes by resource: up to 256 resources, each with up to 256 scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<ResourceId, ScopeSet>")]
pub struct ResourceScopes(BTreeMap<ResourceId, ScopeSet>);

impl ResourceScopes {
    const MOST: usize = 256;

    /// Begins to put resource scopes together.
    pub fn builder() -> ResourceScopesBuilder {
        ResourceScopesBuilder::default()
    }

    /// These scopes by resource.
    pub fn new(resources: BTreeMap<ResourceId, ScopeSet>) -> Result<Self, Invalid> {
        if resources.len() <= Self::MOST {
            Ok(Self(resources))
        } else {
            Err(Invalid::new(format!("must hold at most {} resources", Self::MOST)))
        }
    }

    /// Reads resource scopes from a field of a request.
    pub fn parse(
        resources: &BTreeMap<String, Vec<String>>,
        field: &str,
    ) -> Result<Self, FieldError> {
        let parsed: Result<_, FieldError> = resources
            .iter()
            .enumerate()
            .map(|(index, (resource, scopes))| {
                // The name of the resource may hold anything, so the complaint names its place.
                let place = format!("{field}[{index}]");
                let resource =
                    ResourceId::parse(resource.as_str()).map_err(|e| e.at(place.clone()))?;
                Ok((resource, ScopeSet::parse(scopes, &place)?))
            })
            .collect();
        Self::new(parsed?).map_err(|invalid| invalid.at(field.to_owned()))
    }

    /// Whether the scope is given on the resource.
    pub fn grants(&self, resource: &ResourceId, scope: &Scope) -> bool {
        self.0.get(resource).is_some_and(|scopes| scopes.contains(scope))
    }

    /// Whether there is no resource in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The resources and their scopes, in order of the resource.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceId, &ScopeSet)> {
        self.0.iter()
    }
}

impl TryFrom<BTreeMap<ResourceId, ScopeSet>> for ResourceScopes {
    type Error = Invalid;

    fn try_from(resources: BTreeMap<ResourceId, ScopeSet>) -> Result<Self, Invalid> {
        Self::new(resources)
    }
}

impl Serialize for ResourceScopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_in_the_id_cannot_be_confused_with_one_in_the_type() {
        assert!(ResourceId::new("a:b", "c").is_err());
        assert_eq!(ResourceId::new("a", "b:c").unwrap().as_str(), "a:b:c");
    }

    #[test]
    fn resources_need_a_type_and_an_id() {
        for text in ["", "project", ":1", "project:", "pro ject:1", "project:\n"] {
            assert!(ResourceId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_that_are_special_elsewhere_are_harmless() {
        let resource = ResourceId::parse("__proto__:constructor").unwrap();
        let scope = Scope::parse("read").unwrap();
        assert!(!ResourceScopes::default().grants(&resource, &scope));
    }
}
