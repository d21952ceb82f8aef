//! The documents with public keys: what is served, to whom and for how long, and what nobody is told.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use insta::assert_snapshot;
use keyward::store::MemoryStore;
use keyward_http::RouterSettings;
use rstest::rstest;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::faulty::{FaultyStore, Mood};
use crate::support::Api;

const ISSUER: &str = "https://keys.example/jwks";

/// An instance with a keyspace of signed keys.
async fn api() -> Api {
    let api = Api::new().await;
    api.signed_keyspace("signed", ISSUER).await;
    api
}

/// Where the document of a key is.
fn at(kid: &str) -> String {
    format!("/jwks/{kid}/.well-known/jwks.json")
}

/// Asks as anybody may: without a key.
async fn ask(api: &Api, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    api.send(request.body(Body::empty()).unwrap()).await
}

/// Asks for a document by somebody who has one already.
async fn ask_again(api: &Api, path: &str, known: &[&str]) -> Answer {
    let request = Request::builder().uri(path);
    let request = known.iter().fold(request, |request, tag| request.header("if-none-match", *tag));
    api.send(request.body(Body::empty()).unwrap()).await
}

/// The headers of an answer in lines, apart from what is another one each time.
fn headers(answer: &Answer) -> String {
    let varies = ["content-length", "etag", "x-request-id"];
    let told = answer.headers.iter().filter(|(name, _)| !varies.contains(&name.as_str()));
    let mut lines: Vec<_> =
        told.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    lines.join("\n")
}

/// All that could tell one refusal from another.
fn refusal(answer: &Answer) -> (u16, String, Value) {
    let mut body = answer.json();
    body.as_object_mut().unwrap().remove("request_id");
    (answer.status.as_u16(), headers(answer), body)
}

/// The answer to all that is no key, or none any more.
async fn nothing(api: &Api) -> (u16, String, Value) {
    refusal(&ask(api, "GET", &at("0197f3a0-0000-7000-8000-000000000000")).await)
}

