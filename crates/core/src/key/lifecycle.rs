//! The acts that change a key: each takes a record and returns the next version of it, or refuses.

use super::{
    Deletion, KeyChanges, KeyRecord, NewKey, PreviousSecret, Refusal, Revocation, Rotation,
    StoredDigests, StoredSecret,
};
use crate::{
    ActorId, Digest, FieldError, FormatKind, Invalid, KeyId, Keyspace, Lifetime, Reason, Timestamp,
    Version,
};

impl NewKey {
    /// When the key will expire, if nothing speaks against issuing it.
    pub fn check(
        &self,
        keyspace: &Keyspace,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, FieldError> {
        let mut expires_at = keyspace.expiry(self.expiry, now, now)?;
        if let Some(signed) = keyspace.format.as_signed() {
            // Tokens tell whole seconds: the record says what the token says.
            expires_at = expires_at.map(Timestamp::floor_to_seconds);
            signed.check(self, expires_at)?;
            check_not_over(expires_at, now)?;
        } else if !self.claims.is_empty() {
            let rule = "must not be given: only signed keys have claims";
            return Err(Invalid::new(rule).at("claims"));
        }
        check_window(self.not_before, expires_at)?;
        Ok(expires_at)
    }
}

impl KeyRecord {
    /// The first version of a new key's record.
    pub fn issue(
        new: NewKey,
        id: KeyId,
        secret: StoredSecret,
        hint: String,
        keyspace: &Keyspace,
        now: Timestamp,
    ) -> Result<Self, FieldError> {
        let expires_at = new.check(keyspace, now)?;
        Ok(Self::first(new, id, secret, hint, keyspace, (expires_at, now)))
    }

    /// The first version of the record of a key that exists elsewhere: nothing is going to be signed,
    /// and a signed key may have been issued without an end in the record.
    pub fn take_over(
        new: NewKey,
        id: KeyId,
        secret: StoredSecret,
        hint: String,
        keyspace: &Keyspace,
        now: Timestamp,
    ) -> Result<Self, FieldError> {
        let expires_at = keyspace.expiry(new.expiry, now, now)?;
        check_window(new.not_before, expires_at)?;
        Ok(Self::first(new, id, secret, hint, keyspace, (expires_at, now)))
    }

    fn first(
        new: NewKey,
        id: KeyId,
        secret: StoredSecret,
        hint: String,
        keyspace: &Keyspace,
        (expires_at, now): (Option<Timestamp>, Timestamp),
    ) -> Self {
        Self {
            id,
            version: Version::FIRST,
            secret,
            enabled: new.enabled,
            expires_at,
            not_before: new.not_before,
            revocation: None,
            deletion: None,
            scopes: new.scopes,
            resources: new.resources,
            keyspace: new.keyspace,
            format: keyspace.format.kind(),
            owner: new.owner,
            service_account: new.service_account,
            name: new.name,
            description: new.description,
            hint,
            tags: new.tags,
            metadata: new.metadata,
            created_at: now,
            updated_at: now,
            rotated_at: None,
            rotated_from: None,
            rotated_to: None,
        }
    }

    /// Changes what the caller may change.
    pub fn update(
        self,
        changes: KeyChanges,
        keyspace: &Keyspace,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let key = self.changeable(now)?;
        let (since, now) = (key.rotated_at.unwrap_or(key.created_at), key.at_least(now));
        let (expires_at, not_before) = (key.expires_at, key.not_before);
        let after = key.changed(changes, keyspace, since, now)?;
        if after.format == FormatKind::Signed {
            check_said(expires_at, not_before, &after)?;
        }
        Ok(after.next(now))
    }

    /// Switches the key on.
    pub fn enable(self, now: Timestamp) -> Result<Self, Refusal> {
        let key = self.changeable(now)?;
        if key.enabled {
            Err(Refusal::AlreadyEnabled)
        } else {
            Ok(Self { enabled: true, ..key }.next(now))
        }
    }

