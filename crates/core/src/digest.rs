//! What is stored in place of a secret, tagged with the way it was made.

use std::fmt;
use std::hash::{self, Hash};
use std::str::FromStr;

use arrayvec::ArrayVec;
use constant_time_eq::constant_time_eq;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

use crate::Invalid;

/// How a digest is made of a secret's UTF-8 text. Written `sha256`, `sha512`, `hmac-sha256:v3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DigestScheme {
    /// HMAC-SHA-256 (RFC 2104) under one of the configured peppers.
    HmacSha256(PepperVersion),
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-512 (FIPS 180-4).
    Sha512,
}

impl DigestScheme {
    const HMAC_TAG: &str = "hmac-sha256:v";

    const fn length(self) -> usize {
        match self {
            Self::HmacSha256(_) | Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for DigestScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HmacSha256(version) => write!(f, "{}{}", Self::HMAC_TAG, version.0),
            Self::Sha256 => f.write_str("sha256"),
            Self::Sha512 => f.write_str("sha512"),
        }
    }
}

impl FromStr for DigestScheme {
    type Err = Invalid;

    fn from_str(tag: &str) -> Result<Self, Invalid> {
        match tag {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => tag
                .strip_prefix(Self::HMAC_TAG)
                .and_then(|version| version.parse().ok())
                .map(|version| Self::HmacSha256(PepperVersion(version)))
                // One way to write it: no sign, no leading zero.
                .filter(|scheme| scheme.to_string() == tag)
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

/// A stored digest: scheme and bytes.
///
/// `==` is for finding a record by its digest; to believe a secret, use [`Digest::matches`].
#[derive(Clone, PartialEq, Eq)]
pub struct Digest {
    scheme: DigestScheme,
    bytes: ArrayVec<u8, 64>,
}

impl Digest {
    /// A digest as stored; refused if its length is not that of its scheme.
    pub fn new(scheme: DigestScheme, bytes: &[u8]) -> Result<Self, Invalid> {
        let wrong_length = || Invalid::new("must have the length of its digest scheme");
        if bytes.len() != scheme.length() {
            return Err(wrong_length());
        }
        let bytes = ArrayVec::try_from(bytes).map_err(|_| wrong_length())?;
        Ok(Self { scheme, bytes })
    }

    /// How it was made.
    pub const fn scheme(&self) -> DigestScheme {
        self.scheme
    }

    /// The digest's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether both are the same digest, in time that does not depend on where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        self.scheme == other.scheme && constant_time_eq(&self.bytes, &other.bytes)
    }
}

impl Hash for Digest {
    /// The first bytes are as good as all: nobody can choose them and have the digest match.
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        if let Some(first) = self.bytes.first_chunk::<8>() {
            state.write_u64(u64::from_ne_bytes(*first));
        }
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({}, hidden)", self.scheme)
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

/// A server-side key for digests: 32 to 1,024 bytes, kept outside of the database.
#[derive(Clone)]
pub struct Pepper(Hmac<Sha256>);

/// A pepper is too short or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pepper must be 32 to 1,024 bytes long")]
pub struct InvalidPepper;

impl Pepper {
    /// Takes over a pepper of 32 to 1,024 bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, InvalidPepper> {
        let bytes = Zeroizing::new(bytes);
        if !(32..=1_024).contains(&bytes.len()) {
            return Err(InvalidPepper);
        }
        Hmac::new_from_slice(&bytes).map(Self).map_err(|_| InvalidPepper)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(hidden)")
    }
}

/// All configured peppers by version.
pub type Peppers = Vec<(PepperVersion, Pepper)>;

/// Makes digests.
#[derive(Clone)]
pub struct Hasher {
    /// Newest first.
    peppers: Peppers,
}

impl Hasher {
    /// A hasher with these peppers; with none, digests are plain hashes.
    pub fn new(mut peppers: Peppers) -> Self {
        peppers.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        Self { peppers }
    }

    /// The newest pepper's version, if there is one.
    pub fn newest_pepper(&self) -> Option<PepperVersion> {
        self.peppers.first().map(|(version, _)| *version)
    }

    /// Whether digests of this scheme can be made: its pepper is configured, or it needs none.
    pub fn knows(&self, scheme: DigestScheme) -> bool {
        match scheme {
            DigestScheme::HmacSha256(version) => self.pepper(version).is_some(),
            DigestScheme::Sha256 | DigestScheme::Sha512 => true,
        }
    }

    /// The digest of a text; absent if the scheme's pepper is not configured.
    pub fn digest(&self, scheme: DigestScheme, text: &str) -> Option<Digest> {
        match scheme {
            DigestScheme::HmacSha256(version) => {
                let mut mac = self.pepper(version)?.0.clone();
                mac.update(text.as_bytes());
                Digest::new(scheme, &mac.finalize().into_bytes()).ok()
            }
            DigestScheme::Sha256 => Digest::new(scheme, &Sha256::digest(text)).ok(),
            DigestScheme::Sha512 => Digest::new(scheme, &Sha512::digest(text)).ok(),
        }
    }

    fn pepper(&self, version: PepperVersion) -> Option<&Pepper> {
        self.peppers.iter().find(|(known, _)| *known == version).map(|(_, pepper)| pepper)
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<_> = self.peppers.iter().map(|(version, _)| version).collect();
        f.debug_struct("Hasher").field("peppers", &versions).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peppered() -> Hasher {
        let pepper = |byte| Pepper::new(vec![byte; 32]).unwrap();
        Hasher::new(vec![(PepperVersion(1), pepper(1)), (PepperVersion(2), pepper(2))])
    }

    #[test]
    fn the_newest_pepper_is_the_one_with_the_largest_version() {
        assert_eq!(peppered().newest_pepper(), Some(PepperVersion(2)));
        assert_eq!(Hasher::new(Vec::new()).newest_pepper(), None);
    }

    #[test]
    fn peppers_of_different_versions_make_different_digests() {
        let hasher = peppered();
        let first = hasher.digest(DigestScheme::HmacSha256(PepperVersion(1)), "text").unwrap();
        let second = hasher.digest(DigestScheme::HmacSha256(PepperVersion(2)), "text").unwrap();
        assert_ne!(first.as_bytes(), second.as_bytes());
        assert!(!first.matches(&second));
    }

    #[test]
    fn a_digest_under_an_unknown_pepper_is_absent() {
        assert_eq!(peppered().digest(DigestScheme::HmacSha256(PepperVersion(9)), "text"), None);
    }

    #[test]
    fn schemes_print_and_parse() {
        for scheme in [
            DigestScheme::Sha256,
            DigestScheme::Sha512,
            DigestScheme::HmacSha256(PepperVersion(17)),
        ] {
            assert_eq!(scheme.to_string().parse::<DigestScheme>().unwrap(), scheme);
        }
        assert!("md5".parse::<DigestScheme>().is_err());
        for other in ["hmac-sha256:v70000", "hmac-sha256:v+3", "hmac-sha256:v03", "hmac-sha256:v"] {
            assert!(other.parse::<DigestScheme>().is_err(), "{other}");
        }
    }

    #[test]
    fn a_digest_of_the_wrong_length_is_refused() {
        assert!(Digest::new(DigestScheme::Sha256, &[0; 64]).is_err());
        assert!(Digest::new(DigestScheme::Sha512, &[0; 32]).is_err());
    }

    #[test]
    fn nothing_secret_is_printed() {
        let digest = peppered().digest(DigestScheme::Sha256, "text").unwrap();
        assert_eq!(format!("{digest:?}"), "Digest(sha256, hidden)");
        assert_eq!(format!("{:?}", Pepper::new(vec![7; 32]).unwrap()), "Pepper(hidden)");
    }

    #[test]
    fn short_peppers_are_refused() {
        assert_eq!(Pepper::new(vec![0; 31]).unwrap_err(), InvalidPepper);
    }
}
