//! What a server may answer in place of a document, and what the verifier makes of it: a server that is
//! broken looks neither like a revocation nor like a key.

use std::fmt::Write as _;
use std::time::Duration;

use keyward_client::FetchLimits;
use keyward_core::jose::{KeySet, PairKind};
use rstest::rstest;

use crate::server::{Reply, Server};
use crate::support::{ACCEPTED, Key, Scene, UNKNOWN, encode, kid};

/// What comes of an answer: the key's own document is `DOCUMENT`, and the key's JWK `JWK`.
async fn outcome(reply: impl Fn(&str, &str) -> Reply) -> String {
    let patience = FetchLimits { timeout: Duration::from_millis(1_500), ..FetchLimits::default() };
    let scene = Scene::with(|builder| builder.limits(patience)).await;
    let key = Key::new(&scene.base, 1);
    let (document, jwk) = (key.document(), key.public().to_jwk(&kid(1)));
    let token = key.token();
    scene.server.reply(&Scene::path(1), reply(&document, &jwk));
    let outcome = scene.outcome(&token).await;
    let error = scene.verifier.verify(&token).await.err();
    assert_eq!(scene.server.fetches(), 1, "it is remembered: {error:?}");

    // Whatever it was, it is over when the server is well again.
    scene.server.reply(&Scene::path(1), Reply::json(&document));
    let (status, wait) = match outcome.as_str() {
        ACCEPTED => (None, 0),
        UNKNOWN => (Some(403), 5),
        _ => (Some(503), 1),
    };
    assert_eq!(error.map(|error| error.status()), status, "{outcome}");
    scene.pass(wait);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    outcome
}

fn unreachable(because: &str) -> String {
    format!("the public key cannot be fetched: {because}")
}

#[rstest]
#[case("201 Created")]
#[case("202 Accepted")]
#[case("203 Non-Authoritative Information")]
#[case("204 No Content")]
#[case("206 Partial Content")]
#[case("300 Multiple Choices")]
#[case("304 Not Modified")]
#[case("400 Bad Request")]
#[case("401 Unauthorized")]
#[case("403 Forbidden")]
#[case("405 Method Not Allowed")]
#[case("418 I'm a teapot")]
#[case("429 Too Many Requests")]
#[case("451 Unavailable For Legal Reasons")]
#[case("500 Internal Server Error")]
#[case("502 Bad Gateway")]
#[case("503 Service Unavailable")]
#[case("504 Gateway Timeout")]
#[case("599 Whatever")]
#[tokio::test]
async fn other_statuses_say_nothing(#[case] status: &str) {
    let code = status.split(' ').next().unwrap();
    let expected = unreachable(&format!("the server answered {code}"));
    // Also with the right document.
    let body = |document: &str| {
        if code == "204" || code == "304" { String::new() } else { document.to_owned() }
    };
    assert_eq!(
        outcome(|document, _| Reply::new(status, &[], body(document).as_bytes())).await,
        expected
    );
}

#[rstest]
#[case("404 Not Found")]
#[case("410 Gone")]
#[tokio::test]
async fn not_found_and_gone_say_that_there_is_no_such_key(#[case] status: &str) {
    assert_eq!(outcome(|document, _| Reply::new(status, &[], document.as_bytes())).await, UNKNOWN);
}

#[rstest]
#[case(r#"{"keys":[]}"#)]
#[case(r#" { "keys" : [ ] , "more" : 1 } "#)]
#[tokio::test]
async fn a_document_without_keys_says_that_there_is_no_such_key(#[case] document: &str) {
    assert_eq!(outcome(|_, _| Reply::json(document)).await, UNKNOWN);
}

#[rstest]
#[case("301 Moved Permanently")]
#[case("302 Found")]
#[case("303 See Other")]
#[case("307 Temporary Redirect")]
#[case("308 Permanent Redirect")]
#[tokio::test]
async fn redirects_are_not_followed(#[case] status: &str) {
    let other = Server::start().await;
    let location = format!("location: {}", other.url(&Scene::path(1)));
    let expected = unreachable(&format!("the server answered {}", &status[..3]));
    assert_eq!(outcome(|_, _| Reply::new(status, &[&location], b"")).await, expected);
    assert_eq!(outcome(|_, _| Reply::new(status, &["location: ./jwks.json"], b"")).await, expected);
    assert!(other.requests().is_empty());
}

#[rstest]
#[case("application/json")]
#[case("Application/JSON; charset=utf-8")]
#[case("application/jwk-set+json")]
#[tokio::test]
async fn documents_are_said_to_be_json(#[case] media_type: &str) {
    let header = format!("content-type: {media_type}");
    let reply = |document: &str, _: &str| Reply::new("200 OK", &[&header], document.as_bytes());
    assert_eq!(outcome(reply).await, ACCEPTED);
}

