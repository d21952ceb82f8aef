//! Client secrets: the peppers under which they were digested, and rotations at the same time.

use std::time::Duration;

use keyward::{DigestScheme, Error, Keyward, Refusal, Secret};
use rstest::rstest;

use super::{Held, code_as};
use crate::peppers::{hmac, peppers};
use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, me, seconds};

async fn start(world: &World, versions: &[u16]) -> Keyward {
    world.builder().peppers(peppers(versions)).build().await.unwrap()
}

async fn scheme(keyward: &Keyward, held: &Held) -> DigestScheme {
    keyward.account(held.id()).await.unwrap().unwrap().secret.current.scheme()
}

#[rstest]
#[tokio::test]
async fn client_secrets_outlive_the_pepper_that_was_the_newest_when_they_were_drawn(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let mut all = Vec::new();
    let steps: [(&[u16], DigestScheme); 3] =
        [(&[], DigestScheme::Sha256), (&[1], hmac(1)), (&[1, 2], hmac(2))];
    for (versions, newest) in steps {
        let keyward = start(&world, versions).await;
        all.push(Held::new(&keyward).await);
        assert_eq!(scheme(&keyward, all.last().unwrap()).await, newest);
        for held in &all {
            assert_eq!(held.code(&keyward).await, "allowed", "{versions:?}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_rotation_moves_an_account_to_the_newest_pepper_and_the_old_secret_keeps_its_own(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let held = Held::new(&start(&world, &[1]).await).await;
    let keyward = start(&world, &[1, 2]).await;
    let rotated = keyward.rotate_account(held.id(), Some(seconds(60)), &me()).await.unwrap();
    assert_eq!(scheme(&keyward, &held).await, hmac(2));
    assert_eq!(held.code_with(&keyward, &rotated.client_secret).await, "allowed");
    assert_eq!(held.code(&keyward).await, "allowed");
    world.clock.advance(Duration::from_mins(1));
    keyward.catch_up().await.unwrap();
    assert_eq!(held.code_with(&keyward, &rotated.client_secret).await, "allowed");
    assert_eq!(held.code(&keyward).await, "unknown");
}

#[rstest]
#[tokio::test]
async fn a_client_secret_is_worth_nothing_where_its_pepper_is_not_known(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let held = Held::new(&start(&world, &[]).await).await;
    let with = start(&world, &[1]).await;
    let rotated = with.rotate_account(held.id(), None, &me()).await.unwrap();
    let without = world.start().await;
    assert_eq!(held.code_with(&without, &rotated.client_secret).await, "unknown");
    assert_eq!(held.code_with(&with, &rotated.client_secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn no_text_but_the_client_secret_is_taken_for_it(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let (held, other) = (Held::new(&keyward).await, Held::new(&keyward).await);
    let secret = held.account.client_secret.expose();
    let texts = [
        String::new(),
        " ".to_owned(),
        secret.to_lowercase(),
        format!("{secret} "),
        secret.replacen('_', "", 1),
        secret.repeat(10_000),
        other.account.client_secret.expose().to_owned(),
        held.key.secret.expose().to_owned(),
        held.id().to_string(),
    ];
    for text in texts {
        assert_eq!(held.code_with(&keyward, &Secret::new(text)).await, "unknown");
    }
    let (id, own) = (other.id().to_string(), &other.account.client_secret);
    assert_eq!(code_as(&keyward, &id, own, &held.key.secret).await, "unknown", "not its key");
    assert_eq!(held.code(&keyward).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn of_rotations_at_the_same_time_one_is_done(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let held = Held::new(&keyward).await;
    let gate = world.store.hold(Call::Apply);
    let rotating: Vec<_> = (0..5)
        .map(|_| {
            let (keyward, id) = (keyward.clone(), *held.id());
            tokio::spawn(async move { keyward.rotate_account(&id, None, &me()).await })
        })
        .collect();
    gate.arrivals(5).await;
    gate.open();
    let mut new = Vec::new();
    for rotation in rotating {
        match rotation.await.unwrap() {
            Ok(rotated) => new.push(rotated),
            Err(Error::Refused(Refusal::Outdated)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    let [rotated] = new.as_slice() else { panic!("{} were done", new.len()) };
    assert_eq!(held.code_with(&keyward, &rotated.client_secret).await, "allowed");
    assert_eq!(held.code(&keyward).await, "unknown");
}
