//! Access tokens (RFC 9068): what is signed reads back, here and by another library, and nothing else does.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use keyward_core::jose::{
    AccessClaims, AccessToken, Audiences, Issuers, KeySet, PairKind, RegisteredClaims, SignedFault,
    SignedToken, Signer,
};
use keyward_core::{KeyId, ScopeSet};
use keyward_signatures::{signer, verifying_key};
use rstest::rstest;
use serde_json::Value;

use crate::attacks::forge;
use crate::support::{NOW, at, encode};

const ISSUER: &str = "https://auth.example";
const KID: &str = "01a200f5-34df-703a-b461-85a5d3a08f33";

fn claims(scopes: &str) -> AccessClaims {
    AccessClaims {
        registered: RegisteredClaims {
            issuer: ISSUER.to_owned(),
            subject: "client-1".to_owned(),
            audiences: Audiences::one("https://api.example"),
            expires_at: at(600),
            not_before: None,
            issued_at: Some(at(0)),
        },
        client_id: "client-1".to_owned(),
        id: "01a200f5-34df-703a-b461-85a5d3a08f34".to_owned(),
        scopes: ScopeSet::parse_words(scopes).unwrap_or_default(),
    }
}

fn sign(claims: &AccessClaims, signer: &dyn Signer) -> String {
    let token = claims.sign(signer, &KeyId::parse(KID).unwrap()).unwrap();
    token.unwrap().expose().to_owned()
}

#[rstest]
#[case(PairKind::Ed25519, "EdDSA")]
#[case(PairKind::P256, "ES256")]
#[case(PairKind::Rsa2048, "RS256")]
fn what_is_signed_is_read_by_us_and_by_another_library(
    #[case] kind: PairKind,
    #[case] algorithm: &str,
) {
    let signer = signer(kind).unwrap();
    let claims = claims("read write");
    let token = sign(&claims, &*signer);
    let read = AccessToken::read(&token).unwrap();
    assert_eq!((read.claims(), read.key_id().as_str()), (&claims, KID));
    assert!(AccessToken::is_likely(&token));
    let key = verifying_key(signer.public_key()).unwrap();
    assert!(key.verifies(read.message(), read.signature()));

    let header = decode_header(&token).unwrap();
    assert_eq!((header.typ.as_deref(), header.kid.as_deref()), (Some("at+jwt"), Some(KID)));
    let keys: JwkSet = serde_json::from_str(&KeySet::of_all([(KID, signer.public_key())])).unwrap();
    let jwk = keys.find(KID).unwrap();
    let mut validation = Validation::new(algorithm.parse::<Algorithm>().unwrap());
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&["https://api.example"]);
    // By its own clock, which is not that of these tests.
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(jwk).unwrap();
    let told = decode::<Value>(&token, &key, &validation).unwrap().claims;
    let expected = format!(
        r#"{{"iss":"{ISSUER}","sub":"client-1","aud":"https://api.example","exp":{},"iat":{NOW},
        "jti":"01a200f5-34df-703a-b461-85a5d3a08f34","client_id":"client-1","scope":"read write"}}"#,
        NOW + 600
    );
    assert_eq!(told, serde_json::from_str::<Value>(&expected).unwrap());
}

#[test]
fn a_pair_that_is_held_signs_again_and_again() {
    let signer = signer(PairKind::P256).unwrap();
    for scopes in ["", "read"] {
        let token = sign(&claims(scopes), &*signer);
        let read = AccessToken::read(&token).unwrap();
        assert_eq!(read.claims().scopes.as_words(), scopes);
        let key = verifying_key(signer.public_key()).unwrap();
        assert!(key.verifies(read.message(), read.signature()));
    }
}

#[test]
fn a_token_that_nobody_would_read_is_not_signed() {
    let many: Vec<_> = (0..250).map(|n| format!("a-scope-of-some-length-{n}")).collect();
    let pair = signer(PairKind::Ed25519).unwrap();
    let token = claims(&many.join(" ")).sign(&*pair, &KeyId::parse(KID).unwrap());
    assert!(token.unwrap().is_none());
}

#[test]
fn neither_sort_of_token_is_taken_for_the_other() {
    let token = sign(&claims("read"), &*signer(PairKind::Ed25519).unwrap());
    let issuers = Issuers::new([ISSUER.parse().unwrap(), forge::BASE.parse().unwrap()]);
    assert_eq!(SignedToken::read(&token, &issuers).unwrap_err(), SignedFault::Header);
    let signed_key = &forge::ed25519().token;
    assert!(SignedToken::read(signed_key, &issuers).is_ok());
    assert_eq!(AccessToken::read(signed_key).unwrap_err(), SignedFault::Header);
    assert!(!AccessToken::is_likely(signed_key));
}

const HEADER: &str = r#"{"typ":"at+jwt","alg":"RS256","kid":"k"}"#;
const PAYLOAD: &str =
    r#"{"iss":"i","sub":"s","aud":"a","exp":2,"iat":1,"jti":"j","client_id":"c"}"#;

