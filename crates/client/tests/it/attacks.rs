//! Tokens that somebody else has written, by class, each with the one answer that it gets.

use keyward_core::jose::PairKind;
use rstest::rstest;

use crate::server::Reply;
use crate::support::{ACCEPTED, Key, NOW, Scene, UNKNOWN, WRONG_SIGNATURE, encode, kid};

const EXPIRED: &str = "the token is refused: it has expired";
const NOT_YET_VALID: &str = "the token is refused: it is not valid yet";
const WRONG_AUDIENCE: &str = "the token is refused: it is for another audience";

const ALGORITHM: &str = "the token is malformed: the header names no algorithm that is allowed";
const CLAIMS: &str = "the token is malformed: the claims cannot be read, or one is missing, repeated or of another type";
const ENCODING: &str = "the token is malformed: a part is not base64url without padding";
const FORM: &str = "the token is malformed: there are not three parts";
const HEADER: &str =
    "the token is malformed: the header holds something else than alg, kid and typ";
const ISSUER: &str =
    "the token is malformed: the issuer is none of those allowed, or not that of the key's id";
const KEY_ID: &str = "the token is malformed: the key's id is not a UUID in lower case";
const TOO_LONG: &str = "the token is malformed: the token is too long";
const VERSION: &str = "the token is malformed: the token is of another version";

/// A scene and a key whose document the server has.
async fn scene() -> (Scene, Key) {
    let scene = Scene::with(|builder| builder.audience("api".parse().unwrap())).await;
    let key = Key::new(&scene.base, 1);
    scene.server.reply(&Scene::path(1), Reply::cached(&key.document(), "max-age=60"));
    (scene, key)
}

const FOR_US: (&str, &str) = ("aud", "\"api\"");

/// The outcome, and how often the server was asked.
async fn judge(scene: &Scene, token: &str) -> (String, usize) {
    let outcome = scene.outcome(token).await;
    let is_malformed = outcome.starts_with("the token is malformed");
    assert_eq!(scene.verifier.should_authenticate(token), !is_malformed);
    if outcome != ACCEPTED {
        assert_eq!(scene.outcome(token).await, outcome, "it is refused again");
        let status = scene.verifier.verify(token).await.unwrap_err().status();
        assert_eq!(status, if is_malformed { 401 } else { 403 });
    }
    (outcome, scene.server.fetches())
}

