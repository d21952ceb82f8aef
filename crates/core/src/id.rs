//! Names of things: keys, keyspaces, service accounts, owners, actors; and the two counters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::base58;
use crate::format::Alphabet;
use crate::text::{ascii, one_line, text};
use crate::{Digest, Entropy, Invalid, Timestamp};

text! {
    /// The identifier of a key: 1 to 64 of `A-Z a-z 0-9 . _ -`. Ours are 12 base58 characters
    /// (70 bits); imported keys keep theirs. It is not secret.
    KeyId, |text| ascii(text, KeyId::MOST_LENGTH, "A-Z, a-z, 0-9, '.', '_' and '-'", |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
    })
}

impl KeyId {
    /// Characters in an identifier that we make.
    pub const LENGTH: usize = 12;
    /// The most characters in an identifier.
    pub const MOST_LENGTH: usize = 64;

    /// Draws a new identifier.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Alphabet::base58().draw(entropy, Self::LENGTH).as_str().into())
    }

    /// The identifier of a key that is taken over without one. It is made of the key's digest, so
    /// that taking it over a second time is noticed, also after the digest was replaced.
    pub fn of_digest(digest: &Digest) -> Self {
        let hash = Sha256::new_with_prefix("keyward imported key");
        let hash = hash.chain_update(digest.scheme().to_string()).chain_update(digest.as_bytes());
        let text = base58::encode(&hash.finalize());
        Self(text.chars().take(Self::LENGTH).collect())
    }

    /// For text that a format has already checked or made: `id` holds only characters of ids.
    pub(crate) fn from_checked(id: &str) -> Self {
        Self(id.into())
    }
}

text! {
    /// The identifier of a keyspace: 1 to 64 of `a-z 0-9 -`, not beginning with `-`.
    KeyspaceId, |text| {
        ascii(text, 64, "a-z, 0-9 and '-'", |byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
        })?;
        if text.starts_with('-') {
            Err(Invalid::new("must not begin with '-'"))
        } else {
            Ok(())
        }
    }
}

impl KeyspaceId {
    /// The keyspace that is used when none is named.
    pub const DEFAULT: &str = "default";
    /// The reserved keyspace whose keys may call the management interface.
    pub const MANAGEMENT: &str = "management";

    /// The keyspace that is used when none is named.
    pub fn default_keyspace() -> Self {
        Self(compact_str::CompactString::const_new(Self::DEFAULT))
    }

    /// The reserved keyspace whose keys may call the management interface.
    pub fn management() -> Self {
        Self(compact_str::CompactString::const_new(Self::MANAGEMENT))
    }
}

text! {
    /// Whoever a key acts for, in the application's own terms: 1 to 256 characters on one line.
    OwnerId, |text| one_line(text, 256)
}

/// The identifier of a service account, which its holder presents with the client secret: a UUID
/// (RFC 9562 §4) in its form with hyphens. It is not secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(Uuid);

impl ClientId {
    /// No account has it: no text is read as this one.
    pub(crate) const NOBODY: Self = Self(Uuid::nil());

    /// Draws an identifier for an account of this instant: a UUID of version 7 (RFC 9562 §5.7).
    pub fn generate(entropy: &dyn Entropy, at: Timestamp) -> Self {
        let millis = u64::try_from(at.as_micros().div_euclid(1_000)).unwrap_or_default();
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &entropy.bytes());
        Self(uuid.into_uuid())
    }

    /// The identifier of an account that is taken over without one: a UUID of version 8 (RFC 9562 §5.8),
    /// made of the client secret's digest, so that taking it over a second time is noticed.
    pub fn of_digest(digest: &Digest) -> Self {
        let hash = Sha256::new_with_prefix("keyward imported service account");
        let hash = hash.chain_update(digest.scheme().to_string()).chain_update(digest.as_bytes());
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte = hashed);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Reads 36 characters, in any case.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let has_hyphens = text.len() == uuid::fmt::Hyphenated::LENGTH;
        let uuid = Uuid::try_parse(text).ok().filter(|uuid| has_hyphens && !uuid.is_nil());
        uuid.map(Self).ok_or_else(|| Invalid::new("must be a UUID"))
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

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({self})")
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for ClientId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ClientId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.to_string()
    }
}

text! {
    /// Whoever performs a management act: 1 to 256 characters on one line.
    ActorId, |text| one_line(text, 256)
}

/// How often a record has changed; the first is 1. Two writers cannot both make the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(u64);

impl Version {
    /// The version of a record that was just made.
    pub const FIRST: Self = Self(1);

    /// The version as stored.
    pub const fn new(version: u64) -> Self {
        Self(version)
    }

    /// The version after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of an accepted change in the store's change feed; later changes have larger ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

impl Sequence {
    /// Before every change.
    pub const START: Self = Self(0);

    /// The sequence number as stored.
    pub const fn new(sequence: u64) -> Self {
        Self(sequence)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}