#[tokio::test]
async fn documents_of_no_type_are_read() {
    assert_eq!(
        outcome(|document, _| Reply::new("200 OK", &[], document.as_bytes())).await,
        ACCEPTED
    );
}

#[rstest]
#[case("text/html")]
#[case("text/plain")]
#[case("application/jwt")]
#[case("application/jsonp")]
#[case("")]
#[tokio::test]
async fn documents_of_other_types_are_not_read(#[case] media_type: &str) {
    let header = format!("content-type: {media_type}");
    let reply = |document: &str, _: &str| Reply::new("200 OK", &[&header], document.as_bytes());
    assert_eq!(outcome(reply).await, unreachable("the answer is of another type than JSON"));
}

const JSON: &str =
    "the document cannot be used: the key is not a JSON object with each member once";
const ENCODING: &str =
    "the document cannot be used: a member of the key is not written as it must be";
const FOREIGN: &str = "the document cannot be used: the key is for something else";
const OTHER_KEY: &str = "the document cannot be used: the key has another id";
const PRIVATE: &str = "the document cannot be used: the document holds a private key";
const SEVERAL: &str = "the document cannot be used: the document holds several keys";
const WEAK: &str = "the document cannot be used: the RSA key is not of 2048, 3072 or 4096 bits with the exponent 65537";

#[rstest]
#[case::empty("", JSON)]
#[case::html("<!doctype html><title>Sign in</title>", JSON)]
#[case::null("null", JSON)]
#[case::a_list("[]", JSON)]
#[case::a_list_of_keys("[JWK]", JSON)]
#[case::the_key_alone("JWK", JSON)]
#[case::keys_as_an_object(r#"{"keys":{"0":JWK}}"#, JSON)]
#[case::keys_as_null(r#"{"keys":null}"#, JSON)]
#[case::another_name(r#"{"Keys":[JWK]}"#, JSON)]
#[case::repeated_keys(r#"{"keys":[],"keys":[JWK]}"#, JSON)]
#[case::repeated_elsewhere(r#"{"a":1,"a":2,"keys":[JWK]}"#, JSON)]
#[case::more_behind("DOCUMENT{}", JSON)]
#[case::a_byte_order_mark("\u{feff}DOCUMENT", JSON)]
#[case::a_comment("/**/DOCUMENT", JSON)]
#[case::the_same_key_twice(r#"{"keys":[JWK,JWK]}"#, SEVERAL)]
#[case::no_object_in_the_list(r#"{"keys":["JWK"]}"#, JSON)]
#[case::nested_too_deeply(r#"{"a":NESTED,"keys":[JWK]}"#, JSON)]
#[tokio::test]
async fn other_texts_are_no_documents(#[case] text: &str, #[case] because: &str) {
    let nested = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let body = |document: &str, jwk: &str| {
        Reply::json(
            &text.replace("DOCUMENT", document).replace("JWK", jwk).replace("NESTED", &nested),
        )
    };
    assert_eq!(outcome(body).await, unreachable(because));
}

