//! Public keys that check signatures.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
use keyward_core::jose::{PublicKey, SignatureError, VerifyingKey};

/// 65537.
const EXPONENT: &[u8] = &[1, 0, 1];

/// Makes a public key ready for checking signatures. Refused if it is none: a point that is not on the
/// curve, or an even modulus.
pub fn verifying_key(key: &PublicKey) -> Result<Box<dyn VerifyingKey>, SignatureError> {
    let ready = match key {
        PublicKey::Ed25519(x) => parse(&ED25519, x),
        PublicKey::P256 { x, y } => {
            parse(&ECDSA_P256_SHA256_FIXED, &[&[4], x.as_slice(), y.as_slice()].concat())
        }
        PublicKey::Rsa(modulus) => {
            let components = RsaPublicKeyComponents { n: &**modulus, e: EXPONENT };
            components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| SignatureError)
        }
    };
    Ok(Box::new(Ready(ready?)))
}

fn parse(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
) -> Result<ParsedPublicKey, SignatureError> {
    ParsedPublicKey::new(algorithm, key).map_err(|_| SignatureError)
}

struct Ready(ParsedPublicKey);

impl VerifyingKey for Ready {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VerifyingKey")
    }
}
