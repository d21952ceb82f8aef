use rstest::rstest;

use super::super::KeySet;
use super::*;

const KID: &str = "01a200f5-34df-703a-b461-85a5d3a08f33";

/// A number with all bits set: as long as a modulus, and no product of primes.
fn modulus(bytes: usize) -> Vec<u8> {
    vec![0xff; bytes]
}

fn rsa(n: &[u8], rest: &str) -> String {
    format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"{rest}}}"#, encode(n))
}

#[rstest]
#[case(PublicKey::Ed25519([7; 32]))]
#[case(PublicKey::P256 { x: [0; 32], y: [9; 32] })]
#[case(PublicKey::rsa(&modulus(256)).unwrap())]
#[case(PublicKey::rsa(&modulus(384)).unwrap())]
#[case(PublicKey::rsa(&modulus(512)).unwrap())]
fn what_is_written_reads_back(#[case] key: PublicKey) {
    assert_eq!(PublicKey::read(&key.to_jwk(KID)).unwrap(), (key.clone(), Some(KID.to_owned())));
    assert_eq!(KeySet::read(&KeySet::of(&key, KID), KID).unwrap(), Some(key));
}

#[test]
fn rsa_keys_have_exactly_four_members_in_this_order() {
    let written = PublicKey::rsa(&modulus(256)).unwrap().to_jwk(KID);
    let n = encode(&modulus(256));
    assert_eq!(written, format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","kid":"{KID}"}}"#));
}

#[rstest]
#[case::two_thousand_and_forty(255)]
#[case::a_thousand(128)]
#[case::nothing(0)]
#[case::in_between(320)]
#[case::eight_thousand(1024)]
fn other_lengths_of_moduli_are_refused(#[case] bytes: usize) {
    assert_eq!(PublicKey::read(&rsa(&modulus(bytes), "")), Err(InvalidJwk::Weak));
}

#[rstest]
#[case::d(r#","d":"AQAB""#)]
#[case::p(r#","p":"AQAB""#)]
#[case::a_null_d(r#","d":null"#)]
#[case::oth(r#","oth":[]"#)]
#[case::k(r#","k":"AQAB""#)]
fn private_halves_are_refused(#[case] rest: &str) {
    assert_eq!(PublicKey::read(&rsa(&modulus(256), rest)), Err(InvalidJwk::Private));
}

#[rstest]
#[case::other_algorithm(r#","alg":"RS512""#)]
#[case::hmac(r#","alg":"HS256""#)]
#[case::encryption(r#","use":"enc""#)]
#[case::signing(r#","key_ops":["sign"]"#)]
fn keys_for_something_else_are_refused(#[case] rest: &str) {
    assert_eq!(PublicKey::read(&rsa(&modulus(256), rest)), Err(InvalidJwk::Foreign));
}

#[test]
fn members_that_say_what_it_is_for_are_allowed() {
    let rest = r#","alg":"RS256","use":"sig","key_ops":["verify"],"x5t":"abc""#;
    assert!(PublicKey::read(&rsa(&modulus(256), rest)).is_ok());
}

#[rstest]
#[case::leading_zero({ let mut n = vec![0]; n.extend(modulus(256)); rsa(&n, "") })]
#[case::padded(rsa(&modulus(256), "").replace(r#"","e""#, r#"==","e""#))]
#[case::no_modulus(r#"{"kty":"RSA","e":"AQAB"}"#.to_owned())]
#[case::no_exponent(r#"{"kty":"RSA","n":"_w"}"#.to_owned())]
#[case::exponent_with_zero(rsa(&modulus(256), "").replace("AQAB", "AAEAAQ"))]
#[case::short_coordinate(r#"{"kty":"OKP","crv":"Ed25519","x":"AQAB"}"#.to_owned())]
fn other_ways_to_write_are_refused(#[case] text: String) {
    assert_eq!(PublicKey::read(&text), Err(InvalidJwk::Encoding), "{text}");
}

#[rstest]
#[case::three("Aw")]
#[case::one("AQ")]
#[case::even("AQAA")]
fn other_exponents_are_refused(#[case] exponent: &str) {
    let text = rsa(&modulus(256), "").replace("AQAB", exponent);
    assert_eq!(PublicKey::read(&text), Err(InvalidJwk::Weak));
}

#[rstest]
#[case::nothing("")]
#[case::a_list(r#"["RSA"]"#)]
#[case::no_kty(r#"{"n":"AQAB"}"#)]
#[case::two_moduli(r#"{"kty":"RSA","n":"AQAB","n":"AQAB","e":"AQAB"}"#)]
#[case::two_of_a_member_that_nobody_reads(r#"{"kty":"OKP","crv":"Ed25519","x":"x","a":1,"a":2}"#)]
#[case::more_behind(r#"{"kty":"RSA"} {}"#)]
fn what_is_no_object_with_each_member_once_is_refused(#[case] text: &str) {
    assert_eq!(PublicKey::read(text), Err(InvalidJwk::Json));
}

#[rstest]
#[case::symmetric(r#"{"kty":"oct"}"#)]
#[case::other_curve(r#"{"kty":"EC","crv":"P-384","x":"x","y":"y"}"#)]
#[case::other_edwards_curve(r#"{"kty":"OKP","crv":"Ed448","x":"x"}"#)]
#[case::an_rsa_key_on_a_curve(r#"{"kty":"RSA","crv":"P-256","n":"n","e":"AQAB"}"#)]
#[case::lower_case(r#"{"kty":"rsa","n":"n","e":"AQAB"}"#)]
fn other_kinds_are_refused(#[case] text: &str) {
    assert_eq!(PublicKey::read(text), Err(InvalidJwk::Foreign));
}

#[test]
fn documents_hold_one_key_or_none() {
    let jwk = PublicKey::Ed25519([7; 32]).to_jwk(KID);
    let read = |text: &str| KeySet::read(text, KID);
    assert_eq!(read(r#"{"keys":[]}"#), Ok(None));
    assert!(matches!(read(&format!(r#"{{"keys":[{jwk}],"more":1}}"#)), Ok(Some(_))));
    assert_eq!(read(&format!(r#"{{"keys":[{jwk},{jwk}]}}"#)), Err(InvalidJwk::SeveralKeys));
    assert_eq!(read(&format!("[{jwk}]")), Err(InvalidJwk::Json));
    assert_eq!(read("{}"), Err(InvalidJwk::Json));
    let other = PublicKey::Ed25519([7; 32]).to_jwk("01a200f5-34df-703a-b461-85a5d3a08f34");
    assert_eq!(read(&format!(r#"{{"keys":[{other}]}}"#)), Err(InvalidJwk::OtherKey));
    let nameless =
        r#"{"kty":"OKP","crv":"Ed25519","x":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#;
    assert_eq!(read(&format!(r#"{{"keys":[{nameless}]}}"#)), Err(InvalidJwk::OtherKey));
}
