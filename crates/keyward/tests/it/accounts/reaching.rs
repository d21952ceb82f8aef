//! Acts on an account in one instance, and its keys in another.

use std::time::Duration;

use keyward::{ClientId, FormatKind, Keyward};
use rstest::rstest;

use super::Held;
use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, code, me, seconds};

use FormatKind::{Opaque, Prefixed, Signed};

/// What one instance does to an account.
#[derive(Clone, Copy, Debug)]
enum Act {
    Delete,
    Disable,
    Enable,
    Purge,
    Restore,
}

impl Act {
    /// Brings the account to where the act makes a difference, and says what its keys are then.
    async fn prepare(self, keyward: &Keyward, id: &ClientId) -> &'static str {
        match self {
            Self::Delete | Self::Disable => "allowed",
            Self::Enable => {
                keyward.disable_account(id, &me()).await.unwrap();
                "disabled"
            }
            Self::Purge | Self::Restore => {
                keyward.delete_account(id, &me()).await.unwrap();
                "unknown"
            }
        }
    }

    /// Does it, and says what the keys are from then on.
    async fn on(self, keyward: &Keyward, id: &ClientId) -> &'static str {
        match self {
            Self::Delete => keyward.delete_account(id, &me()).await.map(|_| "unknown"),
            Self::Disable => keyward.disable_account(id, &me()).await.map(|_| "disabled"),
            Self::Enable => keyward.enable_account(id, &me()).await.map(|_| "allowed"),
            Self::Purge => keyward.purge_account(id, &me()).await.map(|_| "unknown"),
            Self::Restore => keyward.restore_account(id, &me()).await.map(|_| "allowed"),
        }
        .unwrap()
    }
}

async fn pair(world: &World) -> [Keyward; 2] {
    let a = world.start().await;
    let b = world.builder_on(world.second_store()).build().await.unwrap();
    [a, b]
}

/// What the instance says of the key, alone and as the account's: the same.
async fn both(keyward: &Keyward, held: &Held) -> &'static str {
    let alone = code(keyward, &held.key.secret).await;
    assert_eq!(held.code(keyward).await, alone);
    alone
}

#[rstest]
#[tokio::test]
async fn an_act_on_an_account_reaches_its_keys_elsewhere_once_it_is_caught_up_with(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
    #[values(Act::Delete, Act::Disable, Act::Enable, Act::Purge, Act::Restore)] act: Act,
) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    let held = Held::of(&a, format).await;
    let before = act.prepare(&a, held.id()).await;
    b.catch_up().await.unwrap();
    assert_eq!(both(&b, &held).await, before);
    let after = act.on(&a, held.id()).await;
    assert_eq!(both(&a, &held).await, after, "at once, where it was done");
    assert_eq!(both(&b, &held).await, before, "it is not a second yet");
    b.catch_up().await.unwrap();
    assert_eq!(both(&b, &held).await, after);
}

#[rstest]
#[tokio::test]
async fn an_act_on_an_account_reaches_its_keys_elsewhere_when_the_lease_has_run_out(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Act::Delete, Act::Disable, Act::Enable, Act::Purge, Act::Restore)] act: Act,
) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    let held = Held::new(&a).await;
    let before = act.prepare(&a, held.id()).await;
    b.catch_up().await.unwrap();
    assert_eq!(both(&b, &held).await, before);
    let after = act.on(&a, held.id()).await;
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(both(&b, &held).await, before, "it is a second, and not more");
    world.clock.advance(Duration::from_nanos(1));
    assert_eq!(both(&b, &held).await, after);
}

#[rstest]
#[tokio::test]
async fn a_new_client_secret_is_known_elsewhere_and_the_old_one_ends_with_its_grace(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(None, Some(60))] grace: Option<u64>,
) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    let held = Held::new(&a).await;
    b.catch_up().await.unwrap();
    assert_eq!(held.code(&b).await, "allowed");
    let rotated = a.rotate_account(held.id(), grace.map(seconds), &me()).await.unwrap();
    assert_eq!(held.code_with(&a, &rotated.client_secret).await, "allowed");
    assert_eq!(held.code_with(&b, &rotated.client_secret).await, "unknown", "not a second yet");
    b.catch_up().await.unwrap();
    assert_eq!(held.code_with(&b, &rotated.client_secret).await, "allowed");
    let old = if grace.is_some() { "allowed" } else { "unknown" };
    assert_eq!((held.code(&a).await, held.code(&b).await), (old, old));
    world.clock.advance(Duration::from_mins(1));
    b.catch_up().await.unwrap();
    assert_eq!(held.code(&b).await, "unknown");
    assert_eq!(code(&b, &held.key.secret).await, "allowed", "the key itself has not changed");
}

#[rstest]
#[tokio::test]
async fn what_a_key_is_by_itself_does_not_change_with_its_account(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    let (held, other) = (Held::new(&a).await, Held::new(&a).await);
    a.disable(&held.key.key.id, &me()).await.unwrap();
    a.delete_account(held.id(), &me()).await.unwrap();
    a.restore_account(held.id(), &me()).await.unwrap();
    b.catch_up().await.unwrap();
    assert_eq!(both(&b, &held).await, "disabled");
    assert_eq!(both(&b, &other).await, "allowed", "another account of the owner");
}
