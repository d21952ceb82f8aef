//! When accounts are read, and when they are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use keyward::{Asked, ClientCredentials, ClientId, Clock, FormatKind, Keyward, VerifyOptions};
use keyward_testkit::{FixedClock, SeededEntropy};
use rstest::rstest;
use tokio::task::{JoinHandle, yield_now};

use super::{Held, another_key, code_as};
use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, issue, me};

use FormatKind::{Opaque, Prefixed, Signed};

/// Begins so many verifications of the key as its account's, and returns once all of them wait.
async fn begin(keyward: &Keyward, held: &Arc<Held>, count: u32) -> Vec<JoinHandle<&'static str>> {
    let begun = Arc::new(AtomicU32::new(0));
    let verifying = (0..count).map(|_| {
        let (keyward, held, begun) = (keyward.clone(), Arc::clone(held), Arc::clone(&begun));
        tokio::spawn(async move {
            begun.fetch_add(1, Ordering::SeqCst);
            held.code(&keyward).await
        })
    });
    let verifying = verifying.collect();
    while begun.load(Ordering::SeqCst) < count {
        yield_now().await;
    }
    verifying
}

#[rstest]
#[tokio::test]
async fn an_account_is_read_once_for_all_of_its_keys_and_again_when_it_was_changed(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let held = Held::of(&keyward, format).await;
    let other = another_key(&keyward, held.id()).await;
    for _ in 0..3 {
        let before = world.store.count(Call::Account);
        for _ in 0..10 {
            assert_eq!(held.code(&keyward).await, "allowed");
            assert_eq!(code(&keyward, &held.key.secret).await, "allowed");
            assert_eq!(code(&keyward, &other.secret).await, "allowed");
        }
        assert_eq!(world.store.count(Call::Account) - before, 1);
        keyward.disable_account(held.id(), &me()).await.unwrap();
        keyward.enable_account(held.id(), &me()).await.unwrap();
    }
    assert_eq!(world.store.count(Call::Find), 2, "the keys themselves have not changed");
}

#[rstest]
#[tokio::test]
async fn a_key_without_an_account_reads_none(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    assert_eq!(world.store.count(Call::Account), 0);
}

#[rstest]
#[tokio::test]
async fn those_who_want_the_same_account_share_one_read(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let held = Arc::new(Held::new(&keyward).await);
    let before = world.store.count(Call::Account);
    let gate = world.store.hold(Call::Account);
    let verifying = begin(&keyward, &held, 64).await;
    gate.open();
    for verification in verifying {
        assert_eq!(verification.await.unwrap(), "allowed");
    }
    assert_eq!(world.store.count(Call::Account) - before, 1);
}

#[rstest]
#[tokio::test]
async fn a_slow_read_of_an_account_does_not_bring_back_what_was_before_the_change(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values("deleted", "disabled", "rotated")] change: &str,
    #[values("here", "elsewhere")] place: &str,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let other = world.builder_on(world.second_store()).build().await.unwrap();
    let held = Arc::new(Held::new(&keyward).await);
    let gate = world.store.hold(Call::Account);
    let slow = begin(&keyward, &held, 2).await;
    gate.arrivals(1).await;
    world.store.hold_no_more(Call::Account);
    let acting = if place == "here" { &keyward } else { &other };
    let expected = match change {
        "deleted" => acting.delete_account(held.id(), &me()).await.map(|_| "unknown"),
        "disabled" => acting.disable_account(held.id(), &me()).await.map(|_| "disabled"),
        _ => acting.rotate_account(held.id(), None, &me()).await.map(|_| "unknown"),
    };
    let expected = expected.unwrap();
    if place == "elsewhere" {
        keyward.catch_up().await.unwrap();
    }
    // Does not wait for the read that began before the change.
    assert_eq!(held.code(&keyward).await, expected);
    gate.open();
    for verification in slow {
        let code = verification.await.unwrap();
        assert!(code == "allowed" || code == expected, "{code}");
    }
    assert_eq!(held.code(&keyward).await, expected);
}

