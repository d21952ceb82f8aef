//! What japikey's routes refuse, and in which words.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use keyward::{Lifetime, RateLimit, SigningSettings};
use rstest::rstest;
use serde_json::{Value, json};

use super::{KEYS, api, ask, create, get, kids, revoke, server};
use crate::answer::Answer;
use crate::faulty::{FaultyStore, Mood};
use crate::support::{Api, MARK, few_pairs, head};

const NOT_FOUND: &str = "404 not_found: API key not found";

/// An error in one line. Its body has japikey's form and nothing more.
pub(super) fn error(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("etag"), "");
    let body = answer.json();
    let part = |name: &str| body["error"][name].as_str().unwrap();
    let (kind, message) = (part("type"), part("message"));
    let exact = format!(r#"{{"error":{{"type":{},"message":{}}}}}"#, json!(kind), json!(message));
    assert_eq!(answer.text(), exact);
    assert!(!answer.text().contains(MARK), "an echo: {}", answer.text());
    format!("{} {kind}: {message}", answer.status.as_u16())
}

/// A request with these headers and this body, refused without effect.
async fn refused(api: &Api, request: Request<Body>) -> String {
    let before = api.everything().await;
    let answer = api.send(request).await;
    assert_eq!(before, api.everything().await, "a refused request changed something");
    error(&answer)
}

const BODY: &str = "400 invalid_input: the body must be a JSON object of expires_at or expires_in, \
    claims and metadata";
const TYPE: &str = "400 invalid_input: the body must be of the type application/json";
const PAST: &str = "400 invalid_input: expires_at must be in the future";
const TIME: &str = "400 invalid_input: expires_at must be";

#[rstest]
#[case::no_json("{", BODY)]
#[case::nothing("", BODY)]
#[case::text("\"zq7marker\"", BODY)]
#[case::null("null", BODY)]
#[case::list("[]", BODY)]
#[case::members_in_a_list(r#"["2027-02-01T00:00:00Z"]"#, BODY)]
#[case::more_behind(r#"{"expires_in":"1d"} x"#, BODY)]
#[case::unknown_member(r#"{"expires_in":"1d","zq7marker":1}"#, BODY)]
#[case::member_twice(r#"{"expires_in":"1d","expires_in":"1d"}"#, BODY)]
#[case::number(r#"{"expires_at":1801353600}"#, BODY)]
#[case::no_date(r#"{"expires_at":"zq7marker"}"#, TIME)]
#[case::date_alone(r#"{"expires_at":"2027-02-01"}"#, TIME)]
#[case::invalid_date(r#"{"expires_at":"Invalid Date"}"#, TIME)]
#[case::no_such_day(r#"{"expires_at":"2027-02-30T00:00:00Z"}"#, TIME)]
#[case::past(r#"{"expires_at":"2026-12-31T23:59:59Z"}"#, PAST)]
#[case::now(r#"{"expires_at":"2027-01-01T00:00:00Z"}"#, PAST)]
#[case::over_by_the_second(r#"{"expires_at":"2027-01-01T00:00:00.9Z"}"#, PAST)]
#[case::before_1970(r#"{"expires_at":"1969-12-31T23:59:59Z"}"#, PAST)]
#[case::no_lifetime(r#"{"expires_in":"zq7marker"}"#, "400 invalid_input: expires_in must be")]
#[case::no_time_at_all(r#"{"expires_in":"0s"}"#, "400 invalid_input: expires_in must be")]
#[case::both(
    r#"{"expires_in":"1d","expires_at":"2027-02-01T00:00:00Z"}"#,
    "400 invalid_input: expires_in must not be given together with expires_at"
)]
#[case::no_end("{}", "400 invalid_input: expires_at must be given")]
#[case::null_end(r#"{"expires_at":null}"#, "400 invalid_input: expires_at must be given")]
#[case::claims_text(r#"{"expires_in":"1d","claims":"zq7marker"}"#, BODY)]
#[case::claims_list(r#"{"expires_in":"1d","claims":["zq7marker"]}"#, BODY)]
#[case::claims_null(r#"{"expires_in":"1d","claims":null}"#, BODY)]
#[case::claim_twice(r#"{"expires_in":"1d","claims":{"a":1,"a":2}}"#, BODY)]
#[case::claims_too_long(&format!(r#"{{"expires_in":"1d","claims":{{"a":"{}"}}}}"#, "a".repeat(4_000)),
    "400 invalid_input: claims must not make the token longer than 4,096 characters")]
