//! The authorization server in an instance: pairs that follow each other, tokens that are believed by all
//! instances, and what ends them.

mod pairs;
mod revoking;

use keyward::jose::{BaseIssuer, PairKind};
use keyward::store::Store;
use keyward::{
    Builder, ClientCredentials, Introspected, IssuedAccount, IssuedToken, Keyward,
    NewServiceAccount, OAuthClient, OAuthError, OAuthSettings, ScopeSet,
};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, me, owner, scopes};

const ISSUER: &str = "https://auth.example";

fn settings() -> OAuthSettings {
    let issuer = BaseIssuer::parse(ISSUER).ok();
    OAuthSettings { issuer, pair: PairKind::Ed25519, ..OAuthSettings::default() }
}

async fn build(builder: Builder) -> Keyward {
    builder.oauth(settings()).build().await.unwrap()
}

/// Another instance over the same data.
async fn second(world: &World) -> Keyward {
    build(world.builder_on(world.second_store())).await
}

async fn account(keyward: &Keyward) -> IssuedAccount {
    let scopes = scopes(&["read", "write"]);
    let new = NewServiceAccount { scopes, ..NewServiceAccount::new(owner("customer-1")) };
    keyward.create_account(new, &me()).await.unwrap()
}

async fn client(keyward: &Keyward, account: &IssuedAccount) -> OAuthClient {
    let id = account.account.id.to_string();
    let credentials = ClientCredentials { id: &id, secret: account.client_secret.expose() };
    keyward.authenticate_client(&credentials).await.unwrap()
}

async fn issue(keyward: &Keyward, account: &IssuedAccount) -> IssuedToken {
    let client = client(keyward, account).await;
    keyward.issue_token(&client, None).await.unwrap()
}

/// Whether a token is worth anything.
async fn is_active(keyward: &Keyward, token: &IssuedToken) -> bool {
    let worth = keyward.introspect(token.token.expose(), None).await.unwrap();
    assert!(!matches!(worth, Introspected::Key(_)));
    matches!(worth, Introspected::AccessToken(_))
}

/// The ids of the keys that are published, in their order.
async fn published(store: &dyn Store) -> Vec<String> {
    store.signing_keys().await.unwrap().iter().map(|key| key.id.to_string()).collect()
}

#[rstest]
#[tokio::test]
async fn a_token_says_what_its_account_may(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let client = client(&keyward, &account).await;
    let all = keyward.issue_token(&client, None).await.unwrap();
    assert_eq!(all.scopes.as_words(), "read write");
    let less = keyward.issue_token(&client, Some(&scopes(&["write"]))).await.unwrap();
    assert_eq!(less.scopes.as_words(), "write");
    assert_ne!(all.id, less.id);
    let worth = keyward.introspect(less.token.expose(), None).await.unwrap();
    let Introspected::AccessToken(proved) = worth else { panic!("it is active") };
    assert_eq!(proved.client, account.account.id);
    assert_eq!(proved.id, less.id);
    assert_eq!(proved.claims.scopes, less.scopes);
    assert_eq!(proved.claims.registered.issuer, ISSUER);
    assert!(proved.claims.registered.audiences.contain(ISSUER));
    let more = keyward.issue_token(&client, Some(&scopes(&["read", "admin"]))).await;
    assert!(matches!(more, Err(OAuthError::InvalidScope)));
}

#[tokio::test]
async fn more_scopes_than_fit_into_a_token_are_told_apart() {
    let world = World::new(Memory);
    let keyward = build(world.builder()).await;
    let names: Vec<_> = (0..250).map(|n| format!("a-scope-of-some-length-{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let new =
        NewServiceAccount { scopes: scopes(&names), ..NewServiceAccount::new(owner("customer-1")) };
    let account = keyward.create_account(new, &me()).await.unwrap();
    let client = client(&keyward, &account).await;
    let refused = keyward.issue_token(&client, None).await;
    assert!(matches!(refused, Err(OAuthError::TooManyScopes)));
    assert!(keyward.issue_token(&client, Some(&scopes(&names[..3]))).await.is_ok());
    assert!(keyward.issue_token(&client, Some(&ScopeSet::default())).await.is_ok());
}

#[tokio::test]
async fn without_an_issuer_no_token_is_issued_and_none_is_believed() {
    let world = World::new(Memory);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let token = issue(&keyward, &account).await;
    let other = world.start().await;
    let client = client(&other, &account).await;
    assert!(matches!(other.issue_token(&client, None).await, Err(OAuthError::NoIssuer)));
    assert!(!is_active(&other, &token).await);
}

#[tokio::test]
async fn a_store_that_fails_is_neither_yes_nor_no() {
    let world = World::new(Memory);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let token = issue(&keyward, &account).await;
    world.store.set_down(true);
    assert!(keyward.introspect(token.token.expose(), None).await.is_err());
    assert!(second(&world).await.introspect(token.token.expose(), None).await.is_ok());
    let fresh = world.builder_on(world.second_store());
    let fresh = build(fresh).await;
    let client = client(&fresh, &account).await;
    assert!(fresh.issue_token(&client, None).await.is_ok());
    world.store.set_down(false);
    assert!(is_active(&keyward, &token).await);
}
