//! Purging keys that ended long enough ago.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::Api;

const DAY: Duration = Duration::from_hours(24);

/// Reaps with that key; returns the answer's body.
async fn reap_as(api: &Api, secret: &str, older_than: &str) -> Value {
    let body = json!({"older_than": older_than});
    let answer = api.call_as(secret, "POST", "/v1/keys/reap", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn exists(api: &Api, id: &str) -> bool {
    api.get(&format!("/v1/keys/{id}")).await.status == 200
}

#[tokio::test]
async fn keys_that_ended_longer_ago_are_purged_and_the_others_stay() {
    let api = Api::new().await;
    let (secret, expired) = api.issue(json!({"owner": "a", "expires_in": "1d"})).await;
    let (_, deleted) = api.issue(json!({"owner": "a", "expires_in": "1d"})).await;
    let (_, living) = api.issue(json!({"owner": "a"})).await;
    let (_, revoked) = api.issue(json!({"owner": "b"})).await;
    api.call("DELETE", &format!("/v1/keys/{deleted}"), Value::Null).await;
    api.clock.advance(DAY * 2);
    api.call("POST", &format!("/v1/keys/{revoked}/revoke"), Value::Null).await;
    api.clock.advance(DAY * 29);
    let before = api.everything().await;
    assert_eq!(
        reap_as(&api, &api.root, "31d").await,
        json!({"purged": 0, "accounts": 0, "has_more": false})
    );
    assert_eq!(before, api.everything().await);
    let answer = api.call("POST", "/v1/keys/reap", json!({"older_than": "P30D"})).await;
    assert_snapshot!(answer.show(), @r#"
    200 OK
    content-type: application/json
    {
      "accounts": 0,
      "has_more": false,
      "purged": 2
    }
    "#);
    assert!(!exists(&api, &expired).await && !exists(&api, &deleted).await);
    assert!(exists(&api, &living).await && exists(&api, &revoked).await);
    assert_eq!(api.decision(&secret).await, "unknown");
    assert_eq!(
        reap_as(&api, &api.root, "29d").await,
        json!({"purged": 1, "accounts": 0, "has_more": false})
    );
    let told = api.get(&format!("/v1/audit?key={revoked}&action=key.purged")).await.json();
    let told = &told["data"][0];
    assert_eq!(told["data"], json!({"reaped": true, "why": "revoked"}));
    assert!(told["actor"].as_str().unwrap().starts_with("key:"));
}

#[tokio::test]
async fn one_call_purges_a_thousand_keys_at_most() {
    let api = Api::new().await;
    for _ in 0..11 {
        let keys = vec![json!({"owner": "a", "expires_in": "1d"}); 100];
        let answer = api.call("POST", "/v1/keys/issue-many", json!({"keys": keys})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    api.clock.advance(DAY * 2);
    assert_eq!(
        reap_as(&api, &api.root, "1d").await,
        json!({"purged": 1_000, "accounts": 0, "has_more": true})
    );
    assert_eq!(
        reap_as(&api, &api.root, "1d").await,
        json!({"purged": 100, "accounts": 0, "has_more": false})
    );
}

#[tokio::test]
async fn a_lesser_key_than_root_spares_management_keys() {
    let api = Api::new().await;
    let lesser = api.management_key(&["keys:write"], json!({})).await;
    let (_, ordinary) = api.issue(json!({"owner": "a", "expires_in": "1d"})).await;
    let management = json!({"keyspace": "management", "owner": "a", "expires_in": "1d"});
    let (_, management) = api.issue(management).await;
    api.clock.advance(DAY * 2);
    assert_eq!(
        reap_as(&api, &lesser, "1d").await,
        json!({"purged": 1, "accounts": 0, "has_more": false})
    );
    assert!(!exists(&api, &ordinary).await && exists(&api, &management).await);
    assert_eq!(
        reap_as(&api, &api.root, "1d").await,
        json!({"purged": 1, "accounts": 0, "has_more": false})
    );
    assert!(!exists(&api, &management).await);
}
