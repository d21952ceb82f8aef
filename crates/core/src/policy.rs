//! The judgement: may this key do what is asked, now? Pure, and the only place that makes a
//! [`Permit`].

use std::hint::black_box;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::jose::{Claims, RegisteredClaims, SignedToken};
use crate::{
    AccountState, ClientId, Decision, DenyReason, Hasher, KeyId, KeyRecord, KeyspaceId, ResourceId,
    Scope, ServiceAccount, StoredSecret, Timestamp, Token,
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

/// A service account as whose a key is presented: it was proved to be who it says by its client secret,
/// or it was not, and then there is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client(ClientId);

impl Client {
    /// Whoever presents a client secret. The same work is done, and the same is said, whether there is
    /// no such account, it is deleted, or the secret is not its own.
    pub fn prove(
        account: Option<&ServiceAccount>,
        secret: &str,
        hasher: &Hasher,
        now: Timestamp,
    ) -> Self {
        let Some(account) = account else {
            pretend(hasher, secret);
            return Self(ClientId::NOBODY);
        };
        let is_proved = account.is_proved_by(secret, hasher, now);
        let is_there = account.state() != AccountState::Deleted;
        Self(if is_proved && is_there { account.id } else { ClientId::NOBODY })
    }

    /// The account that was proved, whatever its state; none if it was not.
    pub fn account(self) -> Option<ClientId> {
        Some(self.0).filter(|id| *id != ClientId::NOBODY)
    }
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

/// That a text is a token which a key has signed. Only judging makes one.
#[derive(Clone, PartialEq)]
pub struct ProvedToken {
    digest: [u8; 32],
    id: KeyId,
    registered: RegisteredClaims,
    payload: Box<str>,
}

impl ProvedToken {
    /// What tells texts from each other: SHA-256 of the whole.
    pub fn digest_of(text: &str) -> [u8; 32] {
        Sha256::digest(text).into()
    }

    /// Whether this is the text that was proved.
    pub fn is_of(&self, digest: &[u8; 32]) -> bool {
        self.digest == *digest
    }

    /// What the token says of itself.
    pub const fn registered(&self) -> &RegisteredClaims {
        &self.registered
    }

    /// All that the token says, as JSON text.
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// All that the token says.
    pub fn claims(&self) -> Claims {
        Claims::parse(&self.payload).unwrap_or_default()
    }

    fn of(token: &SignedToken<'_>) -> Self {
        Self {
            digest: Self::digest_of(token.text()),
            id: token.id().clone(),
            registered: token.registered().clone(),
            payload: token.payload().into(),
        }
    }
}

/// The id alone: the rest is somebody's claims.
impl std::fmt::Debug for ProvedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvedToken").field("id", &self.id).finish_non_exhaustive()
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
    pretend(hasher, token.text());
    DenyReason::Unknown
}

/// Does the work of checking a secret, and believes nothing.
fn pretend(hasher: &Hasher, secret: &str) {
    let digest = hasher.digest(hasher.newest_scheme(), secret);
    black_box(digest.as_ref().is_some_and(|digest| digest.matches(digest)));
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
        && asked.client.is_none_or(|client| record.service_account == Some(client.0))
}

fn has_scopes(record: &KeyRecord, asked: &Asked<'_>) -> bool {
    match asked.matching {
        MatchScopes::All => record.has_all_scopes(asked.scopes, asked.resource),
        // Nothing is asked for: being valid is enough.
        MatchScopes::Any if asked.scopes.is_empty() => true,
        MatchScopes::Any => record.has_any_scope(asked.scopes, asked.resource),
    }
}
