//! The life of a key, from its issue to its end, and what is told about it on the way.

use std::time::Duration;

use keyward::{Asked, Expiry, FormatKind, KeyspaceId, NewKey, Rotation};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{
    World, code, code_for, issue, issue_as, keyspace_of, me, reader, scope, seconds,
};

use FormatKind::{Opaque, Prefixed, Signed};

const MICROSECOND: Duration = Duration::from_micros(1);
const ALMOST_TEN_SECONDS: Duration = Duration::from_micros(9_999_999);

#[rstest]
#[tokio::test]
async fn a_key_works_until_it_is_rotated_and_then_revoked(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    assert_eq!(issued.key.format, format);
    let (read, write) = ([scope("read")], [scope("read"), scope("write")]);
    let asked = |scopes| Asked { scopes, ..Asked::default() };
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    assert_eq!(code_for(&keyward, &issued.secret, &asked(&read)).await, "allowed");
    assert_eq!(code_for(&keyward, &issued.secret, &asked(&write)).await, "insufficient_scope");

    let id = issued.key.id.clone();
    let rotated = keyward.rotate(&id, Rotation::default(), &me()).await.unwrap();
    assert_eq!(rotated.key.id, id);
    assert_eq!(code(&keyward, &issued.secret).await, "unknown");
    assert_eq!(code(&keyward, &rotated.secret).await, "allowed");

    let revoked = keyward.revoke(&id, "leaked".parse().ok(), &me()).await.unwrap();
    assert_eq!(revoked.revocation.unwrap().reason.unwrap().as_str(), "leaked");
    assert_eq!(code(&keyward, &rotated.secret).await, "revoked");
    assert_eq!(code(&keyward, &issued.secret).await, "unknown");
}

#[rstest]
#[tokio::test]
async fn the_first_reason_that_holds_is_told(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let new = NewKey {
        keyspace: keyspace_of(&keyward, format).await,
        not_before: Some(keyward.now().after(seconds(10)).unwrap()),
        expiry: Expiry::In(seconds(20)),
        ..reader()
    };
    let issued = keyward.issue(new, &me()).await.unwrap();
    let (id, write) = (issued.key.id, [scope("write")]);
    let asked = Asked { scopes: &write, ..Asked::default() };
    let told = async || code_for(&keyward, &issued.secret, &asked).await;
    assert_eq!(told().await, "not_yet_valid");
    keyward.disable(&id, &me()).await.unwrap();
    assert_eq!(told().await, "disabled");
    keyward.revoke(&id, None, &me()).await.unwrap();
    assert_eq!(told().await, "revoked");
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(told().await, "expired");
    keyward.delete(&id, &me()).await.unwrap();
    assert_eq!(told().await, "unknown");
}

#[rstest]
#[tokio::test]
async fn a_key_is_valid_from_one_instant_to_just_before_another(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let not_before = Some(keyward.now().after(seconds(10)).unwrap());
    let new = NewKey { not_before, expiry: Expiry::In(seconds(20)), ..reader() };
    let secret = keyward.issue(new, &me()).await.unwrap().secret;
    world.clock.advance(ALMOST_TEN_SECONDS);
    assert_eq!(code(&keyward, &secret).await, "not_yet_valid");
    world.clock.advance(MICROSECOND);
    assert_eq!(code(&keyward, &secret).await, "allowed");
    world.clock.advance(ALMOST_TEN_SECONDS);
    assert_eq!(code(&keyward, &secret).await, "allowed");
    world.clock.advance(MICROSECOND);
    assert_eq!(code(&keyward, &secret).await, "expired");
}

#[rstest]
#[tokio::test]
async fn a_key_can_be_switched_off_and_on(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    for _ in 0..2 {
        keyward.disable(&issued.key.id, &me()).await.unwrap();
        assert_eq!(code(&keyward, &issued.secret).await, "disabled");
        keyward.enable(&issued.key.id, &me()).await.unwrap();
        assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    }
}

#[rstest]
#[tokio::test]
async fn a_deleted_key_is_unknown_until_it_is_restored_and_for_ever_once_purged(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let id = &issued.key.id;
    keyward.delete(id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "unknown");
    keyward.restore(id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    keyward.delete(id, &me()).await.unwrap();
    keyward.purge(id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "unknown");
    assert_eq!(keyward.key(id).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn a_revoked_key_comes_back_from_deletion_revoked(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    keyward.revoke(&issued.key.id, None, &me()).await.unwrap();
    keyward.delete(&issued.key.id, &me()).await.unwrap();
    keyward.restore(&issued.key.id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "revoked");
}

#[rstest]
#[tokio::test]
async fn a_clock_that_is_set_back_revives_no_revoked_key(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    world.clock.advance(Duration::from_secs(100));
    keyward.revoke(&issued.key.id, None, &me()).await.unwrap();
    world.clock.set_back(Duration::from_secs(50));
    assert_eq!(code(&keyward, &issued.secret).await, "revoked");
    assert_eq!(code(&world.start().await, &issued.secret).await, "revoked");
}

#[rstest]
#[tokio::test]
async fn a_key_is_unknown_where_another_keyspace_is_asked_for(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let asked_in = async |keyspace: &KeyspaceId| {
        let asked = Asked { keyspace: Some(keyspace), ..Asked::default() };
        code_for(&keyward, &issued.secret, &asked).await
    };
    assert_eq!(asked_in(&issued.key.keyspace).await, "allowed");
    assert_eq!(asked_in(&KeyspaceId::management()).await, "unknown");
    assert_eq!(asked_in(&"no-such-keyspace".parse().unwrap()).await, "unknown");
}

#[rstest]
#[tokio::test]
async fn what_is_no_key_is_told_apart_from_no_text(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let told = async |text: &str| keyward.verify(text, &Asked::default()).await.unwrap().code();
    assert_eq!(told("").await, "missing");
    for text in ["garbage", "kw_", " ", "kw_111111111111_1", &"k".repeat(600)] {
        assert_eq!(told(text).await, "malformed", "{text}");
    }
}
