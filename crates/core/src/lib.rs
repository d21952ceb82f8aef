//! The rules of Keyward: how a key is written, stored, judged and changed.
//!
//! Nothing here does I/O, reads a clock or draws a random number by itself: time comes through
//! [`Clock`], chance through [`Entropy`], peppers through [`Peppers`]. Most applications use the
//! `keyward` crate, which adds storage and caching; use this one alone to check keys in a place
//! that has neither.
//!
//! The path of a request, and the type that each stage hands on:
//!
//! ```text
//! Headers → extract_key → &str
//! &str → KeyspaceTable::parse → Token → Token::locators → KeyRecord → judge → Judgement → Decision
//! ```
#![forbid(unsafe_code)]

mod account;
mod audit;
mod base58;
mod change;
mod credential;
mod decision;
mod dialect;
mod digest;
mod entropy;
mod format;
mod id;
mod invalid;
pub mod jose;
mod key;
mod keyspace;
mod limit;
mod metadata;
mod oauth;
mod policy;
mod resource;
mod scope;
mod secret;
mod stored;
mod tag;
mod text;
mod time;

pub use account::{
    AccountChanges, AccountState, Client, NewServiceAccount, ServiceAccount, draw_client_secret,
};
pub use audit::{ActContext, Action, AuditEvent, AuditEventId, AuditFilter};
pub use change::{
    AccountWrite, AuditErasure, Change, ChangeId, KeyWrite, KeyspaceWrite, Row, RowWrite, Touched,
};
pub use credential::{
    Bearer, HeaderRules, Headers, UnreadableHeader, extract_key, has_key, key_of_text,
};
pub use decision::{Decision, DenyReason};
pub use dialect::{Components, Dialect, Expected, Generated, Profile, TokenFault};
pub use digest::{
    Digest, DigestScheme, ForeignHash, Hasher, HexDigest, InvalidPepper, InvalidSalt, KeypalSalt,
    KeypalSalts, Pepper, PepperVersion, Peppers,
};
pub use entropy::Entropy;
pub use format::{
    Alphabet, Audience, Foreign, ForeignPrefix, Format, FormatKind, Locator, MAX_SECRET_LENGTH,
    Malformed, MintError, Minted, Opaque, Prefix, Prefixed, Signed, Token, WeakSecrets,
};
pub use id::{ActorId, ClientId, KeyId, KeyspaceId, OwnerId, Sequence, TokenId, Version};
pub use invalid::{FieldError, Invalid};
pub use key::{
    Deletion, EndedBy, Ending, Expiry, KeyChanges, KeyRecord, KeyState, NewKey, PreviousSecret,
    Refusal, Revocation, Rotation, RotationMode, StoredDigests, StoredSecret, StoredSignature,
};
pub(crate) use key::{DigestsForm, grace_end};
pub use keyspace::{
    AccountRule, HashAlgorithm, Keyspace, KeyspaceChanges, KeyspaceTable, NewKeyspace,
};
pub use limit::{Allowance, RateLimit};
pub use metadata::Metadata;
pub use oauth::{RevokedToken, RotationPeriod, SigningKey, TokenLifetime};
pub use policy::{
    Asked, Candidate, Judgement, MatchScopes, Permit, ProvedToken, SecretUsed, Suitable,
    depends_on_account, judge, judge_proved, judge_unknown,
};
pub use resource::{ResourceId, ResourceScopes, ResourceScopesBuilder};
pub use scope::{Scope, ScopeSet, has_all_scopes, has_any_scope, has_scope};
pub use secret::Secret;
pub use tag::{MatchTags, Tag, TagFilter, TagSet};
pub use text::{Description, Name, Reason};
pub use time::{Clock, Lifetime, Moment, Timestamp};
