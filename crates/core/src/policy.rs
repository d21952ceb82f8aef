//! The judgement: may this key do what is asked, now? Pure, and the only place that makes a
//! [`Permit`].

use std::hint::black_box;
use std::time::Duration;

use crate::{
    Decision, DenyReason, DigestScheme, Hasher, KeyRecord, KeyspaceId, ResourceId, Scope,
    Timestamp, Token,
};

/// What is asked of a key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Only keys of this keyspace count; others are unknown here.
    pub keyspace: Option<&'a KeyspaceId>,
    /// Whether all scopes are needed or any one of them.
    pub matching: MatchScopes,
    /// The resource on which the scopes are needed. A scope that the key has globally counts too.
    pub resource: Option<&'a ResourceId>,
    /// The scopes that are needed; none means that being valid is enough.
    pub scopes: &'a [Scope],
}

/// How many of the scopes asked for are needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchScopes {
    /// Every one.
    #[default]
    All,
    /// At least one.
    Any,
}

/// Which of a key's secrets was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretUsed {
    /// The one that was issued last.
    Current,
    /// The one before it, in its grace period after a rotation.
    Previous,
}

/// The outcome of judging, before limits.
#[derive(Debug)]
pub enum Judgement<K> {
    /// Refused.
    Deny(DenyReason),
    /// Nothing about the key speaks against it.
    Suitable(Suitable<K>),
}

/// A key that was judged suitable; limits may still refuse it.
#[derive(Debug)]
pub struct Suitable<K> {
    key: K,
    secret_used: SecretUsed,
}

impl<K> Suitable<K> {
    /// The judged key.
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// The decision, given what the limits say: go ahead, or wait that long.
    pub fn limited(self, limit: Result<(), Duration>) -> Decision<K> {
        match limit {
            Ok(()) => Decision::Allow(Permit { key: self.key, secret_used: self.secret_used }),
            Err(retry_after) => Decision::Deny(DenyReason::RateLimited { retry_after }),
        }
    }
}

/// Proof that a key was verified for what was asked. Acts on behalf of a caller take one.
#[derive(Debug)]
pub struct Permit<K> {
    key: K,
    secret_used: SecretUsed,
}

impl<K: AsRef<KeyRecord>> Permit<K> {
    /// The verified key.
    pub fn key(&self) -> &KeyRecord {
        self.key.as_ref()
    }

    /// The verified key in the form in which it was looked up.
    pub const fn holder(&self) -> &K {
        &self.key
    }

    /// Which of the key's secrets was presented.
    pub const fn secret_used(&self) -> SecretUsed {
        self.secret_used
    }

    /// Whether the key may do something else, too: for rights that depend on what a request turns
    /// out to be about.
    pub fn allows(&self, asked: &Asked<'_>) -> bool {
        is_in_keyspace(self.key(), asked) && has_scopes(self.key(), asked)
    }

    /// Whether the secret that was proved, and what is asked, would be allowed by a later version of
    /// the key's record: for what goes on for a while after the verification. A secret whose digest
    /// was replaced meanwhile has to be proved anew.
    pub fn holds_for(&self, record: &KeyRecord, asked: &Asked<'_>, now: Timestamp) -> bool {
        let now = record.at_least(now);
        let secret = &self.key().secret;
        let proved = match self.secret_used {
            SecretUsed::Current => Some(&secret.digest),
            SecretUsed::Previous => secret.previous.as_ref().map(|previous| &previous.digest),
        };
        let is_of = |stored: &crate::Digest| proved.is_some_and(|proved| proved.matches(stored));
        record.id == self.key().id
            && which(record, now, is_of).is_some()
            && objection(record, asked, now).is_none()
    }
}

/// Judges a token against the record that one of its locators found.
///
/// The secret is proved first; until then nothing about the key is told. A deleted key, one of
/// another keyspace, and one whose secret does not match are as good as none: [`DenyReason::Unknown`].
/// Then expired comes before revoked, disabled, not yet valid, and lacking a scope.
pub fn judge<K: AsRef<KeyRecord>>(
    token: &Token<'_>,
    key: K,
    asked: &Asked<'_>,
    now: Timestamp,
    hasher: &Hasher,
) -> Judgement<K> {
    let record = key.as_ref();
    let now = record.at_least(now);
    let Some(secret_used) = prove(token, record, now, hasher) else {
        return Judgement::Deny(DenyReason::Unknown);
    };
    match objection(record, asked, now) {
        Some(reason) => Judgement::Deny(reason),
        None => Judgement::Suitable(Suitable { key, secret_used }),
    }
}

/// The judgement on a token for which there is no record: the work of a wrong secret, and its answer.
pub fn judge_unknown(token: &Token<'_>, hasher: &Hasher) -> DenyReason {
    let scheme = hasher.newest_pepper().map_or(DigestScheme::Sha256, DigestScheme::HmacSha256);
    let digest = token.digest(hasher, scheme);
    black_box(digest.as_ref().is_some_and(|digest| digest.matches(digest)));
    DenyReason::Unknown
}

fn prove(
    token: &Token<'_>,
    record: &KeyRecord,
    now: Timestamp,
    hasher: &Hasher,
) -> Option<SecretUsed> {
    which(record, now, |stored| {
        token.digest(hasher, stored.scheme()).is_some_and(|presented| presented.matches(stored))
    })
}

/// Which of a record's secrets it is; the one before the last rotation counts in its grace period.
fn which(
    record: &KeyRecord,
    now: Timestamp,
    matches: impl Fn(&crate::Digest) -> bool,
) -> Option<SecretUsed> {
    if matches(&record.secret.digest) {
        return Some(SecretUsed::Current);
    }
    let previous = record.secret.previous.as_ref()?;
    (!previous.until.has_come(now) && matches(&previous.digest)).then_some(SecretUsed::Previous)
}

fn objection(record: &KeyRecord, asked: &Asked<'_>, now: Timestamp) -> Option<DenyReason> {
    if record.deletion.is_some() || !is_in_keyspace(record, asked) {
        return Some(DenyReason::Unknown);
    }
    if record.expires_at.is_some_and(|at| at.has_come(now)) {
        return Some(DenyReason::Expired);
    }
    if record.is_revoked(now) {
        return Some(DenyReason::Revoked);
    }
    if !record.enabled {
        return Some(DenyReason::Disabled);
    }
    if record.not_before.is_some_and(|at| !at.has_come(now)) {
        return Some(DenyReason::NotYetValid);
    }
    (!has_scopes(record, asked)).then_some(DenyReason::InsufficientScope)
}

fn is_in_keyspace(record: &KeyRecord, asked: &Asked<'_>) -> bool {
    asked.keyspace.is_none_or(|keyspace| *keyspace == record.keyspace)
}

fn has_scopes(record: &KeyRecord, asked: &Asked<'_>) -> bool {
    match asked.matching {
        MatchScopes::All => record.has_all_scopes(asked.scopes, asked.resource),
        // Nothing is asked for: being valid is enough.
        MatchScopes::Any if asked.scopes.is_empty() => true,
        MatchScopes::Any => record.has_any_scope(asked.scopes, asked.resource),
    }
}
