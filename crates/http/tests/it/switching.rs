//! Switching keys off and on, deleting and restoring them.

use axum::http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::Api;

#[tokio::test]
async fn a_key_is_switched_off_and_on() {
    let api = Api::new().await;
    let (secret, id) = api.issue(json!({"owner": "o"})).await;
    let (off, on) = (format!("/v1/keys/{id}/disable"), format!("/v1/keys/{id}/enable"));
    assert_eq!(api.refused("POST", &on, &Value::Null).await, "409 already_enabled");
    assert_snapshot!(api.call("POST", &off, Value::Null).await.brief(), @r#"
    200 OK
    content-type: application/json
    {
      "created_at": "2027-01-01T00:00:00Z",
      "enabled": false,
      "format": "prefixed",
      "hint": "kw_QbrQiWc61u4L",
      "id": "QbrQiWc61u4L",
      "keyspace": "default",
      "owner": "o",
      "previous_uses": 0,
      "state": "disabled",
      "updated_at": "2027-01-01T00:00:00Z",
      "uses": 0,
      "version": 2
    }
    "#);
    assert_eq!(api.decision(&secret).await, "disabled");
    assert_eq!(api.refused("POST", &off, &Value::Null).await, "409 already_disabled");
    assert_eq!(api.call("POST", &on, Value::Null).await.json()["state"], "active");
    assert_eq!(api.decision(&secret).await, "allowed");
}

#[tokio::test]
async fn a_key_is_deleted_restored_and_purged() {
    let api = Api::new().await;
    let (secret, id) = api.issue(json!({"owner": "o"})).await;
    let path = format!("/v1/keys/{id}");
    let (restore, purge) = (format!("{path}/restore"), format!("{path}/purge"));
    assert_eq!(api.refused("POST", &restore, &Value::Null).await, "409 not_deleted");
    assert_eq!(api.refused("POST", &purge, &Value::Null).await, "409 not_deleted");
    assert_snapshot!(api.call("DELETE", &path, Value::Null).await.brief(), @r#"
    200 OK
    content-type: application/json
    {
      "created_at": "2027-01-01T00:00:00Z",
      "deleted_at": "2027-01-01T00:00:00Z",
      "deleted_by": "key:ac34MDhdECb9",
      "enabled": true,
      "format": "prefixed",
      "hint": "kw_QbrQiWc61u4L",
      "id": "QbrQiWc61u4L",
      "keyspace": "default",
      "owner": "o",
      "previous_uses": 0,
      "state": "deleted",
      "updated_at": "2027-01-01T00:00:00Z",
      "uses": 0,
      "version": 2
    }
    "#);
    assert_eq!(api.decision(&secret).await, "unknown");
    assert_eq!(api.refused("DELETE", &path, &Value::Null).await, "409 key_deleted");
    assert_eq!(api.refused("PATCH", &path, &json!({"name": "n"})).await, "409 key_deleted");
    assert_eq!(api.get(&path).await.json()["state"], "deleted");

    assert_eq!(api.call("POST", &restore, Value::Null).await.json()["state"], "active");
    assert_eq!(api.decision(&secret).await, "allowed");

    api.call("DELETE", &path, Value::Null).await;
    assert_snapshot!(api.call("POST", &purge, Value::Null).await.show(), @"204 No Content");
    assert_eq!(api.decision(&secret).await, "unknown");
    assert_eq!(api.refused("GET", &path, &Value::Null).await, "404 not_found");
}

#[tokio::test]
async fn acts_on_a_key_that_does_not_exist_find_nothing() {
    let api = Api::new().await;
    let acts = ["rotate", "revoke", "enable", "disable", "restore", "purge"];
    let posts = acts.map(|act| (Method::POST, format!("/v1/keys/nobody/{act}"), Value::Null));
    let key = "/v1/keys/nobody".to_owned();
    let changed = (Method::PATCH, key.clone(), json!({"name": "n"}));
    let others = [(Method::GET, key.clone(), Value::Null), (Method::DELETE, key, Value::Null)];
    for (method, path, body) in posts.into_iter().chain([changed]).chain(others) {
        assert_eq!(api.refused(method.as_str(), &path, &body).await, "404 not_found", "{path}");
    }
}
