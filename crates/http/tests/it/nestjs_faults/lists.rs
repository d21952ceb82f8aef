//! D8, D9, W10: what is shown of keys, and in which form.

use std::collections::BTreeSet;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::nestjs::server::Backend::{self, Memory, Sqlite};
use crate::nestjs::server::{Server, assert_instant, told};

#[rstest]
#[tokio::test]
async fn d8_a_removed_key_cannot_be_changed(#[values(Memory, Sqlite)] backend: Backend) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let path = format!("/{}", key.key_id);
    server.done("DELETE", &path, Value::Null).await;
    for body in [
        json!({"name": "n"}),
        json!({"description": null}),
        json!({"is_active": true}),
        json!({"expires_at": "2027-06-01T00:00:00Z"}),
    ] {
        let told = server.refused("PUT", &path, body).await;
        assert_eq!(told, "404 KEY_NOT_FOUND: API key not found or already deleted");
    }
    let told = server.refused("DELETE", &path, Value::Null).await;
    assert_eq!(told, "400 KEY_ALREADY_DELETED: API key is already deleted");
    let list = server.done("GET", "?include_deleted=true", Value::Null).await;
    assert_eq!(list["keys"][0]["status"], "deleted");
}

#[rstest]
#[tokio::test]
async fn d9_deleted_keys_are_listed_when_they_are_asked_for_and_only_then(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    server.create(json!({"user_id": 1, "name": "living"})).await;
    server.done("DELETE", &format!("/{}", key.key_id), Value::Null).await;
    assert_eq!(server.names("").await, ["living"]);
    assert_eq!(server.names("?include_deleted=false").await, ["living"]);
    assert_eq!(server.names("?include_deleted=true&sort_by=name").await, ["living", "first"]);
    assert_eq!(server.names("?status=deleted").await, ["first"]);
    assert_eq!(server.names("?status=deleted&include_deleted=false").await, ["first"]);
    for no_flag in ["0", "1", "yes", "TRUE", "False", "", "null"] {
        let query = format!("?include_deleted={no_flag}");
        let told = server.refused("GET", &query, Value::Null).await;
        assert_eq!(told, "400 VALIDATION_ERROR: include_deleted must be true or false");
    }
}

#[rstest]
#[tokio::test]
async fn d9_the_status_that_is_shown_is_the_one_that_is_filtered_by(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let mut ids = Vec::new();
    for n in 0..16 {
        // Every combination of switched off, expired, revoked and deleted.
        let mut body = json!({"user_id": 1, "name": format!("key {n}"), "is_active": n & 1 == 0});
        if n & 2 != 0 {
            body["expires_at"] = json!("2027-01-01T00:00:01Z");
        }
        let id = server.create(body).await["key_id"].as_str().unwrap().to_owned();
        if n & 4 != 0 {
            server.api.call("POST", &format!("/v1/keys/{id}/revoke"), Value::Null).await;
        }
        if n & 8 != 0 {
            server.done("DELETE", &format!("/{id}"), Value::Null).await;
        }
        ids.push(id);
    }
    server.api.clock.advance(Duration::from_secs(1));
    let mut listed = BTreeSet::new();
    for status in ["active", "inactive", "expired", "revoked", "deleted"] {
        let list = server.done("GET", &format!("?limit=100&status={status}"), Value::Null).await;
        for key in list["keys"].as_array().unwrap() {
            assert_eq!(key["status"], status);
            assert!(listed.insert(key["key_id"].as_str().unwrap().to_owned()), "listed twice");
        }
    }
    assert_eq!(listed, ids.into_iter().collect());
}

#[rstest]
#[tokio::test]
async fn w10_every_answer_has_the_one_envelope_and_one_type_for_each_field(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(123)).await;
    let path = format!("/{}", key.key_id);
    let calls = [
        ("POST", "", json!({"user_id": 123, "name": "n"})),
        ("POST", "", json!({"user_id": "abc", "name": "n"})),
        ("POST", "", json!({})),
        ("POST", "/validate", key.body()),
        ("POST", "/validate", json!({"client_id": "x", "client_secret": "x", "api_key": "x"})),
        ("PUT", &*path, json!({"is_active": false})),
        ("PUT", &*path, json!({})),
        ("PUT", "/nothing", json!({"name": "n"})),
        ("PATCH", &*path, json!({"name": "n"})),
        ("GET", "?limit=1000", Value::Null),
        ("DELETE", &*path, Value::Null),
        ("DELETE", &*path, Value::Null),
        ("GET", "?include_deleted=true", Value::Null),
    ];
    for (method, path, body) in calls {
        let answer = server.call(method, path, body).await;
        told(&answer);
        assert_types(&answer.json()["data"]);
    }
}

/// Ids are texts, flags are yes or no, instants are in UTC with milliseconds.
fn assert_types(value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(assert_types),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "id" | "key_id" | "client_id" | "user_id" | "status" | "name" => {
                        assert!(member.is_string(), "{name}: {member}");
                    }
                    "is_active" | "has_next" | "has_previous" => assert!(member.is_boolean()),
                    "page" | "limit" | "total" | "total_pages" => assert!(member.is_u64()),
                    at if at.ends_with("_at") => {
                        member.as_str().into_iter().for_each(assert_instant);
                        assert!(member.is_string() || member.is_null(), "{name}: {member}");
                    }
                    _ => assert_types(member),
                }
            }
        }
        _ => {}
    }
}

#[rstest]
#[case("created_at")]
#[case("updated_at")]
#[case("expiry_date")]
#[case("name")]
#[case("is_active")]
#[tokio::test]
async fn w10_pages_over_keys_that_are_alike_repeat_and_lose_none(
    #[case] sort: &str,
    #[values("ASC", "desc")] order: &str,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let mut expected = BTreeSet::new();
    for _ in 0..11 {
        let created = server.create(json!({"user_id": 1, "name": "alike"})).await;
        expected.insert(created["key_id"].as_str().unwrap().to_owned());
    }
    let mut found = BTreeSet::new();
    for page in 1..=4 {
        let query = format!("?limit=3&page={page}&sort_by={sort}&sort_order={order}");
        let list = server.done("GET", &query, Value::Null).await;
        for key in list["keys"].as_array().unwrap() {
            assert!(found.insert(key["id"].as_str().unwrap().to_owned()), "on two pages");
        }
    }
    assert_eq!(found, expected);
}

#[rstest]
#[tokio::test]
async fn w10_wildcards_of_the_database_are_letters_like_others(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    for name in ["100% sure", "snake_case", "plain", "back\\slash", "ÄRGER"] {
        server.create(json!({"user_id": 1, "name": name})).await;
    }
    for (search, expected) in [
        ("%25", "100% sure"),
        ("_", "snake_case"),
        ("%5C", "back\\slash"),
        ("PLAIN", "plain"),
        ("%C3%A4rger", "ÄRGER"),
    ] {
        assert_eq!(server.names(&format!("?search={search}")).await, [expected]);
    }
    assert!(server.names("?search=p_ain").await.is_empty());
}