#[tokio::test]
async fn a_document_is_served_to_whoever_asks() {
    let api = api().await;
    let (_, kid) = api.issue_signed("signed").await;
    let answer = ask(&api, "GET", &at(&kid)).await;
    assert_eq!(answer.status, 200);
    assert_snapshot!(headers(&answer), @r"
    access-control-allow-origin: *
    cache-control: max-age=60
    content-type: application/json
    ");
    let tag = answer.header("etag").trim_matches('"');
    assert_eq!(answer.header("etag"), format!("\"{tag}\""));
    assert!(tag.len() == 16 && tag.bytes().all(|byte| byte.is_ascii_hexdigit()), "{tag}");
    let head = ask(&api, "HEAD", &at(&kid)).await;
    assert_eq!((head.status.as_u16(), head.text()), (200, ""));
    for name in ["etag", "cache-control", "access-control-allow-origin", "content-type"] {
        assert_eq!(head.header(name), answer.header(name), "{name}");
    }
    // A key does no harm, be it good or not.
    for key in [api.root.as_str(), "garbage"] {
        let with_key = api.call_as(key, "GET", &at(&kid), Value::Null).await;
        assert_eq!((with_key.status.as_u16(), &with_key.body), (200, &answer.body));
    }
}

#[rstest]
#[case::rsa("RS256", ["kty", "n", "e", "kid"].as_slice())]
#[case::p_256("ES256", ["kty", "crv", "x", "y", "kid"].as_slice())]
#[case::ed25519("EdDSA", ["kty", "crv", "x", "kid"].as_slice())]
#[tokio::test]
async fn a_document_holds_one_key_of_these_members_in_this_order(
    #[case] algorithm: &str,
    #[case] members: &[&str],
) {
    let api = Api::new().await;
    let keyspace =
        json!({"id": "signed", "format": "signed", "algorithm": algorithm, "issuer": ISSUER});
    assert_eq!(api.call("POST", "/v1/keyspaces", keyspace).await.status, 201);
    let (_, kid) = api.issue_signed("signed").await;
    let answer = ask(&api, "GET", &at(&kid)).await;
    let document = answer.json();
    let jwk = &document["keys"][0];
    let written: Vec<_> =
        members.iter().map(|name| format!("{}:{}", json!(name), jwk[*name])).collect();
    assert_eq!(answer.text(), format!("{{\"keys\":[{{{}}}]}}", written.join(",")));
    assert_eq!(jwk["kid"], kid);
    match algorithm {
        "RS256" => {
            assert_eq!([&jwk["kty"], &jwk["e"]], ["RSA", "AQAB"]);
            assert_eq!(jwk["n"].as_str().unwrap().len(), 342);
        }
        "ES256" => assert_eq!([&jwk["kty"], &jwk["crv"]], ["EC", "P-256"]),
        _ => assert_eq!([&jwk["kty"], &jwk["crv"]], ["OKP", "Ed25519"]),
    }
    assert_eq!(api.get(&format!("/v1/keys/{kid}")).await.json()["jwk"], *jwk);
}

/// `{}` stands for the document's tag.
#[rstest]
#[case::the_tag(&["{}"], 304)]
#[case::weak(&["W/{}"], 304)]
#[case::anything(&["*"], 304)]
#[case::in_a_list(&["\"a\", {}"], 304)]
#[case::in_a_list_without_spaces(&["W/\"a\",W/{},\"b\""], 304)]
#[case::in_a_second_header(&["\"a\"", "{}"], 304)]
#[case::another(&["\"d55a4dd3d0a2c4e6\""], 200)]
#[case::without_quotation_marks(&["BARE"], 200)]
#[case::weak_in_lower_case(&["w/{}"], 200)]
#[case::nothing(&[""], 200)]
#[case::not_ascii(&["\u{e4}"], 200)]
#[tokio::test]
async fn who_has_the_document_is_not_sent_it_again(#[case] known: &[&str], #[case] status: u16) {
    let api = api().await;
    let (_, kid) = api.issue_signed("signed").await;
    let first = ask(&api, "GET", &at(&kid)).await;
    let tagged = first.header("etag");
    let bare = tagged.trim_matches('"');
    let known: Vec<_> =
        known.iter().map(|tag| tag.replace("{}", tagged).replace("BARE", bare)).collect();
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    let answer = ask_again(&api, &at(&kid), &known).await;
    assert_eq!(answer.status, status);
    for name in ["etag", "cache-control", "access-control-allow-origin"] {
        assert_eq!(answer.header(name), first.header(name), "{name}");
    }
    assert_eq!(answer.body.is_empty(), status == 304);
    assert_eq!(answer.headers.contains_key("content-type"), status == 200);
}

#[tokio::test]
async fn each_document_has_a_tag_of_its_own_that_stays() {
    let api = api().await;
    let (_, one) = api.issue_signed("signed").await;
    let (_, other) = api.issue_signed("signed").await;
    let tag = async |kid: &str| ask(&api, "GET", &at(kid)).await.header("etag").to_owned();
    let before = tag(&one).await;
    assert_ne!(before, tag(&other).await);
    let name = json!({"name": "renamed", "metadata": {"a": 1}});
    assert_eq!(api.call("PATCH", &format!("/v1/keys/{one}"), name).await.status, 200);
    assert_eq!(before, tag(&one).await);
}

#[tokio::test]
async fn a_tag_of_the_past_does_not_hide_a_revocation() {
    let api = api().await;
    let (_, kid) = api.issue_signed("signed").await;
    let tag = ask(&api, "GET", &at(&kid)).await.header("etag").to_owned();
    let revoke = format!("/v1/keys/{kid}/revoke");
    assert_eq!(api.call("POST", &revoke, Value::Null).await.status, 200);
    for known in [tag.as_str(), "*"] {
        assert_eq!(refusal(&ask_again(&api, &at(&kid), &[known]).await), nothing(&api).await);
    }
}

#[rstest]
#[case(0, "max-age=0")]
#[case(3_600, "max-age=3600")]
#[tokio::test]
async fn how_long_others_may_keep_it_is_a_setting(#[case] seconds: u64, #[case] expected: &str) {
    let jwks_max_age = Duration::from_secs(seconds);
    let settings = RouterSettings { jwks_max_age, ..RouterSettings::default() };
    let api = Api::over(Arc::new(MemoryStore::new()), settings).await;
    api.signed_keyspace("signed", ISSUER).await;
    api.signed_keyspace("elsewhere", "https://x.example/sub").await;
    let (_, kid) = api.issue_signed("signed").await;
    for path in [at(&kid), at(&kid).replace("/jwks/", "/sub/")] {
        let answer = ask(&api, "GET", &path).await;
        assert_eq!(answer.header("cache-control"), expected);
        let again = ask_again(&api, &path, &[answer.header("etag")]).await;
        assert_eq!((again.status.as_u16(), again.header("cache-control")), (304, expected));
        for (method, path) in [("GET", at("unknown")), ("POST", path)] {
            assert_eq!(ask(&api, method, &path).await.header("cache-control"), "no-store");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_for_everybody_to_read_and_for_nobody_to_keep() {
    let api = api().await;
    let answer = ask(&api, "GET", &at("unknown")).await;
    assert_eq!(answer.complaint(), "404 not_found");
    assert_snapshot!(headers(&answer), @r"
    access-control-allow-origin: *
    cache-control: no-store
    content-type: application/problem+json
    ");
}

/// What has become of a key, by the path after `/v1/keys/`, and when.
#[rstest]
#[case::revoked("POST", "/revoke")]
#[case::disabled("POST", "/disable")]
#[case::deleted("DELETE", "")]
#[tokio::test]
async fn a_key_that_ended_cannot_be_told_from_none(#[case] method: &str, #[case] act: &str) {
    let api = api().await;
    let (_, kid) = api.issue_signed("signed").await;
    assert_eq!(ask(&api, "GET", &at(&kid)).await.status, 200);
    let path = format!("/v1/keys/{kid}");
    assert_eq!(api.call(method, &format!("{path}{act}"), Value::Null).await.status, 200);
    assert_eq!(refusal(&ask(&api, "GET", &at(&kid)).await), nothing(&api).await);
    let undo = match act {
        "/disable" => "/enable",
        "" => "/restore",
        _ => return,
    };
    assert_eq!(api.call("POST", &format!("{path}{undo}"), Value::Null).await.status, 200);
    assert_eq!(ask(&api, "GET", &at(&kid)).await.status, 200);
}

#[tokio::test]
async fn time_makes_a_document_appear_and_go() {
    let api = api().await;
    let body = json!({"owner": "a", "keyspace": "signed", "not_before": "2027-01-01T01:00:00Z",
        "expires_at": "2027-01-01T02:00:00Z"});
    let (_, kid) = api.issue(body).await;
    let hour = Duration::from_hours(1);
    for status in [404, 200, 404] {
        let answer = ask(&api, "GET", &at(&kid)).await;
        assert_eq!(answer.status, status);
        if status == 404 {
            assert_eq!(refusal(&answer), nothing(&api).await);
        }
        api.clock.advance(hour);
    }
}

#[tokio::test]
async fn a_rotated_key_has_its_document_until_its_grace_is_over() {
    let api = api().await;
    let (_, kid) = api.issue_signed("signed").await;
    let rotate = format!("/v1/keys/{kid}/rotate");
    let rotated = api.call("POST", &rotate, json!({"grace": "1m"})).await.json();
    let successor = rotated["key"]["id"].as_str().unwrap();
    for expected in [200, 404] {
        assert_eq!(ask(&api, "GET", &at(&kid)).await.status, expected);
        assert_eq!(ask(&api, "GET", &at(successor)).await.status, 200);
        api.clock.advance(Duration::from_mins(1));
    }
}

/// `KID` stands for the id of a signed key, `OTHER` for that of one of another format.
#[rstest]
#[case::another_format("OTHER")]
#[case::upper_case("UPPER")]
#[case::no_id("nope")]
#[case::nil("00000000-0000-0000-0000-000000000000")]
#[case::half_an_id("0197f3a0-0000-7000")]
#[case::longer("KID0")]
#[case::braces("%7BKID%7D")]
#[case::urn("urn:uuid:KID")]
#[case::space_before("%20KID")]
#[case::newline_behind("KID%0A")]
#[case::nul_behind("KID%00")]
#[case::up("%2e%2e")]
#[case::up_and_back("%2e%2e%2fjwks%2fKID")]
#[case::wildcard("*")]
#[case::sql("'%20or%201=1--")]
#[case::not_utf_8("%ff")]
#[case::very_long(&"a".repeat(10_000))]
#[tokio::test]
async fn what_is_no_key_cannot_be_told_from_an_unknown_one(
    #[case] id: &str,
    #[values("/jwks", "/sub/keys", "")] path: &str,
) {
    let api = api().await;
    api.signed_keyspace("below", "https://x.example/sub/keys").await;
    api.signed_keyspace("root", "https://x.example").await;
    let (_, kid) = api.issue_signed("signed").await;
    let (_, other) = api.issue(json!({"owner": "customer-1"})).await;
    let id = id.replace("UPPER", &kid.to_uppercase()).replace("KID", &kid).replace("OTHER", &other);
    let answer = ask(&api, "GET", &format!("{path}/{id}/.well-known/jwks.json")).await;
    assert_eq!(refusal(&answer), nothing(&api).await);
}

#[rstest]
#[case("POST")]
#[case("PUT")]
#[case("PATCH")]
#[case("DELETE")]
#[case("OPTIONS")]
#[tokio::test]
async fn a_document_is_only_read(
    #[case] method: &str,
    #[values("/jwks", "/sub/keys", "")] path: &str,
) {
    let api = api().await;
    api.signed_keyspace("below", "https://x.example/sub/keys").await;
    api.signed_keyspace("root", "https://x.example").await;
    let (_, kid) = api.issue_signed("signed").await;
    for id in [kid.as_str(), "unknown"] {
        let answer = ask(&api, method, &format!("{path}/{id}/.well-known/jwks.json")).await;
        assert_eq!(answer.complaint(), "405 method_not_allowed");
        assert_eq!(answer.header("allow"), "GET,HEAD");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[rstest]
#[case("https://x.example/sub/keys", "/sub/keys")]
#[case("https://x.example/sub/keys/", "/sub/keys")]
#[case("https://x.example/sub//", "/sub/")]
#[case("https://x.example", "")]
#[case("https://x.example/", "")]
#[case("https://x.example//", "/")]
#[case("https://x.example/a/../b", "/b")]
#[case("https://x.example/ä", "/%C3%A4")]
#[case("http://127.0.0.1:8080/v1/keys", "/v1/keys")]
#[tokio::test]
async fn a_document_is_found_where_its_token_says(#[case] issuer: &str, #[case] path: &str) {
    let api = api().await;
    let (_, elsewhere) = api.issue_signed("signed").await;
    let document = |kid: &str| format!("{path}/{kid}/.well-known/jwks.json");
    assert_eq!(ask(&api, "GET", &document(&elsewhere)).await.status, 404, "no keyspace yet");
    api.signed_keyspace("other", issuer).await;
    let (_, kid) = api.issue_signed("other").await;
    let plain = ask(&api, "GET", &at(&kid)).await;
    // Also those of other issuers: their keys do not get better by it.
    for kid in [kid, elsewhere] {
        let (there, here) =
            (ask(&api, "GET", &document(&kid)).await, ask(&api, "GET", &at(&kid)).await);
        assert_eq!((there.status.as_u16(), &there.body), (200, &here.body));
        assert_eq!(headers(&there), headers(&here));
        let head = ask(&api, "HEAD", &document(&kid)).await;
        assert_eq!((head.status, head.header("etag")), (there.status, there.header("etag")));
        let again = ask_again(&api, &document(&kid), &[there.header("etag")]).await;
        assert_eq!(again.status, 304);
    }
    assert_eq!(plain.status, 200);
}

#[rstest]
#[case("/keys/KID/.well-known/jwks.json")]
#[case("/sub/KID/.well-known/jwks.json")]
#[case("/sub/keys/more/KID/.well-known/jwks.json")]
#[case("/SUB/keys/KID/.well-known/jwks.json")]
#[case("//sub/keys/KID/.well-known/jwks.json")]
#[case("/sub%2Fkeys/KID/.well-known/jwks.json")]
#[case("/sub/keysKID/.well-known/jwks.json")]
#[case("/sub/keys/.well-known/jwks.json")]
#[case("/sub/keys/KID/.well-known/jwks.json/")]
#[case("/sub/keys/KID/.well-known/jwks")]
#[case("/sub/keys/KID/.WELL-KNOWN/jwks.json")]
#[case("/sub/keys/KID//.well-known/jwks.json")]
#[case("/sub/keys/KID")]
#[case("/KID/.well-known/jwks.json")]
#[case("/jwks/KID/.well-known/jwks.json/")]
#[case("/jwks/KID")]
#[case("/.well-known/jwks.json")]
#[tokio::test]
async fn the_path_of_no_issuer_leads_nowhere(#[case] path: &str) {
    let api = api().await;
    api.signed_keyspace("below", "https://x.example/sub/keys").await;
    let (_, kid) = api.issue_signed("below").await;
    for method in ["GET", "POST"] {
        let answer = ask(&api, method, &path.replace("KID", &kid)).await;
        assert_eq!(answer.complaint(), "404 not_found", "{method}");
    }
}

#[tokio::test]
async fn a_query_changes_nothing() {
    let api = api().await;
    let (_, kid) = api.issue_signed("signed").await;
    assert_eq!(ask(&api, "GET", &format!("{}?a=1&kid=x", at(&kid))).await.status, 200);
}

#[tokio::test]
async fn a_store_that_fails_is_no_revocation() {
    let store = Arc::new(FaultyStore::new());
    let api = Api::over(Arc::<FaultyStore>::clone(&store), RouterSettings::default()).await;
    api.signed_keyspace("signed", ISSUER).await;
    api.signed_keyspace("below", "https://x.example/sub").await;
    let (_, kid) = api.issue_signed("signed").await;
    store.set(Mood::Down);
    // What is known without asking the store is not so any more.
    api.clock.advance(Duration::from_hours(1));
    let answer = ask(&api, "GET", &at(&kid)).await;
    assert_eq!(answer.complaint(), "503 unavailable");
    assert_snapshot!(headers(&answer), @r"
    access-control-allow-origin: *
    cache-control: no-store
    content-type: application/problem+json
    retry-after: 1
    ");
    let elsewhere = ask(&api, "GET", &at(&kid).replace("/jwks/", "/sub/")).await;
    assert_eq!(refusal(&elsewhere), refusal(&answer));
    assert_eq!(ask(&api, "GET", &at("nope")).await.status, 404, "no store is needed for that");
    store.set(Mood::Works);
    assert_eq!(ask(&api, "GET", &at(&kid)).await.status, 200);
}
