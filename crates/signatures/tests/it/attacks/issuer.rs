//! An issuer that only looks like one of those that are believed.

use keyward_core::jose::SignedFault::{Claims, Issuer};

use super::forge::{NOBODY, RSA_BASE, ed25519, p256, rsa};
use super::{Attack, decided, refused};

pub(super) const ATTACKS: &[Attack] = &[
    refused("missing", Issuer, || ed25519().without("iss")),
    refused("null", Issuer, || ed25519().with_claim("iss", "null")),
    refused("empty", Issuer, || ed25519().with_issuer("")),
    refused("a_slash", Issuer, || ed25519().with_issuer("/")),
    refused("a_number", Claims, || ed25519().with_claim("iss", "1")),
    refused("a_list", Claims, || ed25519().with_claim("iss", r#"["https://example.com/keys"]"#)),
    refused("an_object", Claims, || ed25519().with_claim("iss", "{}")),
    refused("the_base_alone", Issuer, || ed25519().with_issuer("https://example.com/keys")),
    refused("the_base_and_a_slash", Issuer, || ed25519().with_issuer("https://example.com/keys/")),
    refused("the_id_alone", Issuer, || ed25519().with_issuer("{}")),
    refused("a_slash_and_the_id", Issuer, || ed25519().with_issuer("/{}")),
    refused("glued", Issuer, || ed25519().with_issuer("https://example.com/keys{}")),
    refused("a_slash_behind", Issuer, || ed25519().with_issuer("https://example.com/keys/{}/")),
    refused("two_slashes", Issuer, || ed25519().with_issuer("https://example.com/keys//{}")),
    refused("a_longer_path", Issuer, || ed25519().with_issuer("https://example.com/keys/evil/{}")),
    refused("a_shorter_path", Issuer, || ed25519().with_issuer("https://example.com/{}")),
    refused("a_path_in_capitals", Issuer, || ed25519().with_issuer("https://example.com/Keys/{}")),
    refused("a_path_that_returns", Issuer, || {
        ed25519().with_issuer("https://example.com/keys/../keys/{}")
    }),
    refused("a_path_with_a_dot", Issuer, || ed25519().with_issuer("https://example.com/./keys/{}")),
    refused("a_path_in_percent", Issuer, || ed25519().with_issuer("https://example.com/%6beys/{}")),
    refused("a_slash_in_percent", Issuer, || {
        ed25519().with_issuer("https://example.com/keys%2F{}")
    }),
    refused("a_backslash", Issuer, || ed25519().with_issuer(r"https://example.com/keys\{}")),
    refused("backslashes", Issuer, || ed25519().with_issuer(r"https:\\example.com\keys/{}")),
    refused("a_query", Issuer, || ed25519().with_issuer("https://example.com/keys/{}?")),
    refused("a_query_before_the_id", Issuer, || {
        ed25519().with_issuer("https://example.com/keys?/{}")
    }),
    refused("a_fragment", Issuer, || ed25519().with_issuer("https://example.com/keys/{}#a")),
    refused("a_parameter", Issuer, || ed25519().with_issuer("https://example.com/keys;a=b/{}")),
    refused("another_port", Issuer, || ed25519().with_issuer("https://example.com:8443/keys/{}")),
    refused("the_default_port", Issuer, || {
        ed25519().with_issuer("https://example.com:443/keys/{}")
    }),
    refused("an_empty_port", Issuer, || ed25519().with_issuer("https://example.com:/keys/{}")),
    refused("a_user", Issuer, || ed25519().with_issuer("https://user@example.com/keys/{}")),
    refused("the_host_as_user", Issuer, || {
        ed25519().with_issuer("https://example.com@evil.example/keys/{}")
    }),
    refused("the_host_and_a_password", Issuer, || {
        ed25519().with_issuer("https://example.com:x@evil.example/keys/{}")
    }),
    refused("the_host_in_capitals", Issuer, || {
        ed25519().with_issuer("https://EXAMPLE.com/keys/{}")
    }),
    refused("the_scheme_in_capitals", Issuer, || {
        ed25519().with_issuer("HTTPS://example.com/keys/{}")
    }),
    refused("http", Issuer, || ed25519().with_issuer("http://example.com/keys/{}")),
    refused("no_scheme", Issuer, || ed25519().with_issuer("//example.com/keys/{}")),
    refused("one_slash_less", Issuer, || ed25519().with_issuer("https:/example.com/keys/{}")),
    refused("a_subdomain", Issuer, || ed25519().with_issuer("https://a.example.com/keys/{}")),
    refused("a_longer_domain", Issuer, || {
        ed25519().with_issuer("https://example.com.evil.example/keys/{}")
    }),
    refused("a_domain_that_ends_so", Issuer, || {
        ed25519().with_issuer("https://evil-example.com/keys/{}")
    }),
    refused("a_dot_behind_the_host", Issuer, || {
        ed25519().with_issuer("https://example.com./keys/{}")
    }),
    refused("a_cyrillic_letter", Issuer, || ed25519().with_issuer("https://еxample.com/keys/{}")),
    refused("its_punycode", Issuer, || ed25519().with_issuer("https://xn--xample-2of.com/keys/{}")),
    refused("full_width", Issuer, || ed25519().with_issuer("https://ｅxample.com/keys/{}")),
    refused("a_soft_hyphen", Issuer, || ed25519().with_issuer("https://exam\u{ad}ple.com/keys/{}")),
    refused("behind_another_host", Issuer, || {
        ed25519().with_issuer("https://evil.example/https://example.com/keys/{}")
    }),
    refused("in_the_fragment", Issuer, || {
        ed25519().with_issuer("https://evil.example/#https://example.com/keys/{}")
    }),
    refused("another_host", Issuer, || ed25519().with_issuer("https://evil.example/keys/{}")),
    refused("a_space_before", Issuer, || ed25519().with_issuer(" https://example.com/keys/{}")),
    refused("a_newline_behind", Issuer, || ed25519().with_issuer("https://example.com/keys/{}\n")),
    refused("a_tab_inside", Issuer, || ed25519().with_issuer("https://example.com/ke\tys/{}")),
    refused("a_nul_behind", Issuer, || ed25519().with_issuer("https://example.com/keys/{}\0")),
    refused("two_ids", Issuer, || ed25519().with_issuer("https://example.com/keys/{}/{}")),
    refused("nobodys_id", Issuer, || {
        ed25519().with_issuer(&format!("https://example.com/keys/{NOBODY}"))
    }),
    refused("the_document", Issuer, || {
        ed25519().with_issuer("https://example.com/keys/{}/.well-known/jwks.json")
    }),
    decided("that_of_another_keyspace", "unknown", || {
        ed25519().with_issuer(&format!("{RSA_BASE}/{{}}"))
    }),
    decided("that_of_another_keyspace_for_rsa", "unknown", || {
        rsa().with_issuer("https://example.com/keys/{}")
    }),
    decided("the_audience_of_a_keyspace_beside", "unknown", || {
        ed25519().with_claim("aud", r#""billing""#)
    }),
    decided("the_audience_of_a_keyspace_beside_for_p256", "unknown", || {
        p256().with_claim("aud", r#""api""#)
    }),
    decided("the_same_text_written_otherwise", "allowed", || {
        let issuer = format!(r#""https:\/\/example.com\u002fkeys\/{}""#, ed25519().kid());
        ed25519().with_claim("iss", &issuer)
    }),
];
