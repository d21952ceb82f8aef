//! Making digests, with the peppers and salts that are configured.

use std::fmt;
use std::hint::black_box;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

use super::{Digest, DigestScheme, KeypalSalt, PepperVersion, part};

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

    /// The scheme for digests that no keyspace has a say in: HMAC under the newest pepper, or else
    /// SHA-256.
    pub fn newest_scheme(&self) -> DigestScheme {
        self.newest_pepper().map_or(DigestScheme::Sha256, DigestScheme::HmacSha256)
    }

    /// The schemes in which new digests are or were made here, the newest first.
    pub fn own_schemes(&self) -> impl Iterator<Item = DigestScheme> {
        let peppered = self.peppers.iter().map(|(version, _)| DigestScheme::HmacSha256(*version));
        peppered.chain([DigestScheme::Sha256, DigestScheme::Sha512])
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
            DigestScheme::Part(_)
            | DigestScheme::PartFork4
            | DigestScheme::Sha256
            | DigestScheme::Sha512 => true,
        }
    }

    /// Whether new digests are better than those of this scheme: it is of somebody else's making, or
    /// of an older pepper, or of none where one is configured.
    pub fn is_outdated(&self, scheme: DigestScheme) -> bool {
        match (self.newest_pepper(), scheme) {
            (Some(newest), DigestScheme::HmacSha256(version)) => version != newest,
            (None, DigestScheme::Sha256 | DigestScheme::Sha512) => false,
            _ => true,
        }
    }

    /// The digest of a text; absent if the scheme's pepper or salt is not configured, or the text has
    /// not the parts that the scheme wants.
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
            DigestScheme::Part(_) | DigestScheme::PartFork4 => part::digest(scheme, text),
            DigestScheme::Sha256 => Digest::new(scheme, &Sha256::digest(text)).ok(),
            DigestScheme::Sha512 => Digest::new(scheme, &Sha512::digest(text)).ok(),
        }
    }

    /// Does the work of checking a secret, and believes nothing: for what does not exist.
    pub(crate) fn pretend(&self, secret: &str) {
        let digest = self.digest(self.newest_scheme(), secret);
        black_box(digest.as_ref().is_some_and(|digest| digest.matches(digest)));
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
