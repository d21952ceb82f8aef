//! The acts that change a service account: each takes a record and returns the next version of it, or
//! refuses.

use super::{AccountChanges, NewServiceAccount, ServiceAccount};
use crate::{
    ActorId, ClientId, Deletion, Digest, Lifetime, PreviousSecret, Refusal, StoredDigests,
    Timestamp, Version, grace_end,
};

impl ServiceAccount {
    /// The first version of a new account's record.
    pub fn create(
        new: NewServiceAccount,
        id: ClientId,
        secret: Digest,
        by: ActorId,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            version: Version::FIRST,
            owner: new.owner,
            is_primary: false,
            description: new.description,
            scopes: new.scopes,
            secret: StoredDigests::of(secret),
            enabled: new.enabled,
            deletion: None,
            created_at: now,
            created_by: by.clone(),
            updated_at: now,
            updated_by: by,
            rotated_at: None,
        }
    }

    /// The same as the owner's primary account, or as another one.
    #[must_use]
    pub fn with_rank(self, is_primary: bool) -> Self {
        Self { is_primary, ..self }
    }

    /// Changes what the caller may change.
    pub fn update(
        self,
        changes: AccountChanges,
        by: ActorId,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let account = self.changeable()?;
        if changes.version.is_some_and(|version| version != account.version) {
            return Err(Refusal::Outdated);
        }
        let description = changes.description.unwrap_or(account.description);
        let scopes = changes.scopes.unwrap_or(account.scopes);
        Ok(Self { description, scopes, ..account }.next(by, now))
    }

    /// Switches the account on, and with it its keys that are switched on themselves.
    pub fn enable(self, by: ActorId, now: Timestamp) -> Result<Self, Refusal> {
        let account = self.changeable()?;
        if account.enabled {
            Err(Refusal::AlreadyEnabled)
        } else {
            Ok(Self { enabled: true, ..account }.next(by, now))
        }
    }

    /// Switches the account off, and with it each of its keys.
    pub fn disable(self, by: ActorId, now: Timestamp) -> Result<Self, Refusal> {
        let account = self.changeable()?;
        if account.enabled {
            Ok(Self { enabled: false, ..account }.next(by, now))
        } else {
            Err(Refusal::AlreadyDisabled)
        }
    }

    /// Deletes the account softly, and with it each of its keys: they stop working and can be restored
    /// with it until it is purged.
    pub fn delete(self, by: ActorId, now: Timestamp) -> Result<Self, Refusal> {
        let account = self.changeable()?;
        let deletion = Some(Deletion { at: now, by: by.clone() });
        Ok(Self { deletion, ..account }.next(by, now))
    }

    /// Takes a deletion back. Keys that were deleted by themselves stay so.
    pub fn restore(self, by: ActorId, now: Timestamp) -> Result<Self, Refusal> {
        match self.deletion {
            Some(_) => Ok(Self { deletion: None, ..self }.next(by, now)),
            None => Err(Refusal::NotDeleted),
        }
    }

    /// Gives the account a new client secret; the old one works until the grace period ends, if one is
    /// given.
    ///
    /// `asked_at` is when the caller asked: if another rotation came after that, the two were
    /// concurrent, and this one loses.
    pub fn rotate(
        self,
        digest: Digest,
        grace: Option<Lifetime>,
        by: ActorId,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let account = self.changeable()?;
        if account.rotated_at.is_some_and(|at| at > asked_at && at <= now) {
            return Err(Refusal::Outdated);
        }
        let from = account.at_least(now);
        let until = grace.map(|grace| grace_end(from, grace)).transpose()?;
        let old = account.secret.current.clone();
        let previous = until.map(|until| PreviousSecret { digest: old, until });
        let secret = StoredDigests { current: digest, previous };
        Ok(Self { secret, rotated_at: Some(now), ..account }.next(by, now))
    }

    /// The same record as its next version: whoever writes it notices whether somebody else has.
    #[must_use]
    pub fn renewed(self) -> Self {
        Self { version: self.version.next(), ..self }
    }

    /// The record as the next version of itself, changed now, or as late as it was changed before.
    fn next(self, by: ActorId, now: Timestamp) -> Self {
        let (version, updated_at) = (self.version.next(), self.at_least(now));
        Self { version, updated_at, updated_by: by, ..self }
    }

    fn changeable(self) -> Result<Self, Refusal> {
        if self.deletion.is_some() { Err(Refusal::AccountDeleted) } else { Ok(self) }
    }
}
