//! Signatures that are none, or of something else, or of somebody else.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RsaEncoding,
};
use keyward_core::jose::PublicKey;
use keyward_core::jose::SignedFault::{Encoding, Form};

use super::forge::{Holder, ed25519, neighbour, p256, rsa};
use super::{Attack, decided, refused};
use crate::support::{Pair, decode, encode};

/// The order of P-256's group (SEC 2 §2.4.2).
const ORDER: &str = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";

pub(super) const ATTACKS: &[Attack] = &[
    refused("none", Form, || ed25519().with_signature([])),
    refused("one_character", Encoding, || {
        let [header, payload, _] = ed25519().parts();
        format!("{header}.{payload}.A")
    }),
    refused("with_a_colon", Encoding, || {
        let [header, payload, _] = ed25519().parts();
        format!("{header}.{payload}.ab:cd")
    }),
    decided("one_byte", "unknown", || ed25519().with_signature([0])),
    decided("truncated", "unknown", || ed25519().with_signature(&ed25519().signature()[..63])),
    decided("truncated_at_its_begin", "unknown", || {
        ed25519().with_signature(&ed25519().signature()[1..])
    }),
    decided("half", "unknown", || ed25519().with_signature(&ed25519().signature()[..32])),
    decided("extended_by_a_zero", "unknown", || extended(ed25519(), &[], &[0])),
    decided("twice", "unknown", || ed25519().with_signature(ed25519().signature().repeat(2))),
    decided("zeros", "unknown", || ed25519().with_signature([0; 64])),
    decided("ones", "unknown", || ed25519().with_signature([0xff; 64])),
    decided("first_bit", "unknown", || flipped(ed25519(), 0)),
    decided("last_bit", "unknown", || flipped(ed25519(), 511)),
    decided("swapped_halves", "unknown", || swapped(ed25519())),
    decided("the_public_key", "unknown", || {
        let PublicKey::Ed25519(point) = ed25519().pair.public_key() else { unreachable!() };
        ed25519().with_signature(point.repeat(2))
    }),
    decided("a_neutral_point", "unknown", || {
        let mut signature = [0; 64];
        signature[0] = 1;
        ed25519().with_signature(signature)
    }),
    decided("of_the_neighbour", "unknown", || {
        neighbour().signed(ed25519().header(), ed25519().payload())
    }),
    decided("of_another_token_of_the_neighbour", "unknown", || {
        ed25519().with_signature(neighbour().signature())
    }),
    decided("of_another_token_of_the_key", "unknown", || {
        let other = ed25519().with_claim("sub", r#""root""#);
        ed25519().with_signature(decode(other.rsplit('.').next().unwrap()))
    }),
    decided("under_another_payload", "unknown", || {
        let other = ed25519().with_claim("sub", r#""root""#);
        let payload = other.split('.').nth(1).unwrap();
        format!("{}.{payload}.{}", ed25519().parts()[0], ed25519().parts()[2])
    }),
    decided("under_another_header", "unknown", || {
        let other = ed25519().with_more_header(r#""typ":"JWT""#);
        let header = other.split('.').next().unwrap();
        format!("{header}.{}.{}", ed25519().parts()[1], ed25519().parts()[2])
    }),
    decided("of_the_payload_alone", "unknown", || of(|[_, payload, _]| payload.to_owned())),
    decided("of_the_header_alone", "unknown", || of(|[header, ..]| header.to_owned())),
    decided("of_one_dot_more", "unknown", || of(|[h, p, _]| format!("{h}.{p}."))),
    decided("of_no_dot", "unknown", || of(|[h, p, _]| format!("{h}{p}"))),
    decided("of_nothing", "unknown", || of(|_| String::new())),
    decided("of_what_is_encoded", "unknown", || {
        of(|_| format!("{}.{}", ed25519().header(), ed25519().payload()))
    }),
    decided("p256_zeros", "unknown", || p256().with_signature([0; 64])),
    decided("p256_ones", "unknown", || p256().with_signature([0xff; 64])),
    decided("p256_r_zero", "unknown", || halves(Some(vec![0; 32]), None)),
    decided("p256_s_zero", "unknown", || halves(None, Some(vec![0; 32]))),
    decided("p256_r_the_order", "unknown", || halves(Some(decode(ORDER)), None)),
    decided("p256_s_the_order", "unknown", || halves(None, Some(decode(ORDER)))),
    decided("p256_both_the_order", "unknown", || halves(Some(decode(ORDER)), Some(decode(ORDER)))),
    decided("p256_r_and_s_one", "unknown", || halves(Some(one()), Some(one()))),
    decided("p256_swapped_halves", "unknown", || swapped(p256())),
    decided("p256_truncated", "unknown", || p256().with_signature(&p256().signature()[..63])),
    decided("p256_extended", "unknown", || extended(p256(), &[], &[0])),
    decided("p256_wider_numbers", "unknown", || {
        let (r, s) = (p256().signature()[..32].to_vec(), p256().signature()[32..].to_vec());
        p256().with_signature([&[0], &*r, &[0], &*s].concat())
    }),
    decided("p256_in_der", "unknown", || p256().with_signature(in_der())),
    decided("p256_of_another_pair_in_der", "unknown", || {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let signature = pair.sign(&SystemRandom::new(), message(p256()).as_bytes()).unwrap();
        p256().with_signature(signature.as_ref())
    }),
    decided("rsa_zeros", "unknown", || rsa().with_signature([0; 256])),
    decided("rsa_ones", "unknown", || rsa().with_signature([0xff; 256])),
    decided("rsa_one", "unknown", || rsa().with_signature([&[0; 255][..], &[1]].concat())),
    decided("rsa_the_modulus", "unknown", || {
        let PublicKey::Rsa(modulus) = rsa().pair.public_key() else { unreachable!() };
        rsa().with_signature(&modulus)
    }),
    decided("rsa_truncated", "unknown", || rsa().with_signature(&rsa().signature()[..255])),
    decided("rsa_with_a_zero_before", "unknown", || extended(rsa(), &[0], &[])),
    decided("rsa_with_a_zero_behind", "unknown", || extended(rsa(), &[], &[0])),
    decided("rsa_backwards", "unknown", || {
        rsa().with_signature(rsa().signature().into_iter().rev().collect::<Vec<_>>())
    }),
    decided("rsa_pss", "unknown", || padded(&RSA_PSS_SHA256)),
    decided("rsa_with_sha_384", "unknown", || padded(&RSA_PKCS1_SHA384)),
    decided("rsa_with_sha_512", "unknown", || padded(&RSA_PKCS1_SHA512)),
    decided("rsa_of_ed25519", "unknown", || rsa().with_signature(ed25519().signature())),
];

fn message(holder: &Holder) -> String {
    let [header, payload, _] = holder.parts();
    format!("{header}.{payload}")
}

/// The own signature of some other message.
fn of(message: fn([&str; 3]) -> String) -> String {
    let message = message(ed25519().parts());
    ed25519().with_signature(ed25519().pair.sign(message.as_bytes()))
}

fn extended(holder: &Holder, before: &[u8], behind: &[u8]) -> String {
    holder.with_signature([before, &holder.signature(), behind].concat())
}

fn flipped(holder: &Holder, bit: usize) -> String {
    let mut signature = holder.signature();
    signature[bit / 8] ^= 1 << (bit % 8);
    holder.with_signature(signature)
}

fn swapped(holder: &Holder) -> String {
    let mut signature = holder.signature();
    signature.rotate_left(32);
    holder.with_signature(signature)
}

fn one() -> Vec<u8> {
    [&[0; 31][..], &[1]].concat()
}

/// The own `r` and `s`, or others in their place.
fn halves(r: Option<Vec<u8>>, s: Option<Vec<u8>>) -> String {
    let signature = p256().signature();
    let (own_r, own_s) = signature.split_at(32);
    let (r, s) = (r.unwrap_or_else(|| own_r.to_vec()), s.unwrap_or_else(|| own_s.to_vec()));
    p256().with_signature([r, s].concat())
}

/// The own signature as X.509 writes it.
fn in_der() -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let bytes: Vec<_> = bytes.iter().copied().skip_while(|&byte| byte == 0).collect();
        let sign = bytes.first().filter(|&&first| first >= 0x80).map(|_| 0);
        let bytes: Vec<_> = sign.into_iter().chain(bytes).collect();
        [&[2, u8::try_from(bytes.len()).unwrap()], &*bytes].concat()
    };
    let signature = p256().signature();
    let both = [integer(&signature[..32]), integer(&signature[32..])].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], &*both].concat()
}

/// The own signature in another padding.
fn padded(padding: &'static dyn RsaEncoding) -> String {
    let Pair::Rsa(pair) = &*rsa().pair else { unreachable!() };
    let mut signature = vec![0; pair.public_modulus_len()];
    let message = message(rsa());
    pair.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", encode(signature))
}
