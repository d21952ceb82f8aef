//! What presented texts are worth (RFC 7662), and who may know.

use std::time::Duration;

use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Account, bearer, is_active, post, told, worth};
use crate::support::{Api, MARK};

const INTROSPECT: &str = "/oauth/introspect";

/// Without what is drawn.
fn shown(mut told: Value) -> String {
    for name in ["client_id", "jti", "sub"] {
        if told[name].as_str().is_some_and(|text| text.len() == 36) {
            told[name] = json!("UUID");
        }
    }
    format!("{told:#}")
}

#[tokio::test]
async fn an_access_token_is_told_with_all_that_it_says() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read", "write"]).await;
    let token = account.token(&api).await;
    let told = worth(&api, &bearer(&api.root), &token).await;
    assert_eq!((&told["client_id"], &told["sub"]), (&json!(account.id), &json!(account.id)));
    assert_snapshot!(shown(told), @r#"
    {
      "active": true,
      "aud": "https://auth.example",
      "client_id": "UUID",
      "exp": 1798762200,
      "iat": 1798761600,
      "iss": "https://auth.example",
      "jti": "UUID",
      "scope": "read write",
      "sub": "UUID",
      "token_type": "Bearer"
    }
    "#);
}

#[tokio::test]
async fn a_key_is_told_with_what_is_known_of_it() {
    let api = Api::new().await;
    let account = Account::of(&api, &[]).await;
    let body = json!({"owner": "customer-1", "service_account_id": account.id,
        "scopes": ["read", "write"], "expires_in": "1h", "not_before": "2026-12-31T00:00:00Z"});
    let (secret, id) = api.issue(body).await;
    let told = worth(&api, &bearer(&api.root), &secret).await;
    assert_eq!((&told["client_id"], &told["jti"]), (&json!(account.id), &json!(id)));
    let mut told = told;
    told["jti"] = json!("ID");
    assert_snapshot!(shown(told), @r#"
    {
      "active": true,
      "client_id": "UUID",
      "exp": 1798765200,
      "iat": 1798761600,
      "jti": "ID",
      "nbf": 1798675200,
      "scope": "read write",
      "sub": "customer-1",
      "token_type": "Bearer"
    }
    "#);
    let usage = api.get(&format!("/v1/keys/{id}")).await.json();
    assert_eq!(usage["last_used_at"], Value::Null, "to look is not to use");
}

#[tokio::test]
async fn a_signed_key_is_told_with_its_issuer() {
    let api = Api::new().await;
    let body = json!({"id": "signed", "format": "signed", "algorithm": "EdDSA",
        "issuer": "https://keys.example/jwks", "audience": "api"});
    assert_eq!(api.call("POST", "/v1/keyspaces", body).await.status, 201);
    let (token, id) = api.issue_signed("signed").await;
    let told = worth(&api, &bearer(&api.root), &token).await;
    assert_eq!(told["iss"], format!("https://keys.example/jwks/{id}"));
    assert_eq!((&told["aud"], &told["sub"]), (&json!("api"), &json!("customer-1")));
    assert_eq!(told.get("client_id"), None);
}

#[tokio::test]
async fn a_key_that_is_free_of_everything_is_told_with_little() {
    let api = Api::new().await;
    let (secret, _) = api.issue(json!({"owner": "customer-1"})).await;
    let told = worth(&api, &bearer(&api.root), &secret).await;
    let names: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["active", "iat", "jti", "sub", "token_type"]);
}

#[tokio::test]
async fn what_is_worth_nothing_is_told_in_one_way() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let token = account.token(&api).await;
    let (expiring, _) = api.issue(json!({"owner": "o", "expires_in": "1s"})).await;
    let (disabled, id) = api.issue(json!({"owner": "o"})).await;
    api.call("POST", &format!("/v1/keys/{id}/disable"), Value::Null).await;
    let (revoked, id) = api.issue(json!({"owner": "o"})).await;
    api.call("POST", &format!("/v1/keys/{id}/revoke"), Value::Null).await;
    assert!(is_active(&api, &expiring).await && is_active(&api, &token).await);
    api.clock.advance(Duration::from_secs(1));
    for text in [&expiring, &disabled, &revoked, &account.secret, "x", "eyJ", "eyJ.eyJ.eyJ", MARK] {
        assert!(!is_active(&api, text).await, "{text}");
    }
    api.clock.advance(Duration::from_secs(598));
    assert!(is_active(&api, &token).await);
    api.clock.advance(Duration::from_secs(1));
    assert!(!is_active(&api, &token).await, "expired at its instant");
}

