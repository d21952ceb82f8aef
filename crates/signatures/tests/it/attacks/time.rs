//! Instants that are missing, of another type, beyond what can be told, past or to come.

use keyward_core::jose::SignedFault::Claims;

use super::forge::ed25519;
use super::{Attack, decided, refused};
use crate::support::NOW;

pub(super) const ATTACKS: &[Attack] = &[
    refused("exp_missing", Claims, || ed25519().without("exp")),
    refused("exp_null", Claims, || exp("null")),
    refused("exp_a_text", Claims, || exp(r#""4102444800""#)),
    refused("exp_a_date", Claims, || exp(r#""2130-01-01T00:00:00Z""#)),
    refused("exp_true", Claims, || exp("true")),
    refused("exp_a_list", Claims, || exp("[4102444800]")),
    refused("exp_an_object", Claims, || exp(r#"{"$numberLong":"4102444800"}"#)),
    refused("exp_1e308", Claims, || exp("1e308")),
    refused("exp_1e400", Claims, || exp("1e400")),
    refused("exp_minus_1e308", Claims, || exp("-1e308")),
    refused("exp_minus_1e400", Claims, || exp("-1e400")),
    refused("exp_of_64_bits", Claims, || exp("9223372036854775807")),
    refused("exp_of_more_bits", Claims, || exp("18446744073709551616")),
    refused("exp_whose_micros_wrap", Claims, || exp("18446744073709")),
    refused("exp_in_milliseconds", Claims, || exp("4102444800000")),
    refused("exp_in_the_year_10000", Claims, || exp("253402300800")),
    refused("exp_nan", Claims, || exp("NaN")),
    refused("exp_infinity", Claims, || exp("Infinity")),
    refused("exp_hexadecimal", Claims, || exp("0xf4865700")),
    refused("exp_with_a_plus", Claims, || exp("+4102444800")),
    refused("exp_with_a_zero_before", Claims, || exp("04102444800")),
    refused("exp_with_a_dot_behind", Claims, || exp("4102444800.")),
    refused("exp_with_underscores", Claims, || exp("4_102_444_800")),
    refused("exp_under_capitals", Claims, || ed25519().with_payload(r#""exp""#, r#""EXP""#)),
    decided("exp_0", "expired", || exp("0")),
    decided("exp_minus_0", "expired", || exp("-0")),
    decided("exp_next_to_0", "expired", || exp("1e-400")),
    decided("exp_negative", "expired", || exp("-4102444800")),
    decided("exp_now", "expired", || exp(&NOW.to_string())),
    decided("exp_half_a_second_ago", "expired", || exp(&format!("{}.5", NOW - 1))),
    decided("exp_now_in_other_words", "expired", || exp("17987616e2")),
    decided("exp_in_half_a_second", "allowed", || exp(&format!("{NOW}.5"))),
    decided("exp_in_a_second", "allowed", || exp(&(NOW + 1).to_string())),
    decided("exp_in_the_year_9999", "allowed", || exp("253402207199")),
    refused("nbf_null", Claims, || nbf("null")),
    refused("nbf_a_text", Claims, || nbf(r#""0""#)),
    refused("nbf_false", Claims, || nbf("false")),
    refused("nbf_a_list", Claims, || nbf("[]")),
    refused("nbf_1e308", Claims, || nbf("1e308")),
    refused("nbf_1e400", Claims, || nbf("1e400")),
    refused("nbf_minus_1e308", Claims, || nbf("-1e308")),
    decided("nbf_in_a_second", "not_yet_valid", || nbf(&(NOW + 1).to_string())),
    decided("nbf_in_half_a_second", "not_yet_valid", || nbf(&format!("{NOW}.5"))),
    decided("nbf_after_exp", "not_yet_valid", || nbf("4102444800")),
    decided("nbf_now", "allowed", || nbf(&NOW.to_string())),
    decided("nbf_negative", "allowed", || nbf("-1")),
    decided("nbf_to_come_and_exp_past", "expired", || {
        ed25519().with_claim("exp", r#"1,"nbf":4102444800"#)
    }),
    refused("iat_null", Claims, || ed25519().with_claim("iat", "null")),
    refused("iat_a_text", Claims, || ed25519().with_claim("iat", r#""1798761600""#)),
    refused("iat_a_date", Claims, || ed25519().with_claim("iat", r#""2027-01-01T00:00:00Z""#)),
    refused("iat_true", Claims, || ed25519().with_claim("iat", "true")),
    refused("iat_1e308", Claims, || ed25519().with_claim("iat", "1e308")),
    refused("iat_1e400", Claims, || ed25519().with_claim("iat", "1e400")),
    // RFC 7519 §4.1.6 has no rule about it, and clocks differ.
    decided("iat_to_come", "allowed", || ed25519().with_claim("iat", "4102444800")),
    decided("iat_missing", "allowed", || ed25519().without("iat")),
];

fn exp(json: &str) -> String {
    ed25519().with_claim("exp", json)
}

fn nbf(json: &str) -> String {
    ed25519().with_more(&format!(r#""nbf":{json}"#))
}