#[rstest]
#[case::no_id(r#"{"kty":"OKP","crv":"Ed25519","x":"X"}"#, OTHER_KEY)]
#[case::another_id(
    r#"{"kty":"OKP","crv":"Ed25519","x":"X","kid":"01a200f5-34df-703a-b461-85a5d3a08f33"}"#,
    OTHER_KEY
)]
#[case::the_id_in_upper_case(r#"{"kty":"OKP","crv":"Ed25519","x":"X","kid":"UPPER"}"#, OTHER_KEY)]
#[case::repeated_member(r#"{"kty":"OKP","crv":"Ed25519","x":"X","kid":"KID","kid":"KID"}"#, JSON)]
#[case::private(r#"{"kty":"OKP","crv":"Ed25519","x":"X","kid":"KID","d":"X"}"#, PRIVATE)]
#[case::symmetric(r#"{"kty":"oct","k":"X","kid":"KID"}"#, PRIVATE)]
#[case::symmetric_without_a_key(r#"{"kty":"oct","kid":"KID"}"#, FOREIGN)]
#[case::another_curve(r#"{"kty":"OKP","crv":"Ed448","x":"X","kid":"KID"}"#, FOREIGN)]
#[case::for_agreement(r#"{"kty":"OKP","crv":"X25519","x":"X","kid":"KID"}"#, FOREIGN)]
#[case::another_type(r#"{"kty":"EC","crv":"Ed25519","x":"X","kid":"KID"}"#, FOREIGN)]
#[case::unknown_type(r#"{"kty":"AKP","x":"X","kid":"KID"}"#, FOREIGN)]
#[case::for_encryption(r#"{"kty":"OKP","crv":"Ed25519","x":"X","kid":"KID","use":"enc"}"#, FOREIGN)]
#[case::for_signing(
    r#"{"kty":"OKP","crv":"Ed25519","x":"X","kid":"KID","key_ops":["sign"]}"#,
    FOREIGN
)]
#[case::another_algorithm(
    r#"{"kty":"OKP","crv":"Ed25519","x":"X","kid":"KID","alg":"HS256"}"#,
    FOREIGN
)]
#[case::too_short(r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"KID"}"#, ENCODING)]
#[case::padded(r#"{"kty":"OKP","crv":"Ed25519","x":"X=","kid":"KID"}"#, ENCODING)]
#[case::no_coordinate(r#"{"kty":"OKP","crv":"Ed25519","kid":"KID"}"#, ENCODING)]
#[case::off_the_curve(
    r#"{"kty":"EC","crv":"P-256","x":"ONE","y":"ONE","kid":"KID"}"#,
    "the key in the document is none"
)]
#[case::weak(r#"{"kty":"RSA","n":"N1024","e":"AQAB","kid":"KID"}"#, WEAK)]
#[case::no_known_length(r#"{"kty":"RSA","n":"N2056","e":"AQAB","kid":"KID"}"#, WEAK)]
#[case::exponent_3(r#"{"kty":"RSA","n":"N2048","e":"Aw","kid":"KID"}"#, WEAK)]
#[case::exponent_1(r#"{"kty":"RSA","n":"N2048","e":"AQ","kid":"KID"}"#, WEAK)]
#[case::private_rsa(r#"{"kty":"RSA","n":"N2048","e":"AQAB","kid":"KID","d":"AQAB"}"#, PRIVATE)]
#[tokio::test]
async fn other_keys_are_not_taken(#[case] key: &str, #[case] because: &str) {
    let number = |bytes: usize, last: u8| encode([&vec![0xc5; bytes - 1][..], &[last]].concat());
    let body = |_: &str, jwk: &str| {
        let x = jwk.split('"').nth(11).unwrap();
        let key = key.replace("\"X\"", &format!("\"{x}\"")).replace("\"X=", &format!("\"{x}="));
        let key = key.replace("KID", &kid(1)).replace("ONE", &encode([1; 32]));
        let key = key.replace("N1024", &number(128, 0xc5));
        let key = key.replace("N2056", &number(257, 0xc5)).replace("N2048", &number(256, 0xc5));
        Reply::json(&format!(r#"{{"keys":[{}]}}"#, key.replace("UPPER", &kid(1).to_uppercase())))
    };
    assert_eq!(outcome(body).await, unreachable(because));
}

#[tokio::test]
async fn further_members_are_passed_over() {
    let body = |_: &str, jwk: &str| {
        let jwk = jwk.strip_suffix('}').unwrap();
        Reply::json(&format!(
            r#"{{"x":[{{}}],"keys":[{jwk},"alg":"EdDSA","use":"sig","x5t":"a"}}]}}"#
        ))
    };
    assert_eq!(outcome(body).await, ACCEPTED);
}

#[tokio::test]
async fn a_key_of_another_pair_proves_nothing() {
    let scene = Scene::new().await;
    let (key, other) = (Key::new(&scene.base, 1), Key::of_kind(PairKind::P256, &scene.base, 1));
    let token = key.token();
    scene.server.reply(&Scene::path(1), Reply::json(&KeySet::of(&other.public(), &kid(1))));
    assert_eq!(scene.outcome(&token).await, crate::support::WRONG_SIGNATURE);
}

#[tokio::test]
async fn documents_may_be_16_kib_long_and_no_longer() {
    let padded = |document: &str, length: usize| {
        format!("{document}{}", " ".repeat(length - document.len()))
    };
    let reply = |length| move |document: &str, _: &str| Reply::json(&padded(document, length));
    assert_eq!(outcome(reply(16 * 1024)).await, ACCEPTED);
    assert_eq!(outcome(reply(16 * 1024 + 1)).await, unreachable("the document is too long"));
}

#[tokio::test]
async fn endless_documents_are_not_read_to_their_end() {
    let too_long = unreachable("the document is too long");
    let head = |headers: &str| format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n").into_bytes();
    let spaces = vec![b' '; 8 * 1024];
    let without_length =
        |_: &str, _: &str| Reply::Endless(head("connection: close"), spaces.clone());
    assert_eq!(outcome(without_length).await, too_long);
    let with_length =
        |_: &str, _: &str| Reply::Endless(head("content-length: 99999999999"), spaces.clone());
    assert_eq!(outcome(with_length).await, too_long);
    let chunk = [b"2000\r\n", &spaces[..], b"\r\n"].concat();
    let in_chunks =
        |_: &str, _: &str| Reply::Endless(head("transfer-encoding: chunked"), chunk.clone());
    assert_eq!(outcome(in_chunks).await, too_long);
}

#[rstest]
#[case::no_answer("")]
#[case::half_a_status("HTTP/1.1 20")]
#[case::half_of_the_headers("HTTP/1.1 200 OK\r\ncontent-type: appl")]
#[case::no_body("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")]
#[case::half_of_the_body("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"keys\":[")]
#[case::no_last_chunk("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n")]
#[tokio::test]
async fn servers_that_stop_in_the_middle_take_too_long(#[case] bytes: &str) {
    let reply = |_: &str, _: &str| Reply::Hang(bytes.into());
    assert_eq!(outcome(reply).await, unreachable("the server took too long"));
}

#[tokio::test]
async fn servers_that_dribble_take_too_long() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n".to_vec();
    let slow_body = |_: &str, _: &str| Reply::Endless(head.clone(), b" ".to_vec());
    assert_eq!(outcome(slow_body).await, unreachable("the server took too long"));
    let slow_headers =
        |_: &str, _: &str| Reply::Endless(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), b"y".to_vec());
    assert_eq!(outcome(slow_headers).await, unreachable("the server took too long"));
}

