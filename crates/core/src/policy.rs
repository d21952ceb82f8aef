//! The judgement: may this key do what is asked, now? Pure, and the only place that makes a
//! [`Permit`].

mod proved;

use std::time::Duration;

pub use proved::ProvedToken;

use crate::jose::{RegisteredClaims, SignedToken};
use crate::{
    AccountState, Client, Decision, DenyReason, Hasher, KeyRecord, KeyspaceId, ResourceId, Scope,
    StoredSecret, Timestamp, Token,
};

/// What is asked of a key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Only keys of this service account count; others are unknown here.
    pub client: Option<Client>,
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
    proof: Proof,
}

impl<K> Suitable<K> {
    /// The judged key.
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// The decision, given what the limits say: go ahead, or wait that long.
    pub fn limited(self, limit: Result<(), Duration>) -> Decision<K> {
        match limit {
            Ok(()) => Decision::Allow(Permit { key: self.key, proof: self.proof }),
            Err(retry_after) => Decision::Deny(DenyReason::RateLimited { retry_after }),
        }
    }
}

/// Proof that a key was verified for what was asked. Acts on behalf of a caller take one.
#[derive(Debug)]
pub struct Permit<K> {
    key: K,
    proof: Proof,
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
        self.proof.secret_used
    }

    /// Whether the key may do something else, too: for rights that depend on what a request turns
    /// out to be about.
    pub fn allows(&self, asked: &Asked<'_>) -> bool {
        is_meant(self.key(), asked) && has_scopes(self.key(), asked)
    }

    /// Whether the secret that was proved, and what is asked, would be allowed by a later version of
    /// the key's record: for what goes on for a while after the verification. A secret whose digest
    /// was replaced meanwhile has to be proved anew.
    pub fn holds_for(
        &self,
        record: &KeyRecord,
        account: AccountState,
        asked: &Asked<'_>,
        now: Timestamp,
    ) -> bool {
        let now = record.at_least(now);
        let is_proved = match (&self.key().secret, &record.secret) {
            (StoredSecret::Digests(proved), StoredSecret::Digests(stored)) => {
                let proved = match self.proof.secret_used {
                    SecretUsed::Current => Some(&proved.current),
                    SecretUsed::Previous => proved.previous.as_ref().map(|p| &p.digest),
                };
                stored.which(now, |stored| proved.is_some_and(|p| p.matches(stored))).is_some()
            }
            (StoredSecret::Signature(proved), StoredSecret::Signature(stored)) => {
                proved.public_key == stored.public_key
            }
            _ => false,
        };
        record.id == self.key().id
            && is_proved
            && objection(&self.proof, record, account, asked, now).is_none()
    }
}

