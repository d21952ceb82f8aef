//! W5: whatever is sent, it is answered, with what is said in its contract, and harms nothing.

use rstest::rstest;
use serde_json::{Value, json};

use super::{HOSTILE, long};
use crate::answer::Answer;
use crate::nestjs::server::Backend::{self, Memory, Sqlite};
use crate::nestjs::server::{Credentials, Server, told};

/// Texts to send in place of others.
fn texts() -> impl Iterator<Item = String> {
    HOSTILE.into_iter().map(str::to_owned).chain(long())
}

/// Values to send in place of texts.
fn values() -> [Value; 10] {
    [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(1e308),
        json!([]),
        json!({}),
        json!([["a"], {"b": []}]),
        json!({"toString": "x", "__proto__": {"a": 1}}),
    ]
}

/// An answer that says yes, or what is wrong with the request.
fn assert_answered(answer: &Answer, sent: &str) {
    let told = told(answer);
    assert!(answer.status.as_u16() < 500, "{told} to {sent}");
}

fn encoded(text: &str) -> String {
    text.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).map(char::from).collect()
}

/// A key that was there before is as it was.
async fn assert_unharmed(server: &Server, key: &Credentials) {
    assert_eq!(server.validate(key).await, "200 KEY_VALID");
    let shown = server.api.get(&format!("/v1/keys/{}", key.key_id)).await.json();
    assert_eq!((&shown["name"], &shown["version"]), (&json!("first"), &json!(1)));
}

#[rstest]
#[case::create("POST", "", json!({"user_id": 2, "name": "n", "description": "d", "is_active": true,
    "expires_at": "2027-06-01T00:00:00Z", "client_id": "550e8400-e29b-41d4-a716-446655440000"}))]
#[case::validate("POST", "/validate", json!({"client_id": "x", "client_secret": "x", "api_key": "x"}))]
#[case::update("PUT", "/KEY", json!({"name": "n", "description": "d", "is_active": true,
    "expires_at": "2027-06-01T00:00:00Z"}))]
#[tokio::test]
async fn w5_every_field_takes_any_text_and_any_value(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: Value,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let other = server.another_key(json!(1), &key).await;
    let path = path.replace("KEY", &other.key_id);
    let hostile: Vec<_> = texts().map(Value::String).chain(values()).collect();
    let fields: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
    for field in &fields {
        for value in &hostile {
            let mut body = body.clone();
            body[field] = value.clone();
            let answer = server.call(method, &path, body).await;
            assert_answered(&answer, &format!("{field} {value}"));
        }
    }
    for name in texts() {
        let answer = server.call(method, &path, json!({name.as_str(): 1})).await;
        assert_answered(&answer, &name);
    }
    assert_unharmed(&server, &key).await;
}

#[rstest]
#[tokio::test]
async fn w5_every_parameter_and_every_path_takes_any_text(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let parameters = [
        "client_id",
        "user_id",
        "status",
        "search",
        "sort_by",
        "sort_order",
        "page",
        "limit",
        "include_deleted",
    ];
    for text in texts() {
        let text = encoded(text.get(..8_000).unwrap_or(&text));
        for parameter in parameters {
            let answer = server.get(&format!("?{parameter}={text}")).await;
            assert_answered(&answer, &format!("{parameter}={text}"));
        }
        assert_answered(&server.get(&format!("?{text}=1")).await, &text);
        for (method, body) in [("PUT", json!({"name": "n"})), ("DELETE", Value::Null)] {
            let answer = server.call(method, &format!("/{text}"), body).await;
            assert_answered(&answer, &text);
        }
    }
    assert_unharmed(&server, &key).await;
}

#[rstest]
#[tokio::test]
async fn w5_a_text_that_is_taken_comes_back_as_it_was_and_is_found(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let mut taken = 0;
    for text in HOSTILE {
        let body = json!({"user_id": format!("user {taken}"), "name": text, "description": text});
        let answer = server.call("POST", "", body).await;
        if !answer.status.is_success() {
            continue;
        }
        taken += 1;
        let data = &answer.json()["data"];
        assert_eq!([&data["name"], &data["description"]], [text, text]);
        assert!(
            server
                .names(&format!("?limit=100&search={}", encoded(text)))
                .await
                .contains(&text.to_owned())
        );
        let id = data["key_id"].as_str().unwrap();
        assert_eq!(server.api.get(&format!("/v1/keys/{id}")).await.json()["name"], text);
    }
    assert!(taken > 15, "only {taken} texts were taken");
}
