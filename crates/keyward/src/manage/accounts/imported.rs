//! A service account that was made elsewhere: of its client secret or a hash of that; and the record that
//! it becomes here.

use keyward_core::{
    ActorId, ClientId, Deletion, Digest, DigestScheme, FieldError, ForeignHash, Invalid,
    MAX_SECRET_LENGTH, NewServiceAccount, PreviousSecret, Secret, ServiceAccount, StoredDigests,
    Timestamp, Version,
};

use crate::{Error, Keyward};

/// The fewest characters of a client secret: as many as 128 bits take in base64.
const LEAST_SECRET_LENGTH: usize = 22;

/// A service account that was made elsewhere.
#[derive(Clone, Debug)]
pub struct ImportedAccount {
    /// The account as it shall be here.
    pub account: NewServiceAccount,
    /// Its id there, which is the client id, if it shall stay the same.
    pub id: Option<ClientId>,
    /// The id that it gets if it has none: made of its digest, so that taking it over a second time is
    /// noticed.
    pub fallback_id: ClientId,
    /// Whether it is to be the owner's primary one.
    pub is_primary: bool,
    /// What proves its client secret.
    pub secret: Digest,
    /// Further digests of the same client secret, if they are known, to tell it by.
    pub other_digests: Vec<Digest>,
    /// What had become of it there.
    pub past: AccountPast,
}

/// What had become of a service account before it was taken over.
#[derive(Clone, Debug, Default)]
pub struct AccountPast {
    /// When it was created; absent: now.
    pub created_at: Option<Timestamp>,
    /// Who created it; absent: whoever takes it over.
    pub created_by: Option<ActorId>,
    /// When it was last changed; absent: when it was created.
    pub updated_at: Option<Timestamp>,
    /// Who changed it last; absent: who created it.
    pub updated_by: Option<ActorId>,
    /// That it was deleted, and can be restored.
    pub deletion: Option<Deletion>,
    /// The client secret before its last rotation.
    pub previous: Option<PreviousSecret>,
    /// When it got its present client secret.
    pub rotated_at: Option<Timestamp>,
    /// How often its record had changed; absent: it is the first version.
    pub version: Option<Version>,
}

impl ImportedAccount {
    /// An account with this digest of its client secret, of which nothing else is known.
    pub fn new(account: NewServiceAccount, secret: Digest) -> Self {
        let fallback_id = ClientId::of_digest(&secret);
        let (other_digests, past) = (Vec::new(), AccountPast::default());
        Self { account, id: None, fallback_id, is_primary: false, secret, other_digests, past }
    }

    /// The record that it becomes here.
    pub(super) fn record(&self, by: &ActorId, now: Timestamp) -> ServiceAccount {
        let past = &self.past;
        let id = self.id.unwrap_or(self.fallback_id);
        let created_at = past.created_at.map_or(now, |at| at.min(now));
        let created_by = past.created_by.as_ref().unwrap_or(by);
        let secret =
            StoredDigests { current: self.secret.clone(), previous: past.previous.clone() };
        let created = ServiceAccount::create(
            self.account.clone(),
            id,
            self.secret.clone(),
            created_by.clone(),
            created_at,
        );
        ServiceAccount {
            secret,
            version: past.version.unwrap_or(Version::FIRST),
            deletion: past.deletion.clone(),
            updated_at: past.updated_at.map_or(created_at, |at| at.min(now)),
            updated_by: past.updated_by.as_ref().unwrap_or(created_by).clone(),
            rotated_at: past.rotated_at.map(|at| at.min(now)),
            ..created.with_rank(self.is_primary)
        }
    }

    /// Whether an account that is there is this one, whatever was changed of it.
    pub(super) fn is(&self, found: &ServiceAccount) -> bool {
        let previous = found.secret.previous.as_ref().map(|previous| &previous.digest);
        let mut theirs = previous.into_iter().chain([&found.secret.current]);
        let is_ours =
            |digest: &Digest| *digest == self.secret || self.other_digests.contains(digest);
        found.owner == self.account.owner && theirs.any(is_ours)
    }
}

impl Keyward {
    /// An account to take over of which the client secret itself is known: 22 to 512 characters of ASCII
    /// without spaces.
    pub fn of_client_secret(
        &self,
        account: NewServiceAccount,
        secret: &Secret,
    ) -> Result<ImportedAccount, Error> {
        let (hasher, text) = (&self.inner.hasher, secret.expose());
        let is_long_enough = (LEAST_SECRET_LENGTH..=MAX_SECRET_LENGTH).contains(&text.len());
        if !is_long_enough || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let rule = "must be 22 to 512 characters of ASCII without spaces";
            return Err(Invalid::new(rule).at("client_secret").into());
        }
        let digest = |scheme| hasher.digest(scheme, text).ok_or(Error::Signing);
        // Without the pepper, which may be another one when it is taken over again.
        let fallback_id = ClientId::of_digest(&digest(DigestScheme::Sha256)?);
        let other_digests = hasher.own_schemes().map(digest).collect::<Result<_, _>>()?;
        let imported = ImportedAccount::new(account, digest(hasher.newest_scheme())?);
        Ok(ImportedAccount { fallback_id, other_digests, ..imported })
    }

    /// The digest to store in place of a hash of a client secret that is stored elsewhere: of the schemes
    /// of [`ForeignHash`], those of a whole text.
    pub fn client_secret_digest(
        &self,
        (scheme, value): (&str, &str),
    ) -> Result<Digest, FieldError> {
        let hash = ForeignHash::parse(scheme, &self.inner.hasher);
        hash.map_err(|invalid| invalid.at("hash"))?.digest_of_text(value)
    }
}
