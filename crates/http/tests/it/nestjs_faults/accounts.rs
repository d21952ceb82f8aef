//! D5, W8: many accounts of one user. W11: what becomes of accounts and keys in the rest of their life.

use std::sync::Arc;
use std::time::Duration;

use keyward::store::AccountQuery;
use rstest::rstest;
use serde_json::{Value, json};

use crate::nestjs::server::Backend::{self, Memory, Sqlite};
use crate::nestjs::server::{Credentials, Server, credentials};

const AT_ONCE: usize = 12;

/// Creates keys of one user at once: each has looked for the user's account before any is made.
async fn create_at_once(server: &Arc<Server>) -> Vec<Value> {
    server.store.let_meet(AT_ONCE);
    let creating = (0..AT_ONCE).map(|n| {
        let server = Arc::clone(server);
        let body = json!({"user_id": 77, "name": format!("key {n}")});
        tokio::spawn(async move { server.create(body).await })
    });
    let mut created = Vec::new();
    for task in creating.collect::<Vec<_>>() {
        created.push(task.await.unwrap());
    }
    created
}

#[rstest]
#[tokio::test]
async fn d5_twelve_first_keys_at_once_make_one_service_account(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Arc::new(Server::new(backend).await);
    let created = create_at_once(&server).await;
    let account = &created[0]["client_id"];
    assert!(created.iter().all(|key| key["client_id"] == *account), "{created:?}");
    let query = AccountQuery { with_deleted: true, ..AccountQuery::new(100) };
    assert_eq!(server.api.keyward.accounts(&query).await.unwrap().accounts.len(), 1);
}

#[rstest]
#[tokio::test]
async fn w8_of_twelve_first_keys_one_tells_the_client_secret_and_all_work_with_it(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Arc::new(Server::new(backend).await);
    let created = create_at_once(&server).await;
    let mut secrets = created.iter().filter_map(|key| key["client_secret"].as_str());
    let secret = secrets.next().unwrap().to_owned();
    assert_eq!(secrets.next(), None);
    for key in &created {
        assert_eq!(server.validate(&credentials(key, secret.clone())).await, "200 KEY_VALID");
    }
}

#[rstest]
#[tokio::test]
async fn w8_a_user_has_one_primary_account_and_as_many_others_as_are_made_on_purpose(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let first = server.first_key(json!(1)).await;
    let further =
        server.api.call("POST", "/v1/service-accounts", json!({"owner": "1"})).await.json();
    let body = json!({"user_id": 1, "name": "n", "client_id": further["client_id"]});
    let created = server.create(body).await;
    assert_eq!(created["client_id"], further["client_id"]);
    assert_eq!(created.get("client_secret"), None);
    let key = credentials(&created, further["client_secret"].as_str().unwrap().to_owned());
    assert_eq!(server.validate(&key).await, "200 KEY_VALID");
    assert_eq!(server.another_key(json!(1), &first).await.client_id, first.client_id);
    let crossed = Credentials { api_key: key.api_key, ..first };
    assert!(server.validate(&crossed).await.starts_with("401 INVALID_CLIENT_CREDENTIALS"));
}

#[rstest]
#[tokio::test]
async fn w11_client_secrets_and_keys_are_rotated_with_a_grace(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let old = server.first_key(json!(1)).await;
    let grace = json!({"grace": "1h"});
    let path = format!("/v1/service-accounts/{}/rotate", old.client_id);
    let rotated = server.api.call("POST", &path, grace.clone()).await.json();
    let client_secret = rotated["client_secret"].as_str().unwrap().to_owned();
    let path = format!("/v1/keys/{}/rotate", old.key_id);
    let rotated = server.api.call("POST", &path, grace).await.json();
    let api_key = rotated["secret"].as_str().unwrap().to_owned();
    let new = Credentials { client_secret, api_key, ..old.clone() };
    let half = Credentials { api_key: new.api_key.clone(), ..old.clone() };
    for credentials in [&old, &half, &new] {
        assert_eq!(server.validate(credentials).await, "200 KEY_VALID");
    }
    server.api.clock.advance(Duration::from_hours(1));
    for credentials in [&old, &half] {
        let told = server.validate(credentials).await;
        assert!(told.starts_with("401 INVALID_CLIENT_CREDENTIALS"), "{told}");
    }
    assert_eq!(server.validate(&new).await, "200 KEY_VALID");
}