#[rstest]
#[case::none(r#"{"alg":"none","kid":"KID"}"#, ALGORITHM)]
#[case::none_in_capitals(r#"{"alg":"NONE","kid":"KID"}"#, ALGORITHM)]
#[case::hmac(r#"{"alg":"HS256","kid":"KID"}"#, ALGORITHM)]
#[case::other_rsa(r#"{"alg":"PS256","kid":"KID"}"#, ALGORITHM)]
#[case::another_length(r#"{"alg":"RS512","kid":"KID"}"#, ALGORITHM)]
#[case::lower_case(r#"{"alg":"eddsa","kid":"KID"}"#, ALGORITHM)]
#[case::empty(r#"{"alg":"","kid":"KID"}"#, ALGORITHM)]
#[case::null(r#"{"alg":null,"kid":"KID"}"#, HEADER)]
#[case::a_list(r#"{"alg":["EdDSA"],"kid":"KID"}"#, HEADER)]
#[case::missing(r#"{"kid":"KID"}"#, HEADER)]
#[case::repeated(r#"{"alg":"EdDSA","alg":"none","kid":"KID"}"#, HEADER)]
#[case::critical(r#"{"alg":"EdDSA","kid":"KID","crit":["exp"]}"#, HEADER)]
#[case::critical_of_nothing(r#"{"alg":"EdDSA","kid":"KID","crit":[]}"#, HEADER)]
#[case::not_encoded(r#"{"alg":"EdDSA","kid":"KID","b64":false,"crit":["b64"]}"#, HEADER)]
#[case::its_own_key(r#"{"alg":"EdDSA","kid":"KID","jwk":{}}"#, HEADER)]
#[case::its_own_url(r#"{"alg":"EdDSA","kid":"KID","jku":"http://127.0.0.1/"}"#, HEADER)]
#[case::its_own_certificate(r#"{"alg":"EdDSA","kid":"KID","x5u":"http://127.0.0.1/"}"#, HEADER)]
#[case::compressed(r#"{"alg":"EdDSA","kid":"KID","zip":"DEF"}"#, HEADER)]
#[case::of_another_type(r#"{"alg":"EdDSA","kid":"KID","typ":"at+jwt"}"#, HEADER)]
#[case::no_object(r#"["EdDSA","KID"]"#, HEADER)]
#[case::no_json("alg=EdDSA", HEADER)]
#[case::no_id(r#"{"alg":"EdDSA"}"#, HEADER)]
#[case::id_as_a_number(r#"{"alg":"EdDSA","kid":1}"#, HEADER)]
#[case::another_id(r#"{"alg":"EdDSA","kid":"01a200f5-34df-703a-b461-85a5d3a08f33"}"#, ISSUER)]
#[case::upper_case(r#"{"alg":"EdDSA","kid":"UPPER"}"#, KEY_ID)]
#[case::a_path(r#"{"alg":"EdDSA","kid":"../../x"}"#, KEY_ID)]
#[case::empty_id(r#"{"alg":"EdDSA","kid":""}"#, KEY_ID)]
#[case::nil(r#"{"alg":"EdDSA","kid":"00000000-0000-0000-0000-000000000000"}"#, KEY_ID)]
#[case::in_braces(r#"{"alg":"EdDSA","kid":"{KID}"}"#, KEY_ID)]
#[tokio::test]
async fn other_headers_are_malformed_and_ask_nobody(#[case] header: &str, #[case] expected: &str) {
    let (scene, key) = scene().await;
    let header = header.replace("KID", &kid(1)).replace("UPPER", &kid(1).to_uppercase());
    let payload = key.payload(&[FOR_US]);
    assert_eq!(judge(&scene, &key.sign(&header, &payload)).await, (expected.to_owned(), 0));
}

