//! Management keys and their keyspace are changed by `root` alone.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::Api;

const ALL_BUT_ROOT: &[&str] =
    &["audit:read", "keys:read", "keys:verify", "keys:write", "keyspaces:read", "keyspaces:write"];

/// A management key's secret and id.
async fn victim(api: &Api) -> (String, String) {
    let body = json!({"keyspace": "management", "owner": "root", "scopes": ["keys:read"]});
    api.issue(body).await
}

#[rstest]
#[case(json!({"keyspace": "management", "owner": "o"}))]
#[case(json!({"keyspace": "management", "owner": "o", "scopes": ["root"]}))]
#[case(json!({"keyspace": "management", "owner": "o", "resources": {"keyspace:default": ["root"]}}))]
#[tokio::test]
async fn no_lesser_key_makes_itself_a_stronger_one(#[case] body: Value) {
    let api = Api::new().await;
    let global = api.management_key(ALL_BUT_ROOT, json!({})).await;
    let confined = api.management_key(&[], json!({"keyspace:management": ALL_BUT_ROOT})).await;
    for caller in [global, confined] {
        let before = api.everything().await;
        let answer = api.call_as(&caller, "POST", "/v1/keys", body.clone()).await;
        assert_eq!(answer.complaint(), "403 insufficient_scope");
        assert_eq!(before, api.everything().await);
    }
    assert_eq!(api.call("POST", "/v1/keys", body).await.status, 201);
}

#[rstest]
#[case("PATCH", "", json!({"scopes": ["root"]}))]
#[case("POST", "/rotate", Value::Null)]
#[case("POST", "/rotate", json!({"mode": "successor", "scopes": ["root"]}))]
#[case("POST", "/revoke", Value::Null)]
#[case("POST", "/disable", Value::Null)]
#[case("POST", "/enable", Value::Null)]
#[case("DELETE", "", Value::Null)]
#[case("POST", "/restore", Value::Null)]
#[case("POST", "/purge", Value::Null)]
#[tokio::test]
async fn no_lesser_key_acts_on_a_management_key(
    #[case] method: &str,
    #[case] act: &str,
    #[case] body: Value,
) {
    let api = Api::new().await;
    let (_, id) = victim(&api).await;
    let path = format!("/v1/keys/{id}{act}");
    match act {
        "/enable" => drop(api.call("POST", &format!("/v1/keys/{id}/disable"), Value::Null).await),
        "/restore" | "/purge" => {
            api.call("DELETE", &format!("/v1/keys/{id}"), Value::Null).await;
        }
        _ => {}
    }
    let reader = api.management_key(ALL_BUT_ROOT, json!({})).await;
    let writer = api.management_key(&["keys:write"], json!({})).await;
    for (caller, expected) in [(reader, "403 insufficient_scope"), (writer, "404 not_found")] {
        let before = api.everything().await;
        let answer = api.call_as(&caller, method, &path, body.clone()).await;
        assert_eq!(answer.complaint(), expected);
        assert_eq!(before, api.everything().await);
    }
    assert!(api.call(method, &path, body).await.status.is_success());
}

#[tokio::test]
async fn no_lesser_key_acts_on_itself() {
    let api = Api::new().await;
    let body = json!({"keyspace": "management", "owner": "o", "scopes": ALL_BUT_ROOT});
    let (secret, id) = api.issue(body).await;
    let grown = json!({"scopes": ["root"]});
    let answer = api.call_as(&secret, "PATCH", &format!("/v1/keys/{id}"), grown).await;
    assert_eq!(answer.complaint(), "403 insufficient_scope");
}

#[tokio::test]
async fn revoking_all_keys_of_an_owner_spares_management_keys_from_a_lesser_key() {
    let api = Api::new().await;
    let (management, _) = victim(&api).await;
    let (ordinary, _) = api.issue(json!({"owner": "root"})).await;
    let lesser = api.management_key(ALL_BUT_ROOT, json!({})).await;
    let body = json!({"owner": "root"});
    let answer = api.call_as(&lesser, "POST", "/v1/keys/revoke-all", body.clone()).await;
    assert_eq!(answer.json(), json!({"revoked": 1}));
    assert_eq!(api.decision(&ordinary).await, "revoked");
    assert_eq!(api.decision(&management).await, "allowed");
    assert_eq!(api.get("/v1/keys").await.status, 200, "the root key still works");
}

#[tokio::test]
async fn root_revokes_management_keys_of_an_owner_too() {
    let api = Api::new().await;
    let body = json!({"keyspace": "management", "owner": "gone", "scopes": ["root"]});
    let (management, _) = api.issue(body).await;
    let answer = api.call("POST", "/v1/keys/revoke-all", json!({"owner": "gone"})).await;
    assert_eq!(answer.json(), json!({"revoked": 1}));
    assert_eq!(api.decision(&management).await, "revoked");
}

#[tokio::test]
async fn no_lesser_key_changes_the_keyspace_of_management_keys() {
    let api = Api::new().await;
    // With it, everybody would be locked out.
    let body = json!({"rate_limit": {"requests": 1, "per": "1d"}});
    let path = "/v1/keyspaces/management";
    let global = api.management_key(ALL_BUT_ROOT, json!({})).await;
    let confined = api.management_key(&[], json!({"keyspace:management": ALL_BUT_ROOT})).await;
    for caller in [global, confined] {
        let before = api.everything().await;
        let answer = api.call_as(&caller, "PATCH", path, body.clone()).await;
        assert_eq!(answer.complaint(), "403 insufficient_scope");
        assert_eq!(before, api.everything().await);
    }
    assert_eq!(api.call("PATCH", path, json!({"description": "d"})).await.status, 200);
}
