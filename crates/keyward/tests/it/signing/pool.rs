//! The pool of RSA pairs.

use std::collections::HashSet;
use std::time::Duration;

use keyward::jose::PairKind;
use keyward::{Error, KeyspaceId, Keyward, NewKeyspace, SigningSettings};

use super::{format, new_key, settings};
use crate::support::{Backend, World, create_keyspace, me};

async fn rsa_keyspace(keyward: &Keyward) -> KeyspaceId {
    let new = NewKeyspace::new("rsa".parse().unwrap(), format(PairKind::Rsa2048, None));
    create_keyspace(keyward, new).await.id
}

#[tokio::test]
async fn every_key_gets_a_pair_of_its_own_and_waits_its_turn() {
    let world = World::new(Backend::Memory);
    let keyward = world.builder().signing(settings()).build().await.unwrap();
    let new = new_key(&rsa_keyspace(&keyward).await);
    let issued = keyward.issue_many(vec![new; 4], &me()).await;
    let moduli: HashSet<_> = issued
        .iter()
        .map(|issued| {
            let key = &issued.as_ref().unwrap().key;
            key.secret.signature().unwrap().public_key.to_jwk("")
        })
        .collect();
    assert_eq!(moduli.len(), 4);
    let status = keyward.pool_status();
    assert!(status.made >= 4, "{status:?}");
    assert!(
        status.waited >= 2,
        "one pair is ready at most, and one may be made meanwhile: {status:?}"
    );
    assert_eq!(status.waiting, 0);
}

#[tokio::test]
async fn pairs_are_made_ahead_up_to_a_bound() {
    let world = World::new(Backend::Memory);
    let settings = SigningSettings { ready_pairs: 2, ..settings() };
    let keyward = world.builder().signing(settings).build().await.unwrap();
    assert_eq!(keyward.pool_status().made, 0, "no keyspace needs any");
    rsa_keyspace(&keyward).await;
    while keyward.pool_status().ready < 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(keyward.pool_status().made, 2);
}

#[tokio::test]
async fn without_a_stock_pairs_are_made_when_they_are_asked_for() {
    let world = World::new(Backend::Memory);
    let settings = SigningSettings { ready_pairs: 0, ..settings() };
    let keyward = world.builder().signing(settings).build().await.unwrap();
    let new = new_key(&rsa_keyspace(&keyward).await);
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(keyward.pool_status().made, 0);
    for made in 1..=3 {
        keyward.issue(new.clone(), &me()).await.unwrap();
        assert_eq!((keyward.pool_status().made, keyward.pool_status().ready), (made, 0));
    }
}

#[tokio::test]
async fn only_so_many_wait() {
    let world = World::new(Backend::Memory);
    let settings = SigningSettings { most_waiting: 3, ..settings() };
    let keyward = world.builder().signing(settings).build().await.unwrap();
    let new = new_key(&rsa_keyspace(&keyward).await);
    let issued = keyward.issue_many(vec![new.clone(); 20], &me()).await;
    let refused = issued.iter().filter(|issued| matches!(issued, Err(Error::Busy))).count();
    let done = issued.iter().filter(|issued| issued.is_ok()).count();
    assert_eq!(refused + done, 20);
    assert!((3..=5).contains(&done), "those that wait, and one or two that found a pair: {done}");
    keyward.issue(new, &me()).await.unwrap();
}

#[tokio::test]
async fn who_goes_away_while_waiting_leaves_its_turn_to_others() {
    let world = World::new(Backend::Memory);
    let keyward = world.builder().signing(settings()).build().await.unwrap();
    let new = new_key(&rsa_keyspace(&keyward).await);
    let context = me();
    for _ in 0..10 {
        let asked = keyward.issue(new.clone(), &context);
        // Given up at once, unless there is an answer at once.
        drop(tokio::time::timeout(Duration::ZERO, asked).await);
    }
    assert_eq!(keyward.pool_status().waiting, 0);
    keyward.issue(new, &context).await.unwrap();
}
