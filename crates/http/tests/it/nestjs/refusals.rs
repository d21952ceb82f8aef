//! What is refused, with which code, and in which words.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use rstest::rstest;
use serde_json::{Value, json};

use super::server::Backend::Memory;
use super::server::{Credentials, KEYS, Server, told};
use crate::faulty::Mood;
use crate::support::{head, raw};

const WRONG: &str = "401 INVALID_CLIENT_CREDENTIALS: Invalid API key or client credentials";
const NO_KEY: &str = "404 KEY_NOT_FOUND: API key not found or already deleted";
const NO_DATE: &str = "400 INVALID_EXPIRY_DATE: expires_at must be a date, or a date and a time with \
    its zone, as ISO 8601 has them";
const PAST: &str = "400 EXPIRY_DATE_PAST: expires_at must be in the future";
const USER: &str = "400 VALIDATION_ERROR: user_id must be a whole number that is not negative, or a \
    text of 1 to 256 characters";
const UNREADABLE: &str = "400 VALIDATION_ERROR: the body is not JSON, or is nested too deeply";

#[rstest]
#[case::nothing("", UNREADABLE)]
#[case::no_json("{", UNREADABLE)]
#[case::list("[]", "400 VALIDATION_ERROR: body must be an object")]
#[case::null("null", "400 VALIDATION_ERROR: body must be an object")]
#[case::no_user(r#"{"name":"n"}"#, "400 VALIDATION_ERROR: user_id must be given")]
#[case::null_user(r#"{"user_id":null,"name":"n"}"#, USER)]
#[case::empty_user(r#"{"user_id":"","name":"n"}"#, USER)]
#[case::negative_user(r#"{"user_id":-1,"name":"n"}"#, USER)]
#[case::fraction_user(r#"{"user_id":1.5,"name":"n"}"#, USER)]
#[case::object_user(r#"{"user_id":{"zq7marker":1},"name":"n"}"#, USER)]
#[case::no_name(r#"{"user_id":1}"#, "400 VALIDATION_ERROR: name must be given")]
#[case::null_name(r#"{"user_id":1,"name":null}"#, "400 VALIDATION_ERROR: name must be a string")]
#[case::empty_name(
    r#"{"user_id":1,"name":""}"#,
    "400 VALIDATION_ERROR: name must be 1 to 200 characters long"
)]
#[case::object_name(r#"{"user_id":1,"name":{}}"#, "400 VALIDATION_ERROR: name must be a string")]
#[case::null_active(
    r#"{"user_id":1,"name":"n","is_active":null}"#,
    "400 VALIDATION_ERROR: is_active must be a boolean"
)]
#[case::text_active(
    r#"{"user_id":1,"name":"n","is_active":"zq7marker"}"#,
    "400 VALIDATION_ERROR: is_active must be a boolean"
)]
#[case::null_client(
    r#"{"user_id":1,"name":"n","client_id":null}"#,
    "400 VALIDATION_ERROR: client_id must be a string"
)]
#[case::no_uuid(
    r#"{"user_id":1,"name":"n","client_id":"zq7marker"}"#,
    "400 VALIDATION_ERROR: client_id must be a UUID"
)]
#[case::no_account(
    r#"{"user_id":1,"name":"n","client_id":"550e8400-e29b-41d4-a716-446655440000"}"#,
    "404 SERVICE_ACCOUNT_NOT_FOUND: service account not found"
)]
#[case::unknown_field(
    r#"{"user_id":1,"name":"n","zq7":1}"#,
    "400 VALIDATION_ERROR: zq7 is not a known field"
)]
#[case::field_twice(
    r#"{"user_id":1,"name":"n","user_id":2}"#,
    "400 VALIDATION_ERROR: user_id must be given once"
)]
#[case::date_of_a_number(
    r#"{"user_id":1,"name":"n","expires_at":1900000000000}"#,
    "400 VALIDATION_ERROR: expires_at must be a string"
)]
#[case::no_date(r#"{"user_id":1,"name":"n","expires_at":"zq7marker"}"#, NO_DATE)]
#[case::empty_date(r#"{"user_id":1,"name":"n","expires_at":""}"#, NO_DATE)]
#[case::no_zone(r#"{"user_id":1,"name":"n","expires_at":"2027-06-01T00:00:00"}"#, NO_DATE)]
#[case::no_such_day(r#"{"user_id":1,"name":"n","expires_at":"2027-02-30"}"#, NO_DATE)]
#[case::past(r#"{"user_id":1,"name":"n","expires_at":"2020-01-01T00:00:00.000Z"}"#, PAST)]
#[case::past_date(r#"{"user_id":1,"name":"n","expires_at":"2020-01-01"}"#, PAST)]
#[case::now(r#"{"user_id":1,"name":"n","expires_at":"2027-01-01T00:00:00Z"}"#, PAST)]
#[case::several(
    r#"{"user_id":1,"name":"","description":""}"#,
    "400 VALIDATION_ERROR: name must be 1 to 200 characters long; description must be 1 to 2000 \
        characters long"
)]
#[tokio::test]
async fn a_body_that_makes_no_good_key_makes_none(#[case] body: &str, #[case] expected: &str) {
    let server = Server::new(Memory).await;
    let before = server.api.everything().await;
    let answer = server.api.send(raw(&server.api.root, "POST", KEYS, body.to_owned())).await;
    assert_eq!(told(&answer), expected);
    assert_eq!(before, server.api.everything().await);
}

