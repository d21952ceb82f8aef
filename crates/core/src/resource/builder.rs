//! Putting resource scopes together.

use std::collections::BTreeMap;

use super::{ResourceId, ResourceScopes};
use crate::{FieldError, Invalid, Scope, ScopeSet};

/// Puts [`ResourceScopes`] together, one resource after the other.
///
/// What is not acceptable is remembered and told by [`ResourceScopesBuilder::build`].
///
/// ```
/// use keyward_core::ResourceScopes;
///
/// let scopes = ResourceScopes::builder()
///     .add("project", "123", ["read", "write"])
///     .add_many("site", ["1", "2"], ["read"])
///     .remove_scopes("project", "123", ["write"])
///     .build()?;
/// # assert_eq!(scopes.iter().count(), 3);
/// # Ok::<(), keyward_core::FieldError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ResourceScopesBuilder {
    complaint: Option<FieldError>,
    resources: BTreeMap<ResourceId, Vec<Scope>>,
}

impl ResourceScopesBuilder {
    /// Adds scopes on a resource to those that it has.
    #[must_use]
    pub fn add<S: AsRef<str>>(
        mut self,
        kind: &str,
        id: &str,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        if let Err(complaint) = self.try_add(kind, id, scopes) {
            self.complaint.get_or_insert(complaint.at("resources"));
        }
        self
    }

    /// Adds one scope on a resource.
    #[must_use]
    pub fn add_one(self, kind: &str, id: &str, scope: &str) -> Self {
        self.add(kind, id, [scope])
    }

    /// Adds the same scopes on several resources of a type.
    #[must_use]
    pub fn add_many<I: AsRef<str>, S: AsRef<str>>(
        self,
        kind: &str,
        ids: impl IntoIterator<Item = I>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        let scopes: Vec<S> = scopes.into_iter().collect();
        ids.into_iter().fold(self, |builder, id| builder.add(kind, id.as_ref(), &scopes))
    }

    /// Removes a resource with all its scopes.
    #[must_use]
    pub fn remove(mut self, kind: &str, id: &str) -> Self {
        if let Ok(resource) = ResourceId::new(kind, id) {
            self.resources.remove(&resource);
        }
        self
    }

    /// Removes scopes from a resource, and the resource with the last of them.
    #[must_use]
    pub fn remove_scopes<S: AsRef<str>>(
        mut self,
        kind: &str,
        id: &str,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        let Ok(resource) = ResourceId::new(kind, id) else { return self };
        if let Some(held) = self.resources.get_mut(&resource) {
            for scope in scopes {
                held.retain(|held| held.as_str() != scope.as_ref());
            }
            if held.is_empty() {
                self.resources.remove(&resource);
            }
        }
        self
    }

    /// Removes everything.
    #[must_use]
    pub fn clear(self) -> Self {
        Self::default()
    }

    /// Whether there are scopes on a resource.
    pub fn has(&self, kind: &str, id: &str) -> bool {
        !self.get(kind, id).is_empty()
    }

    /// The scopes on a resource, in the order in which they were added.
    pub fn get(&self, kind: &str, id: &str) -> &[Scope] {
        let resource = ResourceId::new(kind, id).ok();
        let held = resource.and_then(|resource| self.resources.get(&resource));
        held.map(Vec::as_slice).unwrap_or_default()
    }

    /// The scopes by resource; or the first complaint, if something was not acceptable.
    pub fn build(self) -> Result<ResourceScopes, FieldError> {
        if let Some(complaint) = self.complaint {
            return Err(complaint);
        }
        let at = |invalid: Invalid| invalid.at("resources");
        let sets = self.resources.into_iter();
        let sets =
            sets.map(|(resource, scopes)| Ok((resource, ScopeSet::new(scopes).map_err(at)?)));
        ResourceScopes::new(sets.collect::<Result<_, FieldError>>()?).map_err(at)
    }

    fn try_add<S: AsRef<str>>(
        &mut self,
        kind: &str,
        id: &str,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<(), Invalid> {
        let resource = ResourceId::new(kind, id)?;
        let scopes = scopes.into_iter().map(|scope| Scope::parse(scope.as_ref()));
        let scopes: Vec<_> = scopes.collect::<Result<_, _>>()?;
        if scopes.is_empty() {
            return Ok(());
        }
        let held = self.resources.entry(resource).or_default();
        for scope in scopes {
            if !held.contains(&scope) {
                held.push(scope);
            }
        }
        Ok(())
    }
}

impl From<&ResourceScopes> for ResourceScopesBuilder {
    /// Begins with what a key has, to change it.
    fn from(resources: &ResourceScopes) -> Self {
        let scopes = |scopes: &ScopeSet| scopes.iter().flat_map(Scope::parse).collect();
        let resources = resources.iter().map(|(resource, set)| (resource.clone(), scopes(set)));
        Self { complaint: None, resources: resources.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<'a>(builder: &'a ResourceScopesBuilder, kind: &str, id: &str) -> Vec<&'a str> {
        builder.get(kind, id).iter().map(Scope::as_str).collect()
    }

    #[test]
    fn scopes_are_merged_and_counted_once_in_their_order() {
        let builder = ResourceScopes::builder()
            .add("site", "1", ["write", "read"])
            .add("site", "1", ["read", "deploy"])
            .add_one("site", "2", "read")
            .add_one("site", "2", "write")
            .add_many("team", ["a", "b"], ["admin"]);
        assert_eq!(names(&builder, "site", "1"), ["write", "read", "deploy"]);
        assert_eq!(names(&builder, "site", "2"), ["read", "write"]);
        assert!(builder.has("team", "a") && builder.has("team", "b"));
        assert_eq!(names(&builder, "team", "c"), [""; 0]);
        assert_eq!(builder.build().unwrap().iter().count(), 4);
    }

    #[test]
    fn a_resource_goes_with_its_last_scope() {
        let builder = ResourceScopes::builder().add("site", "1", ["read", "write"]);
        let builder = builder.remove_scopes("site", "1", ["write", "other"]);
        assert_eq!(names(&builder, "site", "1"), ["read"]);
        let builder = builder.remove_scopes("site", "1", ["read"]).remove_scopes("x", "y", ["z"]);
        assert!(!builder.has("site", "1"));
        assert!(builder.clone().build().unwrap().is_empty());
        let builder = builder.add("a", "1", ["x"]).add("b", "1", ["x"]).remove("a", "1");
        assert!(!builder.has("a", "1") && builder.has("b", "1"));
        assert!(builder.clear().build().unwrap().is_empty());
    }

    #[test]
    fn it_begins_with_what_there_is_and_leaves_that_as_it_was() {
        let before = ResourceScopes::builder().add("site", "1", ["read"]).build().unwrap();
        let after = ResourceScopesBuilder::from(&before).add("site", "1", ["write"]).build();
        assert_eq!(before.iter().flat_map(|(_, scopes)| scopes.iter()).count(), 1);
        assert_eq!(after.unwrap().iter().flat_map(|(_, scopes)| scopes.iter()).count(), 2);
    }

    #[test]
    fn what_is_not_acceptable_is_told_when_it_is_built() {
        let bad_type = ResourceScopes::builder().add("a:b", "c", ["read"]).add("x", "y", ["read"]);
        assert!(!bad_type.has("a", "b:c") && !bad_type.has("a:b", "c"));
        assert_eq!(bad_type.build().unwrap_err().field, "resources");
        assert!(ResourceScopes::builder().add("a", "b", ["two words"]).build().is_err());
    }
}
