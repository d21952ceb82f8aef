//! Project Wycheproof's signatures: those that are right, and those that were made to look so.

use keyward_core::jose::{InvalidJwk, PublicKey};
use keyward_signatures::verifying_key;
use rstest::rstest;
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify};

/// How many cases there were of each outcome. `acceptable` ones are refused: they are signatures
/// that only somebody careless writes.
#[derive(Debug, Default, PartialEq)]
struct Outcomes {
    valid: usize,
    invalid: usize,
    acceptable: usize,
    /// Those of keys that are not taken.
    of_refused_keys: usize,
}

impl Outcomes {
    fn count(&mut self, key: &PublicKey, message: &[u8], signature: &[u8], result: TestResult) {
        let key = verifying_key(key).unwrap();
        let verifies = key.verifies(message, signature);
        match result {
            TestResult::Valid => self.valid += 1,
            TestResult::Invalid => self.invalid += 1,
            TestResult::Acceptable => self.acceptable += 1,
        }
        assert_eq!(verifies, result == TestResult::Valid, "{signature:?}");
    }
}

/// Wycheproof writes numbers with a leading zero where they would be negative.
fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    &number[zeros..]
}

#[rstest]
#[case::rsa2048(rsa_pkcs1_verify::TestName::Rsa2048Sha256, (7, 249, 1, 2))]
#[case::rsa3072(rsa_pkcs1_verify::TestName::Rsa3072Sha256, (7, 250, 1, 1))]
#[case::rsa4096(rsa_pkcs1_verify::TestName::Rsa4096Sha256, (7, 250, 1, 0))]
#[case::rsa8192(rsa_pkcs1_verify::TestName::Rsa8192Sha256, (0, 0, 0, 258))]
fn rsa_signatures(
    #[case] name: rsa_pkcs1_verify::TestName,
    #[case] (valid, invalid, acceptable, of_refused_keys): (usize, usize, usize, usize),
) {
    let mut outcomes = Outcomes::default();
    for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
        let modulus = without_leading_zeros(&group.key.n);
        let exponent = without_leading_zeros(&group.key.e);
        let jwk = format!(
            r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#,
            crate::support::encode(modulus),
            crate::support::encode(exponent)
        );
        match PublicKey::read(&jwk) {
            Ok((key, _)) => {
                for test in &group.tests {
                    outcomes.count(&key, &test.msg, &test.sig, test.result);
                }
            }
            Err(invalid) => {
                assert_eq!(invalid, InvalidJwk::Weak);
                assert!(exponent != [1, 0, 1] || modulus.len() == 1_024);
                outcomes.of_refused_keys += group.tests.len();
            }
        }
    }
    assert_eq!(outcomes, Outcomes { valid, invalid, acceptable, of_refused_keys });
}

#[test]
fn ecdsa_signatures() {
    let mut outcomes = Outcomes::default();
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    for group in set.test_groups {
        let coordinate = |number: &[u8]| {
            let number = without_leading_zeros(number);
            let mut coordinate = [0; 32];
            coordinate[32 - number.len()..].copy_from_slice(number);
            coordinate
        };
        let (x, y) = (coordinate(&group.key.affine_x), coordinate(&group.key.affine_y));
        for test in &group.tests {
            outcomes.count(&PublicKey::P256 { x, y }, &test.msg, &test.sig, test.result);
        }
    }
    let expected = Outcomes { valid: 173, invalid: 89, ..Outcomes::default() };
    assert_eq!(outcomes, expected);
}

#[test]
fn ed25519_signatures() {
    let mut outcomes = Outcomes::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = PublicKey::Ed25519((&**group.key.pk).try_into().unwrap());
        for test in &group.tests {
            outcomes.count(&key, &test.msg, &test.sig, test.result);
        }
    }
    let expected = Outcomes { valid: 88, invalid: 63, ..Outcomes::default() };
    assert_eq!(outcomes, expected);
}
