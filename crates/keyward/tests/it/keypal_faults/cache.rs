//! 5: the cache brings old states back, and its failures are answers. 6: it falls off a cliff when
//! it is full.

use std::time::Duration;

use keyward::store::StoreError;
use keyward::{Asked, Entropy, Expiry, FormatKind, Issued, Keyward, NewKey};
use keyward_testkit::SeededEntropy;
use rstest::rstest;

use super::{another, made_up};
use crate::revoke_all::issue_many;
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{Call, World, code, issue, issue_as, me, owner, reader, seconds};

use FormatKind::{Opaque, Prefixed, Signed};

/// Where a key is switched off, as seen from the instance that is looked at.
#[derive(Clone, Copy, Debug)]
enum Place {
    Elsewhere,
    Here,
}

#[rstest]
#[tokio::test]
async fn fault_05_a_disable_elsewhere_is_obeyed_once_it_was_heard_of(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let other = another(&world).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    other.disable(&issued.key.id, &me()).await.unwrap();
    keyward.catch_up().await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "disabled");
    other.enable(&issued.key.id, &me()).await.unwrap();
    keyward.catch_up().await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn fault_05_a_disable_elsewhere_is_obeyed_without_news_when_the_staleness_is_over(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let staleness = Duration::from_secs(3);
    let keyward = world.builder().max_staleness(staleness).build().await.unwrap();
    let issued = issue_as(&keyward, format).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    another(&world).await.disable(&issued.key.id, &me()).await.unwrap();
    world.clock.advance(staleness + Duration::from_nanos(1));
    assert_eq!(code(&keyward, &issued.secret).await, "disabled");
}

#[rstest]
#[tokio::test]
async fn fault_05_a_verification_that_races_a_disable_does_not_keep_the_old_state(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
    #[values(Place::Elsewhere, Place::Here)] place: Place,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let other = another(&world).await;
    let gate = world.store.hold(Call::Find);
    let slow = {
        let (keyward, secret) = (keyward.clone(), issued.secret.expose().to_owned());
        tokio::spawn(async move {
            keyward.verify(&secret, &Asked::default()).await.map(|decision| decision.code())
        })
    };
    // It has read the key as it was.
    gate.arrivals(1).await;
    world.store.hold_no_more(Call::Find);
    match place {
        Place::Elsewhere => {
            other.disable(&issued.key.id, &me()).await.unwrap();
            keyward.catch_up().await.unwrap();
        }
        Place::Here => drop(keyward.disable(&issued.key.id, &me()).await.unwrap()),
    }
    gate.open();
    assert_eq!(slow.await.unwrap().unwrap(), "allowed", "it asked before the key was disabled");
    for _ in 0..3 {
        assert_eq!(code(&keyward, &issued.secret).await, "disabled");
    }
}

#[rstest]
#[tokio::test]
async fn fault_05_a_store_that_fails_is_neither_a_yes_nor_a_no(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let (issued, stranger) = (issue_as(&keyward, format).await, made_up(format, 0));
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    world.store.set_down(true);
    world.clock.advance(Duration::from_secs(1) + Duration::from_nanos(1));
    for secret in [&issued.secret, &stranger] {
        let outcome = keyward.verify(secret.expose(), &Asked::default()).await;
        assert!(matches!(outcome, Err(StoreError::Unavailable { .. })), "{outcome:?}");
    }
    world.store.set_down(false);
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    assert_eq!(code(&keyward, &stranger).await, "unknown");
}

#[rstest]
#[tokio::test]
async fn fault_05_a_key_that_expires_in_the_cache_is_expired_without_the_store(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let new = NewKey { expiry: Expiry::In(seconds(1)), ..reader() };
    let secret = keyward.issue(new, &me()).await.unwrap().secret;
    assert_eq!(code(&keyward, &secret).await, "allowed");
    world.store.set_down(true);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(code(&keyward, &secret).await, "expired");
}

/// How many keys the caches have room for.
const CAPACITY: usize = 100;

async fn instance(world: &World, keys: usize) -> (Keyward, Vec<Issued>) {
    let keyward = world.builder().cache_capacity(CAPACITY).build().await.unwrap();
    let keys = issue_many(&keyward, &owner("customer-1"), keys).await;
    (keyward, keys)
}

/// How often the store is read while these keys are used one after the other.
async fn reads<'k>(
    world: &World,
    keyward: &Keyward,
    keys: impl IntoIterator<Item = &'k Issued>,
) -> usize {
    let before = world.store.count(Call::Find);
    for key in keys {
        assert_eq!(code(keyward, &key.secret).await, "allowed");
    }
    world.store.count(Call::Find) - before
}

#[rstest]
#[tokio::test]
async fn fault_06_one_key_more_than_the_cache_holds_is_no_cliff(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    const ROUNDS: usize = 20;
    let world = World::new(backend);
    let (keyward, keys) = instance(&world, CAPACITY + 1).await;
    let fitting = &keys[..CAPACITY];
    assert_eq!(reads(&world, &keyward, fitting).await, CAPACITY);
    for _ in 0..ROUNDS {
        assert_eq!(reads(&world, &keyward, fitting).await, 0);
    }
    // Whoever throws the oldest key out, or the one that was used longest ago, reads every time.
    let mut all = 0;
    for _ in 0..ROUNDS {
        all += reads(&world, &keyward, &keys).await;
    }
    let verifications = ROUNDS * keys.len();
    assert!((ROUNDS..verifications / 4).contains(&all), "{all} reads of {verifications}");
}

#[rstest]
#[tokio::test]
async fn fault_06_reads_grow_with_the_keys_that_do_not_fit(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(CAPACITY + 1, CAPACITY + CAPACITY / 2, CAPACITY * 2)] in_use: usize,
) {
    const VERIFICATIONS: usize = 4_000;
    let world = World::new(backend);
    let (keyward, keys) = instance(&world, in_use).await;
    assert_eq!(reads(&world, &keyward, &keys).await, in_use);
    let entropy = SeededEntropy::new(6);
    let drawn = (0..VERIFICATIONS).map(|_| {
        let mut bytes = [0; 2];
        entropy.fill(&mut bytes);
        &keys[usize::from(u16::from_le_bytes(bytes)) % in_use]
    });
    let read = reads(&world, &keyward, drawn).await;
    // The share of the keys that cannot be in the cache, and some more.
    let share = VERIFICATIONS * (in_use - CAPACITY) / in_use;
    let most = share + share / 2 + VERIFICATIONS / 30;
    assert!(read <= most, "{read} reads of {VERIFICATIONS}, and {most} would be fair");
}

#[rstest]
#[tokio::test]
async fn fault_06_a_cache_that_overflows_costs_no_more_reads_than_none(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let (keyward, keys) = instance(&world, CAPACITY * 2).await;
    for _ in 0..5 {
        assert!(reads(&world, &keyward, &keys).await <= keys.len());
    }
    let one = issue(&keyward).await;
    assert_eq!(reads(&world, &keyward, [&one, &one, &one]).await, 1);
}
