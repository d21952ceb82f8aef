//! When the store is read, and when it is not.

use std::sync::Arc;
use std::time::Duration;

use keyward::{Asked, FormatKind, KeyId, Prefixed, Secret};
use keyward_testkit::SeededEntropy;
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, issue, issue_as, me};

use FormatKind::{Opaque, Signed};

/// The text of a key that was never issued, as well made as any.
fn made_up(n: u64) -> Secret {
    let entropy = SeededEntropy::new(1_000_000 + n);
    let format = keyward::Format::Prefixed(Prefixed::new("kw".parse().unwrap()));
    format.mint(&entropy, &KeyId::generate(&entropy)).unwrap().secret
}

#[rstest]
#[tokio::test]
async fn a_key_is_read_once_and_again_when_it_was_changed(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(FormatKind::Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    for reads in 1..=3 {
        for _ in 0..10 {
            assert_eq!(code(&keyward, &issued.secret).await, "allowed");
        }
        assert_eq!(world.store.count(Call::Find), reads);
        keyward.disable(&issued.key.id, &me()).await.unwrap();
        keyward.enable(&issued.key.id, &me()).await.unwrap();
    }
}

#[rstest]
#[tokio::test]
async fn usage_is_no_reason_to_read_again(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    keyward.catch_up().await.unwrap();
    for _ in 0..3 {
        assert_eq!(code(&keyward, &issued.secret).await, "allowed");
        keyward.flush_usage().await.unwrap();
        keyward.catch_up().await.unwrap();
    }
    assert_eq!(world.store.count(Call::Find), 1);
}

#[rstest]
#[tokio::test]
async fn garbage_is_refused_without_a_read(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let mut wrong_checksum = made_up(0).expose().to_owned();
    let last = if wrong_checksum.ends_with('1') { '2' } else { '1' };
    wrong_checksum.pop();
    wrong_checksum.push(last);
    let wrong_prefix = made_up(0).expose().replace("kw_", "kx_");
    let long = made_up(0).expose().repeat(20);
    for text in ["", "x", "kw_", "Bearer x", &wrong_checksum, &wrong_prefix, &long] {
        let decision = keyward.verify(text, &Asked::default()).await.unwrap();
        assert!(["missing", "malformed"].contains(&decision.code()), "{text}");
    }
    assert_eq!(world.store.count(Call::Find), 0);
}

#[rstest]
#[tokio::test]
async fn an_unknown_id_is_remembered_for_ten_seconds(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let stranger = made_up(0);
    for _ in 0..10 {
        assert_eq!(code(&keyward, &stranger).await, "unknown");
    }
    world.clock.advance(Duration::from_secs(10) - Duration::from_nanos(1));
    keyward.catch_up().await.unwrap();
    assert_eq!(code(&keyward, &stranger).await, "unknown");
    assert_eq!(world.store.count(Call::Find), 1);
    world.clock.advance(Duration::from_nanos(1));
    assert_eq!(code(&keyward, &stranger).await, "unknown");
    assert_eq!(world.store.count(Call::Find), 2);
}

#[rstest]
#[tokio::test]
async fn an_unknown_id_is_forgotten_when_its_key_is_issued(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    // The same chance in two worlds makes the same keys.
    let [world, twin] = [World::new(backend), World::new(backend)];
    let builder = |world: &World| world.builder().entropy(Arc::new(SeededEntropy::new(7)));
    let foreseen = issue(&builder(&twin).build().await.unwrap()).await;
    let keyward = builder(&world).build().await.unwrap();
    assert_eq!(code(&keyward, &foreseen.secret).await, "unknown");
    let issued = issue(&keyward).await;
    assert_eq!(issued.key.id, foreseen.key.id);
    assert_eq!(code(&keyward, &foreseen.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn made_up_ids_push_no_key_out(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.builder().cache_capacity(16).build().await.unwrap();
    let issued = issue(&keyward).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    for n in 0..1_000 {
        assert_eq!(code(&keyward, &made_up(n)).await, "unknown");
    }
    assert_eq!(world.store.count(Call::Find), 1_001);
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    assert_eq!(world.store.count(Call::Find), 1_001);
}

#[rstest]
#[tokio::test]
async fn more_keys_than_the_cache_holds_work_all_the_same(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.builder().cache_capacity(8).build().await.unwrap();
    let mut keys = Vec::new();
    for _ in 0..50 {
        keys.push(issue(&keyward).await);
    }
    for key in keys.iter().chain(&keys) {
        assert_eq!(code(&keyward, &key.secret).await, "allowed");
    }
    keyward.flush_usage().await.unwrap();
    for key in &keys {
        assert_eq!(keyward.key(&key.key.id).await.unwrap().unwrap().usage.uses, 2);
        keyward.revoke(&key.key.id, None, &me()).await.unwrap();
        assert_eq!(code(&keyward, &key.secret).await, "revoked");
    }
}

#[rstest]
#[tokio::test]
async fn a_failed_read_is_an_error_and_is_not_remembered(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let (issued, stranger) = (issue(&keyward).await, made_up(0));
    world.store.set_down(true);
    for secret in [&issued.secret, &stranger] {
        let outcome = keyward.verify(secret.expose(), &Asked::default()).await;
        assert!(outcome.unwrap_err().may_retry());
    }
    world.store.set_down(false);
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    assert_eq!(code(&keyward, &stranger).await, "unknown");
}
