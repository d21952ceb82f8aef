//! What is minted: its text to the letter, read back by us and by another library.

mod any;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use keyward_core::jose::{Claims, PairKind, PublicKey, SignedToken};
use keyward_core::{Format, KeyRecord, Keyspace, KeyspaceTable, NewKey, Scope, ScopeSet, Signed};
use keyward_signatures::generate;
use rstest::rstest;
use serde_json::Value;

use crate::support::{NOW, at, decide, decode, keyspace, new_key, record, signed};

const BASE: &str = "https://example.com/keys";
const KID: &str = "01a200f5-34df-703a-b461-85a5d3a08f33";

fn keyspace_of(kind: PairKind, audience: Option<&str>) -> (Keyspace, Signed) {
    let signed = signed(kind, BASE, audience);
    (keyspace("default", Format::Signed(signed.clone())), signed)
}

/// A token of a pair that is generated for it, and its record.
fn mint(kind: PairKind, audience: Option<&str>, claims: &str) -> (String, KeyRecord) {
    let (keyspace, _) = keyspace_of(kind, audience);
    mint_new(new_key(&keyspace, claims), kind, audience)
}

fn mint_new(new: NewKey, kind: PairKind, audience: Option<&str>) -> (String, KeyRecord) {
    let (keyspace, signed) = keyspace_of(kind, audience);
    let pair = generate(kind).unwrap();
    let record = record(new, KID, pair.public_key().clone(), &keyspace);
    let minted = signed.mint(&record, pair).unwrap();
    assert_eq!(minted.hint, KID);
    (minted.secret.expose().to_owned(), record)
}

/// A part of a token as text.
fn part(token: &str, number: usize) -> String {
    String::from_utf8(decode(token.split('.').nth(number).unwrap())).unwrap()
}

fn public_key(record: &KeyRecord) -> &PublicKey {
    &record.secret.signature().unwrap().public_key
}

/// What another library says of a token: its claims, if the signature is right.
fn ask_another(token: &str, key: &PublicKey, audience: Option<&str>) -> Option<Value> {
    let jwk: Jwk = serde_json::from_str(&key.to_jwk(KID)).unwrap();
    let algorithm: Algorithm = key.algorithm().as_str().parse().unwrap();
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[format!("{BASE}/{KID}")]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    // By its own clock, which is not that of these tests.
    validation.validate_exp = false;
    match audience {
        Some(audience) => validation.set_audience(&[audience]),
        None => validation.validate_aud = false,
    }
    let key = DecodingKey::from_jwk(&jwk).unwrap();
    jsonwebtoken::decode(token, &key, &validation).ok().map(|read| read.claims)
}