    /// Switches the key off.
    pub fn disable(self, now: Timestamp) -> Result<Self, Refusal> {
        let key = self.changeable(now)?;
        if key.enabled {
            Ok(Self { enabled: false, ..key }.next(now))
        } else {
            Err(Refusal::AlreadyDisabled)
        }
    }

    /// Revokes the key for good. A deleted key, too, so that it does not come back alive.
    pub fn revoke(
        self,
        reason: Option<Reason>,
        by: ActorId,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if self.is_revoked(now) {
            return Err(Refusal::AlreadyRevoked);
        }
        Ok(Self { revocation: Some(Revocation { at: now, reason, by }), ..self }.next(now))
    }

    /// Deletes the key softly: it stops working and can be restored until it is purged.
    pub fn delete(self, by: ActorId, now: Timestamp) -> Result<Self, Refusal> {
        match self.deletion {
            Some(_) => Err(Refusal::Deleted),
            None => Ok(Self { deletion: Some(Deletion { at: now, by }), ..self }.next(now)),
        }
    }

    /// Takes a deletion back. A key that was revoked stays revoked.
    pub fn restore(self, now: Timestamp) -> Result<Self, Refusal> {
        match self.deletion {
            Some(_) => Ok(Self { deletion: None, ..self }.next(now)),
            None => Err(Refusal::NotDeleted),
        }
    }

    /// Gives the key a new secret; the old one works until the grace period ends.
    ///
    /// `asked_at` is when the caller asked: if another rotation came after that, the two were
    /// concurrent, and this one loses.
    pub fn rotate(
        self,
        rotation: Rotation,
        (digest, hint): (Digest, String),
        keyspace: &Keyspace,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let key = self.rotatable(asked_at, now)?;
        // What begins now is judged by the record's own present: it must not be over by then.
        let from = key.at_least(now);
        let key = key.changed(rotation.changes, keyspace, from, from)?.not_expired(from)?;
        let until = rotation.grace.map(|grace| grace_end(from, grace)).transpose()?;
        let old = key.secret.digest().cloned();
        let previous = old.zip(until).map(|(digest, until)| PreviousSecret { digest, until });
        let secret = StoredSecret::Digests(StoredDigests { current: digest, previous });
        Ok(Self { secret, hint, rotated_at: Some(now), ..key }.next(now))
    }

