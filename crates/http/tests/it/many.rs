//! Acts on many keys at once: a result for each, and what is wrong with one is no harm to the others.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Api, MARK};

fn results(answer: &crate::answer::Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["results"].as_array().unwrap().clone()
}

#[tokio::test]
async fn many_keys_are_issued_and_each_complaint_is_told_at_its_place() {
    let api = Api::new().await;
    let keys = json!([
        {"owner": "a", "scopes": ["read"]},
        {"owner": "", "expires_in": MARK},
        {"owner": "b", "keyspace": "nowhere"},
        {"owner": "c"},
    ]);
    let answer = api.call("POST", "/v1/keys/issue-many", json!({"keys": keys})).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.text().contains(MARK));
    let results = results(&answer);
    let done: Vec<_> = results.iter().map(|result| result["done"].as_bool().unwrap()).collect();
    assert_eq!(done, [true, false, false, true]);
    for (place, owner) in [(0, "a"), (3, "c")] {
        assert_eq!(results[place]["key"]["owner"], owner);
        assert_eq!(api.decision(results[place]["secret"].as_str().unwrap()).await, "allowed");
    }
    for (place, fields) in [(1, &["owner", "expires_in"][..]), (2, &["keyspace"])] {
        assert_eq!(results[place]["problem"]["code"], "invalid_request");
        let errors = results[place]["problem"]["errors"].as_array().unwrap();
        let told: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(told, fields);
        assert!(results[place].get("secret").is_none());
    }
    assert_eq!(api.get("/v1/keys?owner=a").await.json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn many_keys_are_revoked_and_those_that_cannot_be_are_told() {
    let api = Api::new().await;
    let [(first, a), (_, b)] =
        [api.issue(json!({"owner": "a"})).await, api.issue(json!({"owner": "a"})).await];
    api.call("POST", &format!("/v1/keys/{b}/revoke"), Value::Null).await;
    let body = json!({"ids": [a, "unknown", b], "reason": "leaked"});
    let results = results(&api.call("POST", "/v1/keys/revoke-many", body).await);
    assert_eq!(results[0]["key"]["revoked_reason"], "leaked");
    assert_eq!(results[1]["problem"]["code"], "not_found");
    assert_eq!(results[2]["problem"]["code"], "already_revoked");
    assert_eq!(api.decision(&first).await, "revoked");
}

#[tokio::test]
async fn many_secrets_are_verified_each_for_itself() {
    let api = Api::new().await;
    let (secret, _) = api.issue(json!({"owner": "a", "scopes": ["read"]})).await;
    let (disabled, _) = api.issue(json!({"owner": "b", "enabled": false})).await;
    let body = json!({"secrets": [secret, "garbage", "", disabled], "scopes": ["read"]});
    let results = results(&api.call("POST", "/v1/verify-many", body).await);
    assert_eq!([&results[0]["valid"], &results[0]["key"]["owner"]], [&json!(true), &json!("a")]);
    let codes: Vec<_> = results[1..].iter().map(|r| r["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["malformed", "missing", "disabled"]);
}

#[rstest]
#[case("/v1/keys/issue-many", "keys", json!({"owner": "a"}))]
#[case("/v1/keys/revoke-many", "ids", json!("x"))]
#[case("/v1/verify-many", "secrets", json!("x"))]
#[tokio::test]
async fn there_must_be_one_to_a_hundred_items(
    #[case] path: &str,
    #[case] field: &str,
    #[case] item: Value,
) {
    let api = Api::new().await;
    for count in [0, 101] {
        let body = json!({ field: vec![item.clone(); count] });
        let expected = format!("422 invalid_request; {field} must hold 1 to 100 items");
        assert_eq!(api.refused("POST", path, &body).await, expected);
    }
    let one = format!("422 invalid_request; {field} must be a list");
    let told = api.refused("POST", path, &json!({ field: 7 })).await;
    assert!(told == one || told.starts_with("422 invalid_request"), "{told}");
    let unknown = api.refused("POST", path, &json!({ field: [item], "x": 1 })).await;
    assert_eq!(unknown, "422 invalid_request; x is not a known field");
}

#[tokio::test]
async fn rights_are_asked_for_each_key() {
    let api = Api::new().await;
    api.keyspace("mobile").await;
    let (_, foreign) = api.issue(json!({"owner": "a"})).await;
    let resources = json!({"keyspace:mobile": ["keys:write"]});
    let confined = api.management_key(&[], resources).await;
    let keys = json!([{"owner": "a", "keyspace": "mobile"}, {"owner": "a"},
        {"owner": "a", "keyspace": "management", "scopes": ["root"]}]);
    let body = json!({"keys": keys});
    let issued = results(&api.call_as(&confined, "POST", "/v1/keys/issue-many", body).await);
    assert_eq!(issued[0]["done"], true);
    assert_eq!(issued[1]["problem"]["code"], "insufficient_scope");
    assert_eq!(issued[2]["problem"]["code"], "insufficient_scope");
    let body = json!({"ids": [foreign, issued[0]["key"]["id"]]});
    let revoked = results(&api.call_as(&confined, "POST", "/v1/keys/revoke-many", body).await);
    assert_eq!(revoked[0]["problem"]["code"], "not_found");
    assert_eq!(revoked[1]["done"], true);
    let denied = api.get("/v1/audit?action=access.denied").await.json();
    let told: Vec<_> =
        denied["data"].as_array().unwrap().iter().map(|e| &e["data"]["path"]).collect();
    assert_eq!(told.len(), 2, "each request with a refused item is written down once");
    assert!(told.contains(&&json!("/v1/keys/issue-many")));
    assert!(told.contains(&&json!("/v1/keys/revoke-many")));
}
