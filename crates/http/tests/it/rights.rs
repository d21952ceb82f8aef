//! Which scope of a management key opens which route.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::accounts::service_account;
use crate::support::Api;

const SCOPES: [&str; 13] = [
    "",
    "accounts:export",
    "accounts:read",
    "accounts:write",
    "audit:read",
    "audit:write",
    "changes:read",
    "keys:read",
    "keys:verify",
    "keys:write",
    "keyspaces:read",
    "keyspaces:write",
    "root",
];

/// An instance with a key in each of three states, and service accounts likewise, one key that was revoked a while ago, and what stands for their ids in a path.
async fn api_with_keys() -> (Api, [(&'static str, String); 6]) {
    let api = Api::new().await;
    let (_, active) = api.issue(json!({"owner": "a"})).await;
    let (_, disabled) = api.issue(json!({"owner": "a", "enabled": false})).await;
    let (_, deleted) = api.issue(json!({"owner": "a"})).await;
    api.call("DELETE", &format!("/v1/keys/{deleted}"), Value::Null).await;
    let (_, revoked) = api.issue(json!({"owner": "b"})).await;
    api.call("POST", &format!("/v1/keys/{revoked}/revoke"), Value::Null).await;
    let [account, off, gone] = accounts(&api).await;
    api.clock.advance(Duration::from_secs(1));
    let ids = [
        ("{id}", active),
        ("{disabled}", disabled),
        ("{deleted}", deleted),
        ("{account}", account),
        ("{off-account}", off),
        ("{gone-account}", gone),
    ];
    (api, ids)
}

/// The ids of service accounts that are active, switched off and deleted.
async fn accounts(api: &Api) -> [String; 3] {
    let (account, off) = (service_account(api).await, service_account(api).await);
    let gone = service_account(api).await;
    api.call("POST", &format!("/v1/service-accounts/{off}/disable"), Value::Null).await;
    api.call("DELETE", &format!("/v1/service-accounts/{gone}"), Value::Null).await;
    [account, off, gone]
}

/// `expected` is the status where the scope is missing; or of each scope, where they differ.
#[rstest]
#[case("GET /v1/keys", Value::Null, "keys:read", "403")]
#[case("POST /v1/keys", json!({"owner": "a"}), "keys:write", "403")]
#[case("GET /v1/keys/{id}", Value::Null, "keys:read", "404")]
#[case("PATCH /v1/keys/{id}", json!({"name": "n"}), "keys:write", "404 keys:read=403")]
#[case("DELETE /v1/keys/{id}", Value::Null, "keys:write", "404 keys:read=403")]
#[case("POST /v1/keys/{id}/rotate", Value::Null, "keys:write", "404 keys:read=403")]
#[case("POST /v1/keys/{id}/revoke", Value::Null, "keys:write", "404 keys:read=403")]
#[case("POST /v1/keys/{id}/disable", Value::Null, "keys:write", "404 keys:read=403")]
#[case("POST /v1/keys/{disabled}/enable", Value::Null, "keys:write", "404 keys:read=403")]
#[case("POST /v1/keys/{deleted}/restore", Value::Null, "keys:write", "404 keys:read=403")]
#[case("POST /v1/keys/{deleted}/purge", Value::Null, "keys:write", "404 keys:read=403")]
#[case("POST /v1/keys/revoke-all", json!({"owner": "a"}), "keys:write", "403")]
#[case("POST /v1/keys/reap", json!({"older_than": "1s"}), "keys:write", "403")]
#[case("POST /v1/verify", json!({"secret": "x"}), "keys:verify", "403")]
#[case("POST /v1/keyspaces", json!({"id": "new", "format": "opaque"}), "keyspaces:write", "403")]
#[case("GET /v1/keyspaces/default", Value::Null, "keyspaces:read", "404")]
#[case("PATCH /v1/keyspaces/default", json!({"description": "d"}), "keyspaces:write",
    "404 keyspaces:read=403")]
#[case("POST /v1/service-accounts", json!({"owner": "a"}), "accounts:write", "403")]
#[case("GET /v1/service-accounts", Value::Null, "accounts:read", "403")]
#[case("GET /v1/service-accounts/{account}", Value::Null, "accounts:read", "404")]
#[case("PATCH /v1/service-accounts/{account}", json!({"description": "d"}), "accounts:write",
    "404 accounts:read=403")]
