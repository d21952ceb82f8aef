//! The ways in which digests are made.

use std::fmt;
use std::str::FromStr;

use super::HexDigest;
use crate::Invalid;

/// How a digest is made of a secret's UTF-8 text. Written `sha256`, `sha512`, `hmac-sha256:v3`,
/// `keypal-salted-sha256:v1`, `keypal-salted-sha512:v1`, `part-sha256`, `part-fork4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DigestScheme {
    /// HMAC-SHA-256 (RFC 2104) under one of the configured peppers.
    HmacSha256(PepperVersion),
    /// keypal's SHA-256 with one of the configured salts: see [`super::KeypalSalt`].
    KeypalSaltedSha256(PepperVersion),
    /// keypal's SHA-512 with one of the configured salts.
    KeypalSaltedSha512(PepperVersion),
    /// The hash of a token's last part, as prefixed-api-key and Laravel Sanctum store it, bound to
    /// the text before it: see [`super::Digest::of_part`].
    Part(HexDigest),
    /// The same for `@bencmbrook/prefixed-api-key` 4, which hashes the decoded bytes of the part.
    PartFork4,
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-512 (FIPS 180-4).
    Sha512,
}

/// A scheme that has versions: what is written before the version, and the scheme of a version.
type Versioned = (&'static str, fn(PepperVersion) -> DigestScheme);

impl DigestScheme {
    /// How Laravel Sanctum hashes its tokens, which are written `number|secret`.
    pub const NUMBERED: Self = Self::Part(HexDigest::Sha256);

    /// The schemes that have versions, by what is written before the version.
    const VERSIONED: [Versioned; 3] = [
        ("hmac-sha256:v", Self::HmacSha256),
        ("keypal-salted-sha256:v", Self::KeypalSaltedSha256),
        ("keypal-salted-sha512:v", Self::KeypalSaltedSha512),
    ];

    /// Bytes in its digests.
    pub(super) const fn length(self) -> usize {
        match self {
            Self::HmacSha256(_)
            | Self::KeypalSaltedSha256(_)
            | Self::Part(_)
            | Self::PartFork4
            | Self::Sha256 => 32,
            Self::KeypalSaltedSha512(_) | Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for DigestScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HmacSha256(version) => write!(f, "hmac-sha256:v{}", version.0),
            Self::KeypalSaltedSha256(version) => write!(f, "keypal-salted-sha256:v{}", version.0),
            Self::KeypalSaltedSha512(version) => write!(f, "keypal-salted-sha512:v{}", version.0),
            Self::Part(digest) => write!(f, "part-{}", digest.as_str()),
            Self::PartFork4 => f.write_str("part-fork4"),
            Self::Sha256 => f.write_str("sha256"),
            Self::Sha512 => f.write_str("sha512"),
        }
    }
}

impl FromStr for DigestScheme {
    type Err = Invalid;

    fn from_str(tag: &str) -> Result<Self, Invalid> {
        let versioned = || {
            Self::VERSIONED.iter().find_map(|(name, scheme)| {
                let version = tag.strip_prefix(name)?.parse().ok()?;
                // One way to write it: no sign, no leading zero.
                Some(scheme(PepperVersion(version))).filter(|scheme| scheme.to_string() == tag)
            })
        };
        let of_part = || tag.strip_prefix("part-")?.parse().ok().map(Self::Part);
        match tag {
            "part-fork4" => Ok(Self::PartFork4),
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => versioned()
                .or_else(of_part)
                .ok_or_else(|| Invalid::new("must be a known digest scheme")),
        }
    }
}

impl serde::Serialize for DigestScheme {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for DigestScheme {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tag = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        tag.parse().map_err(serde::de::Error::custom)
    }
}

/// Which pepper made a digest. The largest configured version mints, the others verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PepperVersion(u16);

impl PepperVersion {
    /// The version of that number.
    pub const fn new(version: u16) -> Self {
        Self(version)
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}
