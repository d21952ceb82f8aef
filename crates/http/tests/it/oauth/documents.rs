//! The documents for whoever verifies elsewhere: metadata (RFC 8414) and public keys (RFC 7517).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use insta::assert_snapshot;
use keyward::OAuthSettings;
use keyward::store::MemoryStore;
use keyward_http::RouterSettings;
use serde_json::json;

use super::Account;
use crate::answer::Answer;
use crate::support::{Api, authorization_server};

const KEYS: &str = "/oauth/jwks";
const METADATA: &str = "/.well-known/oauth-authorization-server";

async fn ask(api: &Api, method: &str, path: &str, known: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header("if-none-match", known);
    api.send(request.body(Body::empty()).unwrap()).await
}

/// An instance whose issuer is this one.
async fn api_of(issuer: &str) -> Api {
    let issuer = issuer.parse().ok();
    Api::built(Arc::new(MemoryStore::new()), RouterSettings::default(), |builder| {
        builder.oauth(OAuthSettings { issuer, ..authorization_server() })
    })
    .await
}

#[tokio::test]
async fn the_server_says_where_everything_is() {
    let api = Api::new().await;
    let answer = ask(&api, "GET", METADATA, "").await;
    assert_snapshot!(answer.show(), @r#"
    200 OK
    content-type: application/json
    {
      "grant_types_supported": [
        "client_credentials"
      ],
      "introspection_endpoint": "https://auth.example/oauth/introspect",
      "introspection_endpoint_auth_methods_supported": [
        "client_secret_basic",
        "client_secret_post",
        "Bearer"
      ],
      "issuer": "https://auth.example",
      "jwks_uri": "https://auth.example/oauth/jwks",
      "response_types_supported": [],
      "revocation_endpoint": "https://auth.example/oauth/revoke",
      "revocation_endpoint_auth_methods_supported": [
        "client_secret_basic",
        "client_secret_post"
      ],
      "token_endpoint": "https://auth.example/oauth/token",
      "token_endpoint_auth_methods_supported": [
        "client_secret_basic",
        "client_secret_post"
      ]
    }
    "#);
}

#[tokio::test]
async fn the_path_of_an_issuer_stands_behind_the_well_known_one() {
    let api = api_of("https://example.com/a/b").await;
    let answer = ask(&api, "GET", &format!("{METADATA}/a/b"), "").await;
    assert_eq!(answer.json()["issuer"], "https://example.com/a/b");
    assert_eq!(answer.json()["jwks_uri"], "https://example.com/a/b/oauth/jwks");
    // For a proxy that takes the issuer's path away.
    assert_eq!(ask(&api, "GET", METADATA, "").await.body, answer.body);
    for other in ["/a", "/a/b/", "/a/b/c", "/", "x"] {
        let answer = ask(&api, "GET", &format!("{METADATA}{other}"), "").await;
        assert_eq!(answer.complaint(), "404 not_found", "{other}");
    }
    let answer = ask(&api, "POST", &format!("{METADATA}/a/b"), "").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET,HEAD"));
}

#[tokio::test]
async fn the_keys_are_there_once_a_token_is() {
    let api = Api::new().await;
    assert_eq!(ask(&api, "GET", KEYS, "").await.json(), json!({"keys": []}));
    api.clock.advance(Duration::from_secs(1));
    Account::of(&api, &["read"]).await.token(&api).await;
    let document = ask(&api, "GET", KEYS, "").await.json();
    let key = document["keys"][0].as_object().unwrap();
    assert_eq!(document["keys"].as_array().unwrap().len(), 1);
    let names: Vec<_> = key.keys().map(String::as_str).collect();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"], "and nothing private");
    assert_eq!((&key["alg"], &key["use"]), (&json!("EdDSA"), &json!("sig")));
}

#[tokio::test]
async fn both_are_for_everybody_and_may_be_kept() {
    let api = Api::new().await;
    Account::of(&api, &["read"]).await.token(&api).await;
    for path in [KEYS, METADATA] {
        let answer = ask(&api, "GET", path, "").await;
        let (tag, told) =
            (answer.header("etag"), |answer: &Answer, name: &str| answer.header(name).to_owned());
        assert_eq!(told(&answer, "cache-control"), "max-age=60");
        assert_eq!(told(&answer, "access-control-allow-origin"), "*");
        for known in [tag, "*", &format!("W/{tag}"), &format!("\"x\", {tag}")] {
            let again = ask(&api, "GET", path, known).await;
            assert_eq!((again.status.as_u16(), again.text()), (304, ""), "{known}");
            assert_eq!(again.header("etag"), tag);
        }
        assert_eq!(ask(&api, "GET", path, "\"x\"").await.status, 200);
        let head = ask(&api, "HEAD", path, "").await;
        assert_eq!((head.status.as_u16(), head.text(), head.header("etag")), (200, "", tag));
        let other = ask(&api, "POST", path, "").await;
        assert_eq!((other.status.as_u16(), other.header("allow")), (405, "GET,HEAD"));
    }
}
