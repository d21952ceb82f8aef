//! The trail of management acts.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{ActorId, Entropy, Invalid, KeyId, KeyspaceId, OwnerId, Timestamp};

/// One management act, as it is kept. Commits together with the act or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// The event's identifier.
    pub id: AuditEventId,
    /// When it happened.
    pub at: Timestamp,
    /// What was done.
    pub action: Action,
    /// Who did it, and from where.
    pub context: ActContext,
    /// The key that it was done to.
    pub key: Option<KeyId>,
    /// The keyspace that it was done to, or that of the key.
    pub keyspace: Option<KeyspaceId>,
    /// The owner of the key.
    pub owner: Option<OwnerId>,
    /// What more there is to say, such as the names of changed fields.
    pub data: Map<String, Value>,
}

/// Who performs an act, and from where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActContext {
    /// Who: `key:<id>` for a management key, `local` for the operator at the machine.
    pub actor: ActorId,
    /// The address that the request came from.
    pub ip: Option<IpAddr>,
    /// The request's `User-Agent`, cut to 256 characters.
    pub user_agent: Option<String>,
    /// The request's id, as in the logs and in the answer's `x-request-id`.
    pub request_id: Option<String>,
}

impl ActContext {
    /// An act of this actor, from nowhere in particular.
    pub const fn by(actor: ActorId) -> Self {
        Self { actor, ip: None, user_agent: None, request_id: None }
    }
}

/// The identifier of an audit event: a UUID of version 7 (RFC 9562 §5.7), which sorts by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuditEventId(Uuid);

impl AuditEventId {
    /// Draws an identifier for an event of this instant.
    pub fn generate(entropy: &dyn Entropy, at: Timestamp) -> Self {
        let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or_default();
        let random = entropy.bytes::<10>();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The identifier as stored.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The identifier's bytes, which sort as it does.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for AuditEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for AuditEventId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Uuid::try_parse(text).map(Self).map_err(|_| Invalid::new("must be a UUID"))
    }
}

/// Declares the actions and their names.
macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Action {
            $($(#[$doc])* $variant,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The action's name as it is written in queries and answers.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

actions! {
    /// A key was deleted softly.
    KeyDeleted => "key.deleted",
    /// A key was switched off.
    KeyDisabled => "key.disabled",
    /// A key was switched on.
    KeyEnabled => "key.enabled",
    /// A key was issued.
    KeyIssued => "key.issued",
    /// A deleted key was removed for good.
    KeyPurged => "key.purged",
    /// A deleted key was brought back.
    KeyRestored => "key.restored",
    /// A key was revoked.
    KeyRevoked => "key.revoked",
    /// A key got a new secret or a successor.
    KeyRotated => "key.rotated",
    /// A key's record was changed.
    KeyUpdated => "key.updated",
    /// A keyspace was created.
    KeyspaceCreated => "keyspace.created",
    /// A keyspace was changed.
    KeyspaceUpdated => "keyspace.updated",
}

impl FromStr for Action {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.iter().find(|action| action.as_str() == name);
        known.copied().ok_or_else(|| Invalid::new("must be the name of an action"))
    }
}
