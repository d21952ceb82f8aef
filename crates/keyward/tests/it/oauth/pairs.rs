//! Pairs that sign: made when they are needed, published before they sign, on several instances.

use std::time::Duration;

use keyward::IssuedToken;
use keyward::jose::{AccessToken, KeySet};
use rstest::rstest;

use super::{account, build, client, is_active, issue, published, second, settings};
use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World};

/// How long a pair signs, in minutes.
const DAY: u64 = 24 * 60;

/// Lets minutes pass. A public key stands in the list for one of them before its pair signs.
fn pass(world: &World, minutes: u64) {
    world.clock.advance(Duration::from_mins(minutes));
}

/// The id of the key that signed a token.
fn signed_by(token: &IssuedToken) -> String {
    AccessToken::read(token.token.expose()).unwrap().key_id().to_string()
}

#[rstest]
#[tokio::test]
async fn a_pair_is_made_with_the_first_token_and_serves_for_the_next_ones(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    keyward.rotate_signing_pairs().await.unwrap();
    assert_eq!(published(&*world.store).await, [""; 0], "nobody has asked for a token");
    let (one, other) = (issue(&keyward, &account).await, issue(&keyward, &account).await);
    assert_eq!(published(&*world.store).await, [signed_by(&one)]);
    assert_eq!(signed_by(&one), signed_by(&other));
}

#[tokio::test]
async fn clients_that_ask_at_once_share_one_pair() {
    let world = World::new(Memory);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let client = client(&keyward, &account).await;
    let asked = || keyward.issue_token(&client, None);
    let (a, b, c) = tokio::join!(asked(), asked(), asked());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(published(&*world.store).await.len(), 1);
}

#[tokio::test]
async fn a_key_that_cannot_be_published_signs_nothing() {
    let world = World::new(Memory);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let client = client(&keyward, &account).await;
    world.store.fail_after(Call::Apply, Some(0));
    assert!(keyward.issue_token(&client, None).await.is_err());
    world.store.fail_after(Call::Apply, None);
    assert!(keyward.issue_token(&client, None).await.is_ok());
}

#[rstest]
#[tokio::test]
async fn the_next_key_is_published_before_it_signs(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let first = signed_by(&issue(&keyward, &account).await);
    pass(&world, DAY - 3);
    keyward.rotate_signing_pairs().await.unwrap();
    assert_eq!(published(&*world.store).await, [first.as_str()], "it is too early");
    pass(&world, 1);
    keyward.rotate_signing_pairs().await.unwrap();
    keyward.rotate_signing_pairs().await.unwrap();
    let [known, next] = <[String; 2]>::try_from(published(&*world.store).await).unwrap();
    assert_eq!(known, first);
    // Verifiers that keep the list for a minute know the next key before they meet it.
    world.clock.advance(Duration::from_secs(59));
    let last = issue(&keyward, &account).await;
    assert_eq!(signed_by(&last), first);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(signed_by(&issue(&keyward, &account).await), next);
    assert!(is_active(&keyward, &last).await, "it lives on, and so does its key");
}

#[rstest]
#[tokio::test]
async fn keys_whose_tokens_have_expired_go_with_a_later_rotation(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let first = signed_by(&issue(&keyward, &account).await);
    for _ in 0..4 {
        pass(&world, DAY - 2);
        keyward.rotate_signing_pairs().await.unwrap();
        pass(&world, 2);
        let token = issue(&keyward, &account).await;
        assert!(is_active(&keyward, &token).await);
    }
    let keys = published(&*world.store).await;
    assert!(keys.len() == 2 && !keys.contains(&first), "{keys:?}");
}

#[tokio::test]
async fn an_instance_that_missed_its_rotation_makes_another_pair_at_once() {
    let world = World::new(Memory);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let first = signed_by(&issue(&keyward, &account).await);
    pass(&world, DAY + 1);
    assert_eq!(signed_by(&issue(&keyward, &account).await), first, "there is some time");
    pass(&world, 1);
    let late = issue(&keyward, &account).await;
    assert_ne!(signed_by(&late), first);
    assert!(is_active(&keyward, &late).await);
}

#[rstest]
#[tokio::test]
async fn each_instance_signs_by_its_own_pair_and_believes_all(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let (one, other) = (build(world.builder()).await, second(&world).await);
    let account = account(&one).await;
    let first = issue(&one, &account).await;
    // The other one has looked at the list before the second key was in it.
    assert!(is_active(&other, &first).await);
    let second = issue(&other, &account).await;
    assert_ne!(signed_by(&first), signed_by(&second));
    for keyward in [&one, &other] {
        assert!(is_active(keyward, &first).await && is_active(keyward, &second).await);
    }
    world.clock.advance(Duration::from_secs(1));
    for keyward in [&one, &other] {
        let document = keyward.signing_key_document().await.unwrap().unwrap();
        let keys = KeySet::read_all(std::str::from_utf8(&document.body).unwrap()).unwrap();
        assert_eq!(keys.len(), 2);
    }
}

#[rstest]
#[tokio::test]
async fn tokens_outlive_the_process_that_signed_them(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let token = issue(&keyward, &account).await;
    drop(keyward);
    let again = second(&world).await;
    assert!(is_active(&again, &token).await);
    assert_ne!(signed_by(&issue(&again, &account).await), signed_by(&token));
    world.clock.advance(settings().token_lifetime.duration());
    assert!(!is_active(&again, &token).await);
}

#[rstest]
#[tokio::test]
async fn an_instance_that_is_closed_leaves_its_key_for_as_long_as_its_tokens(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = build(world.builder()).await;
    let account = account(&keyward).await;
    let token = issue(&keyward, &account).await;
    keyward.close().await.unwrap();
    let again = second(&world).await;
    pass(&world, 9);
    assert!(is_active(&again, &token).await);
    pass(&world, 3);
    let next = signed_by(&issue(&again, &account).await);
    assert_eq!(published(&*world.store).await, [next], "the old one went with the new one");
}
