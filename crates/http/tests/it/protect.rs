//! Routes of somebody else's application behind the layer and the extractor.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::get;
use http_body_util::BodyExt;
use keyward::store::MemoryStore;
use keyward::{
    ActContext, HeaderRules, KeyspaceId, Keyward, NewKey, ResourceId, ResourceScopes, Scope,
    ScopeSet,
};
use keyward_http::{ProtectLayer, Rejection, VerifiedKey};
use rstest::rstest;
use serde_json::Value;
use tower::ServiceExt;

fn scope(name: &str) -> Scope {
    Scope::parse(name).unwrap()
}

async fn keyward() -> (Keyward, String) {
    let keyward = Keyward::builder(Arc::new(MemoryStore::new())).manual().build().await.unwrap();
    let new = NewKey {
        scopes: ScopeSet::new([scope("read")]).unwrap(),
        resources: ResourceScopes::builder().add_one("project", "1", "write").build().unwrap(),
        ..NewKey::new("ann".parse().unwrap())
    };
    let issued = keyward.issue(new, &ActContext::by("me".parse().unwrap())).await.unwrap();
    let secret = issued.secret.expose().to_owned();
    (keyward, secret)
}

async fn owner(key: VerifiedKey) -> String {
    key.record().owner.to_string()
}

async fn write(key: VerifiedKey) -> Result<String, Rejection> {
    key.require_on(&scope("write"), &ResourceId::new("project", "1").unwrap())?;
    key.require(&scope("write"))?;
    Ok("never".to_owned())
}

async fn ask(router: &Router, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let request = Request::builder().uri(path);
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

/// Status and code of a refusal, which must be a problem document.
async fn refusal(response: Response<Body>) -> String {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert!(problem.get("request_id").is_none());
    format!("{status} {}", problem["code"].as_str().unwrap())
}

#[rstest]
#[case::layer(true)]
#[case::extractor_alone(false)]
#[tokio::test]
async fn only_valid_keys_come_through(#[case] with_layer: bool) {
    let (keyward, secret) = keyward().await;
    let mut router = Router::new().route("/", get(owner));
    if with_layer {
        router = router.route_layer(ProtectLayer::new(keyward.clone()));
    }
    let router = router.with_state(keyward);
    let bearer = format!("Bearer {secret}");
    for headers in [
        &[("authorization", bearer.as_str())][..],
        &[("x-api-key", secret.as_str())],
        &[("authorization", "Basic dXNlcjpwYXNz"), ("x-api-key", secret.as_str())],
    ] {
        let answer = ask(&router, "/", headers).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ann");
    }
    let twice = format!("Bearer {bearer}");
    for (headers, expected) in [
        (&[][..], "401 missing"),
        (&[("authorization", "Basic dXNlcjpwYXNz")], "401 missing"),
        (&[("authorization", "Bearer x")], "401 malformed"),
        (&[("authorization", twice.as_str())], "401 malformed"),
        (&[("x-api-key", "schlüssel")], "401 malformed"),
        (&[("x-api-key", "a"), ("x-api-key", "b")], "400 repeated_header"),
    ] {
        assert_eq!(refusal(ask(&router, "/", headers).await).await, expected);
    }
}

#[tokio::test]
async fn a_layer_asks_for_scopes_names_of_headers_and_a_keyspace() {
    let (keyward, secret) = keyward().await;
    let layer = || ProtectLayer::new(keyward.clone());
    let rules = HeaderRules::new(["x-custom"]).unwrap();
    let router = |layer: ProtectLayer| {
        Router::new().route("/", get(owner)).route_layer(layer).with_state(keyward.clone())
    };
    let key = [("x-api-key", secret.as_str())];
    for (layer, expected) in [
        (layer().scopes([scope("read")]), None),
        (layer().scopes([scope("read"), scope("admin")]), Some("403 insufficient_scope")),
        (layer().any_scope([scope("read"), scope("admin")]), None),
        (layer().any_scope([scope("admin")]), Some("403 insufficient_scope")),
        (layer().header_rules(rules.clone()), Some("401 missing")),
        (layer().keyspace(KeyspaceId::default_keyspace()), None),
        (layer().keyspace(KeyspaceId::management()), Some("401 unknown")),
    ] {
        let answer = ask(&router(layer), "/", &key).await;
        match expected {
            None => assert_eq!(answer.status(), 200),
            Some(expected) => assert_eq!(refusal(answer).await, expected),
        }
    }
    let custom = ask(&router(layer().header_rules(rules)), "/", &[("X-Custom", &secret)]).await;
    assert_eq!(custom.status(), 200);
}

#[tokio::test]
async fn a_handler_asks_for_more() {
    let (keyward, secret) = keyward().await;
    let router = Router::new().route("/", get(write)).with_state(keyward);
    let answer = ask(&router, "/", &[("x-api-key", &secret)]).await;
    assert_eq!(refusal(answer).await, "403 insufficient_scope");
}
