//! What ends an access token before its time, and who may see and end what.

use std::time::Duration;

use keyward::store::{AuditQuery, Store};
use keyward::{
    Action, ClientCredentials, FormatKind, Introspected, Keyward, NewKey, OAuthError, Revocable,
};
use rstest::rstest;

use super::{account, build, client, is_active, issue, second};
use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, code, keyspace_of, me, owner, reader, seconds};

async fn revoke(keyward: &Keyward, text: &str) -> bool {
    match keyward.find_revocable(text, None).await.unwrap() {
        Some(found) => {
            keyward.revoke_found(&found, &me()).await.unwrap();
            true
        }
        None => false,
    }
}

async fn told(keyward: &Keyward) -> usize {
    let mut query = AuditQuery { limit: 100, ..AuditQuery::default() };
    query.filter.action = Some(Action::AccessTokenRevoked);
    keyward.audit(&query).await.unwrap().events.len()
}

#[rstest]
#[tokio::test]
async fn a_revoked_token_is_dead_on_every_instance_and_told_once(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let (one, other) = (build(world.builder()).await, second(&world).await);
    let account = account(&one).await;
    let (token, neighbour) = (issue(&one, &account).await, issue(&one, &account).await);
    assert!(is_active(&one, &token).await && is_active(&other, &token).await);
    for _ in 0..2 {
        assert!(revoke(&other, token.token.expose()).await);
    }
    for keyward in [&one, &other] {
        assert!(!is_active(keyward, &token).await && is_active(keyward, &neighbour).await);
    }
    assert_eq!(told(&one).await, 1);
    let query = AuditQuery { limit: 1, ..AuditQuery::default() };
    let event = one.audit(&query).await.unwrap().events.remove(0);
    assert_eq!(event.service_account, Some(account.account.id));
    assert_eq!(event.owner, Some(owner("customer-1")));
    assert_eq!(event.data["jti"], token.id.to_string());
}

#[rstest]
#[tokio::test]
async fn what_has_expired_need_not_be_revoked_nor_remembered(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let old = issue(&keyward, &account).await;
    assert!(revoke(&keyward, old.token.expose()).await);
    world.clock.advance(Duration::from_mins(10));
    assert!(!revoke(&keyward, old.token.expose()).await);
    let new = issue(&keyward, &account).await;
    assert!(revoke(&keyward, new.token.expose()).await);
    assert!(!world.store.is_token_revoked(&old.id).await.unwrap());
    assert!(world.store.is_token_revoked(&new.id).await.unwrap());
}

#[rstest]
#[tokio::test]
async fn the_tokens_of_an_account_end_with_it(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let id = account.account.id;
    let token = issue(&keyward, &account).await;
    keyward.disable_account(&id, &me()).await.unwrap();
    assert!(!is_active(&keyward, &token).await);
    let text = id.to_string();
    let with = |secret| ClientCredentials { id: &text, secret };
    let right = keyward.authenticate_client(&with(account.client_secret.expose())).await;
    assert!(matches!(right, Err(OAuthError::UnauthorizedClient)));
    let wrong = keyward.authenticate_client(&with("kwcs_wrong")).await;
    assert!(matches!(wrong, Err(OAuthError::InvalidClient)), "it is told to nobody else");
    keyward.enable_account(&id, &me()).await.unwrap();
    assert!(is_active(&keyward, &token).await);
    keyward.delete_account(&id, &me()).await.unwrap();
    assert!(!is_active(&keyward, &token).await);
    let right = keyward.authenticate_client(&with(account.client_secret.expose())).await;
    assert!(matches!(right, Err(OAuthError::InvalidClient)));
}

#[rstest]
#[tokio::test]
async fn keys_of_every_format_are_seen_and_revoked_by_their_secrets(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(FormatKind::Opaque, FormatKind::Prefixed, FormatKind::Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = build(world.builder()).await;
    let keyspace = keyspace_of(&keyward, format).await;
    let key = keyward.issue(NewKey { keyspace, ..reader() }, &me()).await.unwrap();
    let worth = keyward.introspect(key.secret.expose(), None).await.unwrap();
    assert!(matches!(worth, Introspected::Key(permit) if permit.key().id == key.key.id));
    let usage = keyward.key(&key.key.id).await.unwrap().unwrap().usage;
    assert_eq!((usage.uses, usage.last_used_at), (0, None));
    keyward.disable(&key.key.id, &me()).await.unwrap();
    let worth = keyward.introspect(key.secret.expose(), None).await.unwrap();
    assert!(matches!(worth, Introspected::Inactive));
    // Who has its secret may end it, so that nobody can switch it on again.
    for _ in 0..2 {
        assert!(revoke(&keyward, key.secret.expose()).await);
    }
    assert_eq!(code(&keyward, &key.secret).await, "revoked");
    let forged = format!("{}x", key.secret.expose());
    assert!(!revoke(&keyward, &forged).await && !revoke(&keyward, "").await);
}

#[rstest]
#[tokio::test]
async fn a_client_sees_and_ends_its_own_alone(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = build(world.builder()).await;
    let (own, other) = (account(&keyward).await, account(&keyward).await);
    let viewer = client(&keyward, &own).await;
    let (token, foreign) = (issue(&keyward, &own).await, issue(&keyward, &other).await);
    let key = |account: keyward::ClientId| NewKey { service_account: Some(account), ..reader() };
    let own_key = keyward.issue(key(own.account.id), &me()).await.unwrap();
    let foreign_key = keyward.issue(key(other.account.id), &me()).await.unwrap();
    let free_key =
        keyward.issue(NewKey { service_account: None, ..reader() }, &me()).await.unwrap();
    for (text, is_own) in [
        (token.token.expose(), true),
        (own_key.secret.expose(), true),
        (foreign.token.expose(), false),
        (foreign_key.secret.expose(), false),
        (free_key.secret.expose(), false),
        ("nothing", false),
    ] {
        let worth = keyward.introspect(text, Some(&viewer)).await.unwrap();
        assert_eq!(!matches!(worth, Introspected::Inactive), is_own);
        let found = keyward.find_revocable(text, Some(&viewer)).await.unwrap();
        assert_eq!(found.is_some(), is_own);
    }
    let found = keyward.find_revocable(own_key.secret.expose(), Some(&viewer)).await.unwrap();
    assert!(matches!(found, Some(Revocable::Key(key)) if key.id == own_key.key.id));
}

#[tokio::test]
async fn an_expired_key_is_found_by_whoever_has_its_secret() {
    let world = World::new(Memory);
    let keyward = build(world.builder()).await;
    let expiry = keyward::Expiry::In(seconds(5));
    let key = keyward.issue(NewKey { expiry, ..reader() }, &me()).await.unwrap();
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(code(&keyward, &key.secret).await, "expired");
    assert!(revoke(&keyward, key.secret.expose()).await);
    let stored = keyward.key(&key.key.id).await.unwrap().unwrap();
    assert!(stored.record.revocation.is_some());
}
