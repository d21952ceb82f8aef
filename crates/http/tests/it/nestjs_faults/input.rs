//! D3, D7: what is answered with 500, or not at all, and is a mistake of the caller.

use rstest::rstest;
use serde_json::{Value, json};

use crate::nestjs::server::Backend::{self, Memory, Sqlite};
use crate::nestjs::server::{KEYS, Server, told};
use crate::support::raw;

#[rstest]
#[case(json!(""))]
#[case(json!("  "))]
#[case(json!("\t\n"))]
#[case(json!(null))]
#[tokio::test]
async fn d3_an_empty_key_with_good_credentials_is_answered(
    #[case] nothing: Value,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let mut body = key.body();
    body["api_key"] = nothing;
    let told = server.told("POST", "/validate", body).await;
    assert!(told.starts_with("400 VALIDATION_ERROR: api_key must "), "{told}");
    assert_eq!(server.validate(&key).await, "200 KEY_VALID");
}

#[rstest]
#[case::no_name("POST", "", json!({"user_id": 1}), "name must be given")]
#[case::user_no_integer("POST", "", json!({"user_id": 1.5, "name": "n"}), "user_id must be a whole")]
#[case::active_null("POST", "", json!({"user_id": 1, "name": "n", "is_active": null}), "is_active must be a boolean")]
#[case::key_a_number("POST", "/validate", json!({"client_id": "x", "client_secret": "x", "api_key": 5}), "api_key must be a string")]
#[case::name_empty("POST", "", json!({"user_id": 1, "name": ""}), "name must be 1 to 200")]
#[case::name_an_object("POST", "", json!({"user_id": 1, "name": {"a": 1}}), "name must be a string")]
#[case::name_a_list("POST", "", json!({"user_id": 1, "name": ["a"]}), "name must be a string")]
#[case::client_no_uuid("GET", "?client_id=abc", Value::Null, "client_id must be a UUID")]
#[case::page_no_number("GET", "?page=abc", Value::Null, "page must be a number")]
#[case::order_no_order("GET", "?sort_order=up", Value::Null, "sort_order must be ASC or DESC")]
#[case::sort_unknown("GET", "?sort_by=secret", Value::Null, "sort_by must be created_at")]
#[tokio::test]
async fn d7_a_mistake_of_the_caller_is_told_with_its_field_and_rule(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: Value,
    #[case] rule: &str,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let told = server.refused(method, path, body).await;
    assert!(told.starts_with(&format!("400 VALIDATION_ERROR: {rule}")), "{told}");
}

#[rstest]
#[case("POST", "")]
#[case("POST", "/validate")]
#[case("PUT", "/u13DfdUmzHnP")]
#[tokio::test]
async fn d7_a_body_that_is_absent_or_no_object_is_refused(
    #[case] method: &str,
    #[case] path: &str,
    #[values("", "null", "[]", "\"text\"", "7", "{", "{\"a\":}", "\u{0}")] body: &str,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let request = raw(&server.api.root, method, &format!("{KEYS}{path}"), body.to_owned());
    let told = told(&server.api.send(request).await);
    assert!(told.starts_with("400 VALIDATION_ERROR: "), "{told}");
}

#[rstest]
#[tokio::test]
async fn d7_an_id_is_the_whole_id(#[values(Memory, Sqlite)] backend: Backend) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    for id in [format!("{}abc", key.key_id), format!("0{}", key.key_id), "2abc".to_owned()] {
        let told = server.refused("PUT", &format!("/{id}"), json!({"name": "n"})).await;
        assert_eq!(told, "404 KEY_NOT_FOUND: API key not found or already deleted");
    }
}
