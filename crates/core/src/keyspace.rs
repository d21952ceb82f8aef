//! Keyspaces: the policies under which keys are issued.

mod table;

use serde::{Deserialize, Serialize};
pub use table::KeyspaceTable;

use crate::{
    Description, DigestScheme, Expiry, FieldError, Format, FormatKind, Hasher, Invalid, KeyspaceId,
    Lifetime, RateLimit, Timestamp, Token, Version,
};

/// A named policy under which keys are issued. Its format never changes; the rest may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyspace {
    /// The keyspace's name.
    pub id: KeyspaceId,
    /// How often the keyspace has changed.
    pub version: Version,
    /// A note for people.
    pub description: Option<Description>,
    /// How its secrets are written.
    #[serde(flatten)]
    pub format: Format,
    /// The hash for digests where no pepper is configured.
    pub algorithm: HashAlgorithm,
    /// The digest schemes of its keys, the one that mints first.
    pub schemes: Vec<DigestScheme>,
    /// The lifetime of a key that is issued without one; absent: the maximum, or for ever.
    pub default_lifetime: Option<Lifetime>,
    /// No key may live longer than this.
    pub maximum_lifetime: Option<Lifetime>,
    /// How often each of its keys may be used, on each node.
    pub rate_limit: Option<RateLimit>,
    /// Which service account a key belongs to that is issued without one.
    #[serde(default, skip_serializing_if = "AccountRule::is_default")]
    pub service_account: AccountRule,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Which service account a key belongs to that is issued without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountRule {
    /// To none.
    #[default]
    Optional,
    /// To the primary account of its owner, which is created with the owner's first key.
    Primary,
}

impl AccountRule {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The rule's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Primary => "primary",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        match name {
            "optional" => Ok(Self::Optional),
            "primary" => Ok(Self::Primary),
            _ => Err(Invalid::new("must be optional or primary")),
        }
    }
}

/// A hash for digests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// The hash's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        match name {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(Invalid::new("must be sha256 or sha512")),
        }
    }
}

/// A keyspace to create.
#[derive(Clone, Debug)]
pub struct NewKeyspace {
    /// The keyspace's name.
    pub id: KeyspaceId,
    /// A note for people.
    pub description: Option<Description>,
    /// How its secrets are written.
    pub format: Format,
    /// The hash for digests where no pepper is configured.
    pub algorithm: HashAlgorithm,
    /// The lifetime of a key that is issued without one.
    pub default_lifetime: Option<Lifetime>,
    /// No key may live longer than this.
    pub maximum_lifetime: Option<Lifetime>,
    /// How often each of its keys may be used.
    pub rate_limit: Option<RateLimit>,
    /// Which service account a key belongs to that is issued without one.
    pub service_account: AccountRule,
}

impl NewKeyspace {
    /// A keyspace of that name and format without limits.
    pub const fn new(id: KeyspaceId, format: Format) -> Self {
        Self {
            id,
            description: None,
            format,
            algorithm: HashAlgorithm::Sha256,
            default_lifetime: None,
            maximum_lifetime: None,
            rate_limit: None,
            service_account: AccountRule::Optional,
        }
    }
}

/// Changes to a keyspace: what is absent stays as it is. They concern keys issued from now on, the
/// rate limit excepted, which holds for all.
#[derive(Clone, Debug, Default)]
pub struct KeyspaceChanges {
    /// The version that the caller saw; any other is a conflict. Absent: whichever there is.
    pub version: Option<Version>,
    /// A new note, or none.
    pub description: Option<Option<Description>>,
    /// A new hash.
    pub algorithm: Option<HashAlgorithm>,
    /// A new default lifetime, or none.
    pub default_lifetime: Option<Option<Lifetime>>,
    /// A new maximum lifetime, or none.
    pub maximum_lifetime: Option<Option<Lifetime>>,
    /// A new rate limit, or none.
    pub rate_limit: Option<Option<RateLimit>>,
    /// A new rule about service accounts.
    pub service_account: Option<AccountRule>,
}

impl KeyspaceChanges {
    /// The names of the fields that are changed.
    pub fn fields(&self) -> Vec<&'static str> {
        let fields = [
            ("description", self.description.is_some()),
            ("algorithm", self.algorithm.is_some()),
            ("default_lifetime", self.default_lifetime.is_some()),
            ("maximum_lifetime", self.maximum_lifetime.is_some()),
            ("rate_limit", self.rate_limit.is_some()),
            ("service_account", self.service_account.is_some()),
        ];
        fields.into_iter().filter_map(|(name, is_changed)| is_changed.then_some(name)).collect()
    }
}

impl Keyspace {
    /// The first version of a new keyspace.
    pub fn create(new: NewKeyspace, hasher: &Hasher, now: Timestamp) -> Result<Self, FieldError> {
        check_lifetimes(new.default_lifetime, new.maximum_lifetime)?;
        let keyspace = Self {
            id: new.id,
            version: Version::FIRST,
            description: new.description,
            format: new.format,
            algorithm: new.algorithm,
            schemes: Vec::new(),
            default_lifetime: new.default_lifetime,
            maximum_lifetime: new.maximum_lifetime,
            rate_limit: new.rate_limit,
            service_account: new.service_account,
            created_at: now,
            updated_at: now,
        };
        let has_digests = keyspace.format.kind() != FormatKind::Signed;
        let schemes = has_digests.then(|| keyspace.minting_scheme(hasher));
        Ok(Self { schemes: schemes.into_iter().collect(), ..keyspace })
    }

