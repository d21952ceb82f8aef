//! The one account of an owner that its keys get where none is named.

use std::sync::Arc;

use keyward::store::{AccountQuery, AuditQuery};
use keyward::{
    AccountRule, Action, AuditFilter, Error, Format, Issued, KeyspaceId, Keyward, NewKey,
    NewKeyspace, Prefixed, Refusal, ServiceAccount,
};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, ProbedStore, World, code, create_keyspace, me, owner, reader};

/// A keyspace whose keys belong to their owner's primary account.
async fn keyspace(keyward: &Keyward) -> KeyspaceId {
    let format = Format::Prefixed(Prefixed::new("pr".parse().unwrap()));
    let new = NewKeyspace {
        service_account: AccountRule::Primary,
        ..NewKeyspace::new("primary".parse().unwrap(), format)
    };
    create_keyspace(keyward, new).await.id
}

fn key() -> NewKey {
    NewKey { keyspace: "primary".parse().unwrap(), ..reader() }
}

async fn accounts(keyward: &Keyward) -> Vec<ServiceAccount> {
    keyward.accounts(&AccountQuery::new(100)).await.unwrap().accounts
}

/// How many accounts were created by what the audit trail says.
async fn told(keyward: &Keyward) -> usize {
    let action = Some(Action::ServiceAccountCreated);
    let filter = AuditFilter { action, ..AuditFilter::default() };
    keyward.audit(&AuditQuery { filter, limit: 100, after: None }).await.unwrap().events.len()
}

#[rstest]
#[tokio::test]
async fn first_keys_from_two_instances_at_once_make_one_account(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let second = Arc::new(ProbedStore::new(world.second_store()));
    let a = world.start().await;
    keyspace(&a).await;
    let b = world.builder_on(Arc::<ProbedStore>::clone(&second)).build().await.unwrap();
    let gates = [world.store.hold(Call::Apply), second.hold(Call::Apply)];
    let issuing: Vec<_> = (0..12)
        .map(|n| {
            let keyward = if n % 2 == 0 { a.clone() } else { b.clone() };
            tokio::spawn(async move { keyward.issue(key(), &me()).await.unwrap() })
        })
        .collect();
    // Each of them has seen that there is no account.
    for gate in gates {
        gate.arrivals(6).await;
        gate.open();
    }
    let mut keys: Vec<Issued> = Vec::new();
    for issue in issuing {
        keys.push(issue.await.unwrap());
    }
    let [primary] = accounts(&a).await.try_into().unwrap();
    assert!(primary.is_primary);
    assert_eq!(told(&a).await, 1);
    let created: Vec<_> = keys.iter().filter_map(|key| key.account.as_ref()).collect();
    let [created] = created.as_slice() else { panic!("{} have a client secret", created.len()) };
    assert_eq!(created.account.id, primary.id);
    for key in &keys {
        assert_eq!(key.key.service_account, Some(primary.id));
        assert_eq!(code(&a, &key.secret).await, "allowed");
        assert_eq!(code(&b, &key.secret).await, "allowed");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_first_keys_on_two_threads_make_one_account(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let a = world.start().await;
    keyspace(&a).await;
    let b = world.builder_on(world.second_store()).build().await.unwrap();
    let issuing: Vec<_> = (0..12)
        .map(|n| {
            let keyward = if n % 2 == 0 { a.clone() } else { b.clone() };
            tokio::spawn(async move { keyward.issue(key(), &me()).await.unwrap() })
        })
        .collect();
    for issue in issuing {
        issue.await.unwrap();
    }
    assert_eq!(accounts(&a).await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_failed_first_key_leaves_no_account_behind(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    keyspace(&keyward).await;
    world.store.fail_after(Call::Apply, Some(0));
    assert!(matches!(keyward.issue(key(), &me()).await, Err(Error::Store(_))));
    world.store.fail_after(Call::Apply, None);
    assert_eq!((accounts(&keyward).await.len(), told(&keyward).await), (0, 0));
    assert!(keyward.issue(key(), &me()).await.unwrap().account.is_some());
}

#[rstest]
#[tokio::test]
async fn each_owner_has_a_primary_account_of_its_own(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    keyspace(&keyward).await;
    let mut ids = Vec::new();
    // A name is not a pattern, and not another name in another case.
    for name in ["a", "A", "%", "_", "a' OR '1'='1"] {
        let new = NewKey { owner: owner(name), ..key() };
        for is_first in [true, false] {
            let issued = keyward.issue(new.clone(), &me()).await.unwrap();
            assert_eq!(issued.account.is_some(), is_first, "{name}");
            ids.extend(issued.account.map(|created| created.account.id));
            assert_eq!(issued.key.service_account, ids.last().copied(), "{name}");
        }
    }
    assert_eq!(accounts(&keyward).await.len(), 5);
}

#[rstest]
#[tokio::test]
async fn a_disabled_primary_account_gets_no_key_and_no_second_account_takes_its_place(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    keyspace(&keyward).await;
    let primary = keyward.issue(key(), &me()).await.unwrap().account.unwrap().account;
    keyward.disable_account(&primary.id, &me()).await.unwrap();
    let refused = keyward.issue(key(), &me()).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::AccountDisabled)), "{refused:?}");
    assert_eq!(accounts(&keyward).await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_restored_account_steps_back_where_its_owner_has_another_primary_one(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    keyspace(&keyward).await;
    let first = keyward.issue(key(), &me()).await.unwrap();
    let old = first.account.unwrap().account.id;
    keyward.delete_account(&old, &me()).await.unwrap();
    let second = keyward.issue(key(), &me()).await.unwrap();
    let new = second.account.unwrap().account.id;
    assert_ne!(old, new);
    assert!(!keyward.restore_account(&old, &me()).await.unwrap().is_primary);
    let third = keyward.issue(key(), &me()).await.unwrap();
    assert!(third.account.is_none());
    assert_eq!(third.key.service_account, Some(new));
    for secret in [&first.secret, &second.secret, &third.secret] {
        assert_eq!(code(&keyward, secret).await, "allowed");
    }
}

#[rstest]
#[tokio::test]
async fn a_restored_account_is_primary_again_where_there_is_no_other(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    keyspace(&keyward).await;
    let id = keyward.issue(key(), &me()).await.unwrap().account.unwrap().account.id;
    keyward.delete_account(&id, &me()).await.unwrap();
    assert!(keyward.restore_account(&id, &me()).await.unwrap().is_primary);
    let next = keyward.issue(key(), &me()).await.unwrap();
    assert_eq!((next.key.service_account, next.account.is_none()), (Some(id), true));
}

#[rstest]
#[tokio::test]
async fn an_account_that_is_restored_while_its_owner_gets_another_steps_back(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    keyspace(&keyward).await;
    let other = world.builder_on(world.second_store()).build().await.unwrap();
    let old = keyward.issue(key(), &me()).await.unwrap().account.unwrap().account.id;
    keyward.delete_account(&old, &me()).await.unwrap();
    let gate = world.store.hold(Call::Apply);
    let restoring = {
        let keyward = keyward.clone();
        tokio::spawn(async move { keyward.restore_account(&old, &me()).await.unwrap() })
    };
    gate.arrivals(1).await;
    let new = other.issue(key(), &me()).await.unwrap().account.unwrap().account.id;
    gate.open();
    assert!(!restoring.await.unwrap().is_primary);
    let primary: Vec<_> = accounts(&keyward).await.into_iter().filter(|a| a.is_primary).collect();
    assert_eq!(primary.iter().map(|account| account.id).collect::<Vec<_>>(), [new]);
}
