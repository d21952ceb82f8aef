//! 7: what was stored is not read back. 9: backends answer differently. 11: what is handed out is
//! what is stored.

use std::collections::BTreeMap;

use keyward::store::{KeyQuery, Store};
use keyward::{
    Asked, Error, Expiry, FormatKind, KeyChanges, KeyRecord, NewKey, OwnerId, Refusal, ResourceId,
    ResourceScopes, Rotation, RotationMode, Tag, TagSet, VerifyOptions,
};
use rstest::rstest;
use serde_json::json;

use super::{all_records, another, metadata, record};
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{
    World, code, code_for, issue_as, keyspace_of, me, owner, scope, scopes, seconds,
};

use FormatKind::{Opaque, Prefixed, Signed};

#[rstest]
#[tokio::test]
async fn fault_07_a_disabled_key_is_read_back_disabled(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let id = &issued.key.id;
    keyward.disable(id, &me()).await.unwrap();
    let other = another(&world).await;
    assert!(!record(&other, id).await.enabled);
    assert_eq!(code(&other, &issued.secret).await, "disabled");
    let again = other.disable(id, &me()).await;
    assert!(matches!(again, Err(Error::Refused(Refusal::AlreadyDisabled))), "{again:?}");
    other.enable(id, &me()).await.unwrap();
    let fresh = another(&world).await;
    assert!(record(&fresh, id).await.enabled);
    assert_eq!(code(&fresh, &issued.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn fault_07_a_successor_is_read_back(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let old = issue_as(&keyward, format).await.key.id;
    let rotation = Rotation { mode: Some(RotationMode::Successor), ..Rotation::default() };
    let rotated = keyward.rotate(&old, rotation, &me()).await.unwrap();
    let new = rotated.key.id.clone();
    let other = another(&world).await;
    let (read_old, read_new) = (record(&other, &old).await, record(&other, &new).await);
    assert_eq!((&read_old.rotated_to, &read_new.rotated_from), (&Some(new), &Some(old)));
    assert_eq!((read_old, read_new), (rotated.previous, rotated.key));
}

/// A key in which everything is said that can be said.
fn full() -> NewKey {
    let tags = ["Prod", "billing"].map(|tag| Tag::parse(tag).unwrap());
    let resource = ResourceId::parse("project:1").unwrap();
    let resources = BTreeMap::from([(resource, scopes(&["deploy", "write"]))]);
    NewKey {
        name: "ci".parse().ok(),
        description: "for the builds\nof the night".parse().ok(),
        scopes: scopes(&["read", "list"]),
        resources: ResourceScopes::new(resources).unwrap(),
        tags: TagSet::new(tags).unwrap(),
        metadata: metadata(&json!({"team": 7, "nested": {"names": ["a", null]}})),
        enabled: false,
        expiry: Expiry::In(seconds(60)),
        ..NewKey::new(owner("customer-1"))
    }
}

#[rstest]
#[tokio::test]
async fn fault_07_every_field_is_read_back_as_it_was_written(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let not_before = keyward.now().after(seconds(10)).ok();
    let new = NewKey { keyspace: keyspace_of(&keyward, format).await, not_before, ..full() };
    let written = keyward.issue(new.clone(), &me()).await.unwrap().key;
    let read = record(&another(&world).await, &written.id).await;
    assert_eq!(read, written);
    let lists = (read.scopes, read.resources, read.tags, read.metadata);
    assert_eq!(lists, (new.scopes, new.resources, new.tags, new.metadata));
    let instants = (read.expires_at, read.not_before, read.enabled);
    assert_eq!(instants, (keyward.now().after(seconds(60)).ok(), not_before, false));
}

#[rstest]
#[tokio::test]
async fn fault_09_a_revoked_key_is_revoked_on_every_backend(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    keyward.revoke(&issued.key.id, None, &me()).await.unwrap();
    let uncached = VerifyOptions { skip_cache: true, ..VerifyOptions::default() };
    for instance in [&keyward, &keyward, &another(&world).await] {
        assert_eq!(code(instance, &issued.secret).await, "revoked");
        let text = issued.secret.expose();
        let decision = instance.verify_with(text, &Asked::default(), &uncached).await.unwrap();
        assert_eq!(decision.code(), "revoked");
    }
    let again = keyward.revoke(&issued.key.id, None, &me()).await.unwrap_err();
    assert_eq!(again.code(), "already_revoked");
}

#[rstest]
#[tokio::test]
async fn fault_09_the_old_record_of_a_rotation_is_how_the_rotation_left_it(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let before = issue_as(&keyward, format).await.key;
    let rotation = Rotation {
        grace: Some(seconds(60)),
        mode: Some(RotationMode::Successor),
        ..Rotation::default()
    };
    let rotated = keyward.rotate(&before.id, rotation, &me()).await.unwrap();
    let left = record(&another(&world).await, &before.id).await;
    assert_eq!(rotated.previous, left);
    let revocation = left.revocation.clone().unwrap();
    assert_eq!(revocation.at, keyward.now().after(seconds(60)).unwrap());
    let renaming = KeyChanges { name: Some("old".parse().ok()), ..KeyChanges::default() };
    keyward.update(&before.id, renaming, &me()).await.unwrap();
    keyward.delete(&before.id, &me()).await.unwrap();
    assert_ne!(record(&keyward, &before.id).await, left);
    assert_eq!(rotated.previous, left, "it is a value");
}

#[rstest]
#[tokio::test]
async fn fault_09_every_key_has_an_owner_and_is_listed_by_no_other(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    assert!("".parse::<OwnerId>().is_err(), "neither a key nor a query can have none");
    let key = issue_as(&keyward, Prefixed).await.key;
    for (name, count) in [("customer-1", 1), ("customer", 0), ("CUSTOMER-1", 0), ("%", 0)] {
        let mut query = KeyQuery::new(keyward.now(), 10);
        query.owner = Some(owner(name));
        assert_eq!(keyward.list(&query).await.unwrap().keys.len(), count, "{name}");
    }
    assert_eq!(all_records(&keyward).await, [key]);
}

/// Gives a record everything that its holder would like it to have.
fn escalate(record: &mut KeyRecord) {
    record.scopes = scopes(&["admin", "read"]);
    record.owner = owner("somebody-else");
    record.expires_at = None;
    record.enabled = true;
    record.revocation = None;
}

#[rstest]
#[tokio::test]
async fn fault_11_what_is_done_to_a_record_that_was_handed_out_is_done_to_no_other(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let (before, id) = (issued.key.clone(), issued.key.id.clone());
    let decision = keyward.verify(issued.secret.expose(), &Asked::default()).await.unwrap();
    let mut handed_out = [
        issued.key,
        decision.permit().unwrap().key().clone(),
        record(&keyward, &id).await,
        world.store.key(&id).await.unwrap().unwrap().record,
        all_records(&keyward).await.remove(0),
    ];
    handed_out.iter_mut().for_each(escalate);
    assert!(handed_out.iter().all(|record| *record != before), "all of them were changed");

    let admin = [scope("admin")];
    let asked = Asked { scopes: &admin, ..Asked::default() };
    for instance in [&keyward, &another(&world).await] {
        assert_eq!(code_for(instance, &issued.secret, &asked).await, "insufficient_scope");
        assert_eq!(record(instance, &id).await, before);
        assert_eq!(all_records(instance).await, std::slice::from_ref(&before));
    }
}
