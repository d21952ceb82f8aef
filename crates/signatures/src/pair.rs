//! Key pairs: those that sign once, and those that are held.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use keyward_core::jose::{PairKind, PublicKey, SignatureError, Signer, SigningPair};

use crate::verifying_key;

/// Makes a pair: of RSA it takes tens of milliseconds, of the others a tenth of one at most.
///
/// Each is tried before it is given out: a text is signed, checked and thrown away, so that a pair whose
/// halves do not fit is never used. Of RSA, it also works out what the first signature would otherwise
/// wait for.
///
/// The private half lives in memory that aws-lc wipes when it frees it.
pub fn generate(kind: PairKind) -> Result<Box<dyn SigningPair>, SignatureError> {
    Ok(Box::new(Pair::generate(kind)?))
}

/// Makes a pair that signs again and again, in the same way.
pub fn signer(kind: PairKind) -> Result<Box<dyn Signer>, SignatureError> {
    Ok(Box::new(Pair::generate(kind)?))
}

impl Pair {
    fn generate(kind: PairKind) -> Result<Self, SignatureError> {
        let private = match kind {
            PairKind::Ed25519 => Private::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
            PairKind::P256 => Private::P256(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?,
            ),
            PairKind::Rsa2048 => Private::rsa(KeySize::Rsa2048)?,
            PairKind::Rsa3072 => Private::rsa(KeySize::Rsa3072)?,
            PairKind::Rsa4096 => Private::rsa(KeySize::Rsa4096)?,
        };
        let public = private.public_key().ok_or(SignatureError)?;
        let trial = private.sign(TRIAL)?;
        if !verifying_key(&public)?.verifies(TRIAL, &trial) {
            return Err(SignatureError);
        }
        Ok(Self { private, public })
    }
}

/// No token begins like this.
const TRIAL: &[u8] = b"a trial of a new pair";

struct Pair {
    private: Private,
    public: PublicKey,
}

enum Private {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Private {
    fn rsa(size: KeySize) -> Result<Self, SignatureError> {
        RsaKeyPair::generate(size).map(Self::Rsa).map_err(failed)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        match self {
            Self::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Self::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }

    fn public_key(&self) -> Option<PublicKey> {
        match self {
            Self::Ed25519(pair) => {
                pair.public_key().as_ref().try_into().ok().map(PublicKey::Ed25519)
            }
            Self::P256(pair) => {
                // An uncompressed point (SEC 1 §2.3.3): 4, then both coordinates.
                let coordinates = pair.public_key().as_ref().strip_prefix(&[4])?;
                let (x, y) = coordinates.split_at_checked(32)?;
                Some(PublicKey::P256 { x: x.try_into().ok()?, y: y.try_into().ok()? })
            }
            Self::Rsa(pair) => {
                let modulus = pair.public_key().modulus();
                PublicKey::rsa(modulus.big_endian_without_leading_zero()).ok()
            }
        }
    }
}

impl SigningPair for Pair {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(self: Box<Self>, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        self.private.sign(message)
    }
}

impl Signer for Pair {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        self.private.sign(message)
    }
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pair({:?}, hidden)", self.public.kind())
    }
}

/// Why is nobody's business: there may be secrets in it.
fn failed<E>(_: E) -> SignatureError {
    SignatureError
}