#[rstest]
#[case::ed25519(PairKind::Ed25519, "EdDSA", 64)]
#[case::p256(PairKind::P256, "ES256", 64)]
#[case::rsa2048(PairKind::Rsa2048, "RS256", 256)]
#[case::rsa3072(PairKind::Rsa3072, "RS256", 384)]
#[case::rsa4096(PairKind::Rsa4096, "RS256", 512)]
fn each_kind_mints_what_all_can_read(
    #[case] kind: PairKind,
    #[case] algorithm: &str,
    #[case] signature_length: usize,
) {
    let (token, record) = mint(kind, Some("api"), r#"{"team":"a/b","tags":["x", 1.50]}"#);
    let header = format!(r#"{{"alg":"{algorithm}","kid":"{KID}"}}"#);
    assert_eq!(part(&token, 0), header);
    let payload = format!(
        r#"{{"team":"a/b","tags":["x", 1.50],"sub":"user-7","iss":"{BASE}/{KID}","aud":"api","exp":{},"ver":"japikey-v1","iat":{NOW}}}"#,
        NOW + 3_600
    );
    assert_eq!(part(&token, 1), payload);
    assert_eq!(decode(token.rsplit('.').next().unwrap()).len(), signature_length);

    let (keyspace, signed) = keyspace_of(kind, Some("api"));
    let table = KeyspaceTable::new([keyspace]);
    assert_eq!(decide(&token, &table, [&record], 0), Ok("allowed"));
    assert_eq!(decide(&token, &table, [&record], 3_600), Ok("expired"));
    let read = SignedToken::read(&token, table.issuers()).unwrap();
    assert!(signed.is_meant_by(&read));
    assert_eq!(read.claims().to_json(), payload);
    assert_eq!(read.registered().issued_at, Some(at(0)));

    let key = public_key(&record);
    let told: Value = ask_another(&token, key, Some("api")).unwrap();
    assert_eq!(told, serde_json::from_str::<Value>(&payload).unwrap());
    assert_eq!(ask_another(&token, key, Some("web")), None);
    let (other, _) = mint(kind, Some("api"), "{}");
    assert_eq!(ask_another(&other, key, Some("api")), None, "it is of another pair");
}

#[rstest]
#[case::none("{}", "sub,iss,aud,exp,ver,iat")]
#[case::one(r#"{"a":1}"#, "a,sub,iss,aud,exp,ver,iat")]
#[case::in_their_order(r#"{"z":1,"a":2}"#, "z,a,sub,iss,aud,exp,ver,iat")]
#[case::reserved(r#"{"exp":1,"a":2,"iss":"x"}"#, "exp,a,iss,sub,aud,ver,iat")]
#[case::all(
    r#"{"iat":1,"ver":"x","exp":1,"aud":[],"iss":"x","sub":"x"}"#,
    "iat,ver,exp,aud,iss,sub"
)]
#[case::of_another_type(r#"{"iat":"x","exp":null,"sub":{}}"#, "iat,exp,sub,iss,aud,ver")]
#[case::with_an_id(r#"{"jti":"x"}"#, "jti,sub,iss,aud,exp,ver,iat")]
fn reserved_claims_stand_where_the_caller_put_them_and_say_what_we_say(
    #[case] claims: &str,
    #[case] names: &str,
) {
    let (token, _) = mint(PairKind::Ed25519, Some("api"), claims);
    let payload: Claims = serde_json::from_str(&part(&token, 1)).unwrap();
    let expected = [
        ("sub", r#""user-7""#.to_owned()),
        ("iss", format!(r#""{BASE}/{KID}""#)),
        ("aud", r#""api""#.to_owned()),
        ("exp", (NOW + 3_600).to_string()),
        ("ver", r#""japikey-v1""#.to_owned()),
        ("iat", NOW.to_string()),
    ];
    for (name, value) in &expected {
        assert_eq!(payload.get(name), Some(value.as_str()));
    }
    assert_eq!(format!("{payload:?}").replace(['{', '}', '"', ' '], ""), names);
}

#[test]
fn a_keyspace_without_an_audience_drops_the_callers() {
    let (token, record) = mint(PairKind::Ed25519, None, r#"{"a":1,"aud":"web","b":2}"#);
    let payload = part(&token, 1);
    assert!(payload.starts_with(r#"{"a":1,"b":2,"sub":"#), "{payload}");
    assert!(!payload.contains("aud"));
    assert!(ask_another(&token, public_key(&record), None).is_some());
}

#[test]
fn what_the_caller_says_about_its_beginning_counts_unless_the_key_says_it() {
    let (keyspace, _) = keyspace_of(PairKind::Ed25519, None);
    let claims = format!(r#"{{"nbf":{}.5,"a":1}}"#, NOW + 10);
    let table = KeyspaceTable::new([keyspace.clone()]);

    let (token, record) = mint(PairKind::Ed25519, None, &claims);
    assert!(part(&token, 1).starts_with(claims.trim_end_matches('}')));
    assert_eq!(decide(&token, &table, [&record], 10), Ok("not_yet_valid"));
    assert_eq!(decide(&token, &table, [&record], 11), Ok("allowed"));

    let new = NewKey { not_before: Some(at(5)), ..new_key(&keyspace, &claims) };
    let (token, record) = mint_new(new, PairKind::Ed25519, None);
    assert!(part(&token, 1).starts_with(&format!(r#"{{"nbf":{},"a":1,"#, NOW + 5)));
    assert_eq!(decide(&token, &table, [&record], 4), Ok("not_yet_valid"));
    assert_eq!(decide(&token, &table, [&record], 5), Ok("allowed"));
}

#[test]
fn scopes_of_the_key_stand_in_the_token() {
    let (keyspace, _) = keyspace_of(PairKind::Ed25519, None);
    let scopes = ["read", "write"].map(|scope| Scope::parse(scope).unwrap());
    let scopes = ScopeSet::new(scopes).unwrap();
    let new = NewKey { scopes, ..new_key(&keyspace, r#"{"scopes":["admin"],"a":1}"#) };
    let (token, _) = mint_new(new, PairKind::Ed25519, None);
    assert!(part(&token, 1).starts_with(r#"{"scopes":["read","write"],"a":1,"sub":"#));
}

/// Claims with which a token would be minted that nobody can use.
#[rstest]
#[case::a_text_for_nbf(r#"{"nbf":"1798761600"}"#)]
#[case::null_for_nbf(r#"{"nbf":null}"#)]
#[case::an_nbf_that_no_date_tells(r#"{"nbf":1e300}"#)]
#[case::an_nbf_in_milliseconds(r#"{"nbf":1798761600000}"#)]
#[case::a_number_for_jti(r#"{"jti":7}"#)]
#[case::null_for_jti(r#"{"jti":null}"#)]
#[case::too_long(&format!(r#"{{"a":"{}"}}"#, "a".repeat(4_096)))]
fn claims_that_cannot_be_read_back_are_not_minted(#[case] claims: &str) {
    let (keyspace, _) = keyspace_of(PairKind::Ed25519, None);
    let complaint = new_key(&keyspace, claims).check(&keyspace, at(0)).unwrap_err();
    assert_eq!(complaint.field, "claims");
}

/// Members inside each other: as deep as may be, and one level more.
#[test]
fn claims_are_minted_as_deep_as_they_can_be_read() {
    let nested = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let (token, record) = mint(PairKind::Ed25519, None, &nested(126));
    let (keyspace, _) = keyspace_of(PairKind::Ed25519, None);
    let complaint = new_key(&keyspace, &nested(127)).check(&keyspace, at(0)).unwrap_err();
    assert_eq!(complaint.field, "claims");
    assert_eq!(decide(&token, &KeyspaceTable::new([keyspace]), [&record], 0), Ok("allowed"));
}

#[test]
fn a_claim_that_the_key_overrules_must_still_be_right() {
    let (keyspace, _) = keyspace_of(PairKind::Ed25519, None);
    let new = NewKey { not_before: Some(at(5)), ..new_key(&keyspace, r#"{"nbf":"x"}"#) };
    assert_eq!(new.check(&keyspace, at(0)).unwrap_err().field, "claims");
}