#[tokio::test]
async fn a_token_is_worth_what_its_account_is_worth_now() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let token = account.token(&api).await;
    account.act(&api, "disable").await;
    assert!(!is_active(&api, &token).await);
    account.act(&api, "enable").await;
    assert!(is_active(&api, &token).await);
    api.call("DELETE", &format!("/v1/service-accounts/{}", account.id), Value::Null).await;
    assert!(!is_active(&api, &token).await);
}

#[tokio::test]
async fn a_client_sees_its_own_alone() {
    let api = Api::new().await;
    let (own, other) = (Account::of(&api, &["read"]).await, Account::of(&api, &["read"]).await);
    let (key, _) = own.key(&api).await;
    for text in [own.token(&api).await, key] {
        assert_eq!(worth(&api, &own.basic(), &text).await["client_id"], own.id);
        let form = format!("client_id={}&client_secret={}&token={text}", own.id, own.secret);
        assert_eq!(post(&api, INTROSPECT, "", &form).await.json()["active"], true);
        assert_eq!(worth(&api, &other.basic(), &text).await, json!({"active": false}));
    }
    let (free, _) = api.issue(json!({"owner": "customer-1"})).await;
    for text in [free.as_str(), api.root.as_str(), "nothing"] {
        assert_eq!(worth(&api, &own.basic(), text).await, json!({"active": false}));
    }
}

#[rstest]
#[case::no_hint("")]
#[case::right("&token_type_hint=access_token")]
#[case::wrong("&token_type_hint=refresh_token")]
#[case::unknown("&token_type_hint=zq7marker")]
#[tokio::test]
async fn hints_are_taken_and_not_trusted(#[case] hint: &str) {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    for text in [account.token(&api).await, account.key(&api).await.0] {
        let form = format!("token={text}{hint}");
        let answer = post(&api, INTROSPECT, &bearer(&api.root), &form).await;
        assert_eq!(answer.json()["active"], true);
    }
}

#[tokio::test]
async fn a_management_key_needs_the_right_to_verify() {
    let api = Api::new().await;
    let token = Account::of(&api, &["read"]).await.token(&api).await;
    let form = format!("token={token}");
    let verifier = api.management_key(&["keys:verify"], json!({})).await;
    assert_eq!(worth(&api, &bearer(&verifier), &token).await["active"], true);
    let writer = api.management_key(&["keys:write"], json!({})).await;
    let answer = post(&api, INTROSPECT, &bearer(&writer), &form).await;
    assert_snapshot!(answer.show(), @r#"
    403 Forbidden
    content-type: application/json
    www-authenticate: Bearer realm="keyward", error="insufficient_scope"
    {
      "error": "insufficient_scope",
      "error_description": "the management key lacks the right to do this"
    }
    "#);
    let told_of = api.get("/v1/audit?action=access.denied").await.json();
    assert_eq!(told_of["data"][0]["data"]["needed"], "keys:verify");
    let answer = post(&api, INTROSPECT, &bearer("kwm_nothing"), &form).await;
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer realm=\"keyward\", error=\"invalid_token\""
    );
    assert_eq!(told(&answer), "401 invalid_token: the text is not an API key");
    // An access token is no right to ask about others.
    let answer = post(&api, INTROSPECT, &bearer(&token), &form).await;
    assert_eq!(answer.status, 401);
    let answer = post(&api, INTROSPECT, "", &form).await;
    assert_eq!(told(&answer), "401 invalid_client: the client must authenticate");
    let answer = post(&api, INTROSPECT, &bearer(&verifier), "token=").await;
    assert_eq!(told(&answer), "400 invalid_request: the parameter token must be given");
}
