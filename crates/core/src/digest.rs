//! What is stored in place of a secret, tagged with the way it was made.

mod keypal;

use std::fmt;
use std::hash::{self, Hash};
use std::str::FromStr;

use arrayvec::ArrayVec;
use constant_time_eq::constant_time_eq;
use hmac::{Hmac, KeyInit, Mac};
pub use keypal::{InvalidSalt, KeypalSalt};
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

use crate::Invalid;

/// How a digest is made of a secret's UTF-8 text. Written `sha256`, `sha512`, `hmac-sha256:v3`,
/// `keypal-salted-sha256:v1`, `keypal-salted-sha512:v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DigestScheme {
    /// HMAC-SHA-256 (RFC 2104) under one of the configured peppers.
    HmacSha256(PepperVersion),
    /// keypal's SHA-256 with one of the configured salts: see [`KeypalSalt`].
    KeypalSaltedSha256(PepperVersion),
    /// keypal's SHA-512 with one of the configured salts.
    KeypalSaltedSha512(PepperVersion),
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-512 (FIPS 180-4).
    Sha512,
}

/// A scheme that has versions: what is written before the version, and the scheme of a version.
type Versioned = (&'static str, fn(PepperVersion) -> DigestScheme);

impl DigestScheme {
    /// The schemes that have versions, by what is written before the version.
    const VERSIONED: [Versioned; 3] = [
        ("hmac-sha256:v", Self::HmacSha256),
        ("keypal-salted-sha256:v", Self::KeypalSaltedSha256),
        ("keypal-salted-sha512:v", Self::KeypalSaltedSha512),
    ];

    const fn length(self) -> usize {
        match self {
            Self::HmacSha256(_) | Self::KeypalSaltedSha256(_) | Self::Sha256 => 32,
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
        match tag {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => versioned().ok_or_else(|| Invalid::new("must be a known digest scheme")),
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

    /// Reads a digest that is written as its scheme, a colon, and hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let unreadable = || Invalid::new("must be a scheme, a colon and hexadecimal digits");
        let (scheme, hex) = text.rsplit_once(':').ok_or_else(unreadable)?;
        let half =
            |byte: u8| char::from(byte).to_digit(16).and_then(|half| u8::try_from(half).ok());
        let mut bytes = ArrayVec::<u8, 64>::new();
        for pair in hex.as_bytes().chunks(2) {
            let [high, low] = pair else { return Err(unreadable()) };
            let byte = half(*high).zip(half(*low)).map(|(high, low)| high << 4 | low);
            bytes.try_push(byte.ok_or_else(unreadable)?).map_err(|_| unreadable())?;
        }
        Self::new(scheme.parse()?, &bytes)
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

    /// The HMAC-SHA-256 of some bytes, part after part.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.over(parts).finalize().into_bytes().into()
    }

    /// Whether this is their HMAC, in time that does not depend on where it differs.
    pub fn is_mac(&self, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.over(parts).verify_slice(mac).is_ok()
    }

    fn over(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(hidden)")
    }
}

/// All configured peppers by version.
pub type Peppers = Vec<(PepperVersion, Pepper)>;

/// All configured salts of keypal by version.
pub type KeypalSalts = Vec<(PepperVersion, KeypalSalt)>;

/// Makes digests.
#[derive(Clone)]
pub struct Hasher {
    /// Newest first.
    peppers: Peppers,
    keypal_salts: KeypalSalts,
}

impl Hasher {
    /// A hasher with these peppers; with none, digests are plain hashes.
    pub fn new(mut peppers: Peppers) -> Self {
        peppers.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        Self { peppers, keypal_salts: Vec::new() }
    }

    /// The same, able to verify what keypal hashed with these salts.
    #[must_use]
    pub fn with_keypal_salts(self, keypal_salts: KeypalSalts) -> Self {
        Self { keypal_salts, ..self }
    }

    /// The newest pepper's version, if there is one.
    pub fn newest_pepper(&self) -> Option<PepperVersion> {
        self.peppers.first().map(|(version, _)| *version)
    }

    /// The newest of keypal's salts, if there is one.
    pub fn newest_keypal_salt(&self) -> Option<PepperVersion> {
        self.keypal_salts.iter().map(|(version, _)| *version).max()
    }

    /// Whether digests of this scheme can be made: its pepper or salt is configured, or it needs none.
    pub fn knows(&self, scheme: DigestScheme) -> bool {
        match scheme {
            DigestScheme::HmacSha256(version) => self.pepper(version).is_some(),
            DigestScheme::KeypalSaltedSha256(version)
            | DigestScheme::KeypalSaltedSha512(version) => self.keypal_salt(version).is_some(),
            DigestScheme::Sha256 | DigestScheme::Sha512 => true,
        }
    }

    /// The digest of a text; absent if the scheme's pepper or salt is not configured.
    pub fn digest(&self, scheme: DigestScheme, text: &str) -> Option<Digest> {
        match scheme {
            DigestScheme::HmacSha256(version) => {
                let mut mac = self.pepper(version)?.0.clone();
                mac.update(text.as_bytes());
                Digest::new(scheme, &mac.finalize().into_bytes()).ok()
            }
            DigestScheme::KeypalSaltedSha256(version) => {
                let hash = Sha256::new_with_prefix(text);
                let hash = hash.chain_update(self.keypal_salt(version)?.suffix());
                Digest::new(scheme, &hash.finalize()).ok()
            }
            DigestScheme::KeypalSaltedSha512(version) => {
                let hash = Sha512::new_with_prefix(text);
                let hash = hash.chain_update(self.keypal_salt(version)?.suffix());
                Digest::new(scheme, &hash.finalize()).ok()
            }
            DigestScheme::Sha256 => Digest::new(scheme, &Sha256::digest(text)).ok(),
            DigestScheme::Sha512 => Digest::new(scheme, &Sha512::digest(text)).ok(),
        }
    }

    fn keypal_salt(&self, version: PepperVersion) -> Option<&KeypalSalt> {
        self.keypal_salts.iter().find(|(known, _)| *known == version).map(|(_, salt)| salt)
    }

    fn pepper(&self, version: PepperVersion) -> Option<&Pepper> {
        self.peppers.iter().find(|(known, _)| *known == version).map(|(_, pepper)| pepper)
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peppers: Vec<_> = self.peppers.iter().map(|(version, _)| version).collect();
        let salts: Vec<_> = self.keypal_salts.iter().map(|(version, _)| version).collect();
        f.debug_struct("Hasher").field("peppers", &peppers).field("keypal_salts", &salts).finish()
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
            DigestScheme::KeypalSaltedSha256(PepperVersion(1)),
            DigestScheme::KeypalSaltedSha512(PepperVersion(0)),
        ] {
            assert_eq!(scheme.to_string().parse::<DigestScheme>().unwrap(), scheme);
        }
        assert!("md5".parse::<DigestScheme>().is_err());
        for other in ["hmac-sha256:v70000", "hmac-sha256:v+3", "hmac-sha256:v03", "hmac-sha256:v"] {
            assert!(other.parse::<DigestScheme>().is_err(), "{other}");
        }
    }

    /// The expected values were computed by another program, from what keypal is known to do.
    #[test]
    fn salted_hashes_are_those_of_keypal() {
        let salt = KeypalSalt::new(b"pepper & salt".to_vec()).unwrap();
        let hasher = Hasher::new(Vec::new()).with_keypal_salts(vec![(PepperVersion(1), salt)]);
        let key = "sk_abcdefghijklmnopqrstuvwxyz012345";
        let hex = |scheme| {
            let digest = hasher.digest(scheme, key).unwrap();
            let halves = digest.as_bytes().iter().flat_map(|byte| [byte >> 4, byte & 15]);
            halves.map(|half| char::from_digit(u32::from(half), 16).unwrap()).collect::<String>()
        };
        assert_eq!(
            hex(DigestScheme::KeypalSaltedSha256(PepperVersion(1))),
            "c084fd5aaf659bd504a731df2fc2a7b9fcea28bda1f4d6fd2f7e8709b0a1a8ed",
        );
        assert_eq!(
            hex(DigestScheme::KeypalSaltedSha512(PepperVersion(1))),
            "254e1fcab7dd2211927a4ffe2bd03f8b39c70ba552e16f9c766c65c9abac3051\
             5fbd16ca2fe0f593452c0b466c47c61fdaca1cf1b6d83bd926f68440d0618824",
        );
        assert!(!hasher.knows(DigestScheme::KeypalSaltedSha256(PepperVersion(2))));
        assert!(KeypalSalt::new(Vec::new()).is_err() && KeypalSalt::new(vec![0; 1_025]).is_err());
    }

    #[test]
    fn a_digest_of_the_wrong_length_is_refused() {
        assert!(Digest::new(DigestScheme::Sha256, &[0; 64]).is_err());
        assert!(Digest::new(DigestScheme::Sha512, &[0; 32]).is_err());
    }

    #[test]
    fn nothing_secret_is_printed() {
        let salt = KeypalSalt::new(b"pepper & salt".to_vec()).unwrap();
        let printed = format!("{salt:?}");
        let suffix = String::from_utf8(salt.suffix().to_vec()).unwrap();
        assert!(!printed.contains("pepper & salt") && !printed.contains(&suffix), "{printed}");
        let digest = peppered().digest(DigestScheme::Sha256, "text").unwrap();
        assert_eq!(format!("{digest:?}"), "Digest(sha256, hidden)");
        assert_eq!(format!("{:?}", Pepper::new(vec![7; 32]).unwrap()), "Pepper(hidden)");
    }

    #[test]
    fn short_peppers_are_refused() {
        assert_eq!(Pepper::new(vec![0; 31]).unwrap_err(), InvalidPepper);
    }
}
