//! Revoking every key of an owner.

use std::time::Duration;

use keyward::store::AuditQuery;
use keyward::{
    Action, AuditFilter, Expiry, Issued, KeyId, Keyward, NewKey, OwnerId, Rotation, RotationMode,
};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, issue, me, owner, reader, seconds};

/// Issues many keys at once, so that a store can commit them together.
pub(crate) async fn issue_many(keyward: &Keyward, owner: &OwnerId, count: usize) -> Vec<Issued> {
    let mut issuing = JoinSet::new();
    for _ in 0..count {
        let (keyward, owner) = (keyward.clone(), owner.clone());
        issuing.spawn(
            async move { keyward.issue(NewKey { owner, ..reader() }, &me()).await.unwrap() },
        );
    }
    issuing.join_all().await
}

async fn revoke_all(keyward: &Keyward) -> usize {
    keyward.revoke_all(&owner("customer-1"), "gone".parse().ok(), &me()).await.unwrap()
}

async fn is_revoked(keyward: &Keyward, id: &KeyId) -> bool {
    keyward.key(id).await.unwrap().unwrap().record.is_revoked(keyward.now())
}

#[rstest]
#[tokio::test]
async fn all_pages_are_revoked_once_and_other_owners_are_left_alone(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keys = issue_many(&keyward, &owner("customer-1"), 1_200).await;
    let others = issue_many(&keyward, &owner("customer-2"), 3).await;
    for key in keys.iter().step_by(100) {
        keyward.revoke(&key.key.id, "before".parse().ok(), &me()).await.unwrap();
    }
    assert_eq!(revoke_all(&keyward).await, 1_188);
    assert_eq!(revoke_all(&keyward).await, 0);
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(code(&keyward, &key.secret).await, "revoked");
        let record = keyward.key(&key.key.id).await.unwrap().unwrap().record;
        let reason = record.revocation.unwrap().reason.unwrap();
        assert_eq!(reason.as_str(), if n % 100 == 0 { "before" } else { "gone" });
    }
    for other in others {
        assert_eq!(code(&keyward, &other.secret).await, "allowed");
    }
    let (action, limit) = (Some(Action::KeyRevoked), 2_000);
    let query =
        AuditQuery { filter: AuditFilter { action, ..AuditFilter::default() }, limit, after: None };
    assert_eq!(keyward.audit(&query).await.unwrap().events.len(), 1_200);
}

#[rstest]
#[tokio::test]
async fn keys_that_do_not_work_now_are_revoked_so_that_none_comes_back(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let expiring = NewKey { expiry: Expiry::In(seconds(5)), ..reader() };
    let expired = keyward.issue(expiring.clone(), &me()).await.unwrap().key.id;
    let revoked_and_expired = keyward.issue(expiring, &me()).await.unwrap().key.id;
    keyward.revoke(&revoked_and_expired, None, &me()).await.unwrap();
    let disabled = issue(&keyward).await.key.id;
    keyward.disable(&disabled, &me()).await.unwrap();
    let in_grace = issue(&keyward).await;
    let rotation = Rotation {
        grace: Some(seconds(60)),
        mode: Some(RotationMode::Successor),
        ..Rotation::default()
    };
    let successor = keyward.rotate(&in_grace.key.id, rotation, &me()).await.unwrap();
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(revoke_all(&keyward).await, 4);
    for id in [&expired, &disabled, &in_grace.key.id, &successor.key.id] {
        assert!(is_revoked(&keyward, id).await);
    }
    assert_eq!(code(&keyward, &in_grace.secret).await, "revoked");
    assert_eq!(code(&keyward, &successor.secret).await, "revoked");
}

#[rstest]
#[tokio::test]
async fn keys_that_are_changed_or_revoked_meanwhile_do_not_spoil_it(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let (keyward, other) =
        (world.start().await, world.builder_on(world.second_store()).build().await.unwrap());
    let keys = issue_many(&keyward, &owner("customer-1"), 10).await;
    let gate = world.store.hold(Call::Apply);
    let revoking = {
        let keyward = keyward.clone();
        tokio::spawn(async move { revoke_all(&keyward).await })
    };
    gate.arrivals(1).await;
    other.disable(&keys[0].key.id, &me()).await.unwrap();
    other.revoke(&keys[1].key.id, None, &me()).await.unwrap();
    other.delete(&keys[2].key.id, &me()).await.unwrap();
    other.delete(&keys[3].key.id, &me()).await.unwrap();
    other.purge(&keys[3].key.id, &me()).await.unwrap();
    gate.open();
    assert_eq!(revoking.await.unwrap(), 8);
    for key in keys.iter().take(2).chain(&keys[4..]) {
        assert!(is_revoked(&keyward, &key.key.id).await);
        assert_eq!(code(&keyward, &key.secret).await, "revoked");
    }
}

#[rstest]
#[tokio::test]
async fn an_owner_without_keys_has_none_to_revoke(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    assert_eq!(revoke_all(&keyward).await, 0);
}