    /// Makes a successor with a new id and secret. Returns this record, which will be revoked when
    /// the grace period ends, and the successor, each linked to the other.
    pub fn succeed(
        self,
        rotation: Rotation,
        (id, secret, hint): (KeyId, StoredSecret, String),
        keyspace: &Keyspace,
        by: ActorId,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Result<(Self, Self), Refusal> {
        let old = self.rotatable(asked_at, now)?;
        let from = old.at_least(now);
        let at = rotation.grace.map_or(Ok(now), |grace| grace_end(from, grace))?;
        // Changed before it gets a version of its own: the caller saw the version of the old record.
        let changed =
            old.clone().changed(rotation.changes, keyspace, from, from)?.not_expired(from)?;
        let new = Self {
            id: id.clone(),
            version: Version::FIRST,
            secret,
            hint,
            created_at: now,
            updated_at: now,
            rotated_at: None,
            rotated_from: Some(old.id.clone()),
            ..changed
        };
        let revocation = Some(Revocation { at, reason: Reason::parse("rotated").ok(), by });
        Ok((Self { revocation, rotated_to: Some(id), ..old }.next(now), new))
    }

    /// Replaces the digest of the present secret by another one of the same secret. Of what can be seen
    /// of the record, its version alone changes.
    #[must_use]
    pub fn with_digest(self, digest: Digest) -> Self {
        let previous = self.secret.previous().cloned();
        let secret = StoredSecret::Digests(StoredDigests { current: digest, previous });
        Self { secret, version: self.version.next(), ..self }
    }

    /// The record as the next version of itself, changed now, or as late as it was changed before.
    fn next(self, now: Timestamp) -> Self {
        Self { version: self.version.next(), updated_at: self.at_least(now), ..self }
    }

    fn changeable(self, now: Timestamp) -> Result<Self, Refusal> {
        if self.deletion.is_some() {
            return Err(Refusal::Deleted);
        }
        if self.is_revoked(now) { Err(Refusal::Revoked) } else { Ok(self) }
    }

    fn rotatable(self, asked_at: Timestamp, now: Timestamp) -> Result<Self, Refusal> {
        let key = self.changeable(now)?;
        if key.rotated_to.is_some() {
            return Err(Refusal::AlreadySucceeded);
        }
        match key.rotated_at {
            // Later than now: the clock was set back, and only the version can tell.
            Some(at) if at > asked_at && at <= now => Err(Refusal::Outdated),
            _ => Ok(key),
        }
    }

    /// A new secret that is dead from the start helps nobody.
    fn not_expired(self, now: Timestamp) -> Result<Self, Refusal> {
        if self.expires_at.is_some_and(|at| at.has_come(now)) {
            let rule = "must be given, in the future: the key has expired";
            return Err(Invalid::new(rule).at("expires_at").into());
        }
        Ok(self)
    }

    /// Applies changes; lifetimes are counted from `since`.
    fn changed(
        self,
        changes: KeyChanges,
        keyspace: &Keyspace,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if changes.version.is_some_and(|version| version != self.version) {
            return Err(Refusal::Outdated);
        }
        let mut expires_at = match changes.expiry {
            Some(expiry) => keyspace.expiry(expiry, since, now)?,
            None => self.expires_at,
        };
        let not_before = changes.not_before.unwrap_or(self.not_before);
        if self.format == FormatKind::Signed {
            expires_at = expires_at.map(Timestamp::floor_to_seconds);
        }
        if changes.expiry.is_some() || changes.not_before.is_some() {
            check_window(not_before, expires_at)?;
        }
        Ok(Self {
            name: changes.name.unwrap_or(self.name),
            description: changes.description.unwrap_or(self.description),
            scopes: changes.scopes.unwrap_or(self.scopes),
            resources: changes.resources.unwrap_or(self.resources),
            tags: changes.tags.unwrap_or(self.tags),
            metadata: changes.metadata.unwrap_or(self.metadata),
            enabled: changes.enabled.unwrap_or(self.enabled),
            expires_at,
            not_before,
            ..self
        })
    }
}

/// What a token says of its beginning and end it says for good; a record can only say less.
fn check_said(
    expires_at: Option<Timestamp>,
    not_before: Option<Timestamp>,
    after: &KeyRecord,
) -> Result<(), FieldError> {
    let latest = expires_at.map_or(i64::MAX, Timestamp::as_micros);
    if after.expires_at.map_or(i64::MAX, Timestamp::as_micros) > latest {
        let rule = "must not be later than before: the token of a signed key says when it ends";
        return Err(Invalid::new(rule).at("expires_at"));
    }
    if after.not_before < not_before {
        let rule = "must not be earlier than before: the token of a signed key says when it begins";
        return Err(Invalid::new(rule).at("not_before"));
    }
    Ok(())
}

fn check_not_over(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), FieldError> {
    match expires_at {
        Some(at) if at.has_come(now) => Err(Invalid::new("must be in the future").at("expires_at")),
        _ => Ok(()),
    }
}

/// A key that could never be valid is refused when it is asked for.
fn check_window(
    not_before: Option<Timestamp>,
    expires_at: Option<Timestamp>,
) -> Result<(), FieldError> {
    match (not_before, expires_at) {
        (Some(first), Some(last)) if last.has_come(first) => {
            Err(Invalid::new("must be before the key expires").at("not_before"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn grace_end(now: Timestamp, grace: Lifetime) -> Result<Timestamp, FieldError> {
    now.after(grace).map_err(|invalid| invalid.at("grace"))
}
