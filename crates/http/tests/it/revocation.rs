//! Revoking keys: one, and all of an owner.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::Api;

#[tokio::test]
async fn a_revoked_key_is_dead_at_once_and_says_why() {
    let api = Api::new().await;
    let (secret, id) = api.issue(json!({"owner": "customer-1"})).await;
    assert_eq!(api.decision(&secret).await, "allowed");
    let revoke = format!("/v1/keys/{id}/revoke");
    assert_snapshot!(api.call("POST", &revoke, json!({"reason": "leaked"})).await.brief(), @r#"
    200 OK
    content-type: application/json
    {
      "created_at": "2027-01-01T00:00:00Z",
      "enabled": true,
      "format": "prefixed",
      "hint": "kw_QbrQiWc61u4L",
      "id": "QbrQiWc61u4L",
      "keyspace": "default",
      "last_used_at": "2027-01-01T00:00:00Z",
      "owner": "customer-1",
      "previous_uses": 0,
      "revoked_at": "2027-01-01T00:00:00Z",
      "revoked_by": "key:ac34MDhdECb9",
      "revoked_reason": "leaked",
      "state": "revoked",
      "updated_at": "2027-01-01T00:00:00Z",
      "uses": 1,
      "version": 2
    }
    "#);
    assert_eq!(api.decision(&secret).await, "revoked");
    let again = api.call("POST", &revoke, Value::Null).await;
    assert_snapshot!(again.show(), @r#"
    409 Conflict
    content-type: application/problem+json
    {
      "code": "already_revoked",
      "detail": "the key is already revoked",
      "request_id": "CMhsqLKvADLXo5FM",
      "status": 409,
      "title": "Conflict",
      "type": "urn:keyward:problem:already_revoked"
    }
    "#);
    assert_eq!(api.get(&format!("/v1/keys/{id}")).await.json()["revoked_reason"], "leaked");
}

#[tokio::test]
async fn a_revoked_key_cannot_be_changed_or_switched_on() {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    let path = format!("/v1/keys/{id}");
    api.call("POST", &format!("{path}/revoke"), Value::Null).await;
    let refused = api.refused("PATCH", &path, &json!({"name": "n"})).await;
    assert_eq!(refused, "409 key_revoked");
    for act in ["enable", "disable", "rotate"] {
        let refused = api.refused("POST", &format!("{path}/{act}"), &Value::Null).await;
        assert_eq!(refused, "409 key_revoked", "{act}");
    }
    let restored = api.refused("POST", &format!("{path}/restore"), &Value::Null).await;
    assert_eq!(restored, "409 not_deleted");
}

#[tokio::test]
async fn all_keys_of_an_owner_are_revoked_together() {
    let api = Api::new().await;
    api.keyspace("payments").await;
    let (mine, first) = api.issue(json!({"owner": "a", "enabled": false})).await;
    let (elsewhere, _) = api.issue(json!({"owner": "a", "keyspace": "payments"})).await;
    let (other, _) = api.issue(json!({"owner": "b"})).await;
    let body = json!({"owner": "a", "reason": "left"});
    let answer = api.call("POST", "/v1/keys/revoke-all", body.clone()).await;
    assert_snapshot!(answer.show(), @r#"
    200 OK
    content-type: application/json
    {
      "revoked": 2
    }
    "#);
    for (secret, decision) in [(mine, "revoked"), (elsewhere, "revoked"), (other, "allowed")] {
        assert_eq!(api.decision(&secret).await, decision);
    }
    assert_eq!(api.get(&format!("/v1/keys/{first}")).await.json()["revoked_reason"], "left");
    // Doing it again is no conflict.
    let before = api.everything().await;
    let answer = api.call("POST", "/v1/keys/revoke-all", body).await;
    assert_eq!(answer.json(), json!({"revoked": 0}));
    assert_eq!(before, api.everything().await);
}
