//! The trail of management acts.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{ActorId, ClientId, Entropy, Invalid, KeyId, KeyspaceId, Metadata, OwnerId, Timestamp};

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
    /// The owner of the key or service account.
    pub owner: Option<OwnerId>,
    /// The service account that it was done to, or that of the key.
    pub service_account: Option<ClientId>,
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
    /// What else the application wants to be kept about it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl ActContext {
    /// An act of this actor, from nowhere in particular.
    pub fn by(actor: ActorId) -> Self {
        let metadata = Metadata::default();
        Self { actor, ip: None, user_agent: None, request_id: None, metadata }
    }

    /// The same as every store can keep it, and every log show it: texts that came with the request are
    /// cut to 256 characters, of which those that control something are replaced by U+FFFD.
    #[must_use]
    pub fn printable(&self) -> Self {
        let printable = |text: &Option<String>| {
            let replaced = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
            text.as_ref().map(|text| text.chars().take(256).map(replaced).collect())
        };
        let (user_agent, request_id) = (printable(&self.user_agent), printable(&self.request_id));
        Self { user_agent, request_id, ..self.clone() }
    }
}

/// Which audit events are meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditFilter {
    /// Only events of this key.
    pub key: Option<KeyId>,
    /// Only events of keys and service accounts of this owner.
    pub owner: Option<OwnerId>,
    /// Only events of this service account and its keys.
    pub service_account: Option<ClientId>,
    /// Only events of this keyspace and its keys.
    pub keyspace: Option<KeyspaceId>,
    /// Only events of this action.
    pub action: Option<Action>,
    /// Only events by this actor.
    pub actor: Option<ActorId>,
    /// Only events at or after this instant.
    pub since: Option<Timestamp>,
    /// Only events before this instant.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    /// Whether an event is meant.
    pub fn includes(&self, event: &AuditEvent) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, actual: Option<&T>) -> bool {
            wanted.is_none() || wanted == actual
        }
        is(self.key.as_ref(), event.key.as_ref())
            && is(self.owner.as_ref(), event.owner.as_ref())
            && is(self.service_account.as_ref(), event.service_account.as_ref())
            && is(self.keyspace.as_ref(), event.keyspace.as_ref())
            && is(self.action.as_ref(), Some(&event.action))
            && is(self.actor.as_ref(), Some(&event.context.actor))
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
    }

    /// Whether it leaves nothing out.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
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
    /// A management call was refused for want of a right.
    AccessDenied => "access.denied",
    /// An access token was revoked.
    AccessTokenRevoked => "access_token.revoked",
    /// Events were removed from the audit trail.
    AuditErased => "audit.erased",
    /// A key was deleted softly.
    KeyDeleted => "key.deleted",
    /// A key was switched off.
    KeyDisabled => "key.disabled",
    /// A key was switched on.
    KeyEnabled => "key.enabled",
    /// A key was taken over from elsewhere.
    KeyImported => "key.imported",
    /// A key was issued.
    KeyIssued => "key.issued",
    /// A key was removed for good.
    KeyPurged => "key.purged",
    /// A key's digest was replaced by one of the newest scheme.
    KeyRehashed => "key.rehashed",
    /// A deleted key was brought back.
    KeyRestored => "key.restored",
    /// A key was revoked.
    KeyRevoked => "key.revoked",
    /// A key got a new secret or a successor.
    KeyRotated => "key.rotated",
    /// A key's record was changed.
    KeyUpdated => "key.updated",
    /// Keys were handed out with their digests.
    KeysExported => "keys.exported",
    /// A keyspace was created.
    KeyspaceCreated => "keyspace.created",
    /// A keyspace was changed.
    KeyspaceUpdated => "keyspace.updated",
    /// A service account was created.
    ServiceAccountCreated => "service_account.created",
    /// A service account was deleted softly, and its keys with it.
    ServiceAccountDeleted => "service_account.deleted",
    /// A service account was switched off.
    ServiceAccountDisabled => "service_account.disabled",
    /// A service account was switched on.
    ServiceAccountEnabled => "service_account.enabled",
    /// A service account was taken over from elsewhere.
    ServiceAccountImported => "service_account.imported",
    /// A service account was removed for good.
    ServiceAccountPurged => "service_account.purged",
    /// A deleted service account was brought back.
    ServiceAccountRestored => "service_account.restored",
    /// A service account got a new client secret.
    ServiceAccountRotated => "service_account.rotated",
    /// A service account was changed.
    ServiceAccountUpdated => "service_account.updated",
    /// Service accounts were handed out with their digests.
    ServiceAccountsExported => "service_accounts.exported",
}

impl FromStr for Action {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.iter().find(|action| action.as_str() == name);
        known.copied().ok_or_else(|| Invalid::new("must be the name of an action"))
    }
}