#[rstest]
#[case::no_answer("")]
#[case::half_a_status("HTTP/1.1 20")]
#[case::half_of_the_body("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"keys\":[")]
#[case::no_last_chunk("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n")]
#[case::another_protocol("SSH-2.0-OpenSSH_9.2\r\n")]
#[case::another_version("HTTP/4 200 OK\r\n\r\n")]
#[case::no_status("HTTP/1.1 OK\r\n\r\n")]
#[case::a_length_that_is_none("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n{}")]
#[case::two_lengths("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}")]
#[case::a_chunk_that_is_none("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n{}")]
#[tokio::test]
async fn connections_that_break_off_say_nothing(#[case] bytes: &str) {
    let reply = |_: &str, _: &str| Reply::Bytes(bytes.into());
    assert_eq!(outcome(reply).await, unreachable("the connection broke off"));
}

#[tokio::test]
async fn too_many_headers_say_nothing() {
    let mut bytes = String::from("HTTP/1.1 200 OK\r\n");
    for n in 0..1_000 {
        write!(bytes, "x-{n}: y\r\n").unwrap();
    }
    let reply = |document: &str, _: &str| Reply::Bytes(format!("{bytes}\r\n{document}").into());
    assert_eq!(outcome(reply).await, unreachable("the connection broke off"));
}

#[tokio::test]
async fn half_a_document_of_no_stated_length_is_none() {
    let half = |document: &str, _: &str| Reply::json(&document[..document.len() / 2]);
    assert_eq!(outcome(half).await, unreachable(JSON));
    let cut = |document: &str, _: &str| {
        Reply::new("200 OK", &["content-length: 20"], document.as_bytes())
    };
    assert_eq!(outcome(cut).await, unreachable(JSON));
}

#[tokio::test]
async fn other_encodings_are_none() {
    let gzip = |_: &str, _: &str| {
        let bytes = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0x56];
        Reply::new("200 OK", &["content-encoding: gzip"], &bytes)
    };
    assert_eq!(outcome(gzip).await, unreachable("the document is not UTF-8"));
    let latin = |document: &str, _: &str| {
        let text = document.replace('}', ",\"name\":\"\u{e9}\"}");
        let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        Reply::new("200 OK", &[], &bytes)
    };
    assert_eq!(outcome(latin).await, unreachable("the document is not UTF-8"));
    let wide = |document: &str, _: &str| {
        let bytes: Vec<u8> = document.encode_utf16().flat_map(u16::to_le_bytes).collect();
        Reply::new("200 OK", &[], &bytes)
    };
    assert_eq!(outcome(wide).await, unreachable(JSON));
}

#[tokio::test]
async fn no_server_at_all_is_unreachable() {
    let scene = Scene::new().await;
    let token = scene.issue(1);
    let Scene { server, verifier, .. } = scene;
    drop(server);
    let error = verifier.verify(&token).await.unwrap_err();
    assert_eq!(error.to_string(), unreachable("the server cannot be reached"));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn a_key_of_one_issuer_proves_nothing_for_another() {
    let server = Server::start().await;
    let other = server.url("/other");
    let scene = Scene::at(server, |builder| builder.issuer(other.parse().unwrap()));
    let key = Key::new(&other, 1);
    scene.server.reply(&Scene::path(1), Reply::json(&key.document()));
    // The same id is known at the first issuer, with the key that signs.
    let first = Key::new(&scene.base, 1).token();
    assert_eq!(scene.outcome(&first).await, crate::support::WRONG_SIGNATURE);
    assert_eq!(scene.verifier.known_keys(), 1);
    assert_eq!(scene.outcome(&key.token()).await, UNKNOWN);
    let asked = scene.server.requests();
    assert!(asked[1].starts_with(&format!("GET /other/{}/.well-known/jwks.json ", kid(1))));
}
