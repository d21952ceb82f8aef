//! Issuing, showing and changing keys.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::Api;

/// A key with everything.
fn rich() -> Value {
    json!({
        "owner": "customer-1", "name": "Käse", "description": "first line\nsecond line",
        "scopes": ["read", "write"], "resources": {"project:7": ["admin"]},
        "tags": ["Prod", "EU"], "metadata": {"plan": {"seats": 5}},
        "expires_in": "30d", "not_before": "2027-01-01T00:00:00Z",
    })
}

#[tokio::test]
async fn a_key_is_issued_with_its_secret() {
    let api = Api::new().await;
    assert_snapshot!(api.call("POST", "/v1/keys", rich()).await.show(), @r#"
    201 Created
    content-type: application/json
    {
      "key": {
        "created_at": "2027-01-01T00:00:00Z",
        "deleted_at": null,
        "deleted_by": null,
        "description": "first line\nsecond line",
        "enabled": true,
        "expires_at": "2027-01-31T00:00:00Z",
        "format": "prefixed",
        "hint": "kw_QbrQiWc61u4L",
        "id": "QbrQiWc61u4L",
        "keyspace": "default",
        "last_used_at": null,
        "metadata": {
          "plan": {
            "seats": 5
          }
        },
        "name": "Käse",
        "not_before": "2027-01-01T00:00:00Z",
        "owner": "customer-1",
        "previous_secret_until": null,
        "resources": {
          "project:7": [
            "admin"
          ]
        },
        "revoked_at": null,
        "revoked_by": null,
        "revoked_reason": null,
        "rotated_at": null,
        "rotated_from": null,
        "rotated_to": null,
        "scopes": [
          "read",
          "write"
        ],
        "service_account_id": null,
        "state": "active",
        "tags": [
          "prod",
          "eu"
        ],
        "updated_at": "2027-01-01T00:00:00Z",
        "version": 1
      },
      "secret": "kw_QbrQiWc61u4L_aHFxqbggetMj12nGYdiD9fvSDFZvhWKC5tE1RW"
    }
    "#);
}

#[tokio::test]
async fn a_key_needs_nothing_but_an_owner() {
    let api = Api::new().await;
    assert_snapshot!(api.call("POST", "/v1/keys", json!({"owner": "o"})).await.brief(), @r#"
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
        "owner": "o",
        "state": "active",
        "updated_at": "2027-01-01T00:00:00Z",
        "version": 1
      },
      "secret": "kw_QbrQiWc61u4L_aHFxqbggetMj12nGYdiD9fvSDFZvhWKC5tE1RW"
    }
    "#);
}

#[tokio::test]
async fn a_key_is_shown_without_its_secret() {
    let api = Api::new().await;
    let (secret, id) = api.issue(rich()).await;
    assert_eq!(api.decision(&secret).await, "allowed");
    let shown = api.get(&format!("/v1/keys/{id}")).await;
    assert!(!shown.text().contains(&secret));
    assert_snapshot!(shown.brief(), @r#"
    200 OK
    content-type: application/json
    {
      "created_at": "2027-01-01T00:00:00Z",
      "description": "first line\nsecond line",
      "enabled": true,
      "expires_at": "2027-01-31T00:00:00Z",
      "format": "prefixed",
      "hint": "kw_QbrQiWc61u4L",
      "id": "QbrQiWc61u4L",
      "keyspace": "default",
      "last_used_at": "2027-01-01T00:00:00Z",
      "metadata": {
        "plan": {
          "seats": 5
        }
      },
      "name": "Käse",
      "not_before": "2027-01-01T00:00:00Z",
      "owner": "customer-1",
      "previous_uses": 0,
      "resources": {
        "project:7": [
          "admin"
        ]
      },
      "scopes": [
        "read",
        "write"
      ],
      "state": "active",
      "tags": [
        "prod",
        "eu"
      ],
      "updated_at": "2027-01-01T00:00:00Z",
      "uses": 1,
      "version": 1
    }
    "#);
}

#[tokio::test]
async fn a_key_is_changed_where_something_is_given() {
    let api = Api::new().await;
    let (_, id) = api.issue(rich()).await;
    let changes = json!({"name": null, "expires_at": null, "scopes": ["read"], "version": 1});
    let answer = api.call("PATCH", &format!("/v1/keys/{id}"), changes).await;
    assert_snapshot!(answer.brief(), @r#"
    200 OK
    content-type: application/json
    {
      "created_at": "2027-01-01T00:00:00Z",
      "description": "first line\nsecond line",
      "enabled": true,
      "format": "prefixed",
      "hint": "kw_QbrQiWc61u4L",
      "id": "QbrQiWc61u4L",
      "keyspace": "default",
      "metadata": {
        "plan": {
          "seats": 5
        }
      },
      "not_before": "2027-01-01T00:00:00Z",
      "owner": "customer-1",
      "previous_uses": 0,
      "resources": {
        "project:7": [
          "admin"
        ]
      },
      "scopes": [
        "read"
      ],
      "state": "active",
      "tags": [
        "prod",
        "eu"
      ],
      "updated_at": "2027-01-01T00:00:00Z",
      "uses": 0,
      "version": 2
    }
    "#);
    assert_eq!(answer.json(), api.get(&format!("/v1/keys/{id}")).await.json());
}

#[tokio::test]
async fn a_change_of_another_version_is_a_conflict() {
    let api = Api::new().await;
    let (_, id) = api.issue(rich()).await;
    let path = format!("/v1/keys/{id}");
    let answer = api.refused("PATCH", &path, &json!({"name": "b", "version": 7})).await;
    assert_eq!(answer, "409 conflict");
    let changed = api.call("PATCH", &path, json!({"name": "b", "version": 1})).await;
    assert_eq!(changed.json()["version"], 2);
    let answer = api.refused("PATCH", &path, &json!({"name": "c", "version": 1})).await;
    assert_eq!(answer, "409 conflict");
}

#[tokio::test]
async fn a_change_of_nothing_is_refused() {
    let api = Api::new().await;
    let (_, id) = api.issue(rich()).await;
    let path = format!("/v1/keys/{id}");
    for body in [json!({}), json!({"version": 1})] {
        let answer = api.refused("PATCH", &path, &body).await;
        assert_eq!(answer, "422 invalid_request; body must change at least one field");
    }
}
