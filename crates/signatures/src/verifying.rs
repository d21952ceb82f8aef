//! Public keys that check signatures.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
use keyward_core::jose::{PublicKey, SignatureError, VerifyingKey};

/// 65537.
const EXPONENT: &[u8] = &[1, 0, 1];

/// Makes a public key ready for checking signatures. Refused if it is none, or a weak one: a point that
/// is not on P-256, a point of Ed25519 whose order is small, an even modulus.
pub fn verifying_key(key: &PublicKey) -> Result<Box<dyn VerifyingKey>, SignatureError> {
    let ready = match key {
        PublicKey::Ed25519(x) if is_of_small_order(x) => Err(SignatureError),
        PublicKey::Ed25519(x) => parse(&ED25519, x),
        PublicKey::P256 { x, y } => {
            parse(&ECDSA_P256_SHA256_FIXED, &[&[4], x.as_slice(), y.as_slice()].concat())
        }
        PublicKey::Rsa(modulus) if modulus.last().is_none_or(|last| last % 2 == 0) => {
            Err(SignatureError)
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

/// Whether eight times the point is the neutral one. For such a key everybody can make signatures, and
/// aws-lc, as RFC 8032 §5.1.7 has it, would take them.
fn is_of_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    // Both signs of the other coordinate.
    y[31] &= 0x7f;
    SMALL_ORDERS.contains(&y)
}

/// The coordinates `y` of the points of small order, the least significant byte first; those below 19
/// also with the prime added, which some readers take.
const SMALL_ORDERS: [[u8; 32]; 7] = [
    filled(0x00, 0x00, 0x00),
    filled(0x01, 0x00, 0x00),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    filled(0xec, 0xff, 0x7f),
    filled(0xed, 0xff, 0x7f),
    filled(0xee, 0xff, 0x7f),
];

const fn filled(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut bytes = [between; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
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