/// A key as it was looked up, ready to be judged.
pub trait Candidate: AsRef<KeyRecord> {
    /// Whether the record's public key checks the token's signature, in the key's own algorithm.
    fn has_signed(&self, token: &SignedToken<'_>) -> bool;

    /// Takes note that this very text was proved, so that it need not be proved again.
    fn remember(&self, proved: ProvedToken) {
        drop(proved);
    }
}

/// A record alone can check no signature: to it, whatever is signed is unknown.
impl Candidate for &KeyRecord {
    fn has_signed(&self, _: &SignedToken<'_>) -> bool {
        false
    }
}

/// Judges a token against the record that one of its locators found.
///
/// The secret is proved first; until then nothing about the key is told. A deleted key, one of a
/// deleted service account, one of another keyspace or account than asked for, and one whose secret
/// does not match are as good as none: [`DenyReason::Unknown`]. Then expired comes before revoked,
/// disabled, not yet valid, and lacking a scope.
///
/// `account` is the state of the service account that the key belongs to; without one, it is active.
pub fn judge<K: Candidate>(
    token: &Token<'_>,
    key: K,
    account: AccountState,
    asked: &Asked<'_>,
    now: Timestamp,
    hasher: &Hasher,
) -> Judgement<K> {
    let now = key.as_ref().at_least(now);
    match prove(token, &key, now, hasher) {
        Some(proof) => conclude(proof, key, account, asked, now),
        None => Judgement::Deny(DenyReason::Unknown),
    }
}

/// Whether the state of the service account that the key belongs to makes a difference: it does if the
/// secret is the key's own, and the key is one that is asked for. Whoever looks the account up for
/// others, too, tells by the time that it takes which keys there are.
pub fn depends_on_account<K: Candidate>(
    token: &Token<'_>,
    key: &K,
    asked: &Asked<'_>,
    now: Timestamp,
    hasher: &Hasher,
) -> bool {
    let record = key.as_ref();
    record.service_account.is_some()
        && is_meant(record, asked)
        && prove(token, key, record.at_least(now), hasher).is_some()
}

/// Judges a text that this key has proved before: the rest of the judgement is made anew.
pub fn judge_proved<K: Candidate>(
    proved: &ProvedToken,
    key: K,
    account: AccountState,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Judgement<K> {
    let now = key.as_ref().at_least(now);
    if proved.id != key.as_ref().id {
        return Judgement::Deny(DenyReason::Unknown);
    }
    conclude(Proof::of_claims(&proved.registered), key, account, asked, now)
}

fn conclude<K: Candidate>(
    proof: Proof,
    key: K,
    account: AccountState,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Judgement<K> {
    match objection(&proof, key.as_ref(), account, asked, now) {
        Some(reason) => Judgement::Deny(reason),
        None => Judgement::Suitable(Suitable { key, proof }),
    }
}

/// What a presented secret was proved to be.
#[derive(Clone, Copy, Debug)]
struct Proof {
    secret_used: SecretUsed,
    /// When it ends and begins by its own account.
    expires_at: Option<Timestamp>,
    not_before: Option<Timestamp>,
}

impl Proof {
    const fn of(secret_used: SecretUsed) -> Self {
        Self { secret_used, expires_at: None, not_before: None }
    }

    const fn of_claims(claims: &RegisteredClaims) -> Self {
        let (expires_at, not_before) = (Some(claims.expires_at), claims.not_before);
        Self { secret_used: SecretUsed::Current, expires_at, not_before }
    }
}

/// The judgement on a token for which there is no record: the work of a wrong secret, and its answer.
pub fn judge_unknown(token: &Token<'_>, hasher: &Hasher) -> DenyReason {
    hasher.pretend(token.text());
    DenyReason::Unknown
}

fn prove<K: Candidate>(
    token: &Token<'_>,
    key: &K,
    now: Timestamp,
    hasher: &Hasher,
) -> Option<Proof> {
    match (&key.as_ref().secret, token.as_signed()) {
        (StoredSecret::Digests(stored), None) => {
            let used = stored.which(now, |stored| {
                let presented = token.digest(hasher, stored.scheme());
                presented.is_some_and(|presented| presented.matches(stored))
            });
            used.map(Proof::of)
        }
        (StoredSecret::Signature(stored), Some(token)) => {
            let is_signed = token.id() == &key.as_ref().id
                && token.algorithm() == stored.public_key.algorithm()
                && key.has_signed(token);
            is_signed.then(|| {
                key.remember(ProvedToken::of(token));
                Proof::of_claims(token.registered())
            })
        }
        _ => None,
    }
}

fn objection(
    proof: &Proof,
    record: &KeyRecord,
    account: AccountState,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Option<DenyReason> {
    let is_over = |end: Option<Timestamp>| end.is_some_and(|at| at.has_come(now));
    let is_early = |start: Option<Timestamp>| start.is_some_and(|at| !at.has_come(now));
    let is_deleted = record.deletion.is_some() || account == AccountState::Deleted;
    if is_deleted || !is_meant(record, asked) {
        return Some(DenyReason::Unknown);
    }
    if is_over(record.expires_at) || is_over(proof.expires_at) {
        return Some(DenyReason::Expired);
    }
    if record.is_revoked(now) {
        return Some(DenyReason::Revoked);
    }
    if !record.enabled || account == AccountState::Disabled {
        return Some(DenyReason::Disabled);
    }
    if is_early(record.not_before) || is_early(proof.not_before) {
        return Some(DenyReason::NotYetValid);
    }
    (!has_scopes(record, asked)).then_some(DenyReason::InsufficientScope)
}

/// Whether the key is of the keyspace and the service account that are asked for.
fn is_meant(record: &KeyRecord, asked: &Asked<'_>) -> bool {
    asked.keyspace.is_none_or(|keyspace| *keyspace == record.keyspace)
        && asked.client.is_none_or(|client| client.holds(record))
}

fn has_scopes(record: &KeyRecord, asked: &Asked<'_>) -> bool {
    match asked.matching {
        MatchScopes::All => record.has_all_scopes(asked.scopes, asked.resource),
        // Nothing is asked for: being valid is enough.
        MatchScopes::Any if asked.scopes.is_empty() => true,
        MatchScopes::Any => record.has_any_scope(asked.scopes, asked.resource),
    }
}
