//! Asking whether a presented secret may do something.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn a_valid_secret_is_told_with_its_key() {
    let api = Api::new().await;
    let (secret, _) = api.issue(json!({"owner": "customer-1", "scopes": ["read"]})).await;
    let body = json!({"secret": secret, "scopes": ["read"]});
    let answer = api.call("POST", "/v1/verify", body).await;
    assert!(!answer.text().contains(&secret));
    assert_snapshot!(answer.brief(), @r#"
    200 OK
    content-type: application/json
    {
      "key": {
        "created_at": "2027-01-01T00:00:00Z",
        "enabled": true,
        "format": "prefixed",
        "hint": "kw_QbrQiWc61u4L",
        "id": "QbrQiWc61u4L",
        "keyspace": "default",
        "last_used_at": "2027-01-01T00:00:00Z",
        "owner": "customer-1",
        "scopes": [
          "read"
        ],
        "state": "active",
        "updated_at": "2027-01-01T00:00:00Z",
        "version": 1
      },
      "valid": true
    }
    "#);
}

#[tokio::test]
async fn a_secret_that_lacks_a_scope_is_no_error() {
    let api = Api::new().await;
    let (secret, _) = api.issue(json!({"owner": "o", "scopes": ["read"]})).await;
    let body = json!({"secret": secret, "scopes": ["read", "write"]});
    assert_snapshot!(api.call("POST", "/v1/verify", body).await.show(), @r#"
    200 OK
    content-type: application/json
    {
      "code": "insufficient_scope",
      "message": "the API key lacks a scope that is needed",
      "valid": false
    }
    "#);
}

#[tokio::test]
async fn any_of_the_scopes_is_enough_where_that_is_asked() {
    let api = Api::new().await;
    let (secret, _) = api.issue(json!({"owner": "o", "scopes": ["read"]})).await;
    let body = json!({"secret": secret, "scopes": ["read", "write"], "match": "any"});
    assert_eq!(api.call("POST", "/v1/verify", body).await.json()["valid"], true);
}

#[tokio::test]
async fn a_scope_on_a_resource_counts_there_alone() {
    let api = Api::new().await;
    let resources = json!({"project:7": ["admin"]});
    let (secret, _) = api.issue(json!({"owner": "o", "resources": resources})).await;
    for (resource, is_valid) in
        [(Some("project:7"), true), (Some("project:8"), false), (None, false)]
    {
        let body = json!({"secret": secret, "scopes": ["admin"], "resource": resource});
        let answer = api.call("POST", "/v1/verify", body).await;
        assert_eq!(answer.json()["valid"], is_valid, "{resource:?}");
    }
}

#[tokio::test]
async fn secrets_that_are_none_are_told_apart_from_unknown_ones_only_by_their_form() {
    let api = Api::new().await;
    let (secret, _) = api.issue(json!({"owner": "o"})).await;
    let elsewhere = "kw_111111111111_11111111111111111111111111111111";
    assert_eq!(api.decision("").await, "missing");
    for text in ["x", "kw_", elsewhere, &secret.to_uppercase(), &format!("{secret} "), "\0\n", "ü"]
    {
        assert_eq!(api.decision(text).await, "malformed", "{text:?}");
    }
    assert_eq!(api.decision(&"x".repeat(40_000)).await, "malformed");
    // A key of another instance: the form is right.
    assert_eq!(api.decision(&other_instance_secret().await).await, "unknown");
}

#[tokio::test]
async fn keys_are_refused_before_and_after_their_time() {
    let api = Api::new().await;
    let body = json!({"owner": "o", "not_before": "2027-01-01T01:00:00Z", "expires_in": "2h"});
    let (secret, _) = api.issue(body).await;
    let mut told = vec![api.decision(&secret).await];
    for minutes in [59, 1, 59, 1] {
        api.clock.advance(Duration::from_mins(minutes));
        told.push(api.decision(&secret).await);
    }
    assert_eq!(told, ["not_yet_valid", "not_yet_valid", "allowed", "allowed", "expired"]);
}

#[tokio::test]
async fn a_key_that_is_used_too_often_is_told_when_to_come_back() {
    let api = Api::new().await;
    let limit = json!({"rate_limit": {"requests": 1, "per": "1m"}});
    api.call("PATCH", "/v1/keyspaces/default", limit).await;
    let (secret, _) = api.issue(json!({"owner": "o"})).await;
    assert_eq!(api.decision(&secret).await, "allowed");
    let answer = api.call("POST", "/v1/verify", json!({"secret": secret})).await;
    assert_snapshot!(answer.show(), @r#"
    200 OK
    content-type: application/json
    {
      "code": "rate_limited",
      "message": "the API key was used too often",
      "retry_after": 60.0,
      "valid": false
    }
    "#);
    api.clock.advance(Duration::from_mins(1));
    assert_eq!(api.decision(&secret).await, "allowed");
}

#[tokio::test]
async fn uses_are_shown_with_the_key() {
    let api = Api::new().await;
    let (secret, id) = api.issue(json!({"owner": "o"})).await;
    assert_eq!(api.decision(&secret).await, "allowed");
    assert_eq!(api.decision(&secret).await, "allowed");
    let shown = api.get(&format!("/v1/keys/{id}")).await.json();
    assert_eq!(shown["uses"], 2);
    assert_eq!(shown["last_used_at"], "2027-01-01T00:00:00Z");
    assert_eq!(shown["version"], 1, "using a key does not change its record");
}

async fn other_instance_secret() -> String {
    let api = Api::new().await;
    // The first key would have the same id there.
    api.issue(json!({"owner": "o"})).await;
    api.issue(json!({"owner": "o"})).await.0
}
