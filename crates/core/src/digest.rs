//! What is stored in place of a secret, tagged with the way it was made.

mod foreign;
mod hasher;
mod hex;
mod keypal;
mod part;
mod scheme;

use std::fmt;
use std::hash::{self, Hash};

use arrayvec::ArrayVec;
use constant_time_eq::constant_time_eq;
pub use foreign::ForeignHash;
pub(crate) use foreign::is_number;
pub use hasher::{Hasher, InvalidPepper, KeypalSalts, Pepper, Peppers};
pub use hex::HexDigest;
pub(crate) use hex::{to_hex, unhex};
pub use keypal::{InvalidSalt, KeypalSalt};
pub use scheme::{DigestScheme, PepperVersion};

use crate::Invalid;

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
        let bytes = unhex(hex).ok_or_else(unreadable)?;
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

    /// The digest's bytes as hexadecimal digits: for exports, as digests are not shown.
    pub fn to_hex(&self) -> String {
        to_hex(&self.bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn peppered() -> Hasher {
        let pepper = |byte| Pepper::new(vec![byte; 32]).unwrap();
        Hasher::new(vec![(PepperVersion::new(1), pepper(1)), (PepperVersion::new(2), pepper(2))])
    }

    #[test]
    fn the_newest_pepper_is_the_one_with_the_largest_version() {
        assert_eq!(peppered().newest_pepper(), Some(PepperVersion::new(2)));
        assert_eq!(Hasher::new(Vec::new()).newest_pepper(), None);
    }

    #[test]
    fn peppers_of_different_versions_make_different_digests() {
        let hasher = peppered();
        let first = hasher.digest(DigestScheme::HmacSha256(PepperVersion::new(1)), "text").unwrap();
        let second =
            hasher.digest(DigestScheme::HmacSha256(PepperVersion::new(2)), "text").unwrap();
        assert_ne!(first.as_bytes(), second.as_bytes());
        assert!(!first.matches(&second));
    }

    #[test]
    fn a_digest_under_an_unknown_pepper_is_absent() {
        assert_eq!(
            peppered().digest(DigestScheme::HmacSha256(PepperVersion::new(9)), "text"),
            None
        );
    }

    #[test]
    fn schemes_print_and_parse() {
        for scheme in [
            DigestScheme::Sha256,
            DigestScheme::Sha512,
            DigestScheme::HmacSha256(PepperVersion::new(17)),
            DigestScheme::KeypalSaltedSha256(PepperVersion::new(1)),
            DigestScheme::KeypalSaltedSha512(PepperVersion::new(0)),
            DigestScheme::Part(HexDigest::Sha512Cut224),
            DigestScheme::PartFork4,
        ] {
            assert_eq!(scheme.to_string().parse::<DigestScheme>().unwrap(), scheme);
        }
        assert!("md5".parse::<DigestScheme>().is_err());
        for other in [
            "part-",
            "part-md5",
            "part-part-sha256",
            "part-fork3",
            "hmac-sha256:v70000",
            "hmac-sha256:v+3",
            "hmac-sha256:v03",
            "hmac-sha256:v",
        ] {
            assert!(other.parse::<DigestScheme>().is_err(), "{other}");
        }
    }

    /// The expected values were computed by another program, from what keypal is known to do.
    #[test]
    fn salted_hashes_are_those_of_keypal() {
        let salt = KeypalSalt::new(b"pepper & salt".to_vec()).unwrap();
        let hasher = Hasher::new(Vec::new()).with_keypal_salts(vec![(PepperVersion::new(1), salt)]);
        let key = "sk_abcdefghijklmnopqrstuvwxyz012345";
        let hex = |scheme| {
            let digest = hasher.digest(scheme, key).unwrap();
            let halves = digest.as_bytes().iter().flat_map(|byte| [byte >> 4, byte & 15]);
            halves.map(|half| char::from_digit(u32::from(half), 16).unwrap()).collect::<String>()
        };
        assert_eq!(
            hex(DigestScheme::KeypalSaltedSha256(PepperVersion::new(1))),
            "c084fd5aaf659bd504a731df2fc2a7b9fcea28bda1f4d6fd2f7e8709b0a1a8ed",
        );
        assert_eq!(
            hex(DigestScheme::KeypalSaltedSha512(PepperVersion::new(1))),
            "254e1fcab7dd2211927a4ffe2bd03f8b39c70ba552e16f9c766c65c9abac3051\
             5fbd16ca2fe0f593452c0b466c47c61fdaca1cf1b6d83bd926f68440d0618824",
        );
        assert!(!hasher.knows(DigestScheme::KeypalSaltedSha256(PepperVersion::new(2))));
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
