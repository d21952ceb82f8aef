//! Management keys that are confined to one keyspace.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::Api;

/// A key of the keyspace `payments`, one of `default`, and a caller confined to `payments`.
struct Fence {
    api: Api,
    caller: String,
    inside: String,
    outside: String,
}

async fn fence(scopes: &[&str]) -> Fence {
    let api = Api::new().await;
    api.keyspace("payments").await;
    let (_, inside) = api.issue(json!({"owner": "a", "keyspace": "payments"})).await;
    let (_, outside) = api.issue(json!({"owner": "a"})).await;
    let caller = api.management_key(&[], json!({"keyspace:payments": scopes})).await;
    Fence { api, caller, inside, outside }
}

impl Fence {
    async fn status(&self, method: &str, path: &str, body: Value) -> u16 {
        let before = self.api.everything().await;
        let answer = self.api.call_as(&self.caller, method, path, body).await;
        if !answer.status.is_success() {
            assert_eq!(before, self.api.everything().await, "{method} {path}");
        }
        answer.status.as_u16()
    }

    async fn get(&self, path: &str) -> u16 {
        self.status("GET", path, Value::Null).await
    }
}

const EVERYTHING: &[&str] = &[
    "audit:read",
    "changes:read",
    "keys:read",
    "keys:verify",
    "keys:write",
    "keyspaces:read",
    "keyspaces:write",
];

#[rstest]
#[tokio::test]
async fn lists_are_open_for_the_keyspace_and_not_without_it(
    #[values(EVERYTHING, &["root"])] scopes: &[&str],
    #[values("/v1/keys", "/v1/audit")] path: &str,
) {
    let fence = fence(scopes).await;
    assert_eq!(fence.get(&format!("{path}?keyspace=payments")).await, 200);
    let queries =
        ["", "?keyspace=default", "?keyspace=management", "?keyspace=nowhere", "?owner=a"];
    for query in queries {
        assert_eq!(fence.get(&format!("{path}{query}")).await, 403, "{query}");
    }
    let listed = fence.api.call_as(&fence.caller, "GET", "/v1/keys?keyspace=payments", Value::Null);
    let listed = listed.await.json();
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|key| &key["id"]).collect();
    assert_eq!(ids, [&fence.inside]);
}

#[rstest]
#[tokio::test]
async fn a_cursor_leads_out_of_no_keyspace(#[values(EVERYTHING, &["root"])] scopes: &[&str]) {
    let fence = fence(scopes).await;
    let page = fence.api.get("/v1/keys?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let path = format!("/v1/keys?keyspace=payments&cursor={cursor}");
    let rest = fence.api.call_as(&fence.caller, "GET", &path, Value::Null).await.json();
    let keyspaces = rest["data"].as_array().unwrap().iter().map(|key| &key["keyspace"]);
    assert!(keyspaces.into_iter().all(|keyspace| keyspace == "payments"));
}

#[rstest]
#[tokio::test]
async fn keys_are_issued_in_the_keyspace_alone(#[values(EVERYTHING, &["root"])] scopes: &[&str]) {
    let fence = fence(scopes).await;
    for (keyspace, status) in [
        (json!("payments"), 201),
        (json!("default"), 403),
        (json!("management"), 403),
        (json!("nowhere"), 403),
        (Value::Null, 403),
    ] {
        let body = json!({"owner": "o", "keyspace": keyspace});
        assert_eq!(fence.status("POST", "/v1/keys", body).await, status, "{keyspace}");
    }
}

#[rstest]
#[case("GET", "", Value::Null)]
#[case("PATCH", "", json!({"name": "n"}))]
#[case("POST", "/rotate", Value::Null)]
#[case("POST", "/disable", Value::Null)]
#[case("POST", "/revoke", Value::Null)]
#[case("DELETE", "", Value::Null)]
#[tokio::test]
async fn keys_of_other_keyspaces_do_not_exist(
    #[case] method: &str,
    #[case] act: &str,
    #[case] body: Value,
    #[values(EVERYTHING, &["root"])] scopes: &[&str],
) {
    let fence = fence(scopes).await;
    let path = |id: &str| format!("/v1/keys/{id}{act}");
    let root = fence.api.root.split('_').nth(1).unwrap();
    for id in [&fence.outside, root, "nobody"] {
        assert_eq!(fence.status(method, &path(id), body.clone()).await, 404);
    }
    let inside = fence.status(method, &path(&fence.inside), body).await;
    assert!((200..300).contains(&inside), "{inside}");
}

#[rstest]
#[tokio::test]
async fn what_concerns_all_keyspaces_is_closed(#[values(EVERYTHING, &["root"])] scopes: &[&str]) {
    let fence = fence(scopes).await;
    let all = json!({"owner": "a"});
    assert_eq!(fence.status("POST", "/v1/keys/revoke-all", all).await, 403);
    let old = json!({"older_than": "1ms"});
    assert_eq!(fence.status("POST", "/v1/keys/reap", old).await, 403);
    assert_eq!(fence.status("POST", "/v1/verify", json!({"secret": "x"})).await, 403);
    assert_eq!(fence.get("/v1/changes").await, 403);
    let new = json!({"id": "new", "format": "opaque"});
    assert_eq!(fence.status("POST", "/v1/keyspaces", new).await, 403);
}

#[rstest]
#[tokio::test]
async fn of_the_keyspaces_only_its_own_exists(#[values(EVERYTHING, &["root"])] scopes: &[&str]) {
    let fence = fence(scopes).await;
    let listed = fence.api.call_as(&fence.caller, "GET", "/v1/keyspaces", Value::Null).await.json();
    let listed = listed["data"].as_array().unwrap().clone();
    assert_eq!(listed.iter().map(|k| &k["id"]).collect::<Vec<_>>(), ["payments"]);
    for (id, status) in [("payments", 200), ("default", 404), ("management", 404), ("nowhere", 404)]
    {
        let path = format!("/v1/keyspaces/{id}");
        assert_eq!(fence.get(&path).await, status, "{id}");
        assert_eq!(fence.status("PATCH", &path, json!({"description": "d"})).await, status, "{id}");
    }
}

#[rstest]
#[case("keyspace:payment", "a keyspace whose name begins alike")]
#[case("Keyspace:payments", "another type of resource")]
#[case("tenant:payments", "another type of resource")]
#[tokio::test]
async fn other_resources_open_nothing(#[case] resource: &str, #[case] what: &str) {
    let api = Api::new().await;
    api.keyspace("payments").await;
    let caller = api.management_key(&[], json!({resource: ["root"]})).await;
    let path = "/v1/keys?keyspace=payments";
    assert_eq!(api.call_as(&caller, "GET", path, Value::Null).await.status, 403, "{what}");
}

#[tokio::test]
async fn a_list_without_a_keyspace_is_of_all_of_them_and_not_of_the_default_one() {
    let api = Api::new().await;
    let caller = api.management_key(&[], json!({"keyspace:default": EVERYTHING})).await;
    for (path, status) in [
        ("/v1/keys", 403),
        ("/v1/audit", 403),
        ("/v1/keys?keyspace=default", 200),
        ("/v1/audit?keyspace=default", 200),
    ] {
        let answer = api.call_as(&caller, "GET", path, Value::Null).await;
        assert_eq!(answer.status, status, "{path}");
    }
    // A key that is issued without one is of the default one.
    let answer = api.call_as(&caller, "POST", "/v1/keys", json!({"owner": "o"})).await;
    assert_eq!(answer.status, 201);
}
