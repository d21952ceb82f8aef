//! Acts that are refused, and what they leave alone.

use keyward::{Error, Expiry, KeyChanges, KeyId, NewKey, Refusal, Rotation, RotationMode};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, issue, me, reader, scopes};

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn an_act_that_is_done_already_is_refused_by_name(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let id = issue(&keyward).await.key.id;
    assert_eq!(refusal(keyward.enable(&id, &me()).await), Refusal::AlreadyEnabled);
    assert_eq!(refusal(keyward.restore(&id, &me()).await), Refusal::NotDeleted);
    assert_eq!(refusal(keyward.purge(&id, &me()).await), Refusal::NotDeleted);
    keyward.disable(&id, &me()).await.unwrap();
    assert_eq!(refusal(keyward.disable(&id, &me()).await), Refusal::AlreadyDisabled);
    keyward.revoke(&id, None, &me()).await.unwrap();
    assert_eq!(refusal(keyward.revoke(&id, None, &me()).await), Refusal::AlreadyRevoked);
    assert_eq!(refusal(keyward.enable(&id, &me()).await), Refusal::Revoked);
    assert_eq!(refusal(rotated(&keyward, &id).await), Refusal::Revoked);
    keyward.delete(&id, &me()).await.unwrap();
    assert_eq!(refusal(keyward.delete(&id, &me()).await), Refusal::Deleted);
    assert_eq!(refusal(rotated(&keyward, &id).await), Refusal::Deleted);
}

async fn rotated(keyward: &keyward::Keyward, id: &KeyId) -> Result<(), Error> {
    keyward.rotate(id, Rotation::default(), &me()).await.map(drop)
}

#[rstest]
#[tokio::test]
async fn acts_on_keys_that_do_not_exist_find_none(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let id = "nobody".parse().unwrap();
    let not_found = |result: Result<(), Error>| {
        assert!(matches!(result, Err(Error::NotFound("key"))), "{result:?}");
    };
    not_found(keyward.enable(&id, &me()).await.map(drop));
    not_found(keyward.disable(&id, &me()).await.map(drop));
    not_found(keyward.revoke(&id, None, &me()).await.map(drop));
    not_found(keyward.delete(&id, &me()).await.map(drop));
    not_found(keyward.restore(&id, &me()).await.map(drop));
    not_found(keyward.purge(&id, &me()).await);
    not_found(keyward.update(&id, KeyChanges::default(), &me()).await.map(drop));
    not_found(rotated(&keyward, &id).await);
    assert_eq!(keyward.key(&id).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn a_key_of_no_keyspace_is_not_issued(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let new = NewKey { keyspace: "nowhere".parse().unwrap(), ..reader() };
    let error = keyward.issue(new, &me()).await.unwrap_err();
    assert_eq!(error.field().unwrap().field, "keyspace");
}

#[rstest]
#[tokio::test]
async fn what_is_refused_leaves_the_record_alone(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let before = issue(&keyward).await.key;
    let in_the_past = KeyChanges {
        scopes: Some(scopes(&["write"])),
        expiry: Some(Expiry::At(keyward.now())),
        ..KeyChanges::default()
    };
    for mode in [RotationMode::SameId, RotationMode::Successor] {
        let rotation =
            Rotation { mode: Some(mode), changes: in_the_past.clone(), ..Rotation::default() };
        let error = keyward.rotate(&before.id, rotation, &me()).await.unwrap_err();
        assert_eq!(error.field().unwrap().field, "expires_at");
    }
    let error = keyward.update(&before.id, in_the_past, &me()).await.unwrap_err();
    assert_eq!(error.field().unwrap().field, "expires_at");
    assert_eq!(keyward.key(&before.id).await.unwrap().unwrap().record, before);
}
