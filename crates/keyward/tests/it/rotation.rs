//! New secrets for keys: one winner, and a time in which both secrets work.

use std::sync::Arc;
use std::time::Duration;

use keyward::{
    Error, FormatKind, KeyId, Keyward, Refusal, Rotated, Rotation, RotationMode, SecretUsed,
};
use keyward_testkit::TickingClock;
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, issue, issue_as, me, seconds, secret_used};

use FormatKind::{Opaque, Prefixed, Signed};
use RotationMode::{SameId, Successor};

fn with_grace(grace: u64) -> Rotation {
    Rotation { grace: Some(seconds(grace)), ..Rotation::default() }
}

/// Starts to rotate a key five times at once, and lets those go on that read it when all have begun.
async fn rotate_five_times(
    world: &World,
    keyward: &Keyward,
    id: &KeyId,
    mode: RotationMode,
) -> Vec<Result<Rotated, Error>> {
    let gate = world.store.hold(Call::Key);
    let rotations: Vec<_> = (0..5)
        .map(|_| {
            let (keyward, id) = (keyward.clone(), id.clone());
            let rotation = Rotation { mode: Some(mode), ..Rotation::default() };
            tokio::spawn(async move { keyward.rotate(&id, rotation, &me()).await })
        })
        .collect();
    // Each is at the gate, or has been refused.
    while gate.arrived() + rotations.iter().filter(|r| r.is_finished()).count() < 5 {
        tokio::task::yield_now().await;
    }
    world.store.hold_no_more(Call::Key);
    gate.open();
    let mut outcomes = Vec::new();
    for rotation in rotations {
        outcomes.push(rotation.await.unwrap());
    }
    outcomes
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_five_concurrent_rotations_one_wins_and_its_secret_works(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
    #[values(SameId, Successor)] mode: RotationMode,
) {
    let world = World::new(backend);
    let keyward = world.builder().clock(Arc::<TickingClock>::default()).build().await.unwrap();
    for round in 0..50 {
        let issued = issue_as(&keyward, format).await;
        assert_eq!(code(&keyward, &issued.secret).await, "allowed");
        let outcomes = rotate_five_times(&world, &keyward, &issued.key.id, mode).await;
        let mut winners = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok(rotated) => winners.push(rotated),
                Err(Error::Refused(
                    Refusal::AlreadySucceeded | Refusal::Outdated | Refusal::Revoked,
                )) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        let [winner] = &winners[..] else { panic!("{} won round {round}", winners.len()) };
        assert_eq!(code(&keyward, &winner.secret).await, "allowed");
        assert_ne!(code(&keyward, &issued.secret).await, "allowed");
    }
}

#[rstest]
#[tokio::test]
async fn a_rotation_that_was_asked_for_before_another_was_done_is_outdated(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let (keyward, other) =
        (world.start().await, world.builder_on(world.second_store()).build().await.unwrap());
    let id = issue(&keyward).await.key.id;
    let gate = world.store.hold(Call::Key);
    let slow = {
        let (keyward, id) = (keyward.clone(), id.clone());
        tokio::spawn(async move { keyward.rotate(&id, Rotation::default(), &me()).await })
    };
    gate.arrivals(1).await;
    world.store.hold_no_more(Call::Key);
    world.clock.advance(Duration::from_micros(1));
    let winner = other.rotate(&id, Rotation::default(), &me()).await.unwrap();
    gate.open();
    let refused = slow.await.unwrap();
    assert!(matches!(refused, Err(Error::Refused(Refusal::Outdated))), "{refused:?}");
    assert_eq!(code(&keyward, &winner.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn both_secrets_work_until_the_grace_ends_and_are_counted_apart(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let id = &issued.key.id;
    assert_eq!(secret_used(&keyward, &issued.secret).await, Some(SecretUsed::Current));
    let rotated = keyward.rotate(id, with_grace(10), &me()).await.unwrap();
    assert_eq!(rotated.key, rotated.previous);
    world.clock.advance(Duration::from_secs(10) - Duration::from_micros(1));
    for _ in 0..3 {
        assert_eq!(secret_used(&keyward, &issued.secret).await, Some(SecretUsed::Previous));
    }
    assert_eq!(secret_used(&keyward, &rotated.secret).await, Some(SecretUsed::Current));
    world.clock.advance(Duration::from_micros(1));
    assert_eq!(code(&keyward, &issued.secret).await, "unknown");
    assert_eq!(secret_used(&keyward, &rotated.secret).await, Some(SecretUsed::Current));
    let usage = keyward.key(id).await.unwrap().unwrap().usage;
    assert_eq!((usage.uses, usage.previous_uses), (6, 3));
}

#[rstest]
#[tokio::test]
async fn a_second_rotation_ends_the_grace_of_the_first(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let first = issue_as(&keyward, format).await;
    let id = &first.key.id;
    let second = keyward.rotate(id, with_grace(60), &me()).await.unwrap();
    assert_eq!(code(&keyward, &first.secret).await, "allowed");
    let third = keyward.rotate(id, with_grace(60), &me()).await.unwrap();
    assert_eq!(code(&keyward, &first.secret).await, "unknown");
    assert_eq!(secret_used(&keyward, &second.secret).await, Some(SecretUsed::Previous));
    assert_eq!(secret_used(&keyward, &third.secret).await, Some(SecretUsed::Current));
    keyward.revoke(id, None, &me()).await.unwrap();
    assert_eq!(code(&keyward, &second.secret).await, "revoked");
    assert_eq!(code(&keyward, &third.secret).await, "revoked");
}

#[rstest]
#[tokio::test]
async fn a_succeeded_key_works_until_its_grace_ends(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let rotation = Rotation { mode: Some(Successor), ..with_grace(10) };
    let rotated = keyward.rotate(&issued.key.id, rotation.clone(), &me()).await.unwrap();
    assert_eq!(rotated.previous.id, issued.key.id);
    assert_eq!(rotated.previous.rotated_to.as_ref(), Some(&rotated.key.id));
    assert_eq!(rotated.key.rotated_from.as_ref(), Some(&issued.key.id));
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    assert_eq!(code(&keyward, &rotated.secret).await, "allowed");
    let again = keyward.rotate(&issued.key.id, rotation, &me()).await;
    assert!(matches!(again, Err(Error::Refused(Refusal::AlreadySucceeded))), "{again:?}");
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(code(&keyward, &issued.secret).await, "revoked");
    assert_eq!(code(&keyward, &rotated.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn a_key_can_be_rotated_after_the_clock_was_set_back(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let id = issue(&keyward).await.key.id;
    world.clock.advance(Duration::from_secs(100));
    let first = keyward.rotate(&id, with_grace(10), &me()).await.unwrap();
    world.clock.set_back(Duration::from_secs(50));
    let second = keyward.rotate(&id, with_grace(10), &me()).await.unwrap();
    assert_eq!(secret_used(&keyward, &second.secret).await, Some(SecretUsed::Current));
    assert_eq!(secret_used(&keyward, &first.secret).await, Some(SecretUsed::Previous));
}
