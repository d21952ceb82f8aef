//! Prefixed keys as other libraries write them: `prefix_id_secret` with a hash of the secret.
//!
//! For keys that somebody else has issued, and for whoever wants to issue such keys: [`Profile`] says
//! which dialect and which lengths, and does the rest. All of it is total: whatever the text, there is
//! an answer or a [`TokenFault`], after bounded work.

mod generate;
mod hash;

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

pub use generate::Generated;
pub(crate) use hash::from_base58;
use serde::{Deserialize, Serialize};

use crate::base58;
use crate::format::{PrefixedParts, is_foreign_prefix};
use crate::{Alphabet, HexDigest, Invalid, MAX_SECRET_LENGTH, Malformed};

/// Who writes prefixed keys so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `@bencmbrook/prefixed-api-key` 2 and 3: 8 and 16 characters, hexadecimal SHA-256 of the secret.
    Fork3,
    /// `@bencmbrook/prefixed-api-key` 4: 8 and 16 bytes, base58 SHA-256 of the secret's bytes.
    Fork4,
    /// Keyward's own: 12 and 32 characters, a checksum, a digest of the whole text.
    Keyward,
    /// The Rust crate `prefixed-api-key`: 8 and 24 bytes, a hexadecimal digest of choice.
    Rust,
    /// `prefixed-api-key` of npm: 8 and 24 characters, hexadecimal SHA-256 of the secret.
    Seam,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 5] = [Self::Fork3, Self::Fork4, Self::Keyward, Self::Rust, Self::Seam];

    /// The dialect's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fork3 => "fork3",
            Self::Fork4 => "fork4",
            Self::Keyward => "keyward",
            Self::Rust => "rust",
            Self::Seam => "seam",
        }
    }

    /// What ids and secrets are measured in, and how long they are by default.
    const fn lengths(self) -> (Length, Length) {
        match self {
            Self::Fork3 => (Length::Characters(8), Length::Characters(16)),
            Self::Fork4 => (Length::Bytes(8), Length::Bytes(16)),
            Self::Keyward => {
                (Length::Characters(12), Length::Characters(Profile::OWN_SECRET_LENGTH))
            }
            Self::Rust => (Length::Bytes(8), Length::Bytes(24)),
            Self::Seam => (Length::Characters(8), Length::Characters(24)),
        }
    }
}

impl FromStr for Dialect {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|dialect| dialect.as_str() == name);
        known.ok_or_else(|| Invalid::new("must be keyward, seam, fork3, fork4 or rust"))
    }
}

/// How long a part is: written out, or before base58 makes characters of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Length {
    Bytes(usize),
    Characters(usize),
}

impl Length {
    const MOST: usize = 128;

    /// The same unit with another number.
    fn with(self, length: usize) -> Result<Self, Invalid> {
        if !(1..=Self::MOST).contains(&length) {
            return Err(Invalid::new("must be 1 to 128"));
        }
        Ok(match self {
            Self::Bytes(_) => Self::Bytes(length),
            Self::Characters(_) => Self::Characters(length),
        })
    }

    /// The number, whatever it counts.
    const fn number(self) -> usize {
        let (Self::Bytes(number) | Self::Characters(number)) = self;
        number
    }

    /// How many characters of base58 it comes to: a byte takes up to 1.366 of them, and one if it is
    /// a leading zero.
    fn characters(self) -> RangeInclusive<usize> {
        match self {
            Self::Bytes(bytes) => bytes..=(bytes * 1_366).div_ceil(1_000),
            Self::Characters(characters) => characters..=characters,
        }
    }

    /// Whether a base58 text has this length.
    fn fits(self, text: &str) -> bool {
        match self {
            Self::Bytes(bytes) => base58::has_length(text, bytes),
            Self::Characters(characters) => text.len() == characters,
        }
    }
}

/// A dialect with its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    dialect: Dialect,
    digest: HexDigest,
    id: Length,
    secret: Length,
    short_prefix: String,
}

