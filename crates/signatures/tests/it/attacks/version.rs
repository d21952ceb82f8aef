//! Another version, or the version written otherwise.

use keyward_core::jose::SignedFault::{Claims, Version};

use super::forge::ed25519;
use super::{Attack, decided, refused};

pub(super) const ATTACKS: &[Attack] = &[
    refused("missing", Version, || ed25519().without("ver")),
    refused("null", Version, || ed25519().with_claim("ver", "null")),
    refused("empty", Version, || named("")),
    refused("0", Version, || named("japikey-v0")),
    refused("01", Version, || named("japikey-v01")),
    refused("001", Version, || named("japikey-v001")),
    refused("0001", Version, || named("japikey-v0001")),
    refused("1_0", Version, || named("japikey-v1.0")),
    refused("2", Version, || named("japikey-v2")),
    refused("11", Version, || named("japikey-v11")),
    refused("minus_1", Version, || named("japikey-v-1")),
    refused("plus_1", Version, || named("japikey-v+1")),
    refused("no_number", Version, || named("japikey-v")),
    refused("no_prefix", Version, || named("1")),
    refused("in_capitals", Version, || named("JAPIKEY-V1")),
    refused("a_space_before", Version, || named(" japikey-v1")),
    refused("a_space_behind", Version, || named("japikey-v1 ")),
    refused("a_newline_behind", Version, || named(r"japikey-v1\n")),
    refused("a_nul_behind", Version, || named(r"japikey-v1\u0000")),
    refused("an_arabic_digit", Version, || named("japikey-v١")),
    refused("a_digit_of_full_width", Version, || named("japikey-v１")),
    refused("under_capitals", Version, || ed25519().with_payload(r#""ver""#, r#""VER""#)),
    refused("a_number", Claims, || ed25519().with_claim("ver", "1")),
    refused("true", Claims, || ed25519().with_claim("ver", "true")),
    refused("a_list", Claims, || ed25519().with_claim("ver", r#"["japikey-v1"]"#)),
    refused("an_object", Claims, || ed25519().with_claim("ver", r#"{"japikey-v1":1}"#)),
    decided("the_same_text_written_otherwise", "allowed", || named(r"japikey\u002dv1")),
];

fn named(version: &str) -> String {
    ed25519().with_claim("ver", &format!(r#""{version}""#))
}
