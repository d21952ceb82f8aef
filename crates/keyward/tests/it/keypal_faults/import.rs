//! Keys that keypal has issued go on working: they are taken over by their hashes.

use std::time::Duration;

use keyward::store::Usage;
use keyward::{
    Action, Alphabet, AuditFilter, BuildError, Digest, Expiry, Format, FormatKind, ImportedKey,
    KeyId, KeypalSalt, KeypalSalts, KeyspaceId, Keyward, NewKey, NewKeyspace, Opaque, Past,
    PepperVersion, Prefix, Revocation, Rotation, Secret,
};
use rstest::rstest;
use serde_json::json;

use super::{another, events, made_up, record, sha256, take_over};
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{World, code, create_keyspace, issue, me, reader, seconds};

/// Keys of keypal's form with their hashes, which another program has computed as keypal does. The
/// salt is `pepper & salt`.
const HASHED: [(&str, &str); 4] = [
    (
        "sk_0000000000111111111122222222223A",
        "sha256:9b076038f04f6d555fe5378d6e4dbf319bf5761cd71a180b1e982492f8c5800b",
    ),
    (
        "sk_ZZZZZZZZZZYYYYYYYYYYXXXXXXXXXX12",
        "sha512:78793ef928506d4c183bf54a19195e0b1d806fa113c33c2679d4f067e42712bd\
         175b15f723de71edee8c5bd8c5d640e113de278b0682291eaedf9165b1bf86b7",
    ),
    (
        "sk_abcdefghijklmnopqrstuvwxyz012345",
        "keypal-salted-sha256:v1:c084fd5aaf659bd504a731df2fc2a7b9fcea28bda1f4d6fd2f7e8709b0a1a8ed",
    ),
    (
        "sk_QRSTUVWXYZQRSTUVWXYZQRSTUVWXYZ98",
        "keypal-salted-sha512:v1:0adf165a18d617597bed4d040a61a005dbfa4830b2fc6058a7a7cc68a3ace451\
         e1aceedb0b25a7939f1a98febe831dca255c3f7616a441fc5d9258e6c080da21",
    ),
];

fn salts() -> KeypalSalts {
    vec![(PepperVersion::new(1), KeypalSalt::new(b"pepper & salt".to_vec()).unwrap())]
}

/// An instance that knows the salt, with a keyspace for keypal's keys.
async fn start(world: &World) -> (Keyward, KeyspaceId) {
    let keyward = world.builder().keypal_salts(salts()).build().await.unwrap();
    let id: KeyspaceId = "keypal".parse().unwrap();
    let alphabet = Alphabet::alphanumeric().clone();
    let opaque = Opaque::new(Some(Prefix::parse("sk").unwrap()), 32, alphabet).unwrap();
    create_keyspace(&keyward, NewKeyspace::new(id.clone(), Format::Opaque(opaque))).await;
    (keyward, id)
}

fn imported(keyspace: &KeyspaceId, digest: &str) -> ImportedKey {
    let key = NewKey { keyspace: keyspace.clone(), ..reader() };
    ImportedKey::new(key, Digest::parse(digest).unwrap())
}

#[rstest]
#[tokio::test]
async fn keys_are_taken_over_with_each_hash_that_keypal_makes(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let (keyward, keyspace) = start(&world).await;
    for (secret, digest) in HASHED {
        let secret = Secret::new(secret.to_owned());
        assert_eq!(code(&keyward, &secret).await, "unknown");
        let key = keyward.import(imported(&keyspace, digest), &me()).await.unwrap();
        assert_eq!(code(&keyward, &secret).await, "allowed", "{digest}");
        let found = keyward.find_by_digest(&Digest::parse(digest).unwrap()).await.unwrap().unwrap();
        assert_eq!((found.record, found.usage.uses), (key, 1));
    }
    let other = world.builder_on(world.second_store()).keypal_salts(salts()).build().await.unwrap();
    for (secret, digest) in HASHED {
        assert_eq!(code(&other, &Secret::new(secret.to_owned())).await, "allowed", "{digest}");
    }
    let without = world.builder().build().await;
    assert!(matches!(without, Err(BuildError::MissingPepper { .. })), "{without:?}");
}

#[rstest]
#[tokio::test]
async fn a_key_that_was_taken_over_is_a_key_like_any_other(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let (keyward, keyspace) = start(&world).await;
    let (secret, digest) = HASHED[2];
    let secret = Secret::new(secret.to_owned());
    let there = imported(&keyspace, digest);
    let created_at = keyward.now().before(seconds(86_400)).unwrap();
    let key = NewKey { expiry: Expiry::In(seconds(60)), ..there.key };
    let id: Option<KeyId> = "V1StGXR8_Z5jdHi6B-myT".parse().ok();
    let created_at = Some(created_at);
    let past = Past { created_at, ..Past::default() };
    let key = ImportedKey { key, id: id.clone(), past, ..there };
    let key = keyward.import(key, &me()).await.unwrap();
    assert_eq!((Some(&key.id), Some(key.created_at)), (id.as_ref(), created_at));
    assert_eq!(key.hint, "sk_", "nothing of the secret");
    let filter = AuditFilter { key: id, ..AuditFilter::default() };
    let told = events(&keyward, filter).await;
    assert_eq!((told.len(), told[0].action), (1, Action::KeyImported));
    assert_eq!(told[0].data["scheme"], json!("keypal-salted-sha256:v1"));

    keyward.disable(&key.id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &secret).await, "disabled");
    keyward.enable(&key.id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &secret).await, "allowed");
    let rotated = keyward.rotate(&key.id, Rotation::default(), &me()).await.unwrap();
    assert_eq!(
        rotated.key.secret.digest().unwrap().scheme().to_string(),
        "sha256",
        "we salt nothing"
    );
    assert_eq!(code(&keyward, &secret).await, "unknown");
    assert_eq!(code(&keyward, &rotated.secret).await, "allowed");
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(code(&keyward, &rotated.secret).await, "expired");
}

