//! Taking texts back (RFC 7009), and who may.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Account, bearer, is_active, post, told};
use crate::support::{Api, MARK};

const REVOKE: &str = "/oauth/revoke";

/// Asks for a revocation, which is answered in one way.
async fn revoke(api: &Api, authorization: &str, token: &str) {
    let form = format!("token={token}&token_type_hint=whatever");
    let answer = post(api, REVOKE, authorization, &form).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, ""));
    assert_eq!(answer.header("cache-control"), "no-store");
}

async fn events(api: &Api, action: &str) -> Vec<Value> {
    let told = api.get(&format!("/v1/audit?action={action}")).await.json();
    told["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_client_takes_its_own_token_back() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let (token, other) = (account.token(&api).await, account.token(&api).await);
    revoke(&api, &account.basic(), &token).await;
    revoke(&api, &account.basic(), &token).await;
    assert!(!is_active(&api, &token).await && is_active(&api, &other).await);
    let events = events(&api, "access_token.revoked").await;
    assert_eq!(events.len(), 1, "it is told once");
    assert_eq!(events[0]["actor"], format!("client:{}", account.id));
    assert_eq!(events[0]["service_account"], account.id);
    assert_eq!(events[0]["owner"], "customer-1");
    assert!(!format!("{events:?}").contains(&token));
}

#[tokio::test]
async fn a_client_takes_its_own_key_back_by_its_secret() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let (key, id) = account.key(&api).await;
    revoke(&api, &account.basic(), &key).await;
    assert_eq!(api.decision(&key).await, "revoked");
    let events = events(&api, "key.revoked").await;
    assert_eq!((&events[0]["key"], events.len()), (&json!(id), 1));
    assert_eq!(events[0]["actor"], format!("client:{}", account.id));
}

#[tokio::test]
async fn what_is_not_ones_own_is_left_alone_and_answered_alike() {
    let api = Api::new().await;
    let (own, other) = (Account::of(&api, &["read"]).await, Account::of(&api, &["read"]).await);
    let (token, (key, _)) = (other.token(&api).await, other.key(&api).await);
    let (free, _) = api.issue(json!({"owner": "customer-1"})).await;
    let expired = own.token(&api).await;
    api.clock.advance(Duration::from_mins(9));
    let fresh = other.token(&api).await;
    api.clock.advance(Duration::from_mins(1));
    let before = api.everything().await;
    for text in [&token, &fresh, &key, &free, &expired, &api.root, MARK, "eyJ.eyJ.eyJ"] {
        revoke(&api, &own.basic(), text).await;
    }
    assert_eq!(before, api.everything().await);
    assert!(is_active(&api, &fresh).await);
}

#[tokio::test]
async fn a_management_key_takes_back_what_it_may_write() {
    let api = Api::new().await;
    api.keyspace("web").await;
    let account = Account::of(&api, &["read"]).await;
    let token = account.token(&api).await;
    let (key, _) = api.issue(json!({"owner": "o", "keyspace": "web"})).await;
    let (elsewhere, _) = api.issue(json!({"owner": "o"})).await;
    let confined = api.management_key(&[], json!({"keyspace:web": ["keys:write"]})).await;
    let refused = "403 insufficient_scope: the management key lacks the right to do this";
    for text in [&elsewhere, &token, &api.root] {
        let answer = post(&api, REVOKE, &bearer(&confined), &format!("token={text}")).await;
        assert_eq!(told(&answer), refused);
    }
    assert!(is_active(&api, &token).await && is_active(&api, &elsewhere).await);
    revoke(&api, &bearer(&confined), &key).await;
    assert_eq!(api.decision(&key).await, "revoked");
    let writer = api.management_key(&["keys:write"], json!({})).await;
    revoke(&api, &bearer(&writer), &token).await;
    revoke(&api, &bearer(&writer), &elsewhere).await;
    assert!(!is_active(&api, &token).await && !is_active(&api, &elsewhere).await);
    // Management keys are the root key's business alone.
    let answer = post(&api, REVOKE, &bearer(&writer), &format!("token={confined}")).await;
    assert_eq!(told(&answer), refused);
    revoke(&api, &bearer(&api.root), &confined).await;
    assert_eq!(api.decision(&confined).await, "revoked");
}

#[tokio::test]
async fn whoever_is_nobody_takes_nothing_back() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let token = account.token(&api).await;
    let form = format!("token={token}");
    let answer = post(&api, REVOKE, "", &form).await;
    assert_eq!(told(&answer), "401 invalid_client: the client must authenticate");
    let wrong = super::basic(&account.id, "kwcs_wrong");
    assert_eq!(post(&api, REVOKE, &wrong, &form).await.status, 401);
    let answer = post(&api, REVOKE, &account.basic(), "token_type_hint=access_token").await;
    assert_eq!(told(&answer), "400 invalid_request: the parameter token must be given");
    account.act(&api, "disable").await;
    let answer = post(&api, REVOKE, &account.basic(), &form).await;
    assert_eq!(told(&answer), "400 unauthorized_client: the service account is disabled");
    account.act(&api, "enable").await;
    assert!(is_active(&api, &token).await);
}