/// A token taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Components<'t> {
    /// What names the issuer.
    pub prefix: &'t str,
    /// What names the key. It is not secret.
    pub id: &'t str,
    /// What proves that one holds the key.
    pub secret: &'t str,
}

impl fmt::Debug for Components<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, id, .. } = self;
        f.debug_struct("Components").field("prefix", prefix).field("id", id).finish_non_exhaustive()
    }
}

/// What is known of a token besides its hash, which in the other dialects covers the secret alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The prefix under which it was issued.
    pub prefix: Option<&'a str>,
    /// The id under which its hash is stored.
    pub id: Option<&'a str>,
}

/// Why a text is not the token that it was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// The id or the secret holds a character that base58 does not use.
    #[error("the id or the secret holds a character outside of base58")]
    Alphabet,
    /// The checksum is not that of the text before it.
    #[error("the checksum is wrong")]
    Checksum,
    /// The secret is another one than was hashed.
    #[error("the hash is that of another token")]
    Hash,
    /// The id has another length, or not the short prefix.
    #[error("the id has not the form of this profile")]
    Id,
    /// The id is another one.
    #[error("the id is another one")]
    OtherId,
    /// The prefix is another one.
    #[error("the prefix is another one")]
    OtherPrefix,
    /// The prefix is empty or holds something else than letters, digits and hyphens, in groups joined
    /// by single underscores.
    #[error("the prefix has not the form of a prefix")]
    Prefix,
    /// The secret has another length.
    #[error("the secret has not the length of this profile")]
    Secret,
    /// There are not three parts.
    #[error("the text has not the form prefix_id_secret")]
    Shape,
    /// The stored hash cannot be one of this profile.
    #[error("the stored hash has not the form of this profile's hashes")]
    StoredHash,
    /// The text is longer than any token.
    #[error("the text is too long")]
    TooLong,
}

impl Profile {
    /// Characters in the secret part of one of ours, the checksum included.
    const OWN_SECRET_LENGTH: usize = 38;

    /// A dialect with its own default lengths.
    pub const fn new(dialect: Dialect) -> Self {
        let (id, secret) = dialect.lengths();
        Self { dialect, digest: HexDigest::Sha256, id, secret, short_prefix: String::new() }
    }

    /// Another length of ids, in the dialect's unit: characters, or bytes in `fork4` and `rust`.
    pub fn with_id_length(self, length: usize) -> Result<Self, Invalid> {
        Ok(Self { id: self.foreign()?.id.with(length)?, ..self })
    }

    /// Another length of secrets, in the dialect's unit.
    pub fn with_secret_length(self, length: usize) -> Result<Self, Invalid> {
        Ok(Self { secret: self.foreign()?.secret.with(length)?, ..self })
    }

    /// What ids begin with, in `seam` and `rust`. The id is cut to 8 characters, or to `id_length`,
    /// with it.
    pub fn with_short_prefix(self, short_prefix: &str) -> Result<Self, Invalid> {
        let is_plain = short_prefix.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match self.dialect {
            Dialect::Rust | Dialect::Seam if is_plain && short_prefix.len() < self.id.number() => {
                Ok(Self { short_prefix: short_prefix.to_owned(), ..self })
            }
            Dialect::Rust | Dialect::Seam => {
                Err(Invalid::new("must be letters and digits, fewer than the id is long"))
            }
            _ => Err(Invalid::new("is for the profiles seam and rust")),
        }
    }

    /// The digest of the Rust crate; the other dialects have one.
    pub fn with_digest(self, digest: HexDigest) -> Result<Self, Invalid> {
        if self.dialect == Dialect::Rust || digest == HexDigest::Sha256 {
            Ok(Self { digest, ..self })
        } else {
            Err(Invalid::new("must be sha256 in every profile but rust"))
        }
    }

    /// Who writes so.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The digest that is stored, where the dialect leaves the choice.
    pub const fn digest(&self) -> HexDigest {
        self.digest
    }

