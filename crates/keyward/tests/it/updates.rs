//! Changes of records, from versions and at the same time.

use keyward::{
    Error, Expiry, KeyChanges, KeyId, KeyRecord, KeyspaceChanges, KeyspaceId, Keyward, Metadata,
    Refusal, Tag, TagSet, Version,
};
use rstest::rstest;
use serde_json::json;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, code, issue, me, scopes, seconds};

fn rename(name: &str, version: Option<Version>) -> KeyChanges {
    KeyChanges { version, name: Some(name.parse().ok()), ..KeyChanges::default() }
}

#[rstest]
#[tokio::test]
async fn a_change_from_the_version_that_was_seen_is_made_and_any_other_is_outdated(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let first = issue(&keyward).await.key;
    let second = keyward.update(&first.id, rename("a", Some(first.version)), &me()).await.unwrap();
    assert_eq!(second.version, first.version.next());
    let late = keyward.update(&first.id, rename("b", Some(first.version)), &me()).await;
    assert!(matches!(late, Err(Error::Refused(Refusal::Outdated))), "{late:?}");
    assert_eq!(keyward.key(&first.id).await.unwrap().unwrap().record, second);
    let third = keyward.update(&first.id, rename("c", None), &me()).await.unwrap();
    assert_eq!(third.name.unwrap().as_str(), "c");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_concurrent_changes_from_one_version_one_is_made(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    for _ in 0..20 {
        let key = issue(&keyward).await.key;
        let tasks: Vec<_> = (0..5)
            .map(|n| {
                let (keyward, id) = (keyward.clone(), key.id.clone());
                let changes = rename(&format!("name {n}"), Some(key.version));
                tokio::spawn(async move { keyward.update(&id, changes, &me()).await })
            })
            .collect();
        let mut made = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(record) => made.push(record),
                Err(Error::Refused(Refusal::Outdated)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        let stored = keyward.key(&key.id).await.unwrap().unwrap().record;
        assert_eq!(made, [stored]);
    }
}

fn tags() -> TagSet {
    TagSet::new([Tag::parse("prod").unwrap()]).unwrap()
}

/// One change to each field.
fn changes() -> Vec<KeyChanges> {
    let metadata = Metadata::new(json!({"team": 7}).as_object().unwrap().clone()).unwrap();
    let none = KeyChanges::default;
    vec![
        KeyChanges { name: Some("renamed".parse().ok()), ..none() },
        KeyChanges { description: Some("described".parse().ok()), ..none() },
        KeyChanges { scopes: Some(scopes(&["write"])), ..none() },
        KeyChanges { tags: Some(tags()), ..none() },
        KeyChanges { metadata: Some(metadata), ..none() },
        KeyChanges { enabled: Some(false), ..none() },
        KeyChanges { expiry: Some(Expiry::In(seconds(60))), ..none() },
    ]
}

/// Makes a change, again as often as others come in between.
async fn insist(keyward: Keyward, id: KeyId, changes: KeyChanges) {
    loop {
        match keyward.update(&id, changes.clone(), &me()).await {
            Err(Error::Refused(Refusal::Outdated)) => {}
            result => return result.map(drop).unwrap(),
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_concurrent_changes_of_different_fields_none_is_lost(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    for _ in 0..20 {
        let before = issue(&keyward).await.key;
        let id = &before.id;
        let insisting =
            changes().into_iter().map(|one| tokio::spawn(insist(keyward.clone(), id.clone(), one)));
        for task in insisting.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let after = keyward.key(id).await.unwrap().unwrap().record;
        let expected = KeyRecord {
            version: Version::new(8),
            enabled: false,
            name: "renamed".parse().ok(),
            description: "described".parse().ok(),
            scopes: scopes(&["write"]),
            tags: tags(),
            metadata: Metadata::new(json!({"team": 7}).as_object().unwrap().clone()).unwrap(),
            expires_at: keyward.now().after(seconds(60)).ok(),
            ..before
        };
        assert_eq!(after, expected);
    }
}

#[rstest]
#[tokio::test]
async fn a_change_counts_from_the_next_verification_on(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    let expiry = Some(Expiry::In(seconds(10)));
    let changes = KeyChanges { expiry, ..KeyChanges::default() };
    keyward.update(&issued.key.id, changes, &me()).await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(10));
    assert_eq!(code(&keyward, &issued.secret).await, "expired");
    let changes = KeyChanges { expiry: Some(Expiry::Never), ..KeyChanges::default() };
    keyward.update(&issued.key.id, changes, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn a_keyspace_is_changed_from_the_version_that_was_seen(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let id = KeyspaceId::default_keyspace();
    let changes = |version| KeyspaceChanges {
        version: Some(version),
        maximum_lifetime: Some(Some(seconds(60))),
        ..KeyspaceChanges::default()
    };
    let first = keyward.keyspace(&id).await.unwrap().unwrap();
    let second = keyward.update_keyspace(&id, changes(first.version), &me()).await.unwrap();
    assert_eq!(keyward.keyspace(&id).await.unwrap(), Some(second));
    let late = keyward.update_keyspace(&id, changes(first.version), &me()).await;
    assert!(matches!(late, Err(Error::Refused(Refusal::Outdated))), "{late:?}");
    let key = issue(&keyward).await.key;
    assert_eq!(key.expires_at, keyward.now().after(seconds(60)).ok());
}
