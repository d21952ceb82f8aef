//! D2, D4, W4: requests without an identifier that reach what belongs to others.

use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::nestjs::server::Backend::{self, Memory, Sqlite};
use crate::nestjs::server::{Credentials, Server};

/// What may stand in the place of an identifier; the first says that it is left out.
fn nothings() -> [Option<Value>; 12] {
    [
        None,
        Some(Value::Null),
        Some(json!("")),
        Some(json!(" ")),
        Some(json!("\u{0}")),
        Some(json!(false)),
        Some(json!([])),
        Some(json!({})),
        Some(json!([1])),
        Some(json!({"$ne": null})),
        Some(json!(-1)),
        Some(json!(1.5)),
    ]
}

/// The body with another value in a field, or without the field.
fn with(body: &Value, field: &str, value: Option<Value>) -> Value {
    let mut members: Map<String, Value> = body.as_object().unwrap().clone();
    match value {
        Some(value) => members.insert(field.to_owned(), value),
        None => members.remove(field),
    };
    Value::Object(members)
}

#[rstest]
#[tokio::test]
async fn d2_without_a_user_no_key_is_created_in_anybodys_account(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    server.first_key(json!(1)).await;
    let body = json!({"user_id": 2, "name": "n"});
    for nothing in nothings() {
        let told = server.refused("POST", "", with(&body, "user_id", nothing.clone())).await;
        assert!(told.starts_with("400 VALIDATION_ERROR: user_id must be"), "{nothing:?}: {told}");
    }
}

#[rstest]
#[case("client_id")]
#[case("client_secret")]
#[case("api_key")]
#[tokio::test]
async fn d4_without_a_credential_nothing_is_validated(
    #[case] field: &str,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    server.first_key(json!(2)).await;
    assert_eq!(server.validate(&key).await, "200 KEY_VALID");
    for nothing in nothings() {
        let body = with(&key.body(), field, nothing.clone());
        let told = server.refused("POST", "/validate", body).await;
        let expected = match &nothing {
            // A text that is there is looked at, and is a wrong one.
            Some(Value::String(text)) if !text.trim().is_empty() => {
                "401 INVALID_CLIENT_CREDENTIALS"
            }
            _ => &format!("400 VALIDATION_ERROR: {field} must "),
        };
        assert!(told.starts_with(expected), "{nothing:?}: {told}");
    }
}

#[rstest]
#[tokio::test]
async fn d4_a_key_validates_with_the_credentials_of_its_own_account_alone(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let first = server.first_key(json!(1)).await;
    let second = server.first_key(json!(2)).await;
    let crossed = Credentials { api_key: second.api_key.clone(), ..first.clone() };
    let told = server.validate(&crossed).await;
    assert!(told.starts_with("401 INVALID_CLIENT_CREDENTIALS"), "{told}");
    for (key, user) in [(first, "1"), (second, "2")] {
        let data = server.done("POST", "/validate", key.body()).await;
        assert_eq!((&data["user_id"], &data["client_id"]), (&json!(user), &json!(key.client_id)));
    }
}

#[rstest]
#[case("client_id=")]
#[case("client_id=%20")]
#[case("client_id=null")]
#[case("client_id=undefined")]
#[case("client_id")]
#[case("user_id=")]
#[case("user_id")]
#[case("status=")]
#[case("client_id[$ne]=x")]
#[case("client_id=1&client_id=2")]
#[tokio::test]
async fn w4_a_filter_that_names_nothing_lists_nothing(
    #[case] query: &str,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    server.first_key(json!(1)).await;
    let told = server.refused("GET", &format!("?{query}"), Value::Null).await;
    assert!(told.starts_with("400 VALIDATION_ERROR: "), "{told}");
}

#[rstest]
#[case("null")]
#[case("undefined")]
#[case("%00")]
#[case("%20")]
#[case("*")]
#[case("%25")]
#[case("1")]
#[tokio::test]
async fn w4_a_path_that_names_no_key_changes_none(
    #[case] id: &str,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    server.first_key(json!(1)).await;
    for (method, body) in [("PUT", json!({"name": "n"})), ("DELETE", Value::Null)] {
        let told = server.refused(method, &format!("/{id}"), body).await;
        assert_eq!(told, "404 KEY_NOT_FOUND: API key not found or already deleted");
    }
}

#[rstest]
#[tokio::test]
async fn w4_an_account_of_another_user_is_none(#[values(Memory, Sqlite)] backend: Backend) {
    let server = Server::new(backend).await;
    let first = server.first_key(json!(1)).await;
    let told = "404 SERVICE_ACCOUNT_NOT_FOUND: service account not found";
    let body = json!({"user_id": 2, "name": "n", "client_id": first.client_id});
    assert_eq!(server.refused("POST", "", body).await, told);
    let query = format!("?user_id=2&client_id={}", first.client_id);
    assert_eq!(server.refused("GET", &query, Value::Null).await, told);
}
