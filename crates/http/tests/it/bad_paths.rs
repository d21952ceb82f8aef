//! Paths that lead nowhere.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::Api;

#[rstest]
#[case::not_utf_8("%FF")]
#[case::half_of_a_character("%C3")]
#[case::slash("a%2Fb")]
#[case::up("..%2F..%2Fetc")]
#[case::nul("zq7marker%00")]
#[case::newline("zq7marker%0A")]
#[case::carriage_return("zq7marker%0D%0Ax-evil:1")]
#[case::space("%20")]
#[case::nothing("%")]
#[case::half_an_escape("%2")]
#[case::question("%3F")]
#[case::bidi("%E2%80%AE")]
#[case::quote("zq7marker'")]
#[case::braces("{id}")]
#[case::long(&"a".repeat(65))]
#[case::dots("..")]
#[case::unknown("zq7marker")]
#[tokio::test]
async fn ids_that_are_none_are_not_found(#[case] id: &str) {
    let api = Api::new().await;
    let path = format!("/v1/keys/{id}");
    if path.parse::<axum::http::Uri>().is_err() {
        return; // No client can send it.
    }
    for (method, path, body) in [
        ("GET", path.clone(), Value::Null),
        ("PATCH", path.clone(), json!({"name": "n"})),
        ("DELETE", path.clone(), Value::Null),
        ("POST", format!("{path}/rotate"), Value::Null),
        ("POST", format!("{path}/revoke"), json!({"reason": "r"})),
        ("POST", format!("{path}/purge"), Value::Null),
        ("GET", format!("/v1/keyspaces/{id}"), Value::Null),
        ("PATCH", format!("/v1/keyspaces/{id}"), json!({"description": "d"})),
    ] {
        let answer = api.refused(method, &path, &body).await;
        assert_eq!(answer, "404 not_found", "{method} {path}");
    }
}

#[rstest]
#[case("/")]
#[case("/v1")]
#[case("/v1/")]
#[case("/v1/keys/")]
#[case("//v1/keys")]
#[case("/v1//keys")]
#[case("/V1/keys")]
#[case("/v1/keys/a/b/c")]
#[case("/v1/keys/a/explode")]
#[case("/v2/keys")]
#[case("/v1/%6Beys")]
#[case("/.env")]
#[tokio::test]
async fn paths_that_are_no_route_are_not_found(#[case] path: &str) {
    let api = Api::new().await;
    for method in ["GET", "POST", "DELETE"] {
        assert_eq!(api.refused(method, path, &Value::Null).await, "404 not_found");
    }
}
