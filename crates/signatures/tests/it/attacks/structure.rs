//! Texts that are not three parts, or whose parts are something else.

use keyward_core::Malformed;
use keyward_core::jose::SignedFault::{Encoding, Form, Header};

use super::forge::{ed25519, neighbour, rsa};
use super::{Attack, formless, refused};

pub(super) const ATTACKS: &[Attack] = &[
    formless("nothing", Malformed::Form, String::new),
    formless("a_dot", Malformed::Form, || ".".to_owned()),
    formless("two_dots", Malformed::Form, || "..".to_owned()),
    formless("many_dots", Malformed::Form, || ".".repeat(400)),
    formless("no_header", Malformed::Form, || {
        let [_, payload, signature] = ed25519().parts();
        format!(".{payload}.{signature}")
    }),
    formless("one_dot_before", Malformed::Form, || format!(".{}", ed25519().token)),
    formless("json_flattened", Malformed::Form, || {
        let [header, payload, signature] = ed25519().parts();
        format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#)
    }),
    formless("json_with_several_signatures", Malformed::Form, || {
        let [header, payload, signature] = ed25519().parts();
        let one = format!(r#"{{"protected":"{header}","signature":"{signature}"}}"#);
        format!(r#"{{"payload":"{payload}","signatures":[{one}]}}"#)
    }),
    formless("a_url", Malformed::Form, || format!("https://example.com/{}", ed25519().parts()[0])),
    formless("a_paseto", Malformed::Form, || format!("v4.public.{}", ed25519().parts()[1])),
    refused("the_beginning", Form, || "eyJ".to_owned()),
    refused("the_beginning_and_two_dots", Form, || "eyJ..".to_owned()),
    refused("the_beginning_thrice", Encoding, || "eyJ.eyJ.eyJ".to_owned()),
    refused("one_part", Form, || ed25519().parts()[0].to_owned()),
    refused("one_part_of_all", Form, || ed25519().token.replace('.', "")),
    refused("two_parts", Form, || ed25519().parts()[..2].join(".")),
    refused("four_parts", Form, || format!("{}.AQAB", ed25519().token)),
    refused("one_dot_behind", Form, || format!("{}.", ed25519().token)),
    refused("no_payload", Form, || {
        let [header, _, signature] = ed25519().parts();
        format!("{header}..{signature}")
    }),
    refused("no_signature", Form, || {
        let [header, payload, _] = ed25519().parts();
        format!("{header}.{payload}.")
    }),
    refused("the_header_alone_with_dots", Form, || format!("{}..", ed25519().parts()[0])),
    refused("two_dots_between", Form, || ed25519().token.replacen('.', "..", 1)),
    refused("five_parts", Form, || format!("{}.AQAB.AQAB", ed25519().token)),
    refused("an_encrypted_token", Form, || {
        let header = crate::support::encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
        format!("{header}..AQABAQABAQABAQAB.AQAB.AQABAQABAQABAQABAQABAQ")
    }),
    refused("two_tokens", Form, || format!("{}.{}", ed25519().token, neighbour().token)),
    refused("two_tokens_with_a_comma", Form, || {
        format!("{},{}", ed25519().token, neighbour().token)
    }),
    refused("a_disclosure_behind", Encoding, || format!("{}~AQAB~", ed25519().token)),
    refused("header_and_payload_swapped", Header, || {
        let [header, payload, signature] = ed25519().parts();
        format!("{payload}.{header}.{signature}")
    }),
    refused("payload_and_signature_swapped", Encoding, || {
        let [header, payload, signature] = ed25519().parts();
        format!("{header}.{signature}.{payload}")
    }),
    refused("encoded_twice", Form, || crate::support::encode(&ed25519().token)),
    refused("a_payload_that_is_not_encoded", Form, || {
        let [header, _, signature] = rsa().parts();
        // The issuer's host holds two more dots.
        format!("{header}.{}.{signature}", rsa().payload())
    }),
    refused("a_payload_in_another_encoding", Encoding, || {
        let [header, _, signature] = ed25519().parts();
        format!("{header}.{}.{signature}", ed25519().payload().replace('.', ","))
    }),
];
