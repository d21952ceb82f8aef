//! Signed keys among keyspaces that share an issuer, and among secrets that look like them.

use keyward_core::jose::{PairKind, SignedFault};
use keyward_core::{
    Alphabet, Format, KeyRecord, KeyspaceTable, Locator, Malformed, Opaque, Signed,
};
use rstest::rstest;

use crate::support::{Pair, decide, hasher, keyspace, new_key, record, signed};

const KID: &str = "01a200f5-34df-703a-b461-85a5d3a08f33";

/// A keyspace of that name for that audience, and a key in it whose token says this audience.
fn held(id: &str, issuer: &str, audience: Option<&str>) -> (Signed, KeyRecord, String) {
    use std::sync::Arc;
    let signed = signed(PairKind::Ed25519, issuer, audience);
    let keyspace = keyspace(id, Format::Signed(signed.clone()));
    let pair = Arc::new(Pair::ed25519(1));
    let record = record(new_key(&keyspace, "{}"), KID, pair.public_key(), &keyspace);
    let lent = crate::support::Lent(Arc::clone(&pair), pair.public_key());
    let minted = signed.mint(&record, Box::new(lent)).unwrap();
    (signed, record, minted.secret.expose().to_owned())
}

fn table(keyspaces: &[(&str, &Signed)]) -> KeyspaceTable {
    KeyspaceTable::new(
        keyspaces.iter().map(|&(id, signed)| keyspace(id, Format::Signed(signed.clone()))),
    )
}

const ONE: &str = "https://one.example";
const TWO: &str = "https://two.example";

/// The key belongs to `one`; its token was minted by the settings of `other`.
#[rstest]
#[case::the_same((ONE, Some("a")), (ONE, Some("a")), "allowed")]
#[case::another_audience((ONE, Some("a")), (ONE, Some("b")), "unknown")]
#[case::no_audience((ONE, Some("a")), (ONE, None), "unknown")]
#[case::any_audience((ONE, None), (ONE, Some("b")), "allowed")]
#[case::another_issuer((ONE, Some("a")), (TWO, Some("a")), "unknown")]
#[case::another_issuer_and_no_audience((ONE, None), (TWO, None), "unknown")]
fn a_token_must_be_meant_by_the_keyspace_of_its_key(
    #[case] one: (&str, Option<&str>),
    #[case] other: (&str, Option<&str>),
    #[case] code: &str,
) {
    let (one, record, _) = held("one", one.0, one.1);
    let (other, _, token) = held("other", other.0, other.1);
    let table = table(&[("one", &one), ("other", &other)]);
    assert_eq!(decide(&token, &table, [&record], 0), Ok(code));
}

#[test]
fn an_issuer_that_no_keyspace_has_is_refused_unseen() {
    let (one, ..) = held("one", ONE, None);
    let (_, record, token) = held("two", TWO, None);
    let decision = decide(&token, &table(&[("one", &one)]), [&record], 0);
    assert_eq!(decision, Err(Malformed::Signed(SignedFault::Issuer)));
}

#[test]
fn a_key_whose_keyspace_is_gone_or_of_another_format_is_unknown() {
    let (signed, record, token) = held("gone", ONE, None);
    assert_eq!(decide(&token, &table(&[("other", &signed)]), [&record], 0), Ok("unknown"));
    let opaque = Opaque::new(None, 40, Alphabet::alphanumeric().clone()).unwrap();
    let keyspaces =
        [keyspace("gone", Format::Opaque(opaque)), keyspace("other", Format::Signed(signed))];
    assert_eq!(decide(&token, &KeyspaceTable::new(keyspaces), [&record], 0), Ok("unknown"));
}

#[test]
fn without_signed_keyspaces_a_token_is_of_no_form() {
    let (_, record, token) = held("one", ONE, None);
    let opaque = Opaque::new(None, 40, Alphabet::alphanumeric().clone()).unwrap();
    let table = KeyspaceTable::new([keyspace("opaque", Format::Opaque(opaque))]);
    assert_eq!(decide(&token, &table, [&record], 0), Err(Malformed::Form));
}

#[test]
fn opaque_secrets_that_begin_like_tokens_are_still_read() {
    let (signed, ..) = held("one", ONE, None);
    let bare = Opaque::new(None, 40, Alphabet::alphanumeric().clone()).unwrap();
    let table = KeyspaceTable::new([
        keyspace("signed", Format::Signed(signed)),
        keyspace("bare", Format::Opaque(bare)),
    ]);
    let text = format!("eyJ{}", "a".repeat(37));
    let token = table.parse(&text).unwrap();
    assert!(token.as_signed().is_none());
    let locators: Vec<_> = token.locators(&hasher()).collect();
    assert!(matches!(*locators, [Locator::Digest(_)]));
    // One character more, and it is neither: then the likelier complaint is told.
    let complaint = table.parse(&format!("eyJ{}", "a".repeat(38))).unwrap_err();
    assert_eq!(complaint, Malformed::Signed(SignedFault::Form));
}
