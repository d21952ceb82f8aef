//! The trail as a whole: what it comes to, what is removed from it, and what is refused.

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::{Api, head, request};

#[tokio::test]
async fn a_summary_counts_by_action() {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "ann"})).await;
    api.clock.advance(std::time::Duration::from_mins(1));
    for act in ["disable", "enable", "disable"] {
        api.call("POST", &format!("/v1/keys/{id}/{act}"), Value::Null).await;
    }
    let summary = api.get("/v1/audit/summary?owner=ann").await.json();
    let by_action = json!({"key.issued": 1, "key.disabled": 2, "key.enabled": 1});
    assert_eq!(summary["by_action"], by_action);
    assert_eq!(
        [&summary["total"], &summary["last_at"]],
        [&json!(4), &json!("2027-01-01T00:01:00Z")]
    );
    let nothing = api.get("/v1/audit/summary?owner=bob").await.json();
    assert_eq!(nothing, json!({"total": 0, "by_action": {}, "last_at": null}));
}

#[tokio::test]
async fn events_are_erased_by_filter_and_that_is_an_event() {
    let api = Api::new().await;
    let [(_, a), (_, b)] =
        [api.issue(json!({"owner": "a"})).await, api.issue(json!({"owner": "b"})).await];
    api.clock.advance(std::time::Duration::from_mins(1));
    let erased = api.call("DELETE", &format!("/v1/audit?key={a}"), Value::Null).await;
    assert_eq!(erased.json(), json!({"erased": 1}));
    assert_eq!(api.get(&format!("/v1/audit?key={a}")).await.json()["data"], json!([]));
    let left = api.get(&format!("/v1/audit?key={b}")).await.json();
    assert_eq!(left["data"].as_array().unwrap().len(), 1);
    let told = api.get("/v1/audit?action=audit.erased").await.json();
    assert_eq!(told["data"][0]["data"], json!({"key": a}));
    let long_ago = "/v1/audit?owner=b&until=2020-01-01T00:00:00Z";
    assert_eq!(api.call("DELETE", long_ago, Value::Null).await.json(), json!({"erased": 0}));
}

#[tokio::test]
async fn an_erasure_of_everything_is_refused() {
    let api = Api::new().await;
    let told = api.refused("DELETE", "/v1/audit", &Value::Null).await;
    assert_eq!(told, "400 invalid_query; query must name which events are to be removed");
    let unknown = api.refused("DELETE", "/v1/audit?limit=1", &Value::Null).await;
    assert_eq!(unknown, "400 invalid_query; limit is not a known field");
}

#[tokio::test]
async fn what_a_known_caller_may_not_do_is_written_down() {
    let api = Api::new().await;
    let reader = api.management_key(&["keys:read"], json!({})).await;
    let (_, id) = api.issue(json!({"owner": "a"})).await;
    let path = format!("/v1/keys/{id}/revoke");
    assert_eq!(api.call_as(&reader, "POST", &path, Value::Null).await.status, 403);
    let hidden = api.management_key(&[], json!({})).await;
    assert_eq!(
        api.call_as(&hidden, "GET", &format!("/v1/keys/{id}"), Value::Null).await.status,
        404
    );
    let events = api.get("/v1/audit?action=access.denied").await.json();
    let told: Vec<_> =
        events["data"].as_array().unwrap().iter().map(|e| e["data"].clone()).collect();
    assert!(told.contains(&json!({"method": "POST", "path": path, "needed": "keys:write"})));
    let show = json!({"method": "GET", "path": format!("/v1/keys/{id}"), "needed": "keys:read"});
    assert!(told.contains(&show));
    assert_eq!(told.len(), 2);
    assert!(events["data"][0]["actor"].as_str().unwrap().starts_with("key:"));
}

#[tokio::test]
async fn who_is_refused_cannot_fill_the_trail_and_a_stranger_writes_nothing() {
    let api = Api::new().await;
    let nobody = api.management_key(&[], json!({})).await;
    for _ in 0..700 {
        api.call_as(&nobody, "GET", "/v1/keys", Value::Null).await;
    }
    let denied = "/v1/audit/summary?action=access.denied";
    assert_eq!(api.get(denied).await.json()["total"], 600);
    let total = api.get("/v1/audit/summary").await.json()["total"].clone();
    assert_eq!(api.call_as("stranger", "GET", "/v1/keys", Value::Null).await.status, 401);
    assert_eq!(api.get("/v1/audit/summary").await.json()["total"], total);
}

