//! What there is to copy.

use std::fmt;

/// A kind of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Keyspaces.
    Keyspaces,
    /// Service accounts, deleted ones included.
    ServiceAccounts,
    /// Keys, deleted ones included.
    Keys,
    /// How keys were used, of those that were.
    Usage,
    /// The public halves of pairs that sign access tokens, until they end.
    SigningKeys,
    /// Access tokens that were revoked, until they end.
    RevokedTokens,
    /// The audit trail.
    AuditEvents,
}

impl Kind {
    /// Every kind, in the order in which they are copied.
    pub const ALL: [Self; 7] = [
        Self::Keyspaces,
        Self::ServiceAccounts,
        Self::Keys,
        Self::Usage,
        Self::SigningKeys,
        Self::RevokedTokens,
        Self::AuditEvents,
    ];

    /// The kind's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keyspaces => "keyspaces",
            Self::ServiceAccounts => "service_accounts",
            Self::Keys => "keys",
            Self::Usage => "usage",
            Self::SigningKeys => "signing_keys",
            Self::RevokedTokens => "revoked_tokens",
            Self::AuditEvents => "audit_events",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