#[case::nbf_text(
    r#"{"expires_in":"1d","claims":{"nbf":"zq7marker"}}"#,
    "400 invalid_input: claims must hold"
)]
#[case::nbf_never(
    r#"{"expires_in":"1d","claims":{"nbf":1e300}}"#,
    "400 invalid_input: claims must hold"
)]
#[case::jti_number(
    r#"{"expires_in":"1d","claims":{"jti":5}}"#,
    "400 invalid_input: claims must hold"
)]
#[case::metadata_text(r#"{"expires_in":"1d","metadata":"zq7marker"}"#, BODY)]
#[case::metadata_list(r#"{"expires_in":"1d","metadata":["zq7marker"]}"#, BODY)]
#[case::too_deep(&format!(r#"{{"metadata":{{"a":{}1{}}}}}"#, "[".repeat(200), "]".repeat(200)), BODY)]
#[tokio::test]
async fn a_body_that_makes_no_good_key_makes_none(#[case] body: &str, #[case] expected: &str) {
    let api = api().await;
    let request = head(&api.root, "POST", KEYS).header("keyward-user", "user-1");
    let request = request.header(CONTENT_TYPE, "application/json");
    let told = refused(&api, request.body(body.to_owned().into()).unwrap()).await;
    assert!(told.starts_with(expected), "{told}");
}

