//! Rules for signed keys: read by engines that cannot look into a token.

use std::slice::from_ref;

use keyward_core::Format;
use keyward_core::jose::PairKind;
use rstest::rstest;

use super::{BASE, mint, mint_long, signed};
use crate::pattern;
use crate::rules::{github, gitleaks, trufflehog};

#[rstest]
#[case(PairKind::Ed25519)]
#[case(PairKind::P256)]
#[case(PairKind::Rsa2048)]
#[case(PairKind::Rsa3072)]
fn rules_find_what_is_made_for_the_keyspace(#[case] kind: PairKind) {
    let signed = signed(kind, BASE, None);
    let patterns = [pattern("signed", Format::Signed(signed.clone()))];
    for read in [gitleaks(&patterns), trufflehog(&patterns), github(&patterns)] {
        let [rule] = &read[..] else { panic!() };
        assert!(rule.name.ends_with("signed"), "{}", rule.name);
        // Signatures end with a hyphen now and then.
        let seeds = if kind.bits().is_some() { 0..2 } else { 0..200 };
        for token in seeds.map(|seed| mint(&signed, seed).0).chain([mint_long(&signed, 1, 1_500).0])
        {
            for text in [
                token.clone(),
                format!("key: \"{token}\"\n"),
                format!("\n{token}\u{e4}"),
                format!("It is {token}. And"),
                format!("?a={token}&b"),
            ] {
                assert_eq!(rule.find(&text), from_ref(&token), "{text}");
            }
            for miss in [
                token[1..].to_owned(),
                token[..token.len() - 1].to_owned(),
                format!("x{token}"),
                format!("{token}x"),
                format!("{token}-"),
                token.replacen('.', "\n", 1),
                token.replacen('.', "", 1),
            ] {
                assert!(rule.find(&miss).is_empty(), "{miss}");
            }
        }
        // Of another issuer: that they cannot tell.
        let other = mint(&super::signed(kind, "https://example.org", None), 1).0;
        assert_eq!(rule.find(&other), [other]);
    }
    // Go's engine takes no bound above 1,000.
    let regex = patterns[0].regex();
    let bounds = regex.split(['{', '}', ',']).filter_map(|part| part.parse::<u32>().ok());
    assert!(bounds.max().unwrap() <= 1_000 && !regex.contains("(?"), "{regex}");
}