#[rstest]
#[tokio::test]
async fn a_slow_read_of_an_absence_does_not_hide_an_account_that_was_created(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let (world, keyward, foreseen) = foreseen(backend).await;
    let gate = world.store.hold(Call::Account);
    let slow = begin(&keyward, &foreseen, 1).await;
    gate.arrivals(1).await;
    world.store.hold_no_more(Call::Account);
    assert_eq!(Held::new(&keyward).await.id(), foreseen.id());
    gate.open();
    for verification in slow {
        verification.await.unwrap();
    }
    assert_eq!(foreseen.code(&keyward).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn an_unknown_client_id_is_remembered_for_ten_seconds(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let held = Held::new(&keyward).await;
    // The feed tells of the account itself, too.
    keyward.catch_up().await.unwrap();
    let stranger = made_up(0);
    let ask = async || {
        let code = code_as(&keyward, &stranger, &held.account.client_secret, &held.key.secret);
        assert_eq!(code.await, "unknown");
        world.store.count(Call::Account)
    };
    // The first one reads the key's account, too.
    let read = ask().await;
    for _ in 0..10 {
        assert_eq!(ask().await, read);
    }
    world.clock.advance(Duration::from_secs(10) - Duration::from_nanos(1));
    keyward.catch_up().await.unwrap();
    assert_eq!(ask().await, read);
    world.clock.advance(Duration::from_nanos(1));
    assert_eq!(ask().await, read + 1);
}

#[rstest]
#[tokio::test]
async fn an_unknown_client_id_is_known_as_soon_as_its_account_is_created(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values("here", "elsewhere")] place: &str,
) {
    let (world, keyward, foreseen) = foreseen(backend).await;
    let other = world.builder_on(world.second_store()).build().await.unwrap();
    let asking = if place == "here" { &keyward } else { &other };
    assert_eq!(foreseen.code(asking).await, "unknown");
    assert_eq!(Held::new(&keyward).await.id(), foreseen.id());
    if place == "elsewhere" {
        assert_eq!(foreseen.code(asking).await, "unknown", "it is remembered");
        asking.catch_up().await.unwrap();
    }
    assert_eq!(foreseen.code(asking).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn made_up_client_ids_push_no_account_out_and_take_no_memory_without_end(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.builder().cache_capacity(16).build().await.unwrap();
    let held = Held::new(&keyward).await;
    assert_eq!(held.code(&keyward).await, "allowed");
    let before = world.store.count(Call::Account);
    for n in 0..1_000 {
        let (id, secret) = (made_up(n), &held.account.client_secret);
        assert_eq!(code_as(&keyward, &id, secret, &held.key.secret).await, "unknown");
    }
    assert_eq!(world.store.count(Call::Account) - before, 1_000);
    assert_eq!(held.code(&keyward).await, "allowed");
    assert_eq!(world.store.count(Call::Account) - before, 1_000);
}

#[rstest]
#[tokio::test]
async fn more_accounts_than_the_cache_holds_work_all_the_same(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.builder().cache_capacity(8).build().await.unwrap();
    let mut all = Vec::new();
    for _ in 0..50 {
        all.push(Held::new(&keyward).await);
    }
    for held in all.iter().chain(&all) {
        assert_eq!(held.code(&keyward).await, "allowed");
    }
    for held in &all {
        keyward.disable_account(held.id(), &me()).await.unwrap();
        assert_eq!(held.code(&keyward).await, "disabled");
    }
}

#[rstest]
#[tokio::test]
async fn what_is_no_client_id_is_refused_without_a_read(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let held = Held::new(&keyward).await;
    assert_eq!(held.code(&keyward).await, "allowed");
    let before = world.store.count(Call::Account);
    let nil = "00000000-0000-0000-0000-000000000000";
    for id in ["", "x", nil, "' OR 1=1 --", &made_up(0).replace('-', ""), &"a".repeat(10_000)] {
        let code = code_as(&keyward, id, &held.account.client_secret, &held.key.secret);
        assert_eq!(code.await, "unknown", "{id}");
    }
    assert_eq!(world.store.count(Call::Account), before);
    let upper = held.id().to_string().to_uppercase();
    let code = code_as(&keyward, &upper, &held.account.client_secret, &held.key.secret);
    assert_eq!(code.await, "allowed");
}

#[rstest]
#[tokio::test]
async fn whoever_skips_the_cache_asks_the_store_and_leaves_the_cache_as_it_is(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let other = world.builder_on(world.second_store()).build().await.unwrap();
    let held = Held::new(&keyward).await;
    assert_eq!(held.code(&keyward).await, "allowed");
    let skipping = async || {
        let id = held.id().to_string();
        let secret = held.account.client_secret.expose();
        let client = Some(ClientCredentials { id: &id, secret });
        let options = VerifyOptions { client, skip_cache: true, ..VerifyOptions::default() };
        let key = held.key.secret.expose();
        keyward.verify_with(key, &Asked::default(), &options).await.unwrap().code()
    };
    assert_eq!(skipping().await, "allowed");
    other.disable_account(held.id(), &me()).await.unwrap();
    let before = world.store.count(Call::Account);
    assert_eq!(skipping().await, "disabled");
    assert_eq!(world.store.count(Call::Account) - before, 2, "once for each of two questions");
    assert_eq!(held.code(&keyward).await, "allowed", "it is not a second yet");
    assert_eq!(world.store.count(Call::Account) - before, 2);
}

/// An instance, and an account and a key that it is going to make next: those that the same chance has
/// made in another world.
async fn foreseen(backend: Backend) -> (World, Keyward, Arc<Held>) {
    let [world, twin] = [World::new(backend), World::new(backend)];
    let builder = |world: &World| world.builder().entropy(Arc::new(SeededEntropy::new(7)));
    let foreseen = Held::new(&builder(&twin).build().await.unwrap()).await;
    let keyward = builder(&world).build().await.unwrap();
    (world, keyward, Arc::new(foreseen))
}

/// A client id that no account has.
fn made_up(n: u64) -> String {
    let entropy = SeededEntropy::new(1_000_000 + n);
    ClientId::generate(&entropy, FixedClock::new().now()).to_string()
}
