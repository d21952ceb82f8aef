//! From the raw fields of a request to values, with every complaint and not only the first.

use std::collections::BTreeMap;

use keyward::{
    Description, Expiry, FieldError, Invalid, KeyChanges, KeyspaceId, Lifetime, Metadata, Name,
    NewKey, OwnerId, ResourceScopes, ScopeSet, TagSet, Timestamp, Version,
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::ToSchema;

use crate::input::{Members, given};
use crate::problem::Problem;

/// Collects complaints about fields.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// The value, or nothing and a complaint more.
    pub(crate) fn take<T>(&mut self, value: Result<T, FieldError>) -> Option<T> {
        value.map_err(|error| self.errors.push(error)).ok()
    }

    /// The value of a field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        field: &'static str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        self.take(parse(text).map_err(|invalid| invalid.at(field)))
    }

    /// The value of a field that may be left out.
    pub(crate) fn optional<T>(
        &mut self,
        field: &'static str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        text.and_then(|text| self.required(field, text, parse))
    }

    /// The new value of a field that may be left out, or set to null.
    pub(crate) fn nullable<T>(
        &mut self,
        field: &'static str,
        text: Option<&Option<String>>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        text.map(|text| self.optional(field, text.as_deref(), parse))
    }

    /// An expiry given as an instant, as null for never, as a lifetime, or not at all.
    pub(crate) fn expiry(
        &mut self,
        at: Option<&Option<String>>,
        lifetime: Option<&str>,
    ) -> Option<Expiry> {
        if at.is_some() && lifetime.is_some() {
            let rule = Invalid::new("must not be given together with expires_at");
            return self.take(Err(rule.at("expires_in")));
        }
        if let Some(lifetime) = lifetime {
            return self.required("expires_in", lifetime, Lifetime::parse).map(Expiry::In);
        }
        match at? {
            Some(at) => self.required("expires_at", at, Timestamp::parse).map(Expiry::At),
            None => Some(Expiry::Never),
        }
    }

    /// Free data.
    pub(crate) fn metadata(&mut self, members: Members<Value>) -> Option<Metadata> {
        let metadata = Metadata::new(members.0.into_iter().collect());
        self.take(metadata.map_err(|invalid| invalid.at("metadata")))
    }

    /// Goes on if there was no complaint about the body.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid_body(self.errors)) }
    }

    /// Goes on if there was no complaint about the query.
    pub(crate) fn finish_query(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid_query(self.errors)) }
    }
}

/// What is said of a new key, whether it is issued or taken over.
pub(crate) struct NewKeyFields<'a> {
    pub(crate) owner: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
    pub(crate) scopes: &'a [String],
    pub(crate) resources: &'a BTreeMap<String, Vec<String>>,
    pub(crate) tags: &'a [String],
    pub(crate) metadata: Members<Value>,
    pub(crate) enabled: Option<bool>,
    pub(crate) not_before: Option<&'a str>,
}

impl NewKeyFields<'_> {
    /// The key of that keyspace, whose expiry is not asked for yet; or nothing, and complaints.
    pub(crate) fn read(self, keyspace: Option<KeyspaceId>, fields: &mut Fields) -> Option<NewKey> {
        let owner = fields.required("owner", self.owner, |text| OwnerId::parse(text));
        let name = fields.optional("name", self.name, |text| Name::parse(text));
        let description =
            fields.optional("description", self.description, |text| Description::parse(text));
        let scopes = fields.take(ScopeSet::parse(self.scopes, "scopes"));
        let resources = fields.take(ResourceScopes::parse(self.resources, "resources"));
        let tags = fields.take(TagSet::parse(self.tags, "tags"));
        let metadata = fields.metadata(self.metadata);
        let not_before = fields.optional("not_before", self.not_before, Timestamp::parse);
        Some(NewKey {
            keyspace: keyspace.unwrap_or_else(KeyspaceId::default_keyspace),
            name,
            description,
            scopes: scopes?,
            resources: resources?,
            tags: tags?,
            metadata: metadata?,
            enabled: self.enabled.unwrap_or(true),
            not_before,
            ..NewKey::new(owner?)
        })
    }
}

/// Tells a field that is null from one that is left out.
pub(crate) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Changes to a key: a field that is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyChangesBody {
    /// The version that the caller saw; any other is a conflict.
    #[serde(default, deserialize_with = "given")]
    version: Option<u64>,
    /// A new name, or null for none.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// A new note, or null for none.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// All the scopes that the key shall have.
    #[serde(default, deserialize_with = "given")]
    scopes: Option<Vec<String>>,
    /// All the resource scopes that the key shall have.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, Vec<String>>>)]
    resources: Option<Members<Vec<String>>>,
    /// All the tags that the key shall have.
    #[serde(default, deserialize_with = "given")]
    tags: Option<Vec<String>>,
    /// All the metadata that the key shall have.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Members<Value>>,
    /// A new expiry (RFC 3339), or null for never.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Option<String>>,
    /// A new lifetime, from now, such as `30d`.
    #[serde(default, deserialize_with = "given")]
    expires_in: Option<String>,
    /// A new first instant (RFC 3339), or null for none.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, format = DateTime)]
    not_before: Option<Option<String>>,
}

impl KeyChangesBody {
    /// The changes as values.
    pub(crate) fn read(self, fields: &mut Fields) -> KeyChanges {
        let scopes = self.scopes.map(|scopes| ScopeSet::parse(&scopes, "scopes"));
        let resources = self.resources.map(|r| ResourceScopes::parse(&r.0, "resources"));
        let tags = self.tags.map(|tags| TagSet::parse(&tags, "tags"));
        KeyChanges {
            version: self.version.map(Version::new),
            name: fields.nullable("name", self.name.as_ref(), |text| Name::parse(text)),
            description: fields.nullable("description", self.description.as_ref(), |text| {
                Description::parse(text)
            }),
            scopes: scopes.and_then(|scopes| fields.take(scopes)),
            resources: resources.and_then(|resources| fields.take(resources)),
            tags: tags.and_then(|tags| fields.take(tags)),
            metadata: self.metadata.and_then(|metadata| fields.metadata(metadata)),
            // It has routes of its own.
            enabled: None,
            expiry: fields.expiry(self.expires_at.as_ref(), self.expires_in.as_deref()),
            not_before: fields.nullable("not_before", self.not_before.as_ref(), Timestamp::parse),
        }
    }
}