#[rstest]
#[case::nothing(json!({}), "400 MISSING_UPDATE_FIELDS: one of name, description, expires_at and is_active must be given")]
#[case::unknown_field(json!({"user_id": 5}), "400 VALIDATION_ERROR: user_id is not a known field")]
#[case::null_name(json!({"name": null}), "400 VALIDATION_ERROR: name must be a string")]
#[case::null_active(json!({"is_active": null}), "400 VALIDATION_ERROR: is_active must be a boolean")]
#[case::no_date(json!({"expires_at": "soon"}), NO_DATE)]
#[case::past(json!({"expires_at": "2020-01-01T00:00:00Z"}), PAST)]
#[tokio::test]
async fn a_change_that_is_none_is_not_made(#[case] body: Value, #[case] expected: &str) {
    let server = Server::new(Memory).await;
    let key = server.first_key(json!(1)).await;
    assert_eq!(server.refused("PUT", &format!("/{}", key.key_id), body).await, expected);
}

#[tokio::test]
async fn a_key_can_be_made_to_last_for_ever_and_to_have_no_description() {
    let server = Server::new(Memory).await;
    let created = server.create(json!({"user_id": 1, "name": "n", "description": "d"})).await;
    assert_eq!(created["expires_at"], "2028-01-01T00:00:00.000Z");
    let path = format!("/{}", created["key_id"].as_str().unwrap());
    let updated = server.done("PUT", &path, json!({"expires_at": null, "description": null})).await;
    assert_eq!([&updated["expires_at"], &updated["description"]], [&Value::Null, &Value::Null]);
}

#[rstest]
#[case::zero("limit=0", "400 INVALID_LIMIT: limit must be a number from 1 to 100")]
#[case::too_many("limit=101", "400 INVALID_LIMIT: limit must be a number from 1 to 100")]
#[case::no_number("limit=abc", "400 INVALID_LIMIT: limit must be a number from 1 to 100")]
#[case::fraction("limit=2.9", "400 INVALID_LIMIT: limit must be a number from 1 to 100")]
#[case::negative("limit=-1", "400 INVALID_LIMIT: limit must be a number from 1 to 100")]
#[case::empty("limit=", "400 INVALID_LIMIT: limit must be a number from 1 to 100")]
#[case::page("page=0", "400 VALIDATION_ERROR: page must be a number from 1 to 1000000000")]
#[case::sort(
    "sort_by=zq7",
    "400 VALIDATION_ERROR: sort_by must be created_at, expiry_date, is_active, name or updated_at"
)]
#[case::order("sort_order=up", "400 VALIDATION_ERROR: sort_order must be ASC or DESC")]
#[case::status(
    "status=ACTIVE",
    "400 VALIDATION_ERROR: status must be active, deleted, expired, inactive or revoked"
)]
#[case::deleted("include_deleted=1", "400 VALIDATION_ERROR: include_deleted must be true or false")]
#[case::client("client_id=", "400 VALIDATION_ERROR: client_id must be a UUID")]
#[case::user("user_id=", "400 VALIDATION_ERROR: user_id must be 1 to 256 characters long")]
#[case::nobody(
    "client_id=550e8400-e29b-41d4-a716-446655440000",
    "404 SERVICE_ACCOUNT_NOT_FOUND: service account not found"
)]
#[case::unknown("owner=1", "400 VALIDATION_ERROR: owner is not a known field")]
#[case::twice("page=1&page=2", "400 VALIDATION_ERROR: page must be given once")]
#[tokio::test]
async fn a_query_that_means_nothing_is_refused(#[case] query: &str, #[case] expected: &str) {
    let server = Server::new(Memory).await;
    assert_eq!(server.refused("GET", &format!("?{query}"), Value::Null).await, expected);
}

