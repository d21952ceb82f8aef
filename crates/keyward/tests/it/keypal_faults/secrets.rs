//! 13: secrets are hashed without a key, and whatever is presented costs a read.

use keyward::{
    Asked, DigestScheme, FormatKind, Issued, Keyward, MAX_SECRET_LENGTH, Pepper, PepperVersion,
    Peppers, Rotation, Secret,
};
use rstest::rstest;

use super::{made_up, record, sha256};
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{Call, World, code, issue_as, keyspace_of, me};

use FormatKind::{Opaque, Prefixed, Signed};

/// Peppers of these versions, each made of one byte.
fn peppers(versions: &[(u16, u8)]) -> Peppers {
    let pepper = |&(version, byte): &(u16, u8)| {
        (PepperVersion::new(version), Pepper::new(vec![byte; 32]).unwrap())
    };
    versions.iter().map(pepper).collect()
}

async fn start(world: &World, versions: &[(u16, u8)]) -> Keyward {
    world.builder().peppers(peppers(versions)).build().await.unwrap()
}

const fn hmac(version: u16) -> DigestScheme {
    DigestScheme::HmacSha256(PepperVersion::new(version))
}

fn scheme(key: &Issued) -> DigestScheme {
    key.key.secret.digest().unwrap().scheme()
}

#[rstest]
#[tokio::test]
async fn fault_13_what_is_stored_is_keyed_and_worth_nothing_without_the_pepper(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = start(&world, &[(1, 1)]).await;
    let issued = issue_as(&keyward, format).await;
    let record = record(&keyward, &issued.key.id).await;
    let digest = record.secret.digest().unwrap();
    assert_eq!(digest.scheme(), hmac(1));
    assert_ne!(digest.as_bytes(), sha256(&issued.secret).as_bytes());
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    let without = start(&world, &[(1, 2)]).await;
    assert_eq!(code(&without, &issued.secret).await, "unknown");
}

#[rstest]
#[tokio::test]
async fn fault_13_peppers_are_renewed_and_the_old_ones_verify(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
) {
    let world = World::new(backend);
    let plain = issue_as(&start(&world, &[]).await, format).await;
    let first = issue_as(&start(&world, &[(1, 1)]).await, format).await;
    let keyward = start(&world, &[(2, 2), (1, 1)]).await;
    let second = issue_as(&keyward, format).await;
    let schemes = [&plain, &first, &second].map(scheme);
    assert_eq!(schemes, [DigestScheme::Sha256, hmac(1), hmac(2)]);
    for key in [&plain, &first, &second] {
        assert_eq!(code(&keyward, &key.secret).await, "allowed");
    }
    let rotated = keyward.rotate(&first.key.id, Rotation::default(), &me()).await.unwrap();
    assert_eq!(rotated.key.secret.digest().unwrap().scheme(), hmac(2));
    assert_eq!(code(&keyward, &rotated.secret).await, "allowed");
}

/// Texts that are nearly secrets of the default keyspace.
fn garbage() -> Vec<String> {
    let good = made_up(Prefixed, 0);
    let good = good.expose();
    let (start, end) = good.split_at(good.len() - 1);
    let typo = if end == "1" { "2" } else { "1" };
    let (prefix, rest) = good.split_once('_').unwrap();
    vec![
        format!("kw_{}", "A".repeat(48)),
        format!("kw_{}_{}", "A".repeat(12), "B".repeat(38)),
        format!("{start}{typo}"),
        start.to_owned(),
        format!("{good}1"),
        format!("{prefix}x_{rest}"),
        good.to_uppercase(),
        format!(" {good}"),
        "kw_".to_owned(),
    ]
}

#[rstest]
#[tokio::test]
async fn fault_13_a_made_up_string_with_the_right_prefix_costs_no_read(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    for text in garbage() {
        let decision = keyward.verify(&text, &Asked::default()).await.unwrap();
        assert_eq!(decision.code(), "malformed", "{text}");
    }
    assert_eq!(world.store.count(Call::Find), 0);
    assert_eq!(code(&keyward, &made_up(Prefixed, 0)).await, "unknown");
    assert_eq!(world.store.count(Call::Find), 1, "only what is well made is looked for");
}

#[rstest]
#[tokio::test]
async fn fault_13_a_key_that_is_not_there_is_looked_for_once(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    keyspace_of(&keyward, format).await;
    let strangers: Vec<_> = (0..10).map(|n| made_up(format, n)).collect();
    for _ in 0..100 {
        for stranger in &strangers {
            assert_eq!(code(&keyward, stranger).await, "unknown");
        }
    }
    assert_eq!(world.store.count(Call::Find), strangers.len());
}

#[rstest]
#[tokio::test]
async fn fault_13_a_wrong_secret_for_a_key_that_is_there_costs_no_second_read(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, Prefixed).await;
    keyward.rotate(&issued.key.id, Rotation::default(), &me()).await.unwrap();
    for _ in 0..100 {
        assert_eq!(code(&keyward, &issued.secret).await, "unknown");
    }
    assert_eq!(world.store.count(Call::Find), 1);
}

#[rstest]
#[tokio::test]
async fn fault_13_a_text_that_is_too_long_is_refused_unread(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
    #[values(MAX_SECRET_LENGTH + 1, 10_000_000)] length: usize,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let issued = issue_as(&keyward, format).await;
    let secret = issued.secret.expose();
    let long = Secret::new(format!("{secret}{}", "1".repeat(length - secret.len())));
    assert_eq!(long.expose().len(), length);
    assert_eq!(code(&keyward, &long).await, "malformed");
    assert_eq!(world.store.count(Call::Find), 0);
}
