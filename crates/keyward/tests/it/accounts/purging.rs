//! Purging an account while others act on it and on its keys.

use keyward::store::{KeyQuery, KeyStates};
use keyward::{ClientId, Error, Keyward, Refusal};
use rstest::rstest;
use tokio::task::JoinHandle;

use super::{Held, another_key, keys_of};
use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, me};

async fn pair(world: &World) -> [Keyward; 2] {
    let a = world.start().await;
    let b = world.builder_on(world.second_store()).build().await.unwrap();
    [a, b]
}

fn purge(keyward: &Keyward, id: &ClientId) -> JoinHandle<Result<usize, Error>> {
    let (keyward, id) = (keyward.clone(), *id);
    tokio::spawn(async move { keyward.purge_account(&id, &me()).await })
}

/// How many keys the account has, deleted ones included.
async fn keys_left(keyward: &Keyward, id: &ClientId) -> usize {
    let query = KeyQuery {
        service_account: Some(*id),
        states: KeyStates::ALL,
        ..KeyQuery::new(keyward.now(), 1_000)
    };
    keyward.list(&query).await.unwrap().keys.len()
}

#[rstest]
#[tokio::test]
async fn an_account_is_purged_with_all_of_its_keys_and_no_others(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let (held, other) = (Held::new(&keyward).await, Held::new(&keyward).await);
    keys_of(&keyward, held.id(), 450).await;
    keyward.delete(&held.key.key.id, &me()).await.unwrap();
    let refused = keyward.purge_account(held.id(), &me()).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::NotDeleted)), "{refused:?}");
    keyward.delete_account(held.id(), &me()).await.unwrap();
    let before = world.store.count(Call::Apply);
    assert_eq!(keyward.purge_account(held.id(), &me()).await.unwrap(), 451);
    assert_eq!(world.store.count(Call::Apply) - before, 4, "200, 200, 51, and the account");
    assert_eq!(keys_left(&keyward, held.id()).await, 0);
    assert!(keyward.account(held.id()).await.unwrap().is_none());
    assert!(matches!(keyward.purge_account(held.id(), &me()).await, Err(Error::NotFound(_))));
    assert_eq!(other.code(&keyward).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn an_account_that_is_restored_while_it_is_purged_keeps_its_keys(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let [keyward, other] = pair(&world).await;
    let held = Held::new(&keyward).await;
    keyward.delete_account(held.id(), &me()).await.unwrap();
    let gate = world.store.hold(Call::Apply);
    let purging = purge(&keyward, held.id());
    gate.arrivals(1).await;
    other.restore_account(held.id(), &me()).await.unwrap();
    gate.open();
    let refused = purging.await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::NotDeleted)), "{refused:?}");
    assert_eq!(keys_left(&keyward, held.id()).await, 1);
    assert_eq!(held.code(&keyward).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn an_account_that_is_restored_between_two_batches_keeps_the_keys_that_it_still_has(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let [keyward, other] = pair(&world).await;
    let held = Held::new(&keyward).await;
    keys_of(&keyward, held.id(), 299).await;
    keyward.delete_account(held.id(), &me()).await.unwrap();
    let gate = world.store.hold(Call::Apply);
    let purging = purge(&keyward, held.id());
    gate.arrivals(1).await;
    gate.let_one_pass();
    gate.arrivals(1).await;
    other.restore_account(held.id(), &me()).await.unwrap();
    gate.open();
    let refused = purging.await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::NotDeleted)), "{refused:?}");
    assert_eq!(keys_left(&keyward, held.id()).await, 100);
    let key = another_key(&keyward, held.id()).await;
    assert_eq!(code(&keyward, &key.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn a_key_is_not_purged_because_of_its_account_once_that_is_restored(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let [keyward, other] = pair(&world).await;
    let held = Held::new(&keyward).await;
    keyward.delete_account(held.id(), &me()).await.unwrap();
    let gate = world.store.hold(Call::Apply);
    let purging = {
        let (keyward, id) = (keyward.clone(), held.key.key.id.clone());
        tokio::spawn(async move { keyward.purge(&id, &me()).await })
    };
    gate.arrivals(1).await;
    other.restore_account(held.id(), &me()).await.unwrap();
    gate.open();
    let refused = purging.await.unwrap().unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::NotDeleted)), "{refused:?}");
    assert_eq!(held.code(&keyward).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn a_key_of_a_deleted_account_is_purged_by_itself_if_that_is_asked(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let held = Held::new(&keyward).await;
    keyward.delete_account(held.id(), &me()).await.unwrap();
    keyward.purge(&held.key.key.id, &me()).await.unwrap();
    assert_eq!(keys_left(&keyward, held.id()).await, 0);
    keyward.restore_account(held.id(), &me()).await.unwrap();
    assert_eq!(held.code(&keyward).await, "unknown");
}

#[rstest]
#[tokio::test]
async fn a_key_that_was_being_issued_when_its_account_was_deleted_goes_with_it(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let [keyward, other] = pair(&world).await;
    let held = Held::new(&keyward).await;
    let gate = world.store.hold(Call::Apply);
    let issuing = {
        let (keyward, id) = (keyward.clone(), *held.id());
        tokio::spawn(async move { another_key(&keyward, &id).await })
    };
    gate.arrivals(1).await;
    other.delete_account(held.id(), &me()).await.unwrap();
    other.purge(&held.key.key.id, &me()).await.unwrap();
    // It has seen no keys, and waits to remove the account.
    let purging = purge(&keyward, held.id());
    gate.arrivals(1).await;
    gate.let_one_pass();
    let late = issuing.await.unwrap();
    assert_eq!(code(&keyward, &late.secret).await, "unknown");
    gate.open();
    assert_eq!(purging.await.unwrap().unwrap(), 1);
    assert_eq!(keys_left(&keyward, held.id()).await, 0);
    assert!(keyward.account(held.id()).await.unwrap().is_none());
}

#[rstest]
#[tokio::test]
async fn a_key_that_is_being_issued_when_its_account_is_purged_is_refused(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let [keyward, other] = pair(&world).await;
    let held = Held::new(&keyward).await;
    let gate = world.store.hold(Call::Apply);
    let issuing = {
        let (keyward, id) = (keyward.clone(), *held.id());
        let new = keyward::NewKey { service_account: Some(id), ..crate::support::reader() };
        tokio::spawn(async move { keyward.issue(new, &me()).await })
    };
    gate.arrivals(1).await;
    other.delete_account(held.id(), &me()).await.unwrap();
    other.purge_account(held.id(), &me()).await.unwrap();
    gate.open();
    let refused = issuing.await.unwrap().unwrap_err();
    assert_eq!(refused.field().unwrap().field, "service_account_id");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_purge_at_once_each_key_goes_once(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    let held = Held::new(&a).await;
    keys_of(&a, held.id(), 500).await;
    a.delete_account(held.id(), &me()).await.unwrap();
    let mut purged = 0;
    for purging in [purge(&a, held.id()), purge(&b, held.id())] {
        match purging.await.unwrap() {
            Ok(keys) => purged += keys,
            // The other one was faster, or was so all the time.
            Err(Error::NotFound(_) | Error::Refused(Refusal::Outdated)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(purged <= 501, "{purged}");
    assert!(a.account(held.id()).await.unwrap().is_none());
    assert_eq!(keys_left(&a, held.id()).await, 0);
}

#[rstest]
#[tokio::test]
async fn a_store_that_fails_in_between_leaves_an_account_that_can_be_purged_later(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let held = Held::new(&keyward).await;
    keys_of(&keyward, held.id(), 299).await;
    keyward.delete_account(held.id(), &me()).await.unwrap();
    world.store.fail_after(Call::Apply, Some(1));
    assert!(matches!(keyward.purge_account(held.id(), &me()).await, Err(Error::Store(_))));
    world.store.fail_after(Call::Apply, None);
    assert_eq!(keys_left(&keyward, held.id()).await, 100);
    assert_eq!(keyward.purge_account(held.id(), &me()).await.unwrap(), 100);
}
