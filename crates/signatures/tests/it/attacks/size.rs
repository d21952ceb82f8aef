//! Texts that are too long, or cost much although they are short.

use keyward_core::Malformed;
use keyward_core::jose::SignedFault::{Claims, Header, Issuer, KeyId, TooLong};
use keyward_core::jose::SignedToken;

use super::forge::{ed25519, rsa};
use super::{Attack, decided, formless, refused};

pub(super) const ATTACKS: &[Attack] = &[
    decided("as_long_as_it_may_be", "allowed", || of_length(SignedToken::MOST_LENGTH)),
    refused("one_character_longer", TooLong, || of_length(SignedToken::MOST_LENGTH + 1)),
    refused("twice_as_long", TooLong, || of_length(2 * SignedToken::MOST_LENGTH)),
    refused("a_megabyte", TooLong, || format!("eyJ{}", "A".repeat(1_000_000))),
    refused("a_megabyte_of_dots", TooLong, || format!("eyJ{}", ".".repeat(1_000_000))),
    refused("a_long_signature", TooLong, || {
        format!("{}{}", rsa().token, "A".repeat(SignedToken::MOST_LENGTH))
    }),
    formless("a_megabyte_of_something_else", Malformed::TooLong, || "A".repeat(1_000_000)),
    refused("lists_200_deep", Claims, || nested("[", "]", 200)),
    refused("objects_200_deep", Claims, || nested(r#"{"a":"#, "}", 200)),
    refused("lists_that_never_end", Claims, || more(&"[".repeat(1_200))),
    refused("objects_that_never_end", Claims, || more(&r#"{"a":"#.repeat(400))),
    refused("lists_one_too_deep", Claims, || nested("[", "]", 127)),
    decided("lists_as_deep_as_may_be", "allowed", || nested("[", "]", 126)),
    decided("objects_as_deep_as_may_be", "allowed", || nested(r#"{"a":"#, "}", 125)),
    refused("a_deep_issuer", Claims, || {
        ed25519().with_claim("iss", &format!("{}{}", "[".repeat(120), "]".repeat(120)))
    }),
    refused("a_deep_audience", Claims, || {
        ed25519().with_claim("aud", &format!("{}{}", "[".repeat(120), "]".repeat(120)))
    }),
    refused("a_deep_header", Header, || {
        ed25519().with_more_header(&format!(r#""x":{}"#, "[".repeat(1_000)))
    }),
    refused("a_deep_algorithm", Header, || {
        ed25519().with_header(r#""EdDSA""#, &format!("{}{}", "[".repeat(500), "]".repeat(500)))
    }),
    refused("many_names_and_one_twice", Claims, || {
        ed25519().with_more(&format!(r#"{},"0":0"#, members(300)))
    }),
    decided("many_names", "allowed", || ed25519().with_more(&members(300))),
    refused("many_names_in_the_header", Header, || ed25519().with_more_header(&members(300))),
    refused("a_number_of_2000_digits", Claims, || {
        ed25519().with_claim("exp", &format!("1{}", "0".repeat(2_000)))
    }),
    refused("an_exponent_of_2000_digits", Claims, || {
        ed25519().with_claim("exp", &format!("1e{}", "9".repeat(2_000)))
    }),
    decided("an_exponent_of_2000_digits_below_zero", "expired", || {
        ed25519().with_claim("exp", &format!("1e-{}", "9".repeat(2_000)))
    }),
    decided("a_fraction_of_2000_digits", "allowed", || {
        ed25519().with_claim("exp", &format!("1798765199.{}", "9".repeat(2_000)))
    }),
    refused("a_number_that_nobody_reads", Claims, || more("1e999999999")),
    decided("many_audiences", "allowed", || {
        ed25519().with_claim("aud", &format!(r#"[{}"api"]"#, r#""a","#.repeat(500)))
    }),
    decided("many_wrong_audiences", "unknown", || {
        ed25519().with_claim("aud", &format!(r#"[{}"apis"]"#, r#""a","#.repeat(500)))
    }),
    refused("a_long_issuer", Issuer, || ed25519().with_issuer(&"https://a/".repeat(200))),
    refused("an_issuer_of_slashes", Issuer, || ed25519().with_issuer(&"/".repeat(2_000))),
    refused("a_long_id", KeyId, || ed25519().with_header(ed25519().kid(), &"0".repeat(2_000))),
    decided("a_long_subject", "allowed", || {
        ed25519().with_claim("sub", &format!(r#""{}""#, "a".repeat(2_000)))
    }),
    decided("a_long_subject_in_escapes", "allowed", || {
        ed25519().with_claim("sub", &format!(r#""{}""#, r"\u0061".repeat(400)))
    }),
    decided("white_space_for_ever", "allowed", || {
        ed25519().with_payload("{", &format!("{{{}", " \n\t".repeat(600)))
    }),
];

fn more(json: &str) -> String {
    ed25519().with_more(&format!(r#""a":{json}"#))
}

fn nested(before: &str, behind: &str, depth: usize) -> String {
    more(&format!("{}1{}", before.repeat(depth), behind.repeat(depth)))
}

/// That many members, named by numbers.
fn members(count: usize) -> String {
    let members: Vec<_> = (0..count).map(|n| format!(r#""{n}":0"#)).collect();
    members.join(",")
}

/// A genuine token of that length: not every one can be had by a longer payload alone.
fn of_length(length: usize) -> String {
    let headers = (0..3).map(|spaces| format!("{}}}", " ".repeat(spaces)));
    let headers = headers.map(|end| ed25519().header().replace('}', &end));
    let texts = headers.flat_map(|header| {
        let about = length * 3 / 4 - 400;
        (about..about + 400).map(move |pad| {
            let pad = format!(r#","pad":"{}"}}"#, "a".repeat(pad));
            ed25519().signed(&header, ed25519().payload().replace('}', &pad))
        })
    });
    texts.into_iter().find(|text| text.len() == length).unwrap()
}
