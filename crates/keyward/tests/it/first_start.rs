//! The first start and its one root key.

use keyward::{Asked, KeyspaceId, Keyward};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, code_for, scope};

/// What is said of a secret where the right to everything is asked for.
async fn code_as_root(keyward: &Keyward, secret: &keyward::Secret) -> &'static str {
    let (keyspace, scopes) = (KeyspaceId::management(), [scope(Keyward::ROOT_SCOPE)]);
    let asked = Asked { keyspace: Some(&keyspace), scopes: &scopes, ..Asked::default() };
    code_for(keyward, secret, &asked).await
}

#[rstest]
#[tokio::test]
async fn the_first_start_makes_a_root_key_and_no_other_does(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let first = keyward.first_start().await.unwrap().unwrap();
    assert_ne!(code_as_root(&keyward, first.secret()).await, "allowed", "it is not stored yet");
    assert!(keyward.finish_first_start(&first).await.unwrap());
    assert_eq!(code_as_root(&keyward, first.secret()).await, "allowed");
    assert!(keyward.first_start().await.unwrap().is_none());
    assert!(world.start().await.first_start().await.unwrap().is_none());
}

#[rstest]
#[tokio::test]
async fn a_first_start_that_was_given_up_can_be_made_again(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let given_up = keyward.first_start().await.unwrap().unwrap();
    let first = keyward.first_start().await.unwrap().unwrap();
    assert!(keyward.finish_first_start(&first).await.unwrap());
    assert_eq!(code_as_root(&keyward, given_up.secret()).await, "unknown");
    assert_eq!(code_as_root(&keyward, first.secret()).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn to_finish_twice_is_to_finish_once(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let first = keyward.first_start().await.unwrap().unwrap();
    world.store.set_down(true);
    keyward.finish_first_start(&first).await.unwrap_err();
    world.store.set_down(false);
    assert!(keyward.finish_first_start(&first).await.unwrap());
    assert!(keyward.finish_first_start(&first).await.unwrap());
    assert_eq!(code_as_root(&keyward, first.secret()).await, "allowed");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_first_starts_one_counts(#[values(Memory, Sqlite)] backend: Backend) {
    for _ in 0..10 {
        let world = World::new(backend);
        let one = world.start().await;
        let other = world.builder_on(world.second_store()).build().await.unwrap();
        let starts = [&one, &other].map(|keyward| {
            let keyward = keyward.clone();
            tokio::spawn(async move {
                let start = keyward.first_start().await.unwrap()?;
                let counts = keyward.finish_first_start(&start).await.unwrap();
                Some((start, counts))
            })
        });
        let mut winners = 0;
        for start in starts {
            let Some((start, counts)) = start.await.unwrap() else { continue };
            winners += u32::from(counts);
            for keyward in [&one, &other] {
                keyward.catch_up().await.unwrap();
                let code = code_as_root(keyward, start.secret()).await;
                assert_eq!(code, if counts { "allowed" } else { "unknown" });
            }
        }
        assert_eq!(winners, 1);
    }
}
