//! The signature algorithms that are allowed, and the kinds of key pairs that sign with them.

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// A signature algorithm by its JOSE name (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl SignatureAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// The algorithm's name in a header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    /// Reads a name, which is written in one way only.
    pub fn parse(name: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name);
        known.ok_or_else(|| Invalid::new("must be RS256, ES256 or EdDSA"))
    }
}

/// A kind of key pair: an algorithm and, for RSA, the length of the modulus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PairKind {
    /// Ed25519: small, quick to make and to use.
    #[serde(rename = "ed25519")]
    Ed25519,
    /// ECDSA on P-256.
    #[serde(rename = "p256")]
    P256,
    /// RSA with 2,048 bits: what japikey's own verifiers take.
    #[default]
    #[serde(rename = "rsa2048")]
    Rsa2048,
    /// RSA with 3,072 bits.
    #[serde(rename = "rsa3072")]
    Rsa3072,
    /// RSA with 4,096 bits.
    #[serde(rename = "rsa4096")]
    Rsa4096,
}

impl PairKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Ed25519, Self::P256, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    /// The kind for an algorithm and, for RSA, a length in bits, which is 2,048 if none is given.
    pub fn new(algorithm: SignatureAlgorithm, bits: Option<usize>) -> Result<Self, Invalid> {
        match (algorithm, bits) {
            (SignatureAlgorithm::EdDsa, None) => Ok(Self::Ed25519),
            (SignatureAlgorithm::Es256, None) => Ok(Self::P256),
            (SignatureAlgorithm::Rs256, None | Some(2_048)) => Ok(Self::Rsa2048),
            (SignatureAlgorithm::Rs256, Some(3_072)) => Ok(Self::Rsa3072),
            (SignatureAlgorithm::Rs256, Some(4_096)) => Ok(Self::Rsa4096),
            (SignatureAlgorithm::Rs256, Some(_)) => Err(Invalid::new("must be 2048, 3072 or 4096")),
            _ => Err(Invalid::new("must not be given: this algorithm has one size")),
        }
    }

    /// The algorithm that its pairs sign with.
    pub const fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Ed25519 => SignatureAlgorithm::EdDsa,
            Self::P256 => SignatureAlgorithm::Es256,
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => SignatureAlgorithm::Rs256,
        }
    }

    /// The length of an RSA modulus in bits.
    pub const fn bits(self) -> Option<usize> {
        match self {
            Self::Ed25519 | Self::P256 => None,
            Self::Rsa2048 => Some(2_048),
            Self::Rsa3072 => Some(3_072),
            Self::Rsa4096 => Some(4_096),
        }
    }

    /// Bytes in its signatures.
    pub const fn signature_length(self) -> usize {
        match self {
            Self::Ed25519 | Self::P256 => 64,
            Self::Rsa2048 => 256,
            Self::Rsa3072 => 384,
            Self::Rsa4096 => 512,
        }
    }
}