fn written(header: &str, payload: &str) -> String {
    format!("{}.{}.{}", encode(header), encode(payload), encode("signature"))
}

#[rstest]
#[case::no_type(r#"{"alg":"RS256","kid":"k"}"#, SignedFault::Header)]
#[case::another_type(r#"{"typ":"JWT","alg":"RS256","kid":"k"}"#, SignedFault::Header)]
#[case::type_of_id_tokens(r#"{"typ":"jwt","alg":"RS256","kid":"k"}"#, SignedFault::Header)]
#[case::type_null(r#"{"typ":null,"alg":"RS256","kid":"k"}"#, SignedFault::Header)]
#[case::none(r#"{"typ":"at+jwt","alg":"none","kid":"k"}"#, SignedFault::Algorithm)]
#[case::symmetric(r#"{"typ":"at+jwt","alg":"HS256","kid":"k"}"#, SignedFault::Algorithm)]
#[case::no_key(r#"{"typ":"at+jwt","alg":"RS256"}"#, SignedFault::Header)]
#[case::key_of_no_form(r#"{"typ":"at+jwt","alg":"RS256","kid":"../k"}"#, SignedFault::KeyId)]
#[case::critical(
    r#"{"typ":"at+jwt","alg":"RS256","kid":"k","crit":["x"],"x":1}"#,
    SignedFault::Header
)]
#[case::own_key(r#"{"typ":"at+jwt","alg":"RS256","kid":"k","jwk":{}}"#, SignedFault::Header)]
#[case::own_url(
    r#"{"typ":"at+jwt","alg":"RS256","kid":"k","jku":"https://x"}"#,
    SignedFault::Header
)]
#[case::twice(r#"{"typ":"at+jwt","alg":"RS256","kid":"k","kid":"l"}"#, SignedFault::Header)]
#[case::a_list(r#"["RS256","k","at+jwt"]"#, SignedFault::Header)]
fn other_headers_are_refused(#[case] header: &str, #[case] fault: SignedFault) {
    assert_eq!(AccessToken::read(&written(header, PAYLOAD)).unwrap_err(), fault);
}

#[rstest]
#[case::as_a_media_type("application/at+jwt")]
#[case::in_capitals("AT+JWT")]
fn the_type_may_be_written_as_a_media_type_is(#[case] typ: &str) {
    let token = written(&HEADER.replace("at+jwt", typ), PAYLOAD);
    assert!(AccessToken::read(&token).is_ok());
}

#[rstest]
#[case::no_issuer("iss")]
#[case::no_subject("sub")]
#[case::no_audience("aud")]
#[case::no_end("exp")]
#[case::no_beginning("iat")]
#[case::no_id("jti")]
#[case::no_client("client_id")]
fn no_claim_may_be_missing_null_empty_or_repeated(#[case] name: &str) {
    let mut claims: serde_json::Map<_, _> = serde_json::from_str(PAYLOAD).unwrap();
    let removed = claims.remove(name).unwrap();
    let refused = |payload: String| {
        let token = written(HEADER, &payload);
        assert_eq!(AccessToken::read(&token).unwrap_err(), SignedFault::Claims, "{payload}");
    };
    refused(Value::Object(claims.clone()).to_string());
    claims.insert(name.to_owned(), Value::Null);
    refused(Value::Object(claims).to_string());
    refused(PAYLOAD.replacen('{', &format!("{{\"{name}\":{removed},"), 1));
}

#[rstest]
#[case::scopes_as_a_list(r#""scope":["read"]"#)]
#[case::no_scope(r#""scope":"read  write""#)]
#[case::scope_null(r#""scope":null"#)]
#[case::beginning_as_text(r#""nbf":"1""#)]
#[case::repeated_inside(r#""x":{"a":1,"a":2}"#)]
fn claims_of_other_types_are_refused(#[case] member: &str) {
    let token = written(HEADER, &PAYLOAD.replacen('{', &format!("{{{member},"), 1));
    assert_eq!(AccessToken::read(&token).unwrap_err(), SignedFault::Claims);
}

#[test]
fn texts_of_another_form_are_refused() {
    let token = written(HEADER, PAYLOAD);
    assert!(AccessToken::read(&token).is_ok());
    let (message, _) = token.rsplit_once('.').unwrap();
    for (text, fault) in [
        (format!("{message}."), SignedFault::Form),
        (message.to_owned(), SignedFault::Form),
        (format!("{token}.x"), SignedFault::Form),
        (format!("{token}="), SignedFault::Encoding),
        (format!(" {token}"), SignedFault::Encoding),
        (format!("{token}{}", "A".repeat(4_096)), SignedFault::TooLong),
        (written(HEADER, "[]"), SignedFault::Claims),
    ] {
        assert_eq!(AccessToken::read(&text).unwrap_err(), fault);
        assert!(!AccessToken::is_likely(" eyJ.x.x"));
    }
}