    /// What ids begin with.
    pub fn short_prefix(&self) -> &str {
        &self.short_prefix
    }

    /// How long ids are, in the dialect's unit.
    pub const fn id_length(&self) -> usize {
        self.id.number()
    }

    /// How long secrets are, in the dialect's unit.
    pub const fn secret_length(&self) -> usize {
        self.secret.number()
    }

    /// How many characters ids have.
    pub fn id_lengths(&self) -> RangeInclusive<usize> {
        if self.short_prefix.is_empty() {
            self.id.characters()
        } else {
            self.id.number()..=self.id.number()
        }
    }

    /// How many characters secrets have.
    pub fn secret_lengths(&self) -> RangeInclusive<usize> {
        self.secret.characters()
    }

    /// Takes a token apart, from the right: only the prefix may hold underscores.
    pub fn components<'t>(&self, text: &'t str) -> Result<Components<'t>, TokenFault> {
        if text.len() > MAX_SECRET_LENGTH {
            return Err(TokenFault::TooLong);
        }
        if self.dialect == Dialect::Keyward
            && let Some(parts) = PrefixedParts::split(text)
            && is_foreign_prefix(parts.prefix)
        {
            let parts = parts.check(text).map_err(|malformed| match malformed {
                Malformed::Checksum => TokenFault::Checksum,
                _ => TokenFault::Alphabet,
            })?;
            let secret = text.get(text.len() - Self::OWN_SECRET_LENGTH..).unwrap_or_default();
            return Ok(Components { prefix: parts.prefix, id: parts.id, secret });
        }
        let mut parts = text.rsplitn(3, '_');
        let (Some(secret), Some(id), Some(prefix)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenFault::Shape);
        };
        if !is_foreign_prefix(prefix) {
            return Err(TokenFault::Prefix);
        }
        self.check_id(id)?;
        if !Alphabet::base58().covers(secret) {
            return Err(TokenFault::Alphabet);
        }
        if !self.secret.fits(secret) {
            return Err(TokenFault::Secret);
        }
        // One of ours would have been split above.
        if self.dialect == Dialect::Keyward {
            return Err(TokenFault::Shape);
        }
        Ok(Components { prefix, id, secret })
    }

    /// Whether a text is the token whose hash is stored: its parts, if it is.
    pub fn check<'t>(
        &self,
        text: &'t str,
        stored_hash: &str,
        expected: &Expected<'_>,
    ) -> Result<Components<'t>, TokenFault> {
        let stored = self.stored_hash(stored_hash).ok_or(TokenFault::StoredHash)?;
        let components = self.components(text)?;
        if expected.prefix.is_some_and(|prefix| prefix != components.prefix) {
            return Err(TokenFault::OtherPrefix);
        }
        if expected.id.is_some_and(|id| id != components.id) {
            return Err(TokenFault::OtherId);
        }
        let hash = self.hash_bytes(text, &components)?;
        if constant_time_eq::constant_time_eq(&hash, &stored) {
            Ok(components)
        } else {
            Err(TokenFault::Hash)
        }
    }

    pub(crate) fn check_id(&self, id: &str) -> Result<(), TokenFault> {
        let rest = id.strip_prefix(self.short_prefix.as_str()).ok_or(TokenFault::Id)?;
        if !Alphabet::base58().covers(rest) {
            return Err(TokenFault::Alphabet);
        }
        let fits = if self.short_prefix.is_empty() {
            self.id.fits(id)
        } else {
            id.len() == self.id.number()
        };
        if fits { Ok(()) } else { Err(TokenFault::Id) }
    }

    /// The profile, if its lengths may be chosen.
    fn foreign(&self) -> Result<&Self, Invalid> {
        if self.dialect == Dialect::Keyward {
            Err(Invalid::new("is fixed in the profile keyward"))
        } else {
            Ok(self)
        }
    }
}

#[cfg(test)]
mod tests;
