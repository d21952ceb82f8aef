//! The rights of the management interface, and how they are written as scopes.

use keyward::{Asked, KeyspaceId, Keyward, MatchScopes, ResourceId, Scope};

/// One right of the management interface. `root` includes all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    AccountsExport,
    AccountsRead,
    AccountsWrite,
    AuditRead,
    AuditWrite,
    ChangesRead,
    KeysExport,
    KeysRead,
    KeysVerify,
    KeysWrite,
    KeyspacesRead,
    KeyspacesWrite,
    /// Whatever changes management keys or their keyspace: or else each of them could make itself a
    /// stronger one, or lock the others out.
    Root,
}

impl Right {
    /// The scope that gives the right.
    pub(crate) const fn scope(self) -> &'static str {
        match self {
            Self::AccountsExport => "accounts:export",
            Self::AccountsRead => "accounts:read",
            Self::AccountsWrite => "accounts:write",
            Self::AuditRead => "audit:read",
            Self::AuditWrite => "audit:write",
            Self::ChangesRead => "changes:read",
            Self::KeysExport => "keys:export",
            Self::KeysRead => "keys:read",
            Self::KeysVerify => "keys:verify",
            Self::KeysWrite => "keys:write",
            Self::KeyspacesRead => "keyspaces:read",
            Self::KeyspacesWrite => "keyspaces:write",
            Self::Root => Keyward::ROOT_SCOPE,
        }
    }

    /// The right to see the digests of the keys of this keyspace.
    pub(crate) fn to_export_keys_of(keyspace: &KeyspaceId) -> Self {
        if *keyspace == KeyspaceId::management() { Self::Root } else { Self::KeysExport }
    }

    /// The right to write a key of this keyspace.
    pub(crate) fn to_write_keys_of(keyspace: &KeyspaceId) -> Self {
        if *keyspace == KeyspaceId::management() { Self::Root } else { Self::KeysWrite }
    }

    /// The right to change this keyspace.
    pub(crate) fn to_write(keyspace: &KeyspaceId) -> Self {
        if *keyspace == KeyspaceId::management() { Self::Root } else { Self::KeyspacesWrite }
    }

    /// Asks a permit for the right: in one keyspace, or (`None`) everywhere. A scope on the resource
    /// `keyspace:<id>` confines a key to that keyspace.
    pub(crate) fn is_given_by(
        self,
        permit: &keyward::Permit,
        keyspace: Option<&KeyspaceId>,
    ) -> bool {
        let Some(scopes) = self.scopes() else { return false };
        let resource = keyspace.map(|keyspace| ResourceId::new("keyspace", keyspace.as_str()));
        let Ok(resource) = resource.transpose() else { return false };
        permit.allows(&Asked {
            matching: MatchScopes::Any,
            resource: resource.as_ref(),
            scopes: &scopes,
            ..Asked::default()
        })
    }

    /// Asks once more for a right everywhere, for an answer that takes long: the key may have been
    /// revoked or changed meanwhile. Where that cannot be found out, the right is not given.
    pub(crate) async fn is_still_given_by(
        self,
        permit: &keyward::Permit,
        keyward: &Keyward,
    ) -> bool {
        let Some(scopes) = self.scopes() else { return false };
        let asked = Asked { matching: MatchScopes::Any, scopes: &scopes, ..Asked::default() };
        let answer = keyward.still_allows(permit, &asked).await;
        answer
            .inspect_err(|error| tracing::debug!(%error, "a right could not be asked for"))
            .unwrap_or(false)
    }

    /// The scopes of which any one gives the right.
    fn scopes(self) -> Option<[Scope; 2]> {
        let scopes = [self.scope(), Self::Root.scope()].map(Scope::parse);
        let [Ok(right), Ok(root)] = scopes else { return None };
        Some([right, root])
    }
}
