//! Two instances over the same data, each with a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use keyward::{Error, FormatKind, Keyward, NewKey, Rotation};
use keyward_testkit::SeededEntropy;
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, code, issue, issue_as, keyspace_of, me, reader, worth_of_old};

use FormatKind::{Opaque, Prefixed, Signed};

/// What one instance does to a key, and what the other says of its secret from then on.
#[derive(Clone, Copy, Debug)]
enum Act {
    Disable,
    Revoke,
    Rotate,
}

impl Act {
    async fn on(self, keyward: &Keyward, id: &keyward::KeyId) -> &'static str {
        match self {
            Self::Disable => keyward.disable(id, &me()).await.map(|_| "disabled"),
            Self::Revoke => keyward.revoke(id, None, &me()).await.map(|_| "revoked"),
            Self::Rotate => {
                let rotated = keyward.rotate(id, Rotation::default(), &me()).await;
                rotated.map(|rotated| worth_of_old(&rotated))
            }
        }
        .unwrap()
    }
}

async fn pair(world: &World) -> [Keyward; 2] {
    let a = world.start().await;
    let b = world.builder_on(world.second_store()).build().await.unwrap();
    [a, b]
}

#[rstest]
#[tokio::test]
async fn an_act_on_one_is_seen_by_the_other_once_it_has_caught_up(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
    #[values(Act::Disable, Act::Revoke, Act::Rotate)] act: Act,
) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    let issued = issue_as(&a, format).await;
    b.catch_up().await.unwrap();
    assert_eq!(code(&b, &issued.secret).await, "allowed");
    let refused = act.on(&a, &issued.key.id).await;
    assert_eq!(code(&a, &issued.secret).await, refused);
    assert_eq!(code(&b, &issued.secret).await, "allowed", "it is not a second yet");
    b.catch_up().await.unwrap();
    assert_eq!(code(&b, &issued.secret).await, refused);
}

#[rstest]
#[tokio::test]
async fn an_act_on_one_is_seen_by_the_other_when_its_lease_has_run_out(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
    #[values(Act::Disable, Act::Revoke, Act::Rotate)] act: Act,
) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    let issued = issue_as(&a, format).await;
    b.catch_up().await.unwrap();
    assert_eq!(code(&b, &issued.secret).await, "allowed");
    let refused = act.on(&a, &issued.key.id).await;
    world.clock.advance(Duration::from_secs(1) + Duration::from_nanos(1));
    assert_eq!(code(&b, &issued.secret).await, refused);
    b.catch_up().await.unwrap();
    assert_eq!(code(&b, &issued.secret).await, refused);
}

#[rstest]
#[tokio::test]
async fn a_keyspace_that_one_makes_is_known_to_the_other_once_it_has_caught_up(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    let keyspace = keyspace_of(&a, Opaque).await;
    let new = NewKey { keyspace, ..reader() };
    let issued = a.issue(new.clone(), &me()).await.unwrap();
    assert_eq!(code(&b, &issued.secret).await, "malformed");
    let error = b.issue(new.clone(), &me()).await.unwrap_err();
    assert_eq!(error.field().unwrap().field, "keyspace");
    b.catch_up().await.unwrap();
    assert_eq!(code(&b, &issued.secret).await, "allowed");
    let own = b.issue(new, &me()).await.unwrap();
    a.catch_up().await.unwrap();
    assert_eq!(code(&a, &own.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn a_key_that_was_unknown_before_its_issue_works_once_the_other_has_caught_up(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
) {
    // The same chance in two worlds makes the same keys.
    let [world, twin] = [World::new(backend), World::new(backend)];
    let start = async |world: &World| {
        let keyward = world.builder().entropy(Arc::new(SeededEntropy::new(7)));
        let keyward = keyward.build().await.unwrap();
        keyspace_of(&keyward, format).await;
        keyward
    };
    let foreseen = issue_as(&start(&twin).await, format).await;
    let a = start(&world).await;
    let b = world.builder_on(world.second_store()).build().await.unwrap();
    assert_eq!(code(&b, &foreseen.secret).await, "unknown");
    assert_eq!(issue_as(&a, format).await.key.id, foreseen.key.id);
    assert_eq!(code(&b, &foreseen.secret).await, "unknown", "it is remembered");
    b.catch_up().await.unwrap();
    assert_eq!(code(&b, &foreseen.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn both_instances_can_act_on_the_same_key(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    let issued = issue(&a).await;
    b.disable(&issued.key.id, &me()).await.unwrap();
    let again = a.disable(&issued.key.id, &me()).await;
    assert!(matches!(again, Err(Error::Refused(keyward::Refusal::AlreadyDisabled))));
    a.enable(&issued.key.id, &me()).await.unwrap();
    assert_eq!(code(&a, &issued.secret).await, "allowed");
    assert_eq!(code(&b, &issued.secret).await, "allowed");
    let [one, two] = [a.key(&issued.key.id).await, b.key(&issued.key.id).await];
    assert_eq!(one.unwrap().unwrap().usage.uses, 1);
    assert_eq!(two.unwrap().unwrap().usage.uses, 2);
}

#[tokio::test]
async fn an_instance_that_fell_behind_further_than_changes_are_kept_forgets_everything() {
    let world = World::new(Sqlite);
    let a = world.builder_on(world.forgetful_store()).build().await.unwrap();
    let b = world.builder_on(world.forgetful_store()).build().await.unwrap();
    let issued = issue(&a).await;
    b.catch_up().await.unwrap();
    assert_eq!(code(&b, &issued.secret).await, "allowed");
    a.revoke(&issued.key.id, None, &me()).await.unwrap();
    let other = issue(&a).await.key.id;
    for _ in 0..150 {
        a.disable(&other, &me()).await.unwrap();
        a.enable(&other, &me()).await.unwrap();
    }
    b.catch_up().await.unwrap();
    assert_eq!(code(&b, &issued.secret).await, "revoked");
}