#[tokio::test]
async fn a_caller_can_have_something_kept_with_the_event() {
    let api = Api::new().await;
    let body = json!({"owner": "a"}).to_string();
    let post = || head(&api.root, "POST", "/v1/keys").header("content-type", "application/json");
    let told = post().header("keyward-audit-metadata", r#"{"ticket": "T-7", "n": {"m": 1}}"#);
    assert_eq!(api.send(told.body(body.clone().into()).unwrap()).await.status, 201);
    let events = api.get("/v1/audit?owner=a").await.json();
    assert_eq!(events["data"][0]["metadata"], json!({"ticket": "T-7", "n": {"m": 1}}));
    for bad in ["", "7", "[]", "{", &format!(r#"{{"a": "{}"}}"#, "x".repeat(5_000))] {
        let request = post().header("keyward-audit-metadata", bad);
        let told = api.refusal(request.body(Body::from(body.clone())).unwrap()).await;
        assert_eq!(told, "400 invalid_header", "{bad}");
    }
    let twice =
        post().header("keyward-audit-metadata", "{}").header("keyward-audit-metadata", "{}");
    assert_eq!(api.refusal(twice.body(Body::from(body)).unwrap()).await, "400 invalid_header");
}

#[tokio::test]
async fn a_touch_moves_the_last_use_and_an_invalidation_changes_nothing() {
    let api = Api::new().await;
    let (secret, id) = api.issue(json!({"owner": "a"})).await;
    api.clock.advance(std::time::Duration::from_secs(5));
    let touched = api.call("POST", &format!("/v1/keys/{id}/touch"), Value::Null).await.json();
    assert_eq!(touched["last_used_at"], "2027-01-01T00:00:05Z");
    assert_eq!([&touched["uses"], &touched["version"]], [&json!(0), &json!(1)]);
    let invalidate = format!("/v1/keys/{id}/invalidate");
    assert_eq!(api.call("POST", &invalidate, Value::Null).await.status, 204);
    assert_eq!(api.decision(&secret).await, "allowed");
    for act in ["touch", "invalidate"] {
        let path = format!("/v1/keys/unknown/{act}");
        assert_eq!(api.refused("POST", &path, &Value::Null).await, "404 not_found");
    }
}

#[tokio::test]
async fn a_verification_can_pass_the_cache_by_and_leave_no_trace() {
    let api = Api::new().await;
    let (secret, id) = api.issue(json!({"owner": "a"})).await;
    let body =
        json!({"secret": format!("Bearer {secret}"), "skip_tracking": true, "skip_cache": true});
    assert_eq!(api.call("POST", "/v1/verify", body).await.json()["valid"], true);
    let shown = api.get(&format!("/v1/keys/{id}")).await.json();
    assert_eq!([&shown["uses"], &shown["last_used_at"]], [&json!(0), &Value::Null]);
    let wrong = json!({"secret": secret, "skip_cache": "yes"});
    let told = api.send(request(&api.root, "POST", "/v1/verify", &wrong)).await.complaint();
    assert_eq!(told, "422 invalid_request; skip_cache must be a boolean");
}

#[tokio::test]
async fn keys_are_found_by_several_tags_and_by_digest() {
    let api = Api::new().await;
    for (owner, tags) in [("a", json!(["x", "y"])), ("b", json!(["y"])), ("c", json!(["z", "1,2"]))]
    {
        api.issue(json!({"owner": owner, "tags": tags})).await;
    }
    let owners = async |query: &str| {
        let found = api.get(&format!("/v1/keys?{query}")).await.json();
        let keys = found["data"].as_array().unwrap().iter();
        let mut owners: Vec<_> = keys.map(|k| k["owner"].as_str().unwrap().to_owned()).collect();
        owners.sort_unstable();
        owners.join("")
    };
    assert_eq!(owners("tags=X,z").await, "ac");
    assert_eq!(owners("tags=x,y&match=all").await, "a");
    assert_eq!(owners("tags=x,y&match=any&owner=b").await, "b");
    assert_eq!(owners("tag=1,2").await, "c");
    let body = json!({"id": "op", "format": "opaque"});
    assert_eq!(api.call("POST", "/v1/keyspaces", body).await.status, 201);
    let (secret, _) = api.issue(json!({"owner": "o", "keyspace": "op"})).await;
    let hex = sha256(&secret);
    assert_eq!(owners(&format!("digest=sha256:{hex}")).await, "o");
    assert_eq!(owners(&format!("digest=sha256:{hex}&owner=p")).await, "");
    assert_eq!(owners(&format!("digest=sha256:{}", "0".repeat(64))).await, "");
    for bad in ["digest=x", "digest=sha256:zz", "digest=sha256:00", "digest=md5:00", "match=some"] {
        let told = api.refused("GET", &format!("/v1/keys?{bad}"), &Value::Null).await;
        assert!(told.starts_with("400 invalid_query"), "{told}");
    }
}

/// The digest of a secret as hexadecimal digits.
fn sha256(text: &str) -> String {
    let hasher = keyward::Hasher::new(Vec::new());
    let digest = hasher.digest(keyward::DigestScheme::Sha256, text).unwrap();
    let halves = digest.as_bytes().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.map(|half| char::from_digit(u32::from(half), 16).unwrap()).collect()
}
