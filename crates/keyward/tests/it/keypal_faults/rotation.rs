//! 4: a rotation is not atomic, and knows no grace.

use std::time::Duration;

use keyward::store::KeyQuery;
use keyward::{
    Error, FormatKind, KeyId, KeyState, Keyward, Refusal, Rotated, Rotation, RotationMode,
};
use rstest::rstest;
use tokio::task::yield_now;

use super::{all_records, another};
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{Call, World, code, issue_as, me, seconds};

use FormatKind::{Opaque, Prefixed};
use RotationMode::{SameId, Successor};

/// Who asks for five rotations at once.
#[derive(Clone, Copy, Debug)]
enum Callers {
    OfFiveInstances,
    OfOne,
}

fn rotation(mode: RotationMode) -> Rotation {
    Rotation { mode: Some(mode), ..Rotation::default() }
}

/// What the old secret of a key is worth when its time is over.
const fn over(mode: RotationMode) -> &'static str {
    match mode {
        SameId => "unknown",
        Successor => "revoked",
    }
}

/// Rotates a key on each instance at once: none writes before all have read, or were refused.
async fn rotate_at_once(
    world: &World,
    instances: &[Keyward],
    id: &KeyId,
    mode: RotationMode,
) -> Vec<Result<Rotated, Error>> {
    let gate = world.store.hold(Call::Apply);
    let rotate = |keyward: &Keyward| {
        let (keyward, id) = (keyward.clone(), id.clone());
        tokio::spawn(async move { keyward.rotate(&id, rotation(mode), &me()).await })
    };
    let rotations: Vec<_> = instances.iter().map(rotate).collect();
    while gate.arrived() + rotations.iter().filter(|r| r.is_finished()).count() < instances.len() {
        yield_now().await;
    }
    gate.open();
    let mut outcomes = Vec::new();
    for rotation in rotations {
        outcomes.push(rotation.await.unwrap());
    }
    outcomes
}

#[rstest]
#[tokio::test]
async fn fault_04_of_five_rotations_at_once_one_wins_and_one_secret_lives(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
    #[values(SameId, Successor)] mode: RotationMode,
    #[values(Callers::OfFiveInstances, Callers::OfOne)] callers: Callers,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let mut instances = Vec::new();
    for _ in 0..5 {
        instances.push(match callers {
            Callers::OfFiveInstances => world.start().await,
            Callers::OfOne => keyward.clone(),
        });
    }
    let outcomes = rotate_at_once(&world, &instances, &issued.key.id, mode).await;
    let mut winners = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(rotated) => winners.push(rotated),
            Err(Error::Refused(Refusal::Outdated)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    let [winner] = &winners[..] else { panic!("{} won", winners.len()) };
    let fresh = another(&world).await;
    assert_eq!(code(&fresh, &winner.secret).await, "allowed");
    assert_eq!(code(&fresh, &issued.secret).await, over(mode));
    let query = KeyQuery { states: KeyState::Active.into(), ..KeyQuery::new(fresh.now(), 10) };
    let active = fresh.list(&query).await.unwrap().keys;
    let active: Vec<_> = active.into_iter().map(|key| key.record).collect();
    assert_eq!(active, std::slice::from_ref(&winner.key));
}

#[rstest]
#[tokio::test]
async fn fault_04_a_rotation_that_fails_leaves_the_key_as_it_was_and_no_second_one(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
    #[values(SameId, Successor)] mode: RotationMode,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    world.store.fail_after(Call::Apply, Some(0));
    let failed = keyward.rotate(&issued.key.id, rotation(mode), &me()).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    world.store.fail_after(Call::Apply, None);
    let fresh = another(&world).await;
    assert_eq!(all_records(&fresh).await, std::slice::from_ref(&issued.key));
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    assert_eq!(code(&fresh, &issued.secret).await, "allowed");
    let rotated = keyward.rotate(&issued.key.id, rotation(mode), &me()).await.unwrap();
    assert_eq!(code(&keyward, &rotated.secret).await, "allowed");
    assert_eq!(code(&keyward, &issued.secret).await, over(mode));
}

#[rstest]
#[tokio::test]
async fn fault_04_both_secrets_work_while_the_grace_lasts_and_one_after_it(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
    #[values(SameId, Successor)] mode: RotationMode,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let with_grace = Rotation { grace: Some(seconds(60)), ..rotation(mode) };
    let rotated = keyward.rotate(&issued.key.id, with_grace, &me()).await.unwrap();
    let told =
        async || [code(&keyward, &issued.secret).await, code(&keyward, &rotated.secret).await];
    assert_eq!(told().await, ["allowed", "allowed"]);
    world.clock.advance(Duration::from_mins(1) - Duration::from_micros(1));
    assert_eq!(told().await, ["allowed", "allowed"]);
    world.clock.advance(Duration::from_micros(1));
    assert_eq!(told().await, [over(mode), "allowed"]);
}

#[rstest]
#[tokio::test]
async fn fault_04_without_a_grace_the_old_secret_is_over_at_once(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
    #[values(SameId, Successor)] mode: RotationMode,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    keyward.rotate(&issued.key.id, rotation(mode), &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, over(mode));
}

#[rstest]
#[tokio::test]
async fn fault_04_rotating_a_disabled_key_switches_nothing_on(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
    #[values(SameId, Successor)] mode: RotationMode,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let id = issue_as(&keyward, format).await.key.id;
    keyward.disable(&id, &me()).await.unwrap();
    let rotated = keyward.rotate(&id, rotation(mode), &me()).await.unwrap();
    assert_eq!(code(&keyward, &rotated.secret).await, "disabled");
    let from = match mode {
        SameId => None,
        Successor => Some(id),
    };
    assert_eq!(rotated.key.rotated_from, from);
}
