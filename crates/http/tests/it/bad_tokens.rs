//! Management keys that are none, not any more, or not properly presented.

use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Api, bare, head, request};

#[tokio::test]
async fn a_request_without_a_key_is_told_what_is_needed() {
    let api = Api::new().await;
    assert_snapshot!(api.send(bare("/v1/keys", &[])).await.show(), @r#"
    401 Unauthorized
    content-type: application/problem+json
    www-authenticate: Bearer realm="keyward"
    {
      "code": "missing",
      "detail": "an API key is needed",
      "request_id": "12iXxzyHNzNn7ogi",
      "status": 401,
      "title": "Unauthorized",
      "type": "urn:keyward:problem:missing"
    }
    "#);
}

#[rstest]
#[case::nothing(b"", "missing")]
#[case::scheme_alone(b"Bearer", "missing")]
#[case::no_token(b"Bearer ", "missing")]
#[case::blank_token(b"Bearer    ", "missing")]
#[case::other_scheme(b"Basic cm9vdDpyb290", "missing")]
#[case::bare_token(b"zq7marker", "missing")]
#[case::long_scheme(b"BearerX zq7marker", "missing")]
#[case::no_key(b"Bearer zq7marker", "malformed")]
#[case::two_tokens(b"Bearer zq7marker zq7marker", "malformed")]
#[case::latin_1(b"Bearer zq7marker\xe9", "malformed")]
#[case::utf_8(b"Bearer zq7marker\xc3\xa9", "malformed")]
#[case::tab(b"Bearer\tzq7marker", "missing")]
#[tokio::test]
async fn what_is_no_key_is_refused(#[case] header: &[u8], #[case] code: &str) {
    let api = Api::new().await;
    let answer = api.refusal(bare("/v1/keys", &[(AUTHORIZATION, header)])).await;
    assert_eq!(answer, format!("401 {code}"));
}

#[rstest]
#[case("bearer")]
#[case("BEARER")]
#[case("Bearer ")]
#[tokio::test]
async fn the_scheme_is_taken_in_any_case(#[case] scheme: &str) {
    let api = Api::new().await;
    let header = format!("{scheme} {}", api.root);
    let answer = api.send(bare("/v1/keys", &[(AUTHORIZATION, header.as_bytes())])).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_repeated_header_is_refused_even_if_both_are_right() {
    let api = Api::new().await;
    let header = format!("Bearer {}", api.root);
    for second in [header.as_str(), "Bearer x", ""] {
        let headers = [(AUTHORIZATION, header.as_bytes()), (AUTHORIZATION, second.as_bytes())];
        assert_eq!(api.refusal(bare("/v1/keys", &headers)).await, "400 repeated_header");
    }
}

#[tokio::test]
async fn a_key_in_the_query_is_none() {
    let api = Api::new().await;
    let path = format!("/v1/keys?access_token={}", api.root);
    assert_eq!(api.refusal(bare(&path, &[])).await, "401 missing");
}

#[tokio::test]
async fn keys_of_other_keyspaces_are_no_management_keys() {
    let api = Api::new().await;
    let (secret, _) = api.issue(json!({"owner": "o", "scopes": ["root", "keys:read"]})).await;
    let answer = api.refusal(request(&secret, "GET", "/v1/keys", &Value::Null)).await;
    assert_eq!(answer, "401 unknown");
}

#[tokio::test]
async fn a_wrong_secret_is_as_unknown_as_a_key_that_does_not_exist() {
    let api = Api::new().await;
    let old = api.root.clone();
    let id = old.split('_').nth(1).unwrap().to_owned();
    // Rotating makes a text of the right form whose secret is wrong.
    api.call("POST", &format!("/v1/keys/{id}/rotate"), Value::Null).await;
    let wrong = api.send(request(&old, "GET", "/v1/keys", &Value::Null)).await;
    assert_eq!(wrong.complaint(), "401 unknown");
    let mut unknown = api.send(request(&purged(&api).await, "GET", "/v1/keys", &Value::Null)).await;
    unknown.headers.insert("x-request-id", wrong.headers["x-request-id"].clone());
    let without_id = |text: &str| text.split("\"request_id\"").next().unwrap().to_owned();
    assert_eq!(without_id(wrong.text()), without_id(unknown.text()));
    assert_eq!(wrong.headers, unknown.headers);
}

#[rstest]
#[case("revoke", "401 revoked")]
#[case("disable", "403 disabled")]
#[tokio::test]
async fn a_management_key_is_dead_at_once(#[case] act: &str, #[case] expected: &str) {
    let api = Api::new().await;
    let body = json!({"keyspace": "management", "owner": "o", "scopes": ["root"]});
    let (secret, id) = api.issue(body).await;
    let read = || head(&secret, "GET", "/v1/keys").body(axum::body::Body::empty()).unwrap();
    assert_eq!(api.send(read()).await.status, 200);
    api.call("POST", &format!("/v1/keys/{id}/{act}"), Value::Null).await;
    assert_eq!(api.refusal(read()).await, expected);
}

#[tokio::test]
async fn a_management_key_is_refused_outside_of_its_time() {
    let api = Api::new().await;
    let body = json!({"keyspace": "management", "owner": "o", "scopes": ["root"],
        "not_before": "2027-01-01T01:00:00Z", "expires_in": "2h"});
    let (secret, _) = api.issue(body).await;
    let read = || request(&secret, "GET", "/v1/keys", &Value::Null);
    assert_eq!(api.refusal(read()).await, "401 not_yet_valid");
    api.clock.advance(Duration::from_hours(1));
    assert_eq!(api.send(read()).await.status, 200);
    api.clock.advance(Duration::from_hours(1));
    assert_eq!(api.refusal(read()).await, "401 expired");
}

#[tokio::test]
async fn a_management_key_that_is_used_too_often_is_told_when_to_come_back() {
    let api = Api::new().await;
    let limit = json!({"rate_limit": {"requests": 1, "per": "1m"}});
    assert_eq!(api.call("PATCH", "/v1/keyspaces/management", limit).await.status, 200);
    assert_eq!(api.get("/v1/keyspaces").await.status, 200);
    assert_snapshot!(api.get("/v1/keyspaces").await.show(), @r#"
    429 Too Many Requests
    content-type: application/problem+json
    retry-after: 60
    {
      "code": "rate_limited",
      "detail": "the API key was used too often",
      "request_id": "WKCMVkrVn21TDqJG",
      "status": 429,
      "title": "Too Many Requests",
      "type": "urn:keyward:problem:rate_limited"
    }
    "#);
    api.clock.advance(Duration::from_mins(1));
    assert_eq!(api.get("/v1/keyspaces").await.status, 200);
}

/// The secret of a management key that does not exist any more.
async fn purged(api: &Api) -> String {
    let me = keyward::ActContext::by("me".parse().unwrap());
    let new = keyward::NewKey {
        keyspace: keyward::KeyspaceId::management(),
        ..keyward::NewKey::new("o".parse().unwrap())
    };
    let issued = api.keyward.issue(new, &me).await.unwrap();
    api.keyward.delete(&issued.key.id, &me).await.unwrap();
    api.keyward.purge(&issued.key.id, &me).await.unwrap();
    issued.secret.expose().to_owned()
}