#[rstest]
#[case::another_allowed_one("RS256")]
#[case::another_curve("ES256")]
#[tokio::test]
async fn the_algorithm_is_the_keys_and_not_the_tokens(#[case] algorithm: &str) {
    let (scene, key) = scene().await;
    let header = format!(r#"{{"alg":"{algorithm}","kid":"{}"}}"#, kid(1));
    let payload = key.payload(&[FOR_US]);
    let token = key.sign(&header, &payload);
    assert_eq!(judge(&scene, &token).await, (WRONG_SIGNATURE.to_owned(), 1));
}

#[rstest]
#[case::another_version(&[("ver", "\"japikey-v2\"")], VERSION)]
#[case::zero(&[("ver", "\"japikey-v0\"")], VERSION)]
#[case::with_zeros(&[("ver", "\"japikey-v01\"")], VERSION)]
#[case::no_version(&[("ver", "")], VERSION)]
#[case::version_null(&[("ver", "null")], VERSION)]
#[case::version_a_number(&[("ver", "1")], CLAIMS)]
#[case::no_issuer(&[("iss", "")], ISSUER)]
#[case::the_base_alone(&[("iss", "\"BASE\"")], ISSUER)]
#[case::a_slash_behind(&[("iss", "\"BASE/KID/\"")], ISSUER)]
#[case::another_base(&[("iss", "\"https://example.com/KID\"")], ISSUER)]
#[case::glued(&[("iss", "\"BASEKID\"")], ISSUER)]
#[case::one_level_down(&[("iss", "\"BASE/x/KID\"")], ISSUER)]
#[case::up_and_down(&[("iss", "\"BASE/../jwks/KID\"")], ISSUER)]
#[case::a_query(&[("iss", "\"BASE/KID?x\"")], ISSUER)]
#[case::a_user(&[("iss", "\"http://user@127.0.0.1/jwks/KID\"")], ISSUER)]
#[case::upper_case(&[("iss", "\"BASE/UPPER\"")], ISSUER)]
#[case::issuer_a_list(&[("iss", "[\"BASE/KID\"]")], CLAIMS)]
#[case::no_subject(&[("sub", "")], CLAIMS)]
#[case::empty_subject(&[("sub", "\"\"")], CLAIMS)]
#[case::subject_a_number(&[("sub", "1")], CLAIMS)]
#[case::no_expiry(&[("exp", "")], CLAIMS)]
#[case::expiry_null(&[("exp", "null")], CLAIMS)]
#[case::expiry_a_text(&[("exp", "\"4102444800\"")], CLAIMS)]
#[case::endless(&[("exp", "1e308")], CLAIMS)]
#[case::more_than_a_number(&[("exp", "1e400")], CLAIMS)]
#[case::begins_null(&[("nbf", "null")], CLAIMS)]
#[case::begins_as_a_text(&[("nbf", "\"0\"")], CLAIMS)]
#[case::issued_as_a_text(&[("iat", "\"0\"")], CLAIMS)]
#[case::audience_a_number(&[("aud", "1")], CLAIMS)]
#[case::audience_null(&[("aud", "null")], CLAIMS)]
#[case::audience_of_numbers(&[("aud", "[1]")], CLAIMS)]
#[case::repeated(&[("x", "1"), ("x", "2")], CLAIMS)]
#[case::repeated_inside(&[("x", "{\"y\":1,\"y\":2}")], CLAIMS)]
#[tokio::test]
async fn other_claims_are_malformed_and_ask_nobody(
    #[case] members: &[(&str, &str)],
    #[case] expected: &str,
) {
    let (scene, key) = scene().await;
    let text = |text: &str| {
        let text = text.replace("BASE", &scene.base).replace("KID", &kid(1));
        text.replace("UPPER", &kid(1).to_uppercase())
    };
    let members: Vec<_> = members.iter().map(|(name, value)| (*name, text(value))).collect();
    let members: Vec<_> = members.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(judge(&scene, &key.token_with(&members)).await, (expected.to_owned(), 0));
}

#[rstest]
#[case::long_ago("0", EXPIRED)]
#[case::negative("-1", EXPIRED)]
#[case::a_second_ago("1798761599", EXPIRED)]
#[case::now("1798761600", EXPIRED)]
#[case::in_a_moment("1798761600.5", ACCEPTED)]
#[case::in_a_second("1798761601", ACCEPTED)]
#[tokio::test]
async fn a_key_is_expired_at_and_after_its_instant(#[case] expiry: &str, #[case] expected: &str) {
    let (scene, key) = scene().await;
    let token = key.token_with(&[FOR_US, ("exp", expiry)]);
    assert_eq!(judge(&scene, &token).await, (expected.to_owned(), 1));
}

#[rstest]
#[case("1798761601", NOT_YET_VALID)]
#[case("1798761600.000001", NOT_YET_VALID)]
#[case("1798761600", ACCEPTED)]
#[case("0", ACCEPTED)]
#[tokio::test]
async fn a_key_is_valid_from_its_first_instant_on(#[case] first: &str, #[case] expected: &str) {
    let (scene, key) = scene().await;
    let token = key.token_with(&[FOR_US, ("nbf", first)]);
    assert_eq!(judge(&scene, &token).await, (expected.to_owned(), 1));
}

#[rstest]
#[case("\"api\"", ACCEPTED)]
#[case("[\"other\",\"api\"]", ACCEPTED)]
#[case("\"\"", WRONG_AUDIENCE)]
#[case("\"API\"", WRONG_AUDIENCE)]
#[case("\"api \"", WRONG_AUDIENCE)]
#[case("[]", WRONG_AUDIENCE)]
#[case("[\"other\"]", WRONG_AUDIENCE)]
#[case("", WRONG_AUDIENCE)]
#[tokio::test]
async fn a_key_is_for_its_audience(#[case] audience: &str, #[case] expected: &str) {
    let (scene, key) = scene().await;
    let token = key.token_with(&[("aud", audience)]);
    assert_eq!(judge(&scene, &token).await, (expected.to_owned(), 1));
}

#[tokio::test]
async fn the_first_check_that_fails_is_told() {
    let (scene, key) = scene().await;
    let token = key.token_with(&[("exp", "1"), ("nbf", "4102444800"), ("aud", "\"x\"")]);
    assert_eq!(scene.outcome(&token).await, EXPIRED);
    let forged = forge(&token, 2, |part| encode(vec![1; part.len()]));
    assert_eq!(scene.outcome(&forged).await, WRONG_SIGNATURE);
    scene.revoke(1);
    scene.pass(60);
    assert_eq!(scene.outcome(&forged).await, UNKNOWN);
}

/// The token with another text in place of one of its parts.
fn forge(token: &str, part: usize, change: impl Fn(&[u8]) -> String) -> String {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts[part] = change(&engine.decode(&parts[part]).unwrap());
    parts.join(".")
}

#[tokio::test]
async fn whatever_is_changed_in_a_token_it_is_not_signed() {
    let (scene, key) = scene().await;
    let token = key.token_with(&[FOR_US]);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    let claims = forge(&token, 1, |part| {
        encode(String::from_utf8(part.to_vec()).unwrap().replace("user-1", "user-2"))
    });
    assert_eq!(scene.outcome(&claims).await, WRONG_SIGNATURE);
    let spaced = forge(&token, 1, |part| encode([part, b" "].concat()));
    assert_eq!(scene.outcome(&spaced).await, WRONG_SIGNATURE);
    let typed = forge(&token, 0, |part| {
        encode(String::from_utf8(part.to_vec()).unwrap().replace('}', ",\"typ\":\"JWT\"}"))
    });
    assert_eq!(scene.outcome(&typed).await, WRONG_SIGNATURE);
    for length in [0, 1, 32, 63, 65, 256] {
        let other = forge(&token, 2, |_| encode(vec![0; length]));
        let expected = if length == 0 { FORM } else { WRONG_SIGNATURE };
        assert_eq!(scene.outcome(&other).await, expected, "{length}");
    }
    for bit in 0..512 {
        let other = forge(&token, 2, |part| {
            let mut part = part.to_vec();
            part[bit / 8] ^= 1 << (bit % 8);
            encode(part)
        });
        assert_eq!(scene.outcome(&other).await, WRONG_SIGNATURE, "{bit}");
    }
    assert_eq!((scene.verifier.known_tokens(), scene.server.fetches()), (1, 1));
}

#[rstest]
#[case::padded("{}=", ENCODING)]
#[case::padded_twice("{}==", ENCODING)]
#[case::newline_behind("{}\n", ENCODING)]
#[case::space_behind("{} ", ENCODING)]
#[case::space_before(" {}", ENCODING)]
#[case::nul_behind("{}\0", ENCODING)]
#[case::a_byte_order_mark("\u{feff}{}", ENCODING)]
#[case::a_fourth_part("{}.AAAA", FORM)]
#[case::a_dot_behind("{}.", FORM)]
#[case::a_dot_before(".{}", FORM)]
#[case::a_scheme("Bearer {}", ENCODING)]
#[case::quoted("\"{}\"", ENCODING)]
#[tokio::test]
async fn a_token_is_written_in_one_way(#[case] form: &str, #[case] expected: &str) {
    let (scene, key) = scene().await;
    let token = key.token_with(&[FOR_US]);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    let (outcome, fetches) = judge(&scene, &form.replace("{}", &token)).await;
    assert_eq!((outcome.as_str(), fetches), (expected, 1));
}

#[tokio::test]
async fn bits_that_are_left_over_are_zero() {
    let (scene, key) = scene().await;
    let token = key.token_with(&[FOR_US]);
    // 64 bytes: the last character holds 4 bits that mean nothing.
    let last = token.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.find(last).unwrap();
    for other in alphabet.char_indices().filter(|(n, _)| *n != place && n / 16 == place / 16) {
        let written = format!("{}{}", &token[..token.len() - 1], other.1);
        assert_eq!(scene.outcome(&written).await, ENCODING, "{}", other.1);
    }
}

#[rstest]
#[case("", FORM)]
#[case(".", FORM)]
#[case("..", FORM)]
#[case("a.b.c", ENCODING)]
#[case("kw_0123456789ab_0123456789abcdefghijklmnopqrstuv_012345", FORM)]
#[case("eyJhbGciOiJub25lIn0.e30.", FORM)]
#[case("eyJhbGciOiJub25lIn0.e30.AA", HEADER)]
#[tokio::test]
async fn other_texts_are_malformed(#[case] text: &str, #[case] expected: &str) {
    let scene = Scene::new().await;
    assert_eq!(judge(&scene, text).await, (expected.to_owned(), 0));
}

#[tokio::test]
async fn tokens_are_at_most_4096_bytes_long() {
    let scene = Scene::new().await;
    for (length, expected) in [(4_096, ACCEPTED), (4_097, TOO_LONG)] {
        let key = Key::new(&scene.base, length);
        scene.server.reply(&Scene::path(length), Reply::json(&key.document()));
        let bare = Key::new(&scene.base, length).token_with(&[("x", "\"\"")]).len();
        // Three bytes of a claim are four of a token.
        let claim = format!("\"{}\"", "x".repeat((length - bare) * 3 / 4));
        let token = key.token_with(&[("x", &claim)]);
        assert!(token.len().abs_diff(length) < 2);
        let token = if length > 4_096 {
            format!("{token}{}", "A".repeat(4_097 - token.len()))
        } else {
            token
        };
        assert_eq!(scene.outcome(&token).await, expected);
    }
    assert_eq!(scene.outcome(&"a".repeat(10_000_000)).await, TOO_LONG);
}

#[rstest]
#[case(PairKind::Ed25519)]
#[case(PairKind::P256)]
#[case(PairKind::Rsa2048)]
#[case(PairKind::Rsa3072)]
#[tokio::test]
async fn keys_of_every_kind_are_verified(#[case] kind: PairKind) {
    let scene = Scene::new().await;
    let key = Key::of_kind(kind, &scene.base, 1);
    scene.server.reply(&Scene::path(1), Reply::json(&key.document()));
    let token = key.token_with(&[("scopes", "[\"read\"]"), ("iat", &NOW.to_string())]);
    let verified = scene.verifier.verify(&token).await.unwrap();
    assert_eq!((verified.id().as_str(), verified.subject()), (kid(1).as_str(), "user-1"));
    assert_eq!(verified.issuer().as_str(), scene.base);
    assert!(verified.has_scope("read") && !verified.has_scope("write"));
    assert_eq!(verified.claims().get("iat"), Some("1798761600"));
    assert_eq!(verified.registered().expires_at.as_micros(), (NOW + 3_600) * 1_000_000);
}

#[tokio::test]
async fn neither_debug_forms_nor_errors_tell_a_token() {
    let (scene, key) = scene().await;
    let token = key.token_with(&[FOR_US, ("secret", "\"hush\"")]);
    let verified = scene.verifier.verify(&token).await.unwrap();
    let signature = token.rsplit('.').next().unwrap();
    let told = format!("{verified:?} {:?} {:?}", scene.verifier, verified.claims());
    assert!(!told.contains("hush") && !told.contains(signature) && !told.contains("user-1"));
}
