//! What every request goes through: ids, headers, methods, deadlines, failures.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use insta::assert_snapshot;
use keyward_http::{MetricsPage, RouterSettings};
use rstest::rstest;
use serde_json::{Value, json};

use crate::faulty::{FaultyStore, Mood};
use crate::support::{Api, bare, head};

/// An interface over a store that can be told to fail, with a short deadline.
async fn faulty_api() -> (Api, Arc<FaultyStore>) {
    let store = Arc::new(FaultyStore::new());
    let deadline = Duration::from_millis(20);
    let settings = RouterSettings { deadline, ..RouterSettings::default() };
    (Api::over(Arc::<FaultyStore>::clone(&store), settings).await, store)
}

#[rstest]
#[case("abc-1_2.Z", true)]
#[case(&"a".repeat(64), true)]
#[case("", false)]
#[case(&"a".repeat(65), false)]
#[case("a b", false)]
#[case("a;b", false)]
#[case("zq7marker\u{e9}", false)]
#[tokio::test]
async fn a_decent_request_id_is_kept_and_another_replaced(#[case] id: &str, #[case] is_kept: bool) {
    let api = Api::new().await;
    for path in ["/v1/keys", "/v1/keys/nobody", "/nowhere", "/healthz"] {
        let request = head(&api.root, "GET", path).header("x-request-id", id.as_bytes());
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        let told = answer.header("x-request-id");
        assert_eq!(told == id, is_kept, "{told}");
        assert!(is_kept || told.len() == 16, "{told}");
        if answer.status.is_client_error() {
            assert_eq!(answer.json()["request_id"], told);
        }
    }
}

#[tokio::test]
async fn every_request_without_an_id_gets_one_of_its_own() {
    let api = Api::new().await;
    let [one, other] = [api.get("/healthz").await, api.get("/healthz").await];
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[tokio::test]
async fn nothing_is_stored_on_the_way() {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    for (method, path, body) in [
        ("POST", "/v1/keys".to_owned(), json!({"owner": "o"})),
        ("POST", "/v1/keys".to_owned(), json!({})),
        ("GET", "/v1/keys".to_owned(), Value::Null),
        ("POST", format!("/v1/keys/{id}/rotate"), Value::Null),
        ("POST", "/v1/verify".to_owned(), json!({"secret": "x"})),
        ("DELETE", format!("/v1/keys/{id}"), Value::Null),
        ("POST", format!("/v1/keys/{id}/purge"), Value::Null),
        ("GET", "/v1/keys/nobody".to_owned(), Value::Null),
        ("PUT", "/v1/keys".to_owned(), Value::Null),
        ("GET", "/v1/nowhere".to_owned(), Value::Null),
        ("GET", "/healthz".to_owned(), Value::Null),
    ] {
        let answer = api.call(method, &path, body).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{method} {path}");
    }
    let answer = api.send(bare("/v1/keys", &[])).await;
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_path_that_is_no_route_is_a_problem() {
    let api = Api::new().await;
    assert_snapshot!(api.get("/v1/nowhere").await.show(), @r#"
    404 Not Found
    content-type: application/problem+json
    {
      "code": "not_found",
      "detail": "there is nothing here, or not for this key",
      "request_id": "12iXxzyHNzNn7ogi",
      "status": 404,
      "title": "Not Found",
      "type": "urn:keyward:problem:not_found"
    }
    "#);
}

#[rstest]
#[case("/v1/keys", "GET,HEAD,POST")]
#[case("/v1/keys/x", "DELETE,GET,HEAD,PATCH")]
#[case("/v1/keys/x/rotate", "POST")]
#[case("/v1/keys/reap", "POST")]
#[case("/v1/verify", "POST")]
#[case("/v1/keyspaces", "GET,HEAD,POST")]
#[case("/v1/keyspaces/x", "GET,HEAD,PATCH")]
#[case("/v1/audit", "DELETE,GET,HEAD")]
#[case("/v1/changes", "GET,HEAD")]
#[case("/healthz", "GET,HEAD")]
#[case("/openapi.json", "GET,HEAD")]
#[tokio::test]
async fn a_method_that_a_route_does_not_take_is_told_which_ones_it_takes(
    #[case] path: &str,
    #[case] expected: &str,
) {
    let api = Api::new().await;
    for method in ["PUT", "TRACE", "BREW"] {
        let answer = api.call(method, path, Value::Null).await;
        assert_eq!(answer.complaint(), "405 method_not_allowed");
        let mut allowed: Vec<_> = answer.header("allow").split(',').collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), expected);
    }
}

#[tokio::test]
async fn metrics_are_there_if_somebody_writes_them_and_need_no_key() {
    let without = Api::new().await;
    assert_eq!(without.get("/metrics").await.complaint(), "404 not_found");
    let page = MetricsPage::new(|| "keyward_feed_streams 0\n".to_owned());
    let settings = RouterSettings { metrics: Some(page), ..RouterSettings::default() };
    let api = Api::over(Arc::new(FaultyStore::new()), settings).await;
    let answer = api.send(bare("/metrics", &[])).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "keyward_feed_streams 0\n"));
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        api.call("POST", "/metrics", Value::Null).await.complaint(),
        "405 method_not_allowed"
    );
}