#[rstest]
#[tokio::test]
async fn what_cannot_be_verified_is_not_taken_over(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let (keyward, keyspace) = start(&world).await;
    let plain = HASHED[0].1;
    let unknown_salt = HASHED[2].1.replace(":v1:", ":v2:");
    let unknown_pepper = plain.replace("sha256:", "hmac-sha256:v1:");
    let past = Expiry::At(keyward.now().before(seconds(1)).unwrap());
    let expired = imported(&keyspace, plain);
    let expired = ImportedKey { key: NewKey { expiry: past, ..expired.key }, ..expired };
    for (key, field) in [
        (imported(&keyspace, &unknown_salt), "hash"),
        (imported(&keyspace, &unknown_pepper), "hash"),
        (imported(&KeyspaceId::default_keyspace(), plain), "id"),
        (imported(&"nowhere".parse().unwrap(), plain), "keyspace"),
        (expired, "expires_at"),
    ] {
        let error = keyward.import(key, &me()).await.unwrap_err();
        assert_eq!(error.field().unwrap().field, field);
    }
    let secret = Secret::new(HASHED[0].0.to_owned());
    assert_eq!(code(&keyward, &secret).await, "unknown");
}

#[rstest]
#[tokio::test]
async fn an_id_or_a_hash_is_taken_over_once(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let [one, two] = [0, 1].map(|n| made_up(FormatKind::Opaque, n));
    let [a, b] = ["a", "b"].map(|id| id.parse::<KeyId>().unwrap());
    let first = take_over(&keyward, &a, &one).await.unwrap();
    for (id, secret, code) in
        [(&a, &one, "already_imported"), (&a, &two, "key_exists"), (&b, &one, "key_exists")]
    {
        let error = take_over(&keyward, id, secret).await.unwrap_err();
        assert_eq!(error.code(), code);
    }
    assert_eq!(record(&another(&world).await, &a).await, first);
    assert_eq!(code(&keyward, &one).await, "allowed");
    assert_eq!(code(&keyward, &two).await, "unknown");
    take_over(&keyward, &b, &two).await.unwrap();
    assert_eq!(code(&keyward, &two).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn a_key_is_found_by_its_digest_where_digests_find_keys(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let secret = made_up(FormatKind::Opaque, 0);
    assert_eq!(keyward.find_by_digest(&sha256(&secret)).await.unwrap(), None);
    let key = take_over(&keyward, &"a".parse().unwrap(), &secret).await.unwrap();
    keyward.delete(&key.id, &me()).await.unwrap();
    let found = keyward.find_by_digest(&sha256(&secret)).await.unwrap().unwrap();
    assert_eq!(found.record.id, key.id, "deleted ones included");
    let prefixed = issue(&keyward).await;
    assert_eq!(keyward.find_by_digest(prefixed.key.secret.digest().unwrap()).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn what_had_become_of_a_key_comes_along(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let (keyward, keyspace) = start(&world).await;
    let ago = |days: u64| keyward.now().before(seconds(days * 86_400)).ok();
    let by = me().actor;
    let revocation = ago(3).map(|at| Revocation { at, reason: None, by });
    let successor = KeyId::parse("next").ok();
    let pasts = [
        Past { expires_at: ago(2), ..Past::default() },
        Past {
            revocation: revocation.clone(),
            rotated_to: successor.clone(),
            usage: Usage { last_used_at: ago(4), ..Usage::default() },
            ..Past::default()
        },
    ];
    for ((past, (secret, digest)), expected) in
        pasts.into_iter().zip(HASHED).zip(["expired", "revoked"])
    {
        let expires_at = past.expires_at;
        let key = ImportedKey { past, ..imported(&keyspace, digest) };
        let key = keyward.import(key, &me()).await.unwrap();
        assert_eq!(key.expires_at, expires_at);
        assert_eq!(code(&keyward, &Secret::new(secret.to_owned())).await, expected);
    }
    let digest = Digest::parse(HASHED[1].1).unwrap();
    let found = keyward.find_by_digest(&digest).await.unwrap().unwrap();
    assert_eq!((found.record.revocation, found.record.rotated_to), (revocation, successor));
    assert_eq!((found.usage.last_used_at, found.usage.uses), (ago(4), 0));
}