#[rstest]
#[case::no_client(json!({"client_secret": "x", "api_key": "x"}), "client_id must be given")]
#[case::no_secret(json!({"client_id": "x", "api_key": "x"}), "client_secret must be given")]
#[case::no_key(json!({"client_id": "x", "client_secret": "x"}), "api_key must be given")]
#[case::null_client(json!({"client_id": null, "client_secret": "x", "api_key": "x"}), "client_id must be a string")]
#[case::null_secret(json!({"client_id": "x", "client_secret": null, "api_key": "x"}), "client_secret must be a string")]
#[case::number_key(json!({"client_id": "x", "client_secret": "x", "api_key": 7}), "api_key must be a string")]
#[case::empty_client(json!({"client_id": "", "client_secret": "x", "api_key": "x"}), "client_id must not be empty")]
#[case::blank_secret(json!({"client_id": "x", "client_secret": " ", "api_key": "x"}), "client_secret must not be empty")]
#[case::empty_key(json!({"client_id": "x", "client_secret": "x", "api_key": ""}), "api_key must not be empty")]
#[tokio::test]
async fn credentials_that_are_not_there_are_not_looked_up(#[case] body: Value, #[case] rule: &str) {
    let server = Server::new(Memory).await;
    server.first_key(json!(1)).await;
    server.store.take_calls();
    let answer = server.told("POST", "/validate", body).await;
    assert_eq!(answer, format!("400 VALIDATION_ERROR: {rule}"));
    assert_eq!(server.store.take_calls().get("account"), None);
}

#[tokio::test]
async fn of_a_key_whose_credentials_are_right_it_is_told_what_is_wrong() {
    let server = Server::new(Memory).await;
    let key = server.first_key(json!(1)).await;
    let path = format!("/{}", key.key_id);
    server.done("PUT", &path, json!({"is_active": false})).await;
    assert_eq!(server.validate(&key).await, "403 KEY_INACTIVE: API key is not active");
    server.done("PUT", &path, json!({"is_active": true})).await;
    assert_eq!(server.validate(&key).await, "200 KEY_VALID");
    server
        .done("PUT", &path, json!({"expires_at": "2027-01-01T00:00:01Z", "is_active": false}))
        .await;
    server.api.clock.advance(Duration::from_secs(1));
    // Expired comes before inactive.
    assert_eq!(server.validate(&key).await, "401 KEY_EXPIRED: API key has expired");
    let revoke = format!("/v1/keys/{}/revoke", key.key_id);
    assert_eq!(server.api.call("POST", &revoke, Value::Null).await.status, 200);
    let told = server.refused("PUT", &path, json!({"is_active": true})).await;
    assert_eq!(told, "403 KEY_INACTIVE: a revoked API key cannot be changed");
}

#[tokio::test]
async fn of_an_account_that_is_not_active_no_key_is_made_and_none_is_valid() {
    let server = Server::new(Memory).await;
    let key = server.first_key(json!(1)).await;
    let account = format!("/v1/service-accounts/{}", key.client_id);
    let body = json!({"user_id": 1, "name": "n"});
    server.api.call("POST", &format!("{account}/disable"), Value::Null).await;
    assert_eq!(server.validate(&key).await, "403 KEY_INACTIVE: API key is not active");
    let told = server.refused("POST", "", body).await;
    assert_eq!(told, "403 SERVICE_ACCOUNT_DISABLED: service account is not active");
    server.api.call("DELETE", &account, Value::Null).await;
    assert_eq!(server.validate(&key).await, WRONG);
    let body = json!({"user_id": 1, "name": "n", "client_id": key.client_id});
    let told = server.refused("POST", "", body).await;
    assert_eq!(told, "400 SERVICE_ACCOUNT_DELETED: service account is deleted");
    let path = format!("/{}", key.key_id);
    assert_eq!(server.refused("PUT", &path, json!({"name": "n"})).await, NO_KEY);
    let told = server.refused("DELETE", &path, Value::Null).await;
    assert_eq!(told, "400 KEY_ALREADY_DELETED: API key is already deleted");
}

