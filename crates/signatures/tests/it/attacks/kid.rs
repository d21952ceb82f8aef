//! An id that is none, is written otherwise, leads elsewhere, or is somebody else's.

use keyward_core::jose::SignedFault::{Header, Issuer, KeyId};

use super::forge::{NOBODY, deleted, disabled, ed25519, neighbour, p256, revoked, rsa};
use super::{Attack, decided, refused};

pub(super) const ATTACKS: &[Attack] = &[
    refused("missing", Header, || {
        let kid = format!(r#","kid":"{}""#, ed25519().kid());
        ed25519().with_header(&kid, "")
    }),
    refused("null", Header, || valued("null")),
    refused("a_number", Header, || valued("7")),
    refused("a_list", Header, || valued(r#"["{}"]"#)),
    refused("an_object", Header, || valued(r#"{"kid":"{}"}"#)),
    refused("under_capitals", Header, || ed25519().with_header(r#""kid""#, r#""KID""#)),
    refused("empty", KeyId, || ed25519().with_kid("")),
    refused("in_upper_case", KeyId, || ed25519().with_kid(&ed25519().kid().to_ascii_uppercase())),
    refused("one_letter_in_upper_case", KeyId, || {
        ed25519().with_kid(&ed25519().kid().replacen('a', "A", 1))
    }),
    refused("a_urn", KeyId, || ed25519().with_kid("urn:uuid:{}")),
    refused("in_braces", KeyId, || ed25519().with_kid("{{}}")),
    refused("without_hyphens", KeyId, || ed25519().with_kid(&ed25519().kid().replace('-', ""))),
    refused("hyphens_elsewhere", KeyId, || {
        ed25519().with_kid("01a2-00f5-34df703a-b461-85a5d3a08f01")
    }),
    refused("nil", KeyId, || ed25519().with_kid("00000000-0000-0000-0000-000000000000")),
    refused("max", KeyId, || ed25519().with_kid("ffffffff-ffff-ffff-ffff-ffffffffffff")),
    refused("version_0", KeyId, || ed25519().with_kid("01a200f5-34df-003a-b461-85a5d3a08f01")),
    refused("version_9", KeyId, || ed25519().with_kid("01a200f5-34df-903a-b461-85a5d3a08f01")),
    refused("variant_of_ncs", KeyId, || ed25519().with_kid("01a200f5-34df-703a-7461-85a5d3a08f01")),
    refused("variant_of_microsoft", KeyId, || {
        ed25519().with_kid("01a200f5-34df-703a-c461-85a5d3a08f01")
    }),
    refused("one_character_less", KeyId, || {
        ed25519().with_kid(ed25519().kid().strip_suffix('1').unwrap())
    }),
    refused("one_character_more", KeyId, || ed25519().with_kid("{}0")),
    refused("not_hexadecimal", KeyId, || {
        ed25519().with_kid("01g200f5-34df-703a-b461-85a5d3a08f01")
    }),
    refused("digits_of_full_width", KeyId, || {
        ed25519().with_kid("０1a200f5-34df-703a-b461-85a5d3a08f01")
    }),
    refused("a_dash_for_a_hyphen", KeyId, || {
        ed25519().with_kid(&ed25519().kid().replace('-', "–"))
    }),
    refused("a_newline_behind", KeyId, || ed25519().with_kid("{}\n")),
    refused("a_space_before", KeyId, || ed25519().with_kid(" {}")),
    refused("a_space_behind", KeyId, || ed25519().with_kid("{} ")),
    refused("a_nul_behind", KeyId, || ed25519().with_kid("{}\0")),
    refused("the_parent_path", KeyId, || ed25519().with_kid("../{}")),
    refused("a_path_behind", KeyId, || ed25519().with_kid("{}/..")),
    refused("a_file", KeyId, || ed25519().with_kid("../../../../../../../../../dev/null")),
    refused("a_query_behind", KeyId, || ed25519().with_kid("{}?")),
    refused("a_fragment_behind", KeyId, || ed25519().with_kid("{}#")),
    refused("percent_encoded", KeyId, || ed25519().with_kid("%30{}")),
    refused("sql", KeyId, || ed25519().with_kid("' OR '1'='1' -- {}")),
    refused("a_url", KeyId, || ed25519().with_kid("https://evil.example/{}")),
    refused("an_id_of_prefixed_keys", KeyId, || ed25519().with_kid("4xDjLKWFk3pH")),
    refused("somebodys_in_the_header", Issuer, || {
        ed25519().with_header(ed25519().kid(), neighbour().kid())
    }),
    refused("somebodys_in_the_issuer", Issuer, || {
        ed25519().with_payload(ed25519().kid(), neighbour().kid())
    }),
    refused("upper_case_in_the_issuer", Issuer, || {
        ed25519().with_payload(ed25519().kid(), &ed25519().kid().to_ascii_uppercase())
    }),
    refused("upper_case_in_the_header", KeyId, || {
        ed25519().with_header(ed25519().kid(), &ed25519().kid().to_ascii_uppercase())
    }),
    decided("the_neighbours_in_both", "unknown", || ed25519().with_kid(neighbour().kid())),
    decided("another_kinds_in_both", "unknown", || ed25519().with_kid(p256().kid())),
    decided("another_issuers_in_both", "unknown", || ed25519().with_kid(rsa().kid())),
    decided("nobodys", "unknown", || ed25519().with_kid(NOBODY)),
    decided("nobodys_of_version_4", "unknown", || {
        ed25519().with_kid("01a200f5-34df-403a-b461-85a5d3a08f01")
    }),
    decided("that_of_a_deleted_key", "unknown", || deleted().token.clone()),
    decided("that_of_a_disabled_key", "disabled", || disabled().token.clone()),
    decided("that_of_a_revoked_key", "revoked", || revoked().token.clone()),
    decided("that_of_a_revoked_key_by_another_pair", "unknown", || {
        p256().with_kid(revoked().kid())
    }),
];

/// Another value in the header alone: `{}` stands for the id.
fn valued(json: &str) -> String {
    let own = ed25519().kid();
    ed25519().with_header(&format!(r#""{own}""#), &json.replace("{}", own))
}