#[tokio::test]
async fn head_answers_as_get_does_without_the_body() {
    let api = Api::new().await;
    let (get, head) = (api.get("/v1/keys").await, api.call("HEAD", "/v1/keys", Value::Null).await);
    assert_eq!((head.status, head.body.len()), (get.status, 0));
    assert_eq!(head.header("content-type"), get.header("content-type"));
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    let missing = api.call("HEAD", "/v1/keys/nobody", Value::Null).await;
    assert_eq!((missing.status.as_u16(), missing.body.len()), (404, 0));
}

#[tokio::test]
async fn a_store_that_does_not_answer_meets_the_deadline() {
    let (api, store) = faulty_api().await;
    store.set(Mood::Hangs);
    assert_snapshot!(api.get("/v1/keys").await.show(), @r#"
    503 Service Unavailable
    content-type: application/problem+json
    retry-after: 1
    {
      "code": "timeout",
      "detail": "the request took too long",
      "request_id": "12iXxzyHNzNn7ogi",
      "status": 503,
      "title": "Service Unavailable",
      "type": "urn:keyward:problem:timeout"
    }
    "#);
    let body = json!({"owner": "o"});
    assert_eq!(api.call("POST", "/v1/keys", body).await.complaint(), "503 timeout");
    store.set(Mood::Works);
    assert_eq!(api.get("/v1/keys").await.status, 200);
}

#[tokio::test]
async fn a_body_that_never_ends_meets_the_deadline() {
    let (api, _) = faulty_api().await;
    let body = Body::new(crate::bad_bodies::Endless);
    let request = crate::support::raw(&api.root, "POST", "/v1/keys", body);
    assert_eq!(api.send(request).await.complaint(), "503 timeout");
}

#[tokio::test]
async fn a_store_that_is_down_is_no_decision_and_tells_nothing() {
    let (api, store) = faulty_api().await;
    let (secret, _) = api.issue(json!({"owner": "o"})).await;
    // Known to the cache, so that the handlers are reached.
    assert_eq!(api.get("/v1/keyspaces").await.status, 200);
    store.set(Mood::Down);
    assert_snapshot!(api.get("/v1/keys").await.show(), @r#"
    503 Service Unavailable
    content-type: application/problem+json
    retry-after: 1
    {
      "code": "unavailable",
      "detail": "the store does not answer; try again",
      "request_id": "JNX3maiw6rsPpj3M",
      "status": 503,
      "title": "Service Unavailable",
      "type": "urn:keyward:problem:unavailable"
    }
    "#);
    for (method, path, body) in [
        ("POST", "/v1/keys", json!({"owner": "o"})),
        ("POST", "/v1/verify", json!({"secret": secret})),
        ("GET", "/v1/keys/nobody", Value::Null),
        ("PATCH", "/v1/keyspaces/default", json!({"description": "d"})),
        ("POST", "/v1/keys/revoke-all", json!({"owner": "o"})),
        ("POST", "/v1/keys/reap", json!({"older_than": "1d"})),
        ("GET", "/v1/audit", Value::Null),
        ("GET", "/readyz", Value::Null),
    ] {
        let answer = api.call(method, path, body).await;
        assert_eq!(answer.complaint(), "503 unavailable", "{method} {path}");
        assert_eq!(answer.header("retry-after"), "1");
        assert!(!answer.text().contains(FaultyStore::CAUSE));
    }
    assert_eq!(api.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_management_key_that_cannot_be_looked_up_is_not_let_in() {
    let (api, store) = faulty_api().await;
    // Past the time for which the cache may answer.
    api.clock.advance(Duration::from_secs(2));
    store.set(Mood::Down);
    assert_eq!(api.get("/v1/keyspaces").await.complaint(), "503 unavailable");
}

#[tokio::test]
async fn what_a_store_cannot_do_at_all_is_told_and_is_no_failure() {
    let (api, store) = faulty_api().await;
    store.set(Mood::CannotSummarize);
    assert_eq!(api.get("/v1/audit/summary").await.complaint(), "501 unsupported");
    assert_eq!(api.get("/v1/audit").await.status, 200);
}

#[tokio::test]
async fn a_panic_is_a_problem_without_details() {
    let (api, store) = faulty_api().await;
    assert_eq!(api.get("/v1/keyspaces").await.status, 200);
    store.set(Mood::Panics);
    assert_snapshot!(api.get("/readyz").await.show(), @r#"
    500 Internal Server Error
    content-type: application/problem+json
    {
      "code": "internal",
      "detail": "something went wrong here",
      "request_id": "QbrQiWc61u4LiMXM",
      "status": 500,
      "title": "Internal Server Error",
      "type": "urn:keyward:problem:internal"
    }
    "#);
    store.set(Mood::Works);
    assert_eq!(api.get("/readyz").await.status, 200);
}
