//! Rate limits of keyspaces.

use std::time::Duration;

use keyward::{
    Asked, Decision, DenyReason, Issued, KeyspaceChanges, KeyspaceId, Keyward, RateLimit,
};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, code, code_for, issue, me, scope, seconds};

/// Lets each key of the default keyspace be used so often in a second.
async fn limit(keyward: &Keyward, requests: Option<u32>) {
    let limit = requests.map(|requests| RateLimit::new(requests, seconds(1)).unwrap());
    let changes = KeyspaceChanges { rate_limit: Some(limit), ..KeyspaceChanges::default() };
    keyward.update_keyspace(&KeyspaceId::default_keyspace(), changes, &me()).await.unwrap();
}

/// How long a key has to wait, if it has to.
async fn wait(keyward: &Keyward, key: &Issued) -> Option<Duration> {
    match keyward.verify(key.secret.expose(), &Asked::default()).await.unwrap() {
        Decision::Allow(_) => None,
        Decision::Deny(DenyReason::RateLimited { retry_after }) => Some(retry_after),
        Decision::Deny(other) => panic!("{other:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn a_key_that_is_used_too_often_waits_and_others_do_not(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    limit(&keyward, Some(2)).await;
    let [busy, calm] = [issue(&keyward).await, issue(&keyward).await];
    assert_eq!(wait(&keyward, &busy).await, None);
    assert_eq!(wait(&keyward, &busy).await, None);
    for _ in 0..3 {
        assert_eq!(wait(&keyward, &busy).await, Some(Duration::from_millis(500)));
    }
    assert_eq!(wait(&keyward, &calm).await, None);
    world.clock.advance(Duration::from_millis(499));
    assert_eq!(wait(&keyward, &busy).await, Some(Duration::from_millis(1)));
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(wait(&keyward, &busy).await, None);
    assert_eq!(wait(&keyward, &busy).await, Some(Duration::from_millis(500)));
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(wait(&keyward, &busy).await, None);
    assert_eq!(wait(&keyward, &busy).await, None);
    assert!(wait(&keyward, &busy).await.is_some());
    let uses = keyward.key(&busy.key.id).await.unwrap().unwrap().usage.uses;
    assert_eq!(uses, 5, "what is refused is no use");
}

#[rstest]
#[tokio::test]
async fn what_is_refused_for_another_reason_takes_nothing_of_the_allowance(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    limit(&keyward, Some(1)).await;
    let key = issue(&keyward).await;
    let write = [scope("write")];
    let asked = Asked { scopes: &write, ..Asked::default() };
    for _ in 0..5 {
        assert_eq!(code_for(&keyward, &key.secret, &asked).await, "insufficient_scope");
    }
    assert_eq!(wait(&keyward, &key).await, None);
    assert!(wait(&keyward, &key).await.is_some());
    keyward.revoke(&key.key.id, None, &me()).await.unwrap();
    assert_eq!(code(&keyward, &key.secret).await, "revoked");
}

#[rstest]
#[tokio::test]
async fn a_change_of_the_key_gives_no_new_allowance(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    limit(&keyward, Some(1)).await;
    let key = issue(&keyward).await;
    assert_eq!(wait(&keyward, &key).await, None);
    keyward.disable(&key.key.id, &me()).await.unwrap();
    keyward.enable(&key.key.id, &me()).await.unwrap();
    assert!(wait(&keyward, &key).await.is_some());
}

#[rstest]
#[tokio::test]
async fn a_new_limit_holds_at_once_for_keys_that_exist(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let key = issue(&keyward).await;
    for _ in 0..10 {
        assert_eq!(wait(&keyward, &key).await, None);
    }
    limit(&keyward, Some(1)).await;
    assert_eq!(wait(&keyward, &key).await, None);
    assert!(wait(&keyward, &key).await.is_some());
    limit(&keyward, None).await;
    assert_eq!(wait(&keyward, &key).await, None);
}