#[tokio::test]
async fn keys_of_other_keyspaces_are_none() {
    let server = Server::new(Memory).await;
    let key = server.first_key(json!(1)).await;
    let body = json!({"owner": "1", "service_account_id": key.client_id});
    let (secret, id) = server.api.issue(body).await;
    let other = Credentials { api_key: secret, ..key };
    assert_eq!(server.validate(&other).await, WRONG);
    assert_eq!(server.refused("PUT", &format!("/{id}"), json!({"name": "n"})).await, NO_KEY);
    assert_eq!(server.refused("DELETE", &format!("/{id}"), Value::Null).await, NO_KEY);
    assert_eq!(server.names("").await, ["first"]);
}

#[rstest]
#[case("GET", "", "keys:read")]
#[case("POST", "", "keys:write")]
#[case("POST", "/validate", "keys:verify")]
#[case("PUT", "/KEY", "keys:write")]
#[case("DELETE", "/KEY", "keys:write")]
#[tokio::test]
async fn each_route_needs_its_right_in_the_keyspace(
    #[case] method: &str,
    #[case] path: &str,
    #[case] scope: &str,
) {
    let server = Server::new(Memory).await;
    let key = server.first_key(json!(1)).await;
    let path = format!("{KEYS}{}", path.replace("KEY", &key.key_id));
    let body = match (method, &*path) {
        ("POST", KEYS) => json!({"user_id": 1, "name": "n"}),
        ("POST", _) => key.body(),
        ("PUT", _) => json!({"name": "n"}),
        _ => Value::Null,
    };
    let all = ["keys:read", "keys:write", "keys:verify"];
    let others: Vec<_> = all.into_iter().filter(|other| *other != scope).collect();
    let elsewhere = json!({"keyspace:default": all, "keyspace:nestjs": others});
    let stranger = server.api.management_key(&[], elsewhere).await;
    let answer = server.api.call_as(&stranger, method, &path, body.clone()).await;
    assert_eq!(told(&answer), "403 FORBIDDEN: the management key lacks the right to do this");
    for wrong in ["nobody", &key.api_key] {
        let answer = server.api.call_as(wrong, method, &path, body.clone()).await;
        assert!(told(&answer).starts_with("401 UNAUTHORIZED: "), "{}", answer.text());
    }
    let bare = Request::builder().method(method).uri(&path).body(Body::empty()).unwrap();
    assert!(told(&server.api.send(bare).await).starts_with("401 UNAUTHORIZED: "));
    let confined = server.api.management_key(&[], json!({"keyspace:nestjs": [scope]})).await;
    let answer = server.api.call_as(&confined, method, &path, body).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    let denied = server.api.get("/v1/audit?action=access.denied").await.json();
    assert_eq!(denied["data"][0]["data"]["needed"], scope);
}

#[tokio::test]
async fn a_body_of_another_type_or_length_and_another_method_are_refused() {
    let server = Server::new(Memory).await;
    let request = head(&server.api.root, "POST", KEYS).body(r#"{"user_id":1}"#.into()).unwrap();
    let told_of = told(&server.api.send(request).await);
    assert!(told_of.starts_with("415 UNSUPPORTED_MEDIA_TYPE: "), "{told_of}");
    let large = json!({"user_id": 1, "name": "n".repeat(70_000)});
    let told_of = server.refused("POST", "", large).await;
    assert!(told_of.starts_with("413 PAYLOAD_TOO_LARGE: "), "{told_of}");
    for (method, path) in [("PATCH", ""), ("GET", "/validate"), ("POST", "/x"), ("PUT", "")] {
        let answer = server.call(method, path, Value::Null).await;
        let told_of = told(&answer);
        assert_eq!(told_of, "405 METHOD_NOT_ALLOWED: this route does not take that method");
        assert!(!answer.header("allow").is_empty(), "{method} {path}");
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_neither_a_yes_nor_a_no() {
    let server = Server::new(Memory).await;
    let key = server.first_key(json!(1)).await;
    server.api.get("/v1/keys").await;
    server.api.clock.advance(Duration::from_secs(5));
    server.store.set(Mood::Down);
    let answer = server.call("POST", "/validate", key.body()).await;
    assert_eq!(told(&answer), "503 SERVICE_UNAVAILABLE: the store does not answer; try again");
    assert_eq!(answer.header("retry-after"), "1");
}
