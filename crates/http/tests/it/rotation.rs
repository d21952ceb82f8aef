//! Giving keys new secrets.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::Api;

#[tokio::test]
async fn a_rotated_key_keeps_its_id_and_for_a_grace_its_old_secret() {
    let api = Api::new().await;
    let (old, id) = api.issue(json!({"owner": "customer-1"})).await;
    let rotate = format!("/v1/keys/{id}/rotate");
    let rotated = api.call("POST", &rotate, json!({"grace": "24h", "name": "second"})).await;
    assert_snapshot!(rotated.brief(), @r#"
    201 Created
    content-type: application/json
    {
      "key": {
        "created_at": "2027-01-01T00:00:00Z",
        "enabled": true,
        "format": "prefixed",
        "hint": "kw_QbrQiWc61u4L",
        "id": "QbrQiWc61u4L",
        "keyspace": "default",
        "name": "second",
        "owner": "customer-1",
        "previous_secret_until": "2027-01-02T00:00:00Z",
        "rotated_at": "2027-01-01T00:00:00Z",
        "state": "active",
        "updated_at": "2027-01-01T00:00:00Z",
        "version": 2
      },
      "previous": {
        "created_at": "2027-01-01T00:00:00Z",
        "enabled": true,
        "format": "prefixed",
        "hint": "kw_QbrQiWc61u4L",
        "id": "QbrQiWc61u4L",
        "keyspace": "default",
        "name": "second",
        "owner": "customer-1",
        "previous_secret_until": "2027-01-02T00:00:00Z",
        "previous_uses": 0,
        "rotated_at": "2027-01-01T00:00:00Z",
        "state": "active",
        "updated_at": "2027-01-01T00:00:00Z",
        "uses": 0,
        "version": 2
      },
      "secret": "kw_QbrQiWc61u4L_YRxv2ghavvZexVTspNgNVRisuQeBs2Nc6Jo7Ld"
    }
    "#);
    let new = rotated.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!([api.decision(&old).await, api.decision(&new).await], ["allowed", "allowed"]);
    let uses = api.get(&format!("/v1/keys/{id}")).await.json();
    assert_eq!([&uses["uses"], &uses["previous_uses"]], [2, 1]);
    api.clock.advance(Duration::from_hours(24));
    assert_eq!([api.decision(&old).await, api.decision(&new).await], ["unknown", "allowed"]);
}

#[tokio::test]
async fn without_a_grace_the_old_secret_dies_at_once() {
    let api = Api::new().await;
    let (old, id) = api.issue(json!({"owner": "o"})).await;
    let rotated = api.call("POST", &format!("/v1/keys/{id}/rotate"), Value::Null).await.json();
    let new = rotated["secret"].as_str().unwrap();
    assert_eq!([api.decision(&old).await, api.decision(new).await], ["unknown", "allowed"]);
}

#[tokio::test]
async fn a_successor_is_a_new_key_that_is_linked_with_the_old_one() {
    let api = Api::new().await;
    let (old, id) = api.issue(json!({"owner": "customer-1", "scopes": ["read"]})).await;
    let rotate = format!("/v1/keys/{id}/rotate");
    let body = json!({"mode": "successor", "grace": "1h"});
    let rotated = api.call("POST", &rotate, body.clone()).await;
    assert_snapshot!(rotated.brief(), @r#"
    201 Created
    content-type: application/json
    {
      "key": {
        "created_at": "2027-01-01T00:00:00Z",
        "enabled": true,
        "format": "prefixed",
        "hint": "kw_YRxv2ghavvZe",
        "id": "YRxv2ghavvZe",
        "keyspace": "default",
        "owner": "customer-1",
        "rotated_from": "QbrQiWc61u4L",
        "scopes": [
          "read"
        ],
        "state": "active",
        "updated_at": "2027-01-01T00:00:00Z",
        "version": 1
      },
      "previous": {
        "created_at": "2027-01-01T00:00:00Z",
        "enabled": true,
        "format": "prefixed",
        "hint": "kw_QbrQiWc61u4L",
        "id": "QbrQiWc61u4L",
        "keyspace": "default",
        "owner": "customer-1",
        "previous_uses": 0,
        "revoked_at": "2027-01-01T01:00:00Z",
        "revoked_by": "key:ac34MDhdECb9",
        "revoked_reason": "rotated",
        "rotated_to": "YRxv2ghavvZe",
        "scopes": [
          "read"
        ],
        "state": "active",
        "updated_at": "2027-01-01T00:00:00Z",
        "uses": 0,
        "version": 2
      },
      "secret": "kw_YRxv2ghavvZe_m67XsgZGWCfpUWhAxQnKq37rXtgJ8J1d1abq4g"
    }
    "#);
    let new = rotated.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!([api.decision(&old).await, api.decision(&new).await], ["allowed", "allowed"]);
    assert_eq!(api.refused("POST", &rotate, &body).await, "409 already_rotated");
    api.clock.advance(Duration::from_hours(1));
    assert_eq!([api.decision(&old).await, api.decision(&new).await], ["revoked", "allowed"]);
}

#[tokio::test]
async fn a_rotation_of_another_version_is_a_conflict() {
    let api = Api::new().await;
    let (secret, id) = api.issue(json!({"owner": "o"})).await;
    let rotate = format!("/v1/keys/{id}/rotate");
    for mode in ["same_id", "successor"] {
        let body = json!({"mode": mode, "version": 2});
        assert_eq!(api.refused("POST", &rotate, &body).await, "409 conflict");
    }
    assert_eq!(api.decision(&secret).await, "allowed");
}

#[tokio::test]
async fn revoked_and_expired_keys_get_no_new_secret() {
    let api = Api::new().await;
    let (_, expired) = api.issue(json!({"owner": "o", "expires_in": "1h"})).await;
    let (_, revoked) = api.issue(json!({"owner": "o"})).await;
    api.call("POST", &format!("/v1/keys/{revoked}/revoke"), Value::Null).await;
    api.clock.advance(Duration::from_hours(1));
    let rotate = |id: &str| format!("/v1/keys/{id}/rotate");
    assert_eq!(api.refused("POST", &rotate(&revoked), &Value::Null).await, "409 key_revoked");
    let answer = api.refused("POST", &rotate(&expired), &Value::Null).await;
    assert_snapshot!(answer, @"422 invalid_request; expires_at must be given, in the future: the key has expired");
    let answer = api.call("POST", &rotate(&expired), json!({"expires_in": "1h"})).await;
    assert_eq!(answer.json()["key"]["expires_at"], "2027-01-01T02:00:00Z");
}
