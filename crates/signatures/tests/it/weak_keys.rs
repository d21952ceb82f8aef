//! Public keys for which anybody can make signatures, or that are no keys.

use aws_lc_rs::signature::ED25519;
use keyward_core::jose::PublicKey;
use keyward_signatures::verifying_key;
use rstest::rstest;

use crate::support::Pair;

/// The points of Ed25519 whose order is at most eight, in all ways to write them but for the sign
/// (RFC 8032 §5.1.7 leaves open whether they are keys).
#[rstest]
#[case::zero("0000000000000000000000000000000000000000000000000000000000000000")]
#[case::one("0100000000000000000000000000000000000000000000000000000000000000")]
#[case::order_8("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")]
#[case::the_other_order_8("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")]
#[case::minus_one("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
#[case::zero_and_the_prime("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
#[case::one_and_the_prime("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
fn points_of_small_order_are_no_keys(#[case] hex: &str) {
    let mut point: [u8; 32] = std::array::from_fn(|place| {
        u8::from_str_radix(hex.get(2 * place..2 * place + 2).unwrap(), 16).unwrap()
    });
    assert!(verifying_key(&PublicKey::Ed25519(point)).is_err());
    point[31] |= 0x80;
    assert!(verifying_key(&PublicKey::Ed25519(point)).is_err());
}

/// With the neutral point as the key, `S·B = R + h·A` holds for `S = 0` and `R = A`, whatever is signed.
#[test]
fn the_neutral_point_would_check_everybodys_signature() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let forged = [neutral, [0; 32]].concat();
    let unchecked = aws_lc_rs::signature::UnparsedPublicKey::new(&ED25519, neutral);
    assert!(unchecked.verify(b"anything", &forged).is_ok());
}

/// That they are none comes to light when they should check a signature.
#[rstest]
#[case::not_on_the_curve([2; 32])]
#[case::beyond_the_prime([0xff; 32])]
fn what_is_no_point_of_ed25519_checks_nothing(#[case] point: [u8; 32]) {
    let Ok(key) = verifying_key(&PublicKey::Ed25519(point)) else { return };
    for signature in [[0; 64], [0xff; 64], Pair::ed25519(1).sign(b"text").try_into().unwrap()] {
        assert!(!key.verifies(b"text", &signature));
    }
}

#[rstest]
#[case::zero([0; 32], [0; 32])]
#[case::not_on_the_curve([1; 32], [1; 32])]
#[case::beyond_the_prime([0xff; 32], [0xff; 32])]
fn what_is_no_point_of_p256_is_no_key(#[case] x: [u8; 32], #[case] y: [u8; 32]) {
    assert!(verifying_key(&PublicKey::P256 { x, y }).is_err());
}

#[test]
fn an_even_modulus_is_no_key() {
    let mut modulus = vec![0xff; 256];
    modulus[255] = 0xfe;
    assert!(verifying_key(&PublicKey::rsa(&modulus).unwrap()).is_err());
}
