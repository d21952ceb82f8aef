//! Headers that bring along keys, extensions, or anything else that is not expected.

use keyward_core::jose::SignedFault::{Encoding, Header};

use super::forge::{ed25519, neighbour, rsa};
use super::{Attack, decided, refused};

pub(super) const ATTACKS: &[Attack] = &[
    refused("crit_empty", Header, || more(r#""crit":[]"#)),
    refused("crit_exp", Header, || more(r#""crit":["exp"]"#)),
    refused("crit_exp_with_exp", Header, || more(r#""crit":["exp"],"exp":4102444800"#)),
    refused("crit_unknown", Header, || more(r#""crit":["evil"],"evil":true"#)),
    refused("crit_alg", Header, || more(r#""crit":["alg"]"#)),
    refused("crit_null", Header, || more(r#""crit":null"#)),
    refused("crit_a_text", Header, || more(r#""crit":"b64""#)),
    refused("crit_b64", Header, || more(r#""crit":["b64"],"b64":false"#)),
    refused("b64_false", Header, || more(r#""b64":false"#)),
    refused("b64_true", Header, || more(r#""b64":true"#)),
    refused("b64_false_and_a_plain_payload", Header, || {
        let header = ed25519().header().replace('}', r#","crit":["b64"],"b64":false}"#);
        let message = format!("{}.{}", crate::support::encode(header), ed25519().parts()[1]);
        let signature = ed25519().pair.sign(message.as_bytes());
        format!("{message}.{}", crate::support::encode(signature))
    }),
    refused("jwk_of_the_key", Header, || {
        more(&format!(r#""jwk":{}"#, ed25519().pair.public_key().to_jwk(ed25519().kid())))
    }),
    refused("jwk_of_the_attacker", Header, || {
        let jwk = neighbour().pair.public_key().to_jwk(ed25519().kid());
        let header = ed25519().header().replace('}', &format!(r#","jwk":{jwk}}}"#));
        neighbour().signed(header, ed25519().payload())
    }),
    refused("jku", Header, || more(r#""jku":"https://evil.example/jwks.json""#)),
    refused("jku_of_the_issuer", Header, || {
        let kid = ed25519().kid();
        more(&format!(r#""jku":"https://example.com/keys/{kid}/.well-known/jwks.json""#))
    }),
    refused("x5u", Header, || more(r#""x5u":"https://evil.example/certificate.pem""#)),
    refused("x5c", Header, || more(r#""x5c":["MIIB"]"#)),
    refused("x5t", Header, || more(r#""x5t":"AQAB""#)),
    refused("x5t_s256", Header, || more(r#""x5t#S256":"AQAB""#)),
    refused("cty", Header, || more(r#""cty":"JWT""#)),
    refused("zip", Header, || more(r#""zip":"DEF""#)),
    refused("enc", Header, || more(r#""enc":"A256GCM""#)),
    refused("epk", Header, || more(r#""epk":{"kty":"OKP"}"#)),
    refused("p2c", Header, || more(r#""p2c":2147483647,"p2s":"AQAB""#)),
    refused("iss", Header, || more(r#""iss":"https://example.com/keys""#)),
    refused("nonce", Header, || more(r#""nonce":"x""#)),
    refused("url", Header, || more(r#""url":"https://example.com""#)),
    refused("proto", Header, || more(r#""__proto__":{}"#)),
    refused("an_unknown_member", Header, || more(r#""x":1"#)),
    refused("an_unknown_member_that_is_null", Header, || more(r#""x":null"#)),
    refused("an_unknown_member_for_rsa", Header, || rsa().with_more_header(r#""use":"sig""#)),
    refused("typ_empty", Header, || more(r#""typ":"""#)),
    refused("typ_null", Header, || more(r#""typ":null"#)),
    refused("typ_a_number", Header, || more(r#""typ":1"#)),
    refused("typ_a_list", Header, || more(r#""typ":["JWT"]"#)),
    refused("typ_access_token", Header, || more(r#""typ":"at+jwt""#)),
    refused("typ_jose", Header, || more(r#""typ":"JOSE""#)),
    refused("typ_logout", Header, || more(r#""typ":"logout+jwt""#)),
    refused("typ_with_a_space", Header, || more(r#""typ":"JWT ""#)),
    refused("empty_object", Header, || header("{}")),
    refused("a_list", Header, || header(&format!(r#"["EdDSA","{}",null]"#, ed25519().kid()))),
    refused("a_text", Header, || header(r#""EdDSA""#)),
    refused("null", Header, || header("null")),
    refused("no_json", Header, || header("alg=EdDSA")),
    refused("two_objects", Header, || header(&ed25519().header().repeat(2))),
    refused("more_behind", Header, || header(&format!("{} x", ed25519().header()))),
    refused("a_nul_behind", Header, || header(&format!("{}\0", ed25519().header()))),
    refused("a_comma_behind", Header, || header(&ed25519().header().replace('}', ",}"))),
    refused("a_byte_order_mark", Header, || header(&format!("\u{feff}{}", ed25519().header()))),
    refused("a_space_before", Header, || header(&format!(" {}", ed25519().header()))),
    refused("no_utf_8", Header, || {
        let mut header = ed25519().header().into_bytes();
        header.insert(2, 0xff);
        ed25519().signed(header, ed25519().payload())
    }),
    refused("the_payload", Header, || header(&ed25519().payload())),
    refused("not_encoded", Encoding, || {
        let [_, payload, signature] = ed25519().parts();
        format!("{}.{payload}.{signature}", ed25519().header())
    }),
    decided("typ_jwt", "allowed", || more(r#""typ":"JWT""#)),
    decided("typ_in_lower_case", "allowed", || more(r#""typ":"jwt""#)),
    decided("the_other_order", "allowed", || {
        header(&format!(r#"{{"kid":"{}","alg":"EdDSA"}}"#, ed25519().kid()))
    }),
];

fn more(members: &str) -> String {
    ed25519().with_more_header(members)
}

fn header(text: &str) -> String {
    ed25519().signed(text, ed25519().payload())
}
