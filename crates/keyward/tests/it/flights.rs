//! Reads under way: shared, ended by changes, and left by those who go away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use keyward::{Asked, FormatKind, Issued, Keyward, Rotation};
use rstest::rstest;
use tokio::task::{JoinHandle, yield_now};

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, issue, issue_as, me, worth_of_old};

use FormatKind::{Opaque, Prefixed, Signed};

type Verification = JoinHandle<Result<&'static str, keyward::store::StoreError>>;

/// Begins so many verifications of a key, and returns once all of them wait.
///
/// The tests here run on one thread, so a task that has begun does not stop before it waits.
async fn begin(keyward: &Keyward, issued: &Issued, count: u32) -> Vec<Verification> {
    let begun = Arc::new(AtomicU32::new(0));
    let verifying = (0..count).map(|_| {
        let (keyward, begun) = (keyward.clone(), Arc::clone(&begun));
        let secret = issued.secret.expose().to_owned();
        tokio::spawn(async move {
            begun.fetch_add(1, Ordering::SeqCst);
            Ok(keyward.verify(&secret, &Asked::default()).await?.code())
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
async fn those_who_want_the_same_key_share_one_read(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let gate = world.store.hold(Call::Find);
    let verifying = begin(&keyward, &issued, 64).await;
    gate.open();
    for verification in verifying {
        assert_eq!(verification.await.unwrap().unwrap(), "allowed");
    }
    assert_eq!(world.store.count(Call::Find), 1);
    let uses = keyward.key(&issued.key.id).await.unwrap().unwrap().usage.uses;
    assert_eq!(uses, 64);
}

#[rstest]
#[tokio::test]
async fn a_slow_read_does_not_bring_back_what_was_before_the_change(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
    #[values("revoked", "disabled", "rotated")] change: &str,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let id = &issued.key.id;
    let gate = world.store.hold(Call::Find);
    let slow = begin(&keyward, &issued, 2).await;
    gate.arrivals(1).await;
    world.store.hold_no_more(Call::Find);
    let expected = match change {
        "revoked" => keyward.revoke(id, None, &me()).await.map(|_| "revoked"),
        "disabled" => keyward.disable(id, &me()).await.map(|_| "disabled"),
        _ => {
            let rotated = keyward.rotate(id, Rotation::default(), &me()).await;
            rotated.map(|rotated| worth_of_old(&rotated))
        }
    };
    let expected = expected.unwrap();
    // Does not wait for the read that began before the change.
    assert_eq!(code(&keyward, &issued.secret).await, expected);
    gate.open();
    for verification in slow {
        let code = verification.await.unwrap().unwrap();
        assert!(code == "allowed" || code == expected, "{code}");
    }
    assert_eq!(code(&keyward, &issued.secret).await, expected);
}

#[rstest]
#[tokio::test]
async fn a_slow_read_of_an_absence_does_not_hide_a_key_that_was_issued(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let entropy = || Arc::new(keyward_testkit::SeededEntropy::new(7));
    let [world, twin] = [World::new(backend), World::new(backend)];
    let foreseen = issue(&twin.builder().entropy(entropy()).build().await.unwrap()).await;
    let keyward = world.builder().entropy(entropy()).build().await.unwrap();
    let gate = world.store.hold(Call::Find);
    let slow = begin(&keyward, &foreseen, 1).await;
    gate.arrivals(1).await;
    world.store.hold_no_more(Call::Find);
    assert_eq!(issue(&keyward).await.key.id, foreseen.key.id);
    gate.open();
    for verification in slow {
        verification.await.unwrap().unwrap();
    }
    assert_eq!(code(&keyward, &foreseen.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn one_of_those_who_wait_reads_when_the_reader_goes_away(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    let gate = world.store.hold(Call::Find);
    let mut reader = begin(&keyward, &issued, 1).await;
    for reads in 1..=4 {
        gate.arrivals(1).await;
        assert_eq!(world.store.count(Call::Find), reads);
        let next = begin(&keyward, &issued, 1).await;
        reader[0].abort();
        reader = next;
    }
    let follower = begin(&keyward, &issued, 1).await;
    gate.open();
    for verification in reader.into_iter().chain(follower) {
        assert_eq!(verification.await.unwrap().unwrap(), "allowed");
    }
}

#[rstest]
#[tokio::test]
async fn a_failure_is_tried_once_more_by_one_of_those_who_wait(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    let gate = world.store.hold(Call::BeforeFind);
    let verifying = begin(&keyward, &issued, 3).await;
    gate.arrivals(1).await;
    world.store.fail_after(Call::Find, Some(0));
    gate.let_one_pass();
    gate.arrivals(1).await;
    world.store.fail_after(Call::Find, None);
    gate.open();
    let mut outcomes = Vec::new();
    for verification in verifying {
        outcomes.push(verification.await.unwrap().ok());
    }
    outcomes.sort_unstable();
    assert_eq!(outcomes, [None, Some("allowed"), Some("allowed")]);
}

#[rstest]
#[tokio::test]
async fn while_the_store_is_down_nobody_waits_for_more_than_two_reads(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue(&keyward).await;
    let gate = world.store.hold(Call::BeforeFind);
    let verifying = begin(&keyward, &issued, 50).await;
    world.store.fail_after(Call::Find, Some(0));
    for _ in 0..2 {
        gate.arrivals(1).await;
        // All others wait for this one.
        for _ in 0..200 {
            yield_now().await;
        }
        gate.let_one_pass();
    }
    for verification in verifying {
        verification.await.unwrap().unwrap_err();
    }
    assert_eq!(world.store.count(Call::Find), 2);
}
