//! Claims of other types than they must be, of others' values, or no claims at all.

use keyward_core::jose::SignedFault::{Claims, Encoding, Form, Version};

use super::forge::{ed25519, neighbour, rsa};
use super::{Attack, decided, refused};

pub(super) const ATTACKS: &[Attack] = &[
    refused("aud_null", Claims, || aud("null")),
    refused("aud_a_number", Claims, || aud("1")),
    refused("aud_true", Claims, || aud("true")),
    refused("aud_an_object", Claims, || aud(r#"{"api":true}"#)),
    refused("aud_numbers", Claims, || aud("[1,2]")),
    refused("aud_a_number_beside", Claims, || aud(r#"["api",1]"#)),
    refused("aud_null_beside", Claims, || aud(r#"["api",null]"#)),
    refused("aud_a_list_inside", Claims, || aud(r#"[["api"]]"#)),
    decided("aud_missing", "unknown", || ed25519().without("aud")),
    decided("aud_empty", "unknown", || aud(r#""""#)),
    decided("aud_nobody", "unknown", || aud("[]")),
    decided("aud_another", "unknown", || aud(r#""web""#)),
    decided("aud_others", "unknown", || aud(r#"["web","billing"]"#)),
    decided("aud_in_capitals", "unknown", || aud(r#""API""#)),
    decided("aud_longer", "unknown", || aud(r#""api2""#)),
    decided("aud_shorter", "unknown", || aud(r#""ap""#)),
    decided("aud_with_a_space", "unknown", || aud(r#""api ""#)),
    decided("aud_with_a_nul", "unknown", || aud(r#""api\u0000""#)),
    decided("aud_in_one_text", "unknown", || aud(r#""api billing""#)),
    decided("aud_any", "unknown", || aud(r#""*""#)),
    decided("aud_among_others", "allowed", || aud(r#"["web","api"]"#)),
    // Its keyspace names none, so every token's is taken.
    decided("aud_where_none_is_asked_for", "allowed", || rsa().with_more(r#""aud":["web"]"#)),
    refused("aud_a_number_where_none_is_asked_for", Claims, || rsa().with_more(r#""aud":1"#)),
    refused("sub_missing", Claims, || ed25519().without("sub")),
    refused("sub_null", Claims, || sub("null")),
    refused("sub_empty", Claims, || sub(r#""""#)),
    refused("sub_a_number", Claims, || sub("0")),
    refused("sub_true", Claims, || sub("true")),
    refused("sub_a_list", Claims, || sub(r#"["user-7"]"#)),
    refused("sub_an_object", Claims, || sub(r#"{"id":"user-7"}"#)),
    refused("jti_null", Claims, || ed25519().with_more(r#""jti":null"#)),
    refused("jti_a_number", Claims, || ed25519().with_more(r#""jti":1"#)),
    refused("jti_a_list", Claims, || ed25519().with_more(r#""jti":["1"]"#)),
    // Whom a key acts for is what its record says.
    decided("sub_another", "allowed", || sub(r#""root""#)),
    decided("more_claims", "allowed", || ed25519().with_more(r#""__proto__":{"admin":true}"#)),
    refused("a_list", Claims, || payload(&format!("[{}]", ed25519().payload()))),
    refused("the_values_in_a_list", Claims, || {
        payload(r#"["japikey-v1","https://example.com/keys/x","user-7","api",4102444800,0,0,"x"]"#)
    }),
    refused("a_text", Claims, || payload(r#""japikey-v1""#)),
    refused("a_number", Claims, || payload("1")),
    refused("null", Claims, || payload("null")),
    refused("an_empty_object", Version, || payload("{}")),
    refused("nothing", Form, || payload("")),
    refused("white_space", Claims, || payload("  \n")),
    refused("two_objects", Claims, || payload(&ed25519().payload().repeat(2))),
    refused("half_an_object", Claims, || payload(ed25519().payload().trim_end_matches('}'))),
    refused("a_comma_behind", Claims, || payload(&ed25519().payload().replace('}', ",}"))),
    refused("a_comment", Claims, || payload(&ed25519().payload().replace('}', "/**/}"))),
    refused("single_quotes", Claims, || payload(&ed25519().payload().replace('"', "'"))),
    refused("names_without_quotes", Claims, || {
        payload(&ed25519().payload().replace(r#""sub""#, "sub"))
    }),
    refused("a_nul_behind", Claims, || payload(&format!("{}\0", ed25519().payload()))),
    refused("a_newline_in_a_text", Claims, || sub("\"user\n7\"")),
    refused("half_a_surrogate", Claims, || sub(r#""\ud800""#)),
    refused("another_escape", Claims, || sub(r#""\x41""#)),
    refused("a_byte_order_mark", Claims, || payload(&format!("\u{feff}{}", ed25519().payload()))),
    refused("no_break_spaces", Claims, || payload(&format!("\u{a0}{}", ed25519().payload()))),
    refused("no_utf_8", Encoding, || raw(|payload| payload.insert(8, 0xff))),
    refused("an_overlong_slash", Encoding, || {
        raw(|payload| drop(payload.splice(8..9, [0xc0, 0xaf])))
    }),
    refused("a_surrogate_in_utf_8", Encoding, || {
        raw(|payload| drop(payload.splice(8..9, [0xed, 0xa0, 0x80])))
    }),
    refused("utf_16", Claims, || {
        raw(|payload| *payload = payload.iter().flat_map(|&byte| [byte, 0]).collect())
    }),
    refused("compressed", Encoding, || {
        raw(|payload| payload.splice(..0, [0x78, 0x9c]).for_each(drop))
    }),
    refused("a_token_inside", Claims, || payload(&neighbour().token)),
    decided("white_space_around", "allowed", || payload(&format!(" {}\n", ed25519().payload()))),
];

fn aud(json: &str) -> String {
    ed25519().with_claim("aud", json)
}

fn sub(json: &str) -> String {
    ed25519().with_claim("sub", json)
}

fn payload(text: &str) -> String {
    ed25519().signed(ed25519().header(), text)
}

fn raw(change: fn(&mut Vec<u8>)) -> String {
    let mut payload = ed25519().payload().into_bytes();
    change(&mut payload);
    ed25519().signed(ed25519().header(), payload)
}
