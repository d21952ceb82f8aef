//! Another algorithm than the key's: none, a symmetric one, one of another kind of key.

use aws_lc_rs::hmac;
use keyward_core::jose::SignedFault::{Algorithm, Form, Header};

use super::forge::{Holder, ed25519, p256, rsa};
use super::{Attack, decided, refused};
use crate::support::encode;

pub(super) const ATTACKS: &[Attack] = &[
    refused("none", Algorithm, || unsecured("none")),
    refused("none_in_capitals", Algorithm, || unsecured("NONE")),
    refused("none_with_a_capital", Algorithm, || unsecured("None")),
    refused("none_in_mixed_case", Algorithm, || unsecured("nOnE")),
    refused("none_and_no_signature", Form, || {
        let [header, payload, _] = ed25519().parts();
        assert!(!header.is_empty());
        format!("{}.{payload}.", encode(renamed(ed25519(), "none")))
    }),
    refused("none_and_no_last_dot", Form, || {
        format!("{}.{}", encode(renamed(ed25519(), "none")), ed25519().parts()[1])
    }),
    refused("an_empty_text", Algorithm, || named("")),
    refused("a_space", Algorithm, || named(" ")),
    refused("a_space_behind", Algorithm, || named("EdDSA ")),
    refused("a_nul_behind", Algorithm, || named(r"EdDSA\u0000")),
    refused("in_lower_case", Algorithm, || named("eddsa")),
    refused("in_capitals", Algorithm, || named("EDDSA")),
    refused("rs256_in_lower_case", Algorithm, || signed_as(rsa(), "rs256")),
    refused("the_newer_name", Algorithm, || named("Ed25519")),
    refused("the_curve_beside", Algorithm, || named("Ed448")),
    refused("hs256", Algorithm, || named("HS256")),
    refused("hs256_with_the_public_modulus", Algorithm, || keyed(rsa(), "HS256", &modulus())),
    refused("hs256_with_the_jwk", Algorithm, || {
        keyed(rsa(), "HS256", jwk(rsa(), rsa().kid()).as_bytes())
    }),
    refused("hs256_with_the_jwk_without_id", Algorithm, || {
        keyed(rsa(), "HS256", jwk(rsa(), "").as_bytes())
    }),
    refused("hs256_with_the_public_point", Algorithm, || {
        let jwk = jwk(ed25519(), ed25519().kid());
        keyed(ed25519(), "HS256", jwk.as_bytes())
    }),
    refused("hs256_with_an_empty_secret", Algorithm, || keyed(ed25519(), "HS256", b"")),
    refused("hs384", Algorithm, || signed_as(rsa(), "HS384")),
    refused("rs384", Algorithm, || signed_as(rsa(), "RS384")),
    refused("rs512", Algorithm, || signed_as(rsa(), "RS512")),
    refused("ps256", Algorithm, || signed_as(rsa(), "PS256")),
    refused("rs1", Algorithm, || signed_as(rsa(), "RS1")),
    refused("es384", Algorithm, || signed_as(p256(), "ES384")),
    refused("es512", Algorithm, || signed_as(p256(), "ES512")),
    refused("es256k", Algorithm, || signed_as(p256(), "ES256K")),
    refused("key_wrapping", Algorithm, || named("dir")),
    refused("rsa_encryption", Algorithm, || signed_as(rsa(), "RSA-OAEP-256")),
    refused("passwords", Algorithm, || named("PBES2-HS256+A128KW")),
    refused("two_names", Algorithm, || named("RS256,EdDSA")),
    refused("a_list", Header, || valued(r#"["EdDSA"]"#)),
    refused("an_object", Header, || valued(r#"{"alg":"EdDSA"}"#)),
    refused("null", Header, || valued("null")),
    refused("true", Header, || valued("true")),
    refused("a_number", Header, || valued("-8")),
    refused("missing", Header, || ed25519().with_header(r#""alg":"EdDSA","#, "")),
    refused("under_a_capital", Header, || ed25519().with_header(r#""alg""#, r#""Alg""#)),
    decided("rs256_for_ed25519", "unknown", || named("RS256")),
    decided("es256_for_ed25519", "unknown", || named("ES256")),
    decided("rs256_for_p256", "unknown", || signed_as(p256(), "RS256")),
    decided("eddsa_for_p256", "unknown", || signed_as(p256(), "EdDSA")),
    decided("es256_for_rsa", "unknown", || signed_as(rsa(), "ES256")),
    decided("eddsa_for_rsa", "unknown", || signed_as(rsa(), "EdDSA")),
    decided("a_mac_with_the_public_modulus_as_rs256", "unknown", || {
        keyed(rsa(), "RS256", &modulus())
    }),
    decided("a_mac_with_the_jwk_as_eddsa", "unknown", || {
        keyed(ed25519(), "EdDSA", jwk(ed25519(), ed25519().kid()).as_bytes())
    }),
    decided("the_same_name_written_otherwise", "allowed", || named(r"\u0045dDSA")),
];

/// The key's own name for its algorithm.
fn own_name(holder: &Holder) -> &'static str {
    holder.pair.public_key().algorithm().as_str()
}

fn renamed(holder: &Holder, name: &str) -> String {
    holder.header().replace(&format!(r#""{}""#, own_name(holder)), &format!(r#""{name}""#))
}

fn signed_as(holder: &Holder, name: &str) -> String {
    holder.signed(renamed(holder, name), holder.payload())
}

fn named(name: &str) -> String {
    signed_as(ed25519(), name)
}

fn valued(json: &str) -> String {
    ed25519().with_header(r#""EdDSA""#, json)
}

/// With that name, and with the old signature, which is as good as any.
fn unsecured(name: &str) -> String {
    let [_, payload, signature] = ed25519().parts();
    format!("{}.{payload}.{signature}", encode(renamed(ed25519(), name)))
}

/// With a MAC under what everybody knows.
fn keyed(holder: &Holder, name: &str, secret: &[u8]) -> String {
    let message = format!("{}.{}", encode(renamed(holder, name)), holder.parts()[1]);
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", encode(mac))
}

fn jwk(holder: &Holder, kid: &str) -> String {
    holder.pair.public_key().to_jwk(kid)
}

fn modulus() -> Vec<u8> {
    let keyward_core::jose::PublicKey::Rsa(modulus) = rsa().pair.public_key() else {
        unreachable!()
    };
    modulus.to_vec()
}
