//! Removing the keys and the accounts that were deleted long enough ago.

use std::time::Duration;

use keyward::store::AuditQuery;
use keyward::{
    Action, AuditFilter, ClientId, EndedBy, Expiry, KeyId, Keyward, Lifetime, NewKey, Reaped,
};
use rstest::rstest;

use super::{Held, keys_of};
use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, issue, me, reader, seconds};

const MICROSECOND: Duration = Duration::from_micros(1);

/// How long after their deletion records are kept.
fn age() -> Lifetime {
    seconds(100)
}

/// An instance that reaps what was deleted when it is told to.
async fn reaper(world: &World) -> Keyward {
    world.builder().reap_deleted_after(Some(age())).build().await.unwrap()
}

async fn reap_due(keyward: &Keyward) -> (usize, usize) {
    let reaped = keyward.reap_due().await.unwrap();
    assert!(!reaped.has_more);
    (reaped.accounts, reaped.purged)
}

async fn exists(keyward: &Keyward, id: &KeyId) -> bool {
    keyward.key(id).await.unwrap().is_some()
}

async fn has_account(keyward: &Keyward, id: &ClientId) -> bool {
    keyward.account(id).await.unwrap().is_some()
}

async fn told(keyward: &Keyward, action: Action) -> usize {
    let filter = AuditFilter { action: Some(action), ..AuditFilter::default() };
    keyward.audit(&AuditQuery { filter, limit: 10_000, after: None }).await.unwrap().events.len()
}

#[rstest]
#[tokio::test]
async fn what_was_deleted_goes_when_that_is_as_long_ago_as_was_said(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = reaper(&world).await;
    let (held, living) = (Held::new(&keyward).await, Held::new(&keyward).await);
    let key = issue(&keyward).await;
    keyward.delete(&key.key.id, &me()).await.unwrap();
    keyward.delete_account(held.id(), &me()).await.unwrap();
    world.clock.advance(age().duration().saturating_sub(MICROSECOND));
    assert_eq!(reap_due(&keyward).await, (0, 0));
    assert!(exists(&keyward, &key.key.id).await && has_account(&keyward, held.id()).await);
    world.clock.advance(MICROSECOND);
    assert_eq!(reap_due(&keyward).await, (1, 2));
    assert!(!exists(&keyward, &key.key.id).await && !exists(&keyward, &held.key.key.id).await);
    assert!(!has_account(&keyward, held.id()).await);
    assert_eq!(told(&keyward, Action::KeyPurged).await, 2);
    assert_eq!(told(&keyward, Action::ServiceAccountPurged).await, 1);
    assert_eq!(reap_due(&keyward).await, (0, 0));
    keyward.catch_up().await.unwrap();
    assert_eq!(living.code(&keyward).await, "allowed");
    assert_eq!(held.code(&keyward).await, "unknown");
}

#[rstest]
#[tokio::test]
async fn what_was_deleted_stays_where_only_ends_are_reaped_and_the_other_way_round(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let held = Held::new(&keyward).await;
    let expiring = NewKey { expiry: Expiry::In(seconds(5)), ..reader() };
    let expired = keyward.issue(expiring, &me()).await.unwrap().key.id;
    let deleted = issue(&keyward).await.key.id;
    keyward.delete(&deleted, &me()).await.unwrap();
    keyward.delete_account(held.id(), &me()).await.unwrap();
    world.clock.advance(Duration::from_secs(5));
    let reap = async |by| keyward.reap(by, usize::MAX, &[], &me()).await.unwrap();
    let now = Some(keyward.now());
    let ended = reap(EndedBy { deleted: None, ended: now }).await;
    assert_eq!(ended, Reaped { accounts: 0, purged: 1, has_more: false });
    assert!(!exists(&keyward, &expired).await && exists(&keyward, &deleted).await);
    assert!(has_account(&keyward, held.id()).await);
    let gone = reap(EndedBy { deleted: now, ended: None }).await;
    assert_eq!(gone, Reaped { accounts: 1, purged: 2, has_more: false });
}

#[rstest]
#[tokio::test]
async fn a_record_that_was_restored_starts_its_time_anew(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = reaper(&world).await;
    let held = Held::new(&keyward).await;
    let key = issue(&keyward).await;
    for _ in 0..2 {
        keyward.delete_account(held.id(), &me()).await.unwrap();
        keyward.delete(&key.key.id, &me()).await.unwrap();
        world.clock.advance(age().duration() / 2);
        keyward.restore_account(held.id(), &me()).await.unwrap();
        keyward.restore(&key.key.id, &me()).await.unwrap();
    }
    world.clock.advance(age().duration());
    assert_eq!(reap_due(&keyward).await, (0, 0));
    keyward.catch_up().await.unwrap();
    assert_eq!(held.code(&keyward).await, "allowed");
    assert_eq!(code(&keyward, &key.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn an_account_that_is_restored_while_it_is_reaped_keeps_its_keys(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = reaper(&world).await;
    let other = world.builder_on(world.second_store()).build().await.unwrap();
    let held = Held::new(&keyward).await;
    keyward.delete_account(held.id(), &me()).await.unwrap();
    world.clock.advance(age().duration());
    let gate = world.store.hold(Call::Apply);
    let reaping = {
        let keyward = keyward.clone();
        tokio::spawn(async move { reap_due(&keyward).await })
    };
    gate.arrivals(1).await;
    other.restore_account(held.id(), &me()).await.unwrap();
    gate.open();
    assert_eq!(reaping.await.unwrap(), (0, 0));
    keyward.catch_up().await.unwrap();
    assert_eq!(held.code(&keyward).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn many_deleted_keys_and_accounts_go_in_batches(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let [full, empty, single] =
        [Held::new(&keyward).await, Held::new(&keyward).await, Held::new(&keyward).await];
    keys_of(&keyward, full.id(), 449).await;
    keyward.delete(&single.key.key.id, &me()).await.unwrap();
    for held in [&full, &empty, &single] {
        keyward.delete_account(held.id(), &me()).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    keyward
        .delete_account(&super::account_of(&keyward, "x").await.account.id, &me())
        .await
        .unwrap();
    let before = world.store.count(Call::Apply);
    let by = EndedBy { deleted: Some(keyward.now()), ended: None };
    let mut reaped = Vec::new();
    while reaped.last().is_none_or(|reaped: &Reaped| reaped.has_more) {
        reaped.push(keyward.reap(by, 300, &[], &me()).await.unwrap());
        assert!(reaped.last().unwrap().purged <= 300, "{reaped:?}");
    }
    let sum = |count: fn(&Reaped) -> usize| reaped.iter().map(count).sum::<usize>();
    assert_eq!((sum(|r| r.purged), sum(|r| r.accounts), reaped.len()), (452, 4, 2));
    let applied = world.store.count(Call::Apply) - before;
    assert!((8..=10).contains(&applied), "{applied}: never more than 200 keys in one");
    assert_eq!(told(&keyward, Action::KeyPurged).await, 452);
    assert_eq!(told(&keyward, Action::ServiceAccountPurged).await, 4);
}
