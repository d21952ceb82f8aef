//! What goes on for a while after a verification, and what others are told: streams, public keys, usage.

use futures_util::{FutureExt, StreamExt};
use keyward::{
    AccountChanges, Asked, ChangeStream, Decision, FeedEvent, FormatKind, Keyward, Permit,
};
use rstest::rstest;

use super::Held;
use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, code, me};

use FormatKind::{Opaque, Prefixed, Signed};

async fn permit_of(keyward: &Keyward, held: &Held) -> Permit {
    match keyward.verify(held.key.secret.expose(), &Asked::default()).await.unwrap() {
        Decision::Allow(permit) => permit,
        Decision::Deny(reason) => panic!("{reason:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn a_permit_ends_with_the_account_of_its_key(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let other = world.builder_on(world.second_store()).build().await.unwrap();
    let held = Held::of(&keyward, format).await;
    let permit = permit_of(&keyward, &held).await;
    let allows = async || {
        keyward.catch_up().await.unwrap();
        keyward.still_allows(&permit, &Asked::default()).await.unwrap()
    };
    assert!(allows().await);
    other.disable_account(held.id(), &me()).await.unwrap();
    assert!(!allows().await);
    other.enable_account(held.id(), &me()).await.unwrap();
    assert!(allows().await);
    other.rotate_account(held.id(), None, &me()).await.unwrap();
    assert!(allows().await, "it is the key that was permitted");
    other.delete_account(held.id(), &me()).await.unwrap();
    assert!(!allows().await);
    other.restore_account(held.id(), &me()).await.unwrap();
    assert!(allows().await);
    other.delete_account(held.id(), &me()).await.unwrap();
    other.purge_account(held.id(), &me()).await.unwrap();
    assert!(!allows().await);
}

#[rstest]
#[tokio::test]
async fn public_keys_are_not_published_while_their_account_is_switched_off_or_deleted(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let other = world.builder_on(world.second_store()).build().await.unwrap();
    let held = Held::of(&keyward, Signed).await;
    let is_published = async || {
        other.catch_up().await.unwrap();
        other.published_key(&held.key.key.id).await.unwrap().is_some()
    };
    assert!(is_published().await);
    keyward.disable_account(held.id(), &me()).await.unwrap();
    assert!(!is_published().await);
    keyward.enable_account(held.id(), &me()).await.unwrap();
    assert!(is_published().await);
    keyward.delete_account(held.id(), &me()).await.unwrap();
    assert!(!is_published().await);
    keyward.restore_account(held.id(), &me()).await.unwrap();
    assert!(is_published().await);
}

/// The events that are there, in short.
fn told(stream: &mut ChangeStream) -> Vec<&'static str> {
    let events = std::iter::from_fn(|| stream.next().now_or_never().flatten());
    let word = |event| match event {
        FeedEvent::Changes { .. } => "changes",
        FeedEvent::Current(_) => "current",
        FeedEvent::Reset(_) => "reset",
        _ => "other",
    };
    events.map(word).collect()
}

#[rstest]
#[tokio::test]
async fn streams_are_told_to_forget_everything_when_the_keys_of_an_account_change_with_it(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values("here", "elsewhere")] place: &str,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let other = world.builder_on(world.second_store()).build().await.unwrap();
    let acting = if place == "here" { &keyward } else { &other };
    let held = Held::new(acting).await;
    let id = held.id();
    keyward.catch_up().await.unwrap();
    let mut stream = keyward.changes(None).await.unwrap();
    assert_eq!(told(&mut stream), ["current"]);
    let mut events = async || {
        keyward.catch_up().await.unwrap();
        told(&mut stream)
    };
    let changes = AccountChanges { description: Some(None), ..AccountChanges::default() };
    acting.update_account(id, changes, &me()).await.unwrap();
    assert_eq!(events().await, ["current"], "nothing about the keys has changed");
    acting.rotate_account(id, None, &me()).await.unwrap();
    assert_eq!(events().await, ["current"], "a client secret is nothing that others keep");
    acting.disable_account(id, &me()).await.unwrap();
    assert_eq!(events().await, ["reset", "current"]);
    acting.enable_account(id, &me()).await.unwrap();
    assert_eq!(events().await, ["reset", "current"]);
    acting.delete_account(id, &me()).await.unwrap();
    assert_eq!(events().await, ["reset", "current"]);
    acting.restore_account(id, &me()).await.unwrap();
    assert_eq!(events().await, ["reset", "current"]);
    acting.delete_account(id, &me()).await.unwrap();
    acting.purge_account(id, &me()).await.unwrap();
    assert_eq!(events().await, ["reset", "current"]);
}

#[rstest]
#[tokio::test]
async fn uses_are_counted_when_the_key_is_allowed_and_only_then(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let held = Held::of(&keyward, format).await;
    let stranger = Held::new(&keyward).await;
    let uses = async || keyward.key(&held.key.key.id).await.unwrap().unwrap().usage.uses;
    assert_eq!(held.code(&keyward).await, "allowed");
    assert_eq!(code(&keyward, &held.key.secret).await, "allowed");
    assert_eq!(uses().await, 2);
    let wrong = &stranger.account.client_secret;
    assert_eq!(held.code_with(&keyward, wrong).await, "unknown");
    keyward.disable_account(held.id(), &me()).await.unwrap();
    assert_eq!(held.code(&keyward).await, "disabled");
    keyward.delete_account(held.id(), &me()).await.unwrap();
    assert_eq!(held.code(&keyward).await, "unknown");
    assert_eq!(uses().await, 2);
    keyward.restore_account(held.id(), &me()).await.unwrap();
    keyward.enable_account(held.id(), &me()).await.unwrap();
    assert_eq!(held.code(&keyward).await, "allowed");
    assert_eq!(uses().await, 3);
}
