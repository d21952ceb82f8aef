//! For how long what is known of accounts counts.

use std::time::Duration;

use keyward::{Asked, ClientCredentials, Keyward, VerifyOptions};
use rstest::rstest;

use super::Held;
use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, me};

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

/// Whether the store's failure is told, and no decision.
async fn fails(keyward: &Keyward, held: &Held) -> bool {
    let alone = keyward.verify(held.key.secret.expose(), &Asked::default()).await;
    let id = held.id().to_string();
    let client = Some(ClientCredentials { id: &id, secret: held.account.client_secret.expose() });
    let options = VerifyOptions { client, ..VerifyOptions::default() };
    let key = held.key.secret.expose();
    let together = keyward.verify_with(key, &Asked::default(), &options).await;
    alone.is_err() && together.is_err()
}

#[rstest]
#[tokio::test]
async fn without_news_the_account_is_read_for_every_verification_until_it_has_caught_up(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.builder().max_staleness(SECOND).build().await.unwrap();
    let held = Held::new(&keyward).await;
    keyward.catch_up().await.unwrap();
    let reads_of_three = async || {
        let before = world.store.count(Call::Account);
        for _ in 0..3 {
            assert_eq!(held.code(&keyward).await, "allowed");
        }
        world.store.count(Call::Account) - before
    };
    assert_eq!(reads_of_three().await, 1);
    world.clock.advance(SECOND);
    assert_eq!(reads_of_three().await, 0);
    world.clock.advance(NANOSECOND);
    // For the client secret, and for the state of the key's account.
    assert_eq!(reads_of_three().await, 6);
    keyward.catch_up().await.unwrap();
    assert_eq!(reads_of_three().await, 0);
}

#[rstest]
#[tokio::test]
async fn without_news_and_without_the_store_there_is_no_decision(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let held = Held::new(&keyward).await;
    assert_eq!(held.code(&keyward).await, "allowed");
    world.store.set_down(true);
    world.clock.advance(SECOND);
    assert_eq!(held.code(&keyward).await, "allowed", "the cache still counts");
    world.clock.advance(NANOSECOND);
    keyward.catch_up().await.unwrap_err();
    assert!(fails(&keyward, &held).await);
    world.store.set_down(false);
    assert_eq!(held.code(&keyward).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn an_account_that_cannot_be_read_is_neither_active_nor_gone(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let held = Held::new(&keyward).await;
    world.store.fail_after(Call::Account, Some(0));
    assert!(fails(&keyward, &held).await);
    world.store.fail_after(Call::Account, None);
    assert_eq!(held.code(&keyward).await, "allowed", "the failure is not remembered");
}

#[rstest]
#[tokio::test]
async fn with_no_staleness_allowed_every_verification_reads_the_account(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.builder().max_staleness(Duration::ZERO).build().await.unwrap();
    let other = world.builder_on(world.second_store()).build().await.unwrap();
    let held = Held::new(&keyward).await;
    let before = world.store.count(Call::Account);
    for reads in 1..=3 {
        keyward.catch_up().await.unwrap();
        assert_eq!(held.code(&keyward).await, "allowed");
        assert_eq!(world.store.count(Call::Account) - before, 2 * reads);
    }
    other.disable_account(held.id(), &me()).await.unwrap();
    assert_eq!(held.code(&keyward).await, "disabled", "at once");
    world.store.set_down(true);
    assert!(fails(&keyward, &held).await);
}