#[rstest]
#[tokio::test]
async fn w11_accounts_and_keys_are_deleted_restored_and_purged(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let account = format!("/v1/service-accounts/{}", key.client_id);
    let stored = format!("/v1/keys/{}", key.key_id);
    for (path, status) in [(&account, "200 KEY_VALID"), (&stored, "200 KEY_VALID")] {
        assert_eq!(server.api.call("DELETE", path, Value::Null).await.status, 200);
        assert!(server.validate(&key).await.starts_with("401 INVALID_CLIENT_CREDENTIALS"));
        let restored = server.api.call("POST", &format!("{path}/restore"), Value::Null).await;
        assert_eq!(restored.status, 200);
        assert_eq!(server.validate(&key).await, status);
    }
    server.done("DELETE", &format!("/{}", key.key_id), Value::Null).await;
    let purged = server.api.call("POST", &format!("{stored}/purge"), Value::Null).await;
    assert_eq!(purged.status, 204);
    let told = server.told("DELETE", &format!("/{}", key.key_id), Value::Null).await;
    assert_eq!(told, "404 KEY_NOT_FOUND: API key not found or already deleted");
}

#[rstest]
#[tokio::test]
async fn w11_uses_are_counted_and_acts_are_told_with_their_actor(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    for _ in 0..3 {
        assert_eq!(server.validate(&key).await, "200 KEY_VALID");
    }
    server.api.keyward.flush_usage().await.unwrap();
    let shown = server.api.get(&format!("/v1/keys/{}", key.key_id)).await.json();
    assert_eq!(
        (&shown["uses"], &shown["last_used_at"]),
        (&json!(3), &json!("2027-01-01T00:00:00Z"))
    );
    let path = format!("/{}", key.key_id);
    server.api.clock.advance(Duration::from_secs(1));
    server.done("PUT", &path, json!({"is_active": false})).await;
    server.api.clock.advance(Duration::from_secs(1));
    let removed = server.done("DELETE", &path, Value::Null).await;
    let told = server.api.get(&format!("/v1/audit?key={}", key.key_id)).await.json();
    let told = told["data"].as_array().unwrap();
    let acts: Vec<_> = told.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(acts, ["key.deleted", "key.updated", "key.issued"]);
    assert_eq!(told[1]["data"], json!({"fields": ["enabled"], "enabled": false}));
    assert!(told.iter().all(|event| event["actor"] == removed["deleted_by"]), "{told:?}");
}

#[rstest]
#[tokio::test]
async fn w11_keys_have_scopes_rate_limits_and_need_not_expire(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let path = format!("/{}", key.key_id);
    server.done("PUT", &path, json!({"expires_at": null})).await;
    server.api.clock.advance(Duration::from_hours(10 * 365 * 24));
    assert_eq!(server.validate(&key).await, "200 KEY_VALID");
    let stored = format!("/v1/keys/{}", key.key_id);
    let scoped = server.api.call("PATCH", &stored, json!({"scopes": ["read"]})).await;
    assert_eq!(scoped.json()["scopes"], json!(["read"]));
    let limit = json!({"rate_limit": {"requests": 1, "per": "1m"}});
    assert_eq!(server.api.call("PATCH", "/v1/keyspaces/nestjs", limit).await.status, 200);
    server.api.clock.advance(Duration::from_mins(2));
    assert_eq!(server.validate(&key).await, "200 KEY_VALID");
    let answer = server.call("POST", "/validate", key.body()).await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert_eq!(answer.header("retry-after"), "60");
}
