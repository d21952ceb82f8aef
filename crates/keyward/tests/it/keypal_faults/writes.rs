//! 2: updates get lost. 3: every verification writes.

use keyward::{KeyChanges, KeyRecord, Tag, TagSet, Version};
use rstest::rstest;

use super::{another, record};
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{Call, World, code, issue, me, scopes};

fn tags() -> TagSet {
    TagSet::new([Tag::parse("prod").unwrap()]).unwrap()
}

/// One change to each of three fields.
fn changes() -> [KeyChanges; 3] {
    let none = KeyChanges::default;
    [
        KeyChanges { name: Some("renamed".parse().ok()), ..none() },
        KeyChanges { scopes: Some(scopes(&["write"])), ..none() },
        KeyChanges { tags: Some(tags()), ..none() },
    ]
}

#[rstest]
#[tokio::test]
async fn fault_02_of_three_updates_of_the_same_version_all_survive(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let before = issue(&keyward).await.key;
    let gate = world.store.hold(Call::Apply);
    let updating = changes().map(|changes| {
        let (keyward, id) = (keyward.clone(), before.id.clone());
        tokio::spawn(async move { keyward.update(&id, changes, &me()).await })
    });
    // All three have read the same record, and none has written.
    gate.arrivals(3).await;
    gate.open();
    for update in updating {
        update.await.unwrap().unwrap();
    }
    let after = record(&another(&world).await, &before.id).await;
    let expected = KeyRecord {
        version: Version::new(4),
        name: "renamed".parse().ok(),
        scopes: scopes(&["write"]),
        tags: tags(),
        ..before
    };
    assert_eq!(after, expected);
}

#[rstest]
#[tokio::test]
async fn fault_02_a_slow_update_does_not_undo_a_disable_in_between(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let (keyward, other) = (world.start().await, another(&world).await);
    let issued = issue(&keyward).await;
    let before = issued.key;
    let gate = world.store.hold(Call::Apply);
    let [rename, ..] = changes();
    let slow = {
        let (keyward, id) = (keyward.clone(), before.id.clone());
        tokio::spawn(async move { keyward.update(&id, rename, &me()).await })
    };
    gate.arrivals(1).await;
    other.disable(&before.id, &me()).await.unwrap();
    gate.open();
    let updated = slow.await.unwrap().unwrap();
    let name = "renamed".parse().ok();
    let expected = KeyRecord { version: Version::new(3), enabled: false, name, ..before };
    assert_eq!(updated, expected);
    assert_eq!(record(&other, &expected.id).await, expected);
    assert_eq!(code(&keyward, &issued.secret).await, "disabled");
}

#[rstest]
#[tokio::test]
async fn fault_03_a_thousand_verifications_write_one_row_of_usage_and_no_record(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    let changes = world.store.count(Call::Apply);
    for _ in 0..1_000 {
        assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    }
    assert_eq!(world.store.count(Call::RecordUsage), 0);
    keyward.close().await.unwrap();
    assert_eq!(world.store.usage_batches(), [1]);
    assert_eq!(world.store.count(Call::Apply), changes);
    let stored = another(&world).await.key(&issued.key.id).await.unwrap().unwrap();
    assert_eq!(stored.record, issued.key);
    assert_eq!((stored.usage.uses, stored.usage.last_used_at), (1_000, Some(keyward.now())));
}

#[rstest]
#[tokio::test]
async fn fault_03_a_verification_does_not_wait_for_usage_to_be_written(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    let gate = world.store.hold(Call::RecordUsage);
    let writing = {
        let keyward = keyward.clone();
        tokio::spawn(async move { keyward.flush_usage().await })
    };
    gate.arrivals(1).await;
    for _ in 0..10 {
        assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    }
    assert_eq!(world.store.count(Call::RecordUsage), 0, "it is still at the gate");
    gate.open();
    writing.await.unwrap().unwrap();
    let usage = keyward.key(&issued.key.id).await.unwrap().unwrap().usage;
    assert_eq!(usage.uses, 11);
}

#[rstest]
#[tokio::test]
async fn fault_03_usage_that_cannot_be_written_is_one_row_a_key_and_is_not_lost(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    world.store.fail_after(Call::RecordUsage, Some(0));
    for _ in 0..5 {
        for _ in 0..200 {
            assert_eq!(code(&keyward, &issued.secret).await, "allowed");
        }
        keyward.flush_usage().await.unwrap_err();
    }
    world.store.fail_after(Call::RecordUsage, None);
    keyward.close().await.unwrap();
    assert_eq!(world.store.usage_batches(), [1]);
    let usage = another(&world).await.key(&issued.key.id).await.unwrap().unwrap().usage;
    assert_eq!(usage.uses, 1_000);
}