#[case(
    "DELETE /v1/service-accounts/{account}",
    Value::Null,
    "accounts:write",
    "404 accounts:read=403"
)]
#[case(
    "POST /v1/service-accounts/{account}/rotate",
    Value::Null,
    "accounts:write",
    "404 accounts:read=403"
)]
#[case(
    "POST /v1/service-accounts/{account}/disable",
    Value::Null,
    "accounts:write",
    "404 accounts:read=403"
)]
#[case(
    "POST /v1/service-accounts/{off-account}/enable",
    Value::Null,
    "accounts:write",
    "404 accounts:read=403"
)]
#[case(
    "POST /v1/service-accounts/{gone-account}/restore",
    Value::Null,
    "accounts:write",
    "404 accounts:read=403"
)]
#[case(
    "POST /v1/service-accounts/{gone-account}/purge",
    Value::Null,
    "accounts:write",
    "404 accounts:read=403"
)]
#[case("POST /v1/service-accounts/export", json!({}), "accounts:export", "403")]
#[case("POST /v1/service-accounts/import", json!({"service_accounts": [{"owner": "a", "client_secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]}), "accounts:write", "403")]
#[case("GET /v1/audit", Value::Null, "audit:read", "403")]
#[case("GET /v1/audit/summary", Value::Null, "audit:read", "403")]
#[case("DELETE /v1/audit?owner=a", Value::Null, "audit:write", "403")]
#[case("GET /v1/changes", Value::Null, "changes:read", "403")]
#[case("POST /v1/verify-many", json!({"secrets": ["x"]}), "keys:verify", "403")]
#[tokio::test]
async fn a_route_is_open_to_its_scope_and_to_root(
    #[case] route: &str,
    #[case] body: Value,
    #[case] right: &str,
    #[case] expected: &str,
) {
    for scope in SCOPES {
        let (api, ids) = api_with_keys().await;
        let (method, path) = route.split_once(' ').unwrap();
        let path = ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
        let scopes = if scope.is_empty() { vec![] } else { vec![scope] };
        let caller = api.management_key(&scopes, json!({})).await;
        let before = api.everything().await;
        let answer = api.call_as(&caller, method, &path, body.clone()).await;
        let status = answer.status.as_u16().to_string();
        if scope == right || scope == "root" {
            assert!(answer.status.is_success(), "{route} {scope}: {status} {}", answer.text());
            let is_act = method != "GET" && right != "keys:verify";
            assert_eq!(is_act, before != api.everything().await, "{route} {scope}");
        } else {
            let own = expected.split(' ').find_map(|part| part.strip_prefix(&format!("{scope}=")));
            let expected =
                own.filter(|_| !scope.is_empty()).or(expected.split(' ').next()).unwrap();
            assert_eq!(status, expected, "{route} {scope}");
            let code = if expected == "404" { "not_found" } else { "insufficient_scope" };
            assert_eq!(answer.json()["code"], code);
            assert_eq!(before, api.everything().await, "{route} {scope}");
        }
    }
}

#[tokio::test]
async fn whoever_may_see_no_keyspace_sees_an_empty_list() {
    for scope in SCOPES {
        let api = Api::new().await;
        let caller = api
            .management_key(&[scope].map(|s| if s.is_empty() { "none" } else { s }), json!({}))
            .await;
        let answer = api.call_as(&caller, "GET", "/v1/keyspaces", Value::Null).await;
        let count = answer.json()["data"].as_array().unwrap().len();
        assert_eq!(
            count,
            if ["keyspaces:read", "root"].contains(&scope) { 2 } else { 0 },
            "{scope}"
        );
    }
}

#[rstest]
#[case("keys:*")]
#[case("*")]
#[case("KEYS:READ")]
#[case("keys")]
#[case("keys:readwrite")]
#[case("root:")]
#[tokio::test]
async fn only_the_exact_scope_gives_a_right(#[case] scope: &str) {
    let api = Api::new().await;
    let caller = api.management_key(&[scope], json!({})).await;
    assert_eq!(api.call_as(&caller, "GET", "/v1/keys", Value::Null).await.status, 403);
}

#[rstest]
#[case("/healthz")]
#[case("/readyz")]
#[case("/openapi.json")]
#[tokio::test]
async fn some_routes_need_no_key(#[case] path: &str) {
    let api = Api::new().await;
    assert_eq!(api.send(crate::support::bare(path, &[])).await.status, 200);
}

#[tokio::test]
async fn the_operator_in_the_process_needs_no_key() {
    let api = Api::new().await;
    let body = json!({"owner": "o", "keyspace": "management", "scopes": ["root"]});
    let mut request = crate::support::request("", "POST", "/v1/keys", &body);
    let actor = keyward::ActorId::parse("local").unwrap();
    request.extensions_mut().insert(keyward_http::Operator { actor });
    api.clock.advance(Duration::from_secs(1));
    assert_eq!(api.send(request).await.status, 201);
    assert_eq!(api.get("/v1/audit?limit=1").await.json()["data"][0]["actor"], "local");
}