#[rstest]
#[case::none(None)]
#[case::text(Some("text/plain"))]
#[case::form(Some("application/x-www-form-urlencoded"))]
#[tokio::test]
async fn a_body_of_another_type_is_not_read(#[case] kind: Option<&str>) {
    let api = api().await;
    let mut request = head(&api.root, "POST", KEYS).header("keyward-user", "user-1");
    if let Some(kind) = kind {
        request = request.header(CONTENT_TYPE, kind);
    }
    let body = r#"{"expires_in":"1d"}"#;
    assert_eq!(refused(&api, request.body(body.into()).unwrap()).await, TYPE);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read_to_its_end() {
    let api = api().await;
    let request = head(&api.root, "POST", KEYS).header("keyward-user", "user-1");
    let body = format!(r#"{{"expires_in":"1d","metadata":{{"a":"{}"}}}}"#, "a".repeat(64 * 1_024));
    let request = request.header(CONTENT_TYPE, "application/json").body(body.into()).unwrap();
    let told = refused(&api, request).await;
    assert_eq!(told, "413 invalid_input: the body is too large");
}

#[rstest]
#[case::missing(&[], true)]
#[case::empty(&[""], false)]
#[case::twice(&["user-1", "user-1"], false)]
#[case::not_ascii(&["\u{e4}"], false)]
#[case::tab(&["a\tb"], false)]
#[tokio::test]
async fn the_user_is_named_once_and_decently(#[case] users: &[&str], #[case] is_good: bool) {
    let api = api().await;
    let long = "u".repeat(257);
    let long = [long.as_str()];
    // A name that is too long comes along with one of the others.
    for users in [users, if is_good { users } else { &long }] {
        let request = head(&api.root, "GET", &format!("{KEYS}/my"));
        let request =
            users.iter().fold(request, |request, user| request.header("keyward-user", *user));
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        if is_good {
            assert_eq!(answer.text(), "[]");
        } else {
            let told = error(&answer);
            assert!(told.starts_with("400 invalid_input: the header keyward-user must"), "{told}");
        }
    }
}

/// Who asks is looked at before what is asked for.
#[rstest]
#[case("POST", "", "{")]
#[case("GET", "/my", "")]
#[case("GET", "/KID", "")]
#[case("GET", "/nope", "")]
#[case("DELETE", "/KID", "")]
#[case("DELETE", "/nope", "")]
#[tokio::test]
async fn without_a_good_management_key_nothing_is_told(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
) {
    let api = api().await;
    let (token, kid) = create(&api, "user-1").await;
    let path = format!("{KEYS}{}", path.replace("KID", &kid));
    let unnamed = Request::builder().method(method).uri(&path);
    let others = ["garbage", &token].map(|key| head(key, method, &path));
    for request in others.into_iter().chain([unnamed]) {
        let request = request.header("keyward-user", "user-1");
        let before = api.everything().await;
        let answer = api.send(request.body(body.to_owned().into()).unwrap()).await;
        assert_eq!(before, api.everything().await);
        let told = error(&answer);
        assert!(told.starts_with("401 malformed_token: "), "{told}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
}

#[rstest]
#[case(&["keys:read"], json!({}), [403, 200, 200, 403])]
#[case(&["keys:write"], json!({}), [200, 403, 403, 200])]
#[case(&["keys:read", "keys:write"], json!({}), [200, 200, 200, 200])]
#[case(&["root"], json!({}), [200, 200, 200, 200])]
#[case(&[], json!({"keyspace:japikey": ["keys:read"]}), [403, 200, 200, 403])]
#[case(&[], json!({"keyspace:japikey": ["keys:write"]}), [200, 403, 403, 200])]
#[case(&[], json!({"keyspace:default": ["keys:read", "keys:write"]}), [403, 403, 403, 403])]
#[case(&["keys:verify", "keyspaces:write", "audit:read"], json!({}), [403, 403, 403, 403])]
#[tokio::test]
async fn each_act_needs_its_right(
    #[case] scopes: &[&str],
    #[case] resources: Value,
    #[case] expected: [u16; 4],
) {
    let api = api().await;
    let (_, kid) = create(&api, "robot").await;
    let key = api.management_key(scopes, resources).await;
    let one = format!("{KEYS}/{kid}");
    let acts = [
        ("POST", KEYS.to_owned(), json!({"expires_in": "1d"})),
        ("GET", format!("{KEYS}/my"), Value::Null),
        ("GET", one.clone(), Value::Null),
        ("DELETE", one, Value::Null),
    ];
    let mut denied = 0;
    for ((method, path, body), expected) in acts.into_iter().zip(expected) {
        let answer = api.call_as(&key, method, &path, body).await;
        assert_eq!(answer.status, expected, "{method} {path}: {}", answer.text());
        if expected == 403 {
            denied += 1;
            let told = error(&answer);
            let lacks = "the management key lacks the right to do this";
            assert_eq!(told, format!("403 unauthorized: {lacks}"));
        }
    }
    let told = api.get("/v1/audit?action=access.denied").await.json();
    assert_eq!(told["data"].as_array().unwrap().len(), denied, "the trail tells of refusals");
}

#[rstest]
#[case::of_another("KID", "user-2")]
#[case::of_nobody_like_that("KID", "USER-1")]
#[case::unknown("0197f3a0-0000-7000-8000-000000000000", "user-1")]
#[case::upper_case("UPPER", "user-1")]
#[case::no_id("zq7marker", "user-1")]
#[case::another_keyspace("OTHER", "user-1")]
#[case::another_format("PREFIXED", "user-1")]
#[case::not_utf_8("%ff", "user-1")]
#[case::up("%2e%2e", "user-1")]
#[case::long(&"a".repeat(5_000), "user-1")]
#[tokio::test]
async fn what_is_not_the_users_is_not_there(#[case] id: &str, #[case] user: &str) {
    let api = api().await;
    api.signed_keyspace("other", "https://keys.example/jwks").await;
    let (token, kid) = create(&api, "user-1").await;
    let of = |keyspace: &str| json!({"owner": "user-1", "keyspace": keyspace, "expires_in": "1d"});
    let (_, other) = api.issue(of("other")).await;
    let (_, prefixed) = api.issue(of("default")).await;
    let id = id.replace("UPPER", &kid.to_uppercase()).replace("KID", &kid);
    let id = id.replace("OTHER", &other).replace("PREFIXED", &prefixed);
    let before = api.everything().await;
    assert_eq!(error(&get(&api, &format!("/{id}"), user).await), NOT_FOUND);
    assert_eq!(error(&revoke(&api, &id, user).await), NOT_FOUND);
    assert_eq!(before, api.everything().await);
    assert_eq!(api.decision(&token).await, "allowed");
}

#[rstest]
#[case("?limit=0")]
#[case("?limit=1001")]
#[case("?limit=-1")]
#[case("?limit=zq7marker")]
#[case("?limit=")]
#[case("?limit=1&limit=1")]
#[case("?cursor=zq7marker")]
#[case("?cursor=")]
#[case("?offset=1")]
#[case("?cursor=BY_NAME")]
#[case("?cursor=NEWEST_FIRST")]
#[tokio::test]
async fn a_page_that_cannot_be_is_refused(#[case] query: &str) {
    let api = api().await;
    for _ in 0..2 {
        create(&api, "user-1").await;
    }
    let by_name = api.get("/v1/keys?limit=1&sort=name").await.json();
    let newest_first = api.get("/v1/keys?limit=1").await.json();
    let query = query.replace("BY_NAME", by_name["next_cursor"].as_str().unwrap());
    let query = query.replace("NEWEST_FIRST", newest_first["next_cursor"].as_str().unwrap());
    let told = error(&get(&api, &format!("/my{query}"), "user-1").await);
    assert!(told.starts_with("400 invalid_input: "), "{told}");
    assert_eq!(kids(&get(&api, "/my?limit=1000", "user-1").await).len(), 2);
}

#[rstest]
#[case("GET", "", "POST")]
#[case("DELETE", "", "POST")]
#[case("OPTIONS", "", "POST")]
#[case("POST", "/my", "GET,HEAD")]
#[case("DELETE", "/my", "GET,HEAD")]
#[case("PUT", "/KID", "GET,HEAD,DELETE")]
#[case("PATCH", "/KID", "GET,HEAD,DELETE")]
#[case("POST", "/nope", "GET,HEAD,DELETE")]
#[case("OPTIONS", "/KID", "GET,HEAD,DELETE")]
#[tokio::test]
async fn other_methods_are_refused(
    #[case] method: &str,
    #[case] path: &str,
    #[case] allowed: &str,
) {
    let api = api().await;
    let (_, kid) = create(&api, "user-1").await;
    let answer = ask(&api, method, &path.replace("KID", &kid), "user-1", &Value::Null).await;
    let rule = "this route does not take that method";
    assert_eq!(error(&answer), format!("405 invalid_input: {rule}"));
    assert_eq!(answer.header("allow"), allowed);
}

#[tokio::test]
async fn a_user_gets_only_so_many_keys() {
    let owner_limit = RateLimit::new(2, Lifetime::parse("1m").unwrap()).unwrap();
    let store = Arc::new(keyward::store::MemoryStore::new());
    let api = server(store, SigningSettings { owner_limit, ..few_pairs() }).await;
    api.signed_keyspace("japikey", "https://keys.example/jwks").await;
    for _ in 0..2 {
        create(&api, "user-1").await;
    }
    let answer = ask(&api, "POST", "", "user-1", &json!({"expires_in": "1d"})).await;
    let rule = "too many keys were issued for this user; wait";
    assert_eq!(error(&answer), format!("429 unauthorized: {rule}"));
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    create(&api, "user-2").await;
    api.clock.advance(std::time::Duration::from_secs(seconds));
    create(&api, "user-1").await;
}

#[rstest]
#[case("POST", "")]
#[case("GET", "/my")]
#[case("GET", "/KID")]
#[case("DELETE", "/KID")]
#[tokio::test]
async fn a_store_that_fails_is_said_to_and_its_cause_is_not(
    #[case] method: &str,
    #[case] path: &str,
) {
    let store = Arc::new(FaultyStore::new());
    let api = server(Arc::<FaultyStore>::clone(&store), few_pairs()).await;
    api.signed_keyspace("japikey", "https://keys.example/jwks").await;
    let (_, kid) = create(&api, "user-1").await;
    let path = path.replace("KID", &kid);
    let body = if method == "POST" { json!({"expires_in": "1d"}) } else { Value::Null };
    let hour = std::time::Duration::from_hours(1);
    for lapsed in [std::time::Duration::ZERO, hour] {
        store.set(Mood::Down);
        api.clock.advance(lapsed);
        let answer = ask(&api, method, &path, "user-1", &body).await;
        let rule = "the store does not answer; try again";
        assert_eq!(error(&answer), format!("503 database_error: {rule}"));
        assert_eq!(answer.header("retry-after"), "1");
        store.set(Mood::Works);
    }
    store.set(Mood::Panics);
    let answer = ask(&api, method, &path, "user-1", &body).await;
    assert_eq!(answer.status, 500);
    for word in [FaultyStore::CAUSE, "stack", "panic"] {
        assert!(!answer.text().contains(word), "{}", answer.text());
    }
}

#[rstest]
#[case("/a/b")]
#[case("/my/")]
#[case("/my/x")]
#[case("/my//")]
#[tokio::test]
async fn other_paths_lead_nowhere(#[case] path: &str) {
    let api = api().await;
    let answer = get(&api, path, "user-1").await;
    assert_eq!(answer.status, 404, "{}", answer.text());
}
