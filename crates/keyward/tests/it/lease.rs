//! How long the cache counts: while the feed was heard of within `max_staleness`.

use std::time::Duration;

use keyward::Asked;
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, issue};

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

#[rstest]
#[tokio::test]
async fn without_news_every_verification_reads_until_it_has_caught_up(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.builder().max_staleness(SECOND).build().await.unwrap();
    let issued = issue(&keyward).await;
    // The feed tells of the issue itself, too.
    keyward.catch_up().await.unwrap();
    let reads_of_three = async || {
        let before = world.store.count(Call::Find);
        for _ in 0..3 {
            assert_eq!(code(&keyward, &issued.secret).await, "allowed");
        }
        world.store.count(Call::Find) - before
    };
    assert_eq!(reads_of_three().await, 1);
    assert!(keyward.cache_status().is_confirmed);
    world.clock.advance(SECOND);
    assert_eq!(reads_of_three().await, 0);
    world.clock.advance(NANOSECOND);
    assert_eq!(reads_of_three().await, 3);
    let status = keyward.cache_status();
    assert_eq!((status.is_confirmed, status.reads, status.bypassed), (false, 1, 3));
    keyward.catch_up().await.unwrap();
    assert_eq!(reads_of_three().await, 0);
    let uses = keyward.key(&issued.key.id).await.unwrap().unwrap().usage.uses;
    assert_eq!(uses, 12);
}

#[rstest]
#[tokio::test]
async fn without_news_and_without_the_store_there_is_no_decision(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    world.store.set_down(true);
    world.clock.advance(SECOND);
    assert_eq!(code(&keyward, &issued.secret).await, "allowed", "the cache still counts");
    world.clock.advance(NANOSECOND);
    keyward.catch_up().await.unwrap_err();
    keyward.verify(issued.secret.expose(), &Asked::default()).await.unwrap_err();
    world.store.set_down(false);
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn a_civil_clock_that_is_set_back_stretches_no_lease(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    world.clock.advance(SECOND + NANOSECOND);
    world.clock.set_back(SECOND * 60);
    world.store.set_down(true);
    keyward.verify(issued.secret.expose(), &Asked::default()).await.unwrap_err();
}

#[rstest]
#[tokio::test]
async fn with_no_staleness_allowed_every_verification_reads(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.builder().max_staleness(Duration::ZERO).build().await.unwrap();
    let issued = issue(&keyward).await;
    for reads in 1..=5 {
        keyward.catch_up().await.unwrap();
        assert_eq!(code(&keyward, &issued.secret).await, "allowed");
        assert_eq!(world.store.count(Call::Find), reads);
    }
    world.store.set_down(true);
    keyward.verify(issued.secret.expose(), &Asked::default()).await.unwrap_err();
}
