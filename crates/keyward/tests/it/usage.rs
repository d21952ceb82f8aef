//! Counting uses: in memory first, then in batches, and none lost.

use std::sync::Arc;
use std::time::Duration;

use keyward::{Asked, Issued, Keyward};
use rstest::rstest;
use tokio::task::yield_now;

use crate::revoke_all::issue_many;
use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, code_for, issue, me, owner, scope};

async fn use_each(keyward: &Keyward, keys: &[Issued]) {
    for key in keys {
        assert_eq!(code(keyward, &key.secret).await, "allowed");
    }
}

/// How often each key was used by what is written down, or could be.
async fn uses(keyward: &Keyward, keys: &[Issued]) -> Vec<u64> {
    let mut uses = Vec::new();
    for key in keys {
        uses.push(keyward.key(&key.key.id).await.unwrap().unwrap().usage.uses);
    }
    uses
}

#[rstest]
#[tokio::test]
async fn usage_is_written_in_batches_of_a_thousand_keys(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keys = issue_many(&keyward, &owner("customer-1"), 1_200).await;
    use_each(&keyward, &keys).await;
    use_each(&keyward, &keys).await;
    assert_eq!(world.store.usage_batches(), [0; 0], "verifying writes nothing");
    keyward.flush_usage().await.unwrap();
    assert_eq!(world.store.usage_batches(), [1_000, 200]);
    keyward.flush_usage().await.unwrap();
    assert_eq!(world.store.usage_batches(), [1_000, 200], "there is nothing more to write");
    assert_eq!(uses(&keyward, &keys).await, vec![2; 1_200]);
}

#[rstest]
#[tokio::test]
async fn usage_that_the_store_does_not_take_is_kept_and_written_later(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keys = issue_many(&keyward, &owner("customer-1"), 1_200).await;
    use_each(&keyward, &keys).await;
    world.store.fail_after(Call::RecordUsage, Some(1));
    keyward.flush_usage().await.unwrap_err();
    use_each(&keyward, &keys).await;
    keyward.flush_usage().await.unwrap_err();
    world.store.fail_after(Call::RecordUsage, None);
    use_each(&keyward, &keys).await;
    keyward.flush_usage().await.unwrap();
    assert_eq!(uses(&keyward, &keys).await, vec![3; 1_200]);
}

#[rstest]
#[tokio::test]
async fn reading_does_not_fail_because_usage_cannot_be_written(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keys = [issue(&keyward).await];
    use_each(&keyward, &keys).await;
    world.store.fail_after(Call::RecordUsage, Some(0));
    assert_eq!(uses(&keyward, &keys).await, [0]);
    world.store.fail_after(Call::RecordUsage, None);
    assert_eq!(uses(&keyward, &keys).await, [1]);
}

#[rstest]
#[tokio::test]
async fn closing_writes_what_was_not_written(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keys = [issue(&keyward).await];
    use_each(&keyward, &keys).await;
    keyward.close().await.unwrap();
    let another = world.builder_on(world.second_store()).build().await.unwrap();
    assert_eq!(uses(&another, &keys).await, [1]);
}

#[rstest]
#[tokio::test]
async fn only_what_is_allowed_is_counted(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keys = [issue(&keyward).await];
    let write = [scope("write")];
    let asked = Asked { scopes: &write, ..Asked::default() };
    assert_eq!(code_for(&keyward, &keys[0].secret, &asked).await, "insufficient_scope");
    keyward.disable(&keys[0].key.id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &keys[0].secret).await, "disabled");
    assert_eq!(uses(&keyward, &keys).await, [0]);
}

#[rstest]
#[tokio::test]
async fn usage_of_a_key_that_is_gone_is_dropped(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let [gone, kept] = [issue(&keyward).await, issue(&keyward).await];
    let id = gone.key.id.clone();
    let keys = [gone, kept];
    use_each(&keyward, &keys).await;
    keyward.delete(&id, &me()).await.unwrap();
    keyward.purge(&id, &me()).await.unwrap();
    keyward.flush_usage().await.unwrap();
    assert_eq!(uses(&keyward, &keys[1..]).await, [1]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_use_is_lost_or_counted_twice_while_usage_is_written(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    let tasks = (0..4).map(|_| {
        let (keyward, secret) = (keyward.clone(), issued.secret.expose().to_owned());
        tokio::spawn(async move {
            for n in 0..500 {
                keyward.verify(&secret, &Asked::default()).await.unwrap();
                if n % 10 == 0 {
                    keyward.flush_usage().await.unwrap();
                }
                yield_now().await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(uses(&keyward, &[issued]).await, [2_000]);
}

#[tokio::test]
async fn usage_of_many_keys_is_written_before_its_time() {
    let world = World::new(Memory);
    let store = Arc::clone(&world.store);
    let hour = Duration::from_hours(1);
    let keyward =
        Keyward::builder(store).usage_interval(hour).cache_capacity(1).build().await.unwrap();
    let keys = issue_many(&keyward, &owner("customer-1"), 10_000).await;
    use_each(&keyward, &keys[1..]).await;
    yield_now().await;
    assert_eq!(world.store.usage_batches(), [0; 0], "there is room for one more");
    use_each(&keyward, &keys[..1]).await;
    while world.store.usage_batches().len() < 10 {
        yield_now().await;
    }
    assert_eq!(world.store.usage_batches(), [1_000; 10]);
}
