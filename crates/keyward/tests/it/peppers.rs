//! Server-side keys for digests: brought in, renewed, and missed.

use keyward::{BuildError, DigestScheme, FormatKind, Issued, Pepper, PepperVersion, Peppers};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, code, issue_as};

use FormatKind::{Opaque, Prefixed};

/// Peppers of these versions, each made of a byte of its own.
pub(crate) fn peppers(versions: &[u16]) -> Peppers {
    let pepper = |&version: &u16| {
        let byte = u8::try_from(version).unwrap();
        (PepperVersion::new(version), Pepper::new(vec![byte; 32]).unwrap())
    };
    versions.iter().map(pepper).collect()
}

pub(crate) fn hmac(version: u16) -> DigestScheme {
    DigestScheme::HmacSha256(PepperVersion::new(version))
}

/// Starts with these peppers, issues a key, and looks that the keys before it still work.
async fn issue_with(
    world: &World,
    versions: &[u16],
    format: FormatKind,
    before: &[&Issued],
) -> (Issued, Vec<DigestScheme>) {
    let keyward = world.builder().peppers(peppers(versions)).build().await.unwrap();
    for (n, key) in before.iter().enumerate() {
        assert_eq!(code(&keyward, &key.secret).await, "allowed", "key {n} before the issue");
    }
    let issued = issue_as(&keyward, format).await;
    for (n, key) in before.iter().chain([&&issued]).enumerate() {
        assert_eq!(code(&keyward, &key.secret).await, "allowed", "key {n} after the issue");
    }
    let keyspace = keyward.keyspace(&issued.key.keyspace).await.unwrap().unwrap();
    (issued, keyspace.schemes)
}

#[rstest]
#[tokio::test]
async fn keys_outlive_the_pepper_that_was_the_newest_when_they_were_issued(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
) {
    let world = World::new(backend);
    let (plain, schemes) = issue_with(&world, &[], format, &[]).await;
    assert_eq!(plain.key.secret.digest().unwrap().scheme(), DigestScheme::Sha256);
    assert_eq!(schemes, [DigestScheme::Sha256]);
    let (first, schemes) = issue_with(&world, &[1], format, &[&plain]).await;
    assert_eq!(first.key.secret.digest().unwrap().scheme(), hmac(1));
    assert_eq!(schemes, [hmac(1), DigestScheme::Sha256]);
    let (second, schemes) = issue_with(&world, &[1, 2], format, &[&plain, &first]).await;
    assert_eq!(second.key.secret.digest().unwrap().scheme(), hmac(2));
    assert_eq!(schemes, [hmac(2), hmac(1), DigestScheme::Sha256]);
    let (third, schemes) = issue_with(&world, &[2, 1], format, &[&plain, &first, &second]).await;
    assert_eq!(third.key.secret.digest().unwrap().scheme(), hmac(2));
    assert_eq!(schemes, [hmac(2), hmac(1), DigestScheme::Sha256]);
}

#[rstest]
#[tokio::test]
async fn a_rotation_moves_a_key_to_the_newest_pepper(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
) {
    let world = World::new(backend);
    let (plain, _) = issue_with(&world, &[], format, &[]).await;
    let keyward = world.builder().peppers(peppers(&[1])).build().await.unwrap();
    let rotation = keyward::Rotation {
        grace: Some(crate::support::seconds(60)),
        ..keyward::Rotation::default()
    };
    let rotated = keyward.rotate(&plain.key.id, rotation, &crate::support::me()).await.unwrap();
    assert_eq!(rotated.key.secret.digest().unwrap().scheme(), hmac(1));
    assert_eq!(code(&keyward, &plain.secret).await, "allowed");
    assert_eq!(code(&keyward, &rotated.secret).await, "allowed");
}

#[rstest]
#[case::none(&[], &[1], Some(1))]
#[case::the_newer_one(&[1], &[1, 2], Some(2))]
#[case::the_older_one(&[2], &[1, 2], Some(1))]
#[case::another(&[3], &[1], Some(1))]
#[case::no_more_than_before(&[1, 2], &[1], None)]
#[tokio::test]
async fn a_pepper_that_keys_need_must_be_configured(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
    #[case] configured: &[u16],
    #[case] used: &[u16],
    #[case] missing: Option<u16>,
) {
    let world = World::new(backend);
    for n in 1..=used.len() {
        issue_with(&world, &used[..n], format, &[]).await;
    }
    let built = world.builder().peppers(peppers(configured)).build().await;
    match (built, missing) {
        (Ok(_), None) => {}
        (Err(BuildError::MissingPepper { scheme, .. }), Some(version)) => {
            assert_eq!(scheme, hmac(version));
        }
        (built, _) => panic!("{built:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn a_stored_digest_is_worth_nothing_without_its_pepper(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(Prefixed, Opaque)] format: FormatKind,
) {
    let world = World::new(backend);
    let (first, _) = issue_with(&world, &[1], format, &[]).await;
    let other = vec![(PepperVersion::new(1), Pepper::new(vec![9; 32]).unwrap())];
    let keyward = world.builder().peppers(other).build().await.unwrap();
    assert_eq!(code(&keyward, &first.secret).await, "unknown");
}