    /// The next version with changes made, or nothing if `changes` names another version.
    pub fn update(
        self,
        changes: KeyspaceChanges,
        now: Timestamp,
    ) -> Result<Option<Self>, FieldError> {
        if changes.version.is_some_and(|version| version != self.version) {
            return Ok(None);
        }
        if changes.algorithm.is_some() && self.format.kind() == FormatKind::Signed {
            let rule = "must not change: it is part of this format";
            return Err(Invalid::new(rule).at("algorithm"));
        }
        let default_lifetime = changes.default_lifetime.unwrap_or(self.default_lifetime);
        let maximum_lifetime = changes.maximum_lifetime.unwrap_or(self.maximum_lifetime);
        check_lifetimes(default_lifetime, maximum_lifetime)?;
        Ok(Some(Self {
            version: self.version.next(),
            description: changes.description.unwrap_or(self.description),
            algorithm: changes.algorithm.unwrap_or(self.algorithm),
            default_lifetime,
            maximum_lifetime,
            rate_limit: changes.rate_limit.unwrap_or(self.rate_limit),
            service_account: changes.service_account.unwrap_or(self.service_account),
            updated_at: now,
            ..self
        }))
    }

    /// The scheme for new digests: HMAC under the newest pepper, or else the keyspace's hash.
    pub fn minting_scheme(&self, hasher: &Hasher) -> DigestScheme {
        match (hasher.newest_scheme(), self.algorithm) {
            (DigestScheme::Sha256, HashAlgorithm::Sha512) => DigestScheme::Sha512,
            (newest, _) => newest,
        }
    }

    /// The next version with `scheme` in front of its schemes, or nothing if it stands there
    /// already. Refused when there would be more schemes than are tried for a presented secret.
    pub fn with_scheme(&self, scheme: DigestScheme) -> Result<Option<Self>, Invalid> {
        if self.schemes.first() == Some(&scheme) {
            return Ok(None);
        }
        let others = self.schemes.iter().copied().filter(|&other| other != scheme);
        let schemes: Vec<_> = std::iter::once(scheme).chain(others).collect();
        if schemes.len() > Token::MOST_SCHEMES {
            return Err(Invalid::new("must not have keys of more than 8 digest schemes"));
        }
        Ok(Some(Self { version: self.version.next(), schemes, ..self.clone() }))
    }

    /// The next version with `scheme` behind its schemes, or nothing if it is among them: its keys
    /// are verified, and new ones are not made with it.
    pub fn verifying(&self, scheme: DigestScheme) -> Result<Option<Self>, Invalid> {
        // Where keys are found by their ids, only peppers and salts need to be known: they must not be
        // missing at a start.
        let is_plain = matches!(scheme, DigestScheme::Part(_) | DigestScheme::PartFork4);
        let is_of_no_account = is_plain && self.format.kind() == FormatKind::Prefixed;
        if is_of_no_account || self.schemes.contains(&scheme) {
            return Ok(None);
        }
        if self.schemes.len() >= Token::MOST_SCHEMES {
            return Err(Invalid::new("must not have keys of more than 8 digest schemes"));
        }
        let schemes = self.schemes.iter().copied().chain([scheme]).collect();
        Ok(Some(Self { version: self.version.next(), schemes, ..self.clone() }))
    }

    /// When a key expires for which `asked` was asked `now`, its lifetime counted from `since`.
    pub fn expiry(
        &self,
        asked: Expiry,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, FieldError> {
        let latest = after(since, self.maximum_lifetime, "expires_at")?;
        let (field, expires_at) = match asked {
            Expiry::At(at) => ("expires_at", Some(at)),
            Expiry::Default => {
                let lifetime = self.default_lifetime.or(self.maximum_lifetime);
                // Whoever leaves it to the keyspace gets what is left of the maximum, not a refusal.
                let by_default = after(now, lifetime, "expires_at")?;
                ("expires_at", by_default.map(|at| latest.map_or(at, |latest| at.min(latest))))
            }
            Expiry::In(lifetime) => ("expires_in", after(now, Some(lifetime), "expires_in")?),
            Expiry::Never => ("expires_at", None),
        };
        if expires_at.is_some_and(|at| at.has_come(now)) {
            return Err(Invalid::new("must be in the future").at(field));
        }
        match (expires_at, latest) {
            (None, Some(_)) => {
                Err(Invalid::new("must be given: the keyspace has a maximum lifetime").at(field))
            }
            (Some(asked), Some(latest)) if asked > latest => {
                Err(Invalid::new("must not exceed the keyspace's maximum lifetime").at(field))
            }
            _ => Ok(expires_at),
        }
    }
}

fn after(
    start: Timestamp,
    lifetime: Option<Lifetime>,
    field: &'static str,
) -> Result<Option<Timestamp>, FieldError> {
    let end = lifetime.map(|lifetime| start.after(lifetime)).transpose();
    end.map_err(|invalid| invalid.at(field))
}

fn check_lifetimes(
    default_lifetime: Option<Lifetime>,
    maximum_lifetime: Option<Lifetime>,
) -> Result<(), FieldError> {
    match (default_lifetime, maximum_lifetime) {
        (Some(default), Some(maximum)) if default > maximum => {
            Err(Invalid::new("must not exceed the maximum lifetime").at("default_lifetime"))
        }
        _ => Ok(()),
    }
}
