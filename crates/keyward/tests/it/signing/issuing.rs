//! Issuing, changing, rotating and taking over signed keys.

use keyward::jose::{Claims, PairKind, PublicKey};
use keyward::{
    Expiry, ImportedKey, KeyChanges, KeyId, NewKey, NewKeyspace, RateLimit, Rotation, RotationMode,
    SigningSettings, Timestamp,
};
use rstest::rstest;
use serde_json::json;

use super::{format, issue_signed, new_key, payload, settings, signed_keyspace};
use crate::support::{Backend, World, code, create_keyspace, me, owner, scopes, seconds};

#[rstest]
#[case(PairKind::Ed25519, Backend::Memory)]
#[case(PairKind::P256, Backend::Sqlite)]
#[case(PairKind::Rsa2048, Backend::Sqlite)]
#[tokio::test]
async fn a_key_lives_and_is_revoked(#[case] pair: PairKind, #[case] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.builder().signing(settings()).build().await.unwrap();
    let new = NewKeyspace::new("signed".parse().unwrap(), format(pair, Some("api")));
    let keyspace = create_keyspace(&keyward, new).await.id;
    let issued = keyward.issue(new_key(&keyspace), &me()).await.unwrap();
    assert_eq!(issued.key.secret.signature().unwrap().public_key.kind(), pair);
    // The second time, it is remembered.
    for _ in 0..2 {
        assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    }
    keyward.revoke(&issued.key.id, None, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "revoked");
}

#[tokio::test]
async fn the_token_says_what_the_record_says() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let keyspace = signed_keyspace(&keyward).await;
    let claims = Claims::parse(r#"{"plan":"gold","sub":"somebody else","iat":1}"#).unwrap();
    let not_before = Some(keyward.now().after(seconds(60)).unwrap());
    let new = NewKey { claims, not_before, ..new_key(&keyspace) };
    let issued = keyward.issue(new, &me()).await.unwrap();
    let now = 1_798_761_600;
    assert_eq!(
        payload(issued.secret.expose()),
        json!({
            "plan": "gold", "sub": "customer-1", "iat": now, "scopes": ["read"],
            "iss": format!("https://keys.example/jwks/{}", issued.key.id),
            "exp": now + 3_600, "nbf": now + 60, "ver": "japikey-v1",
        })
    );
    assert_eq!(code(&keyward, &issued.secret).await, "not_yet_valid");
}

#[tokio::test]
async fn its_end_is_a_whole_second_in_record_and_token() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let keyspace = signed_keyspace(&keyward).await;
    let expiry = Expiry::At(Timestamp::parse("2027-01-01T00:00:05.900Z").unwrap());
    let issued = keyward.issue(NewKey { expiry, ..new_key(&keyspace) }, &me()).await.unwrap();
    assert_eq!(issued.key.expires_at.unwrap().to_string(), "2027-01-01T00:00:05Z");
    world.clock.advance(std::time::Duration::from_millis(4_999));
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    world.clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(code(&keyward, &issued.secret).await, "expired");
}

#[rstest]
#[case::no_end(|new: &mut NewKey| new.expiry = Expiry::Default, "expires_at")]
#[case::never(|new: &mut NewKey| new.expiry = Expiry::Never, "expires_at")]
#[case::over_by_the_second(
    |new: &mut NewKey| new.expiry = Expiry::At(Timestamp::parse("2027-01-01T00:00:00.5Z").unwrap()), "expires_at"
)]
#[case::nbf_is_no_number(
    |new: &mut NewKey| new.claims = Claims::parse(r#"{"nbf":"soon"}"#).unwrap(), "claims"
)]
#[case::too_long(
    |new: &mut NewKey| {
        new.claims = Claims::default().with("x", &"x".repeat(3_000)).unwrap();
    },
    "claims"
)]
#[tokio::test]
async fn what_would_make_a_dead_key_is_refused(
    #[case] spoil: fn(&mut NewKey),
    #[case] field: &str,
) {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let mut new = new_key(&signed_keyspace(&keyward).await);
    spoil(&mut new);
    let error = keyward.issue(new, &me()).await.unwrap_err();
    assert_eq!(error.field().map(|field| &*field.field), Some(field));
}

#[tokio::test]
async fn only_signed_keys_have_claims() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let claims = Claims::parse(r#"{"plan":"gold"}"#).unwrap();
    let new = NewKey { claims, ..NewKey::new(owner("customer-1")) };
    let error = keyward.issue(new, &me()).await.unwrap_err();
    assert_eq!(error.field().map(|field| &*field.field), Some("claims"));
}

#[tokio::test]
async fn a_successor_gets_a_token_of_its_own_with_the_same_claims() {
    let world = World::new(Backend::Sqlite);
    let keyward = world.start().await;
    let keyspace = signed_keyspace(&keyward).await;
    let claims = Claims::parse(r#"{"plan":"gold"}"#).unwrap();
    let first = keyward.issue(NewKey { claims, ..new_key(&keyspace) }, &me()).await.unwrap();
    let changes = KeyChanges { scopes: Some(scopes(&["write"])), ..KeyChanges::default() };
    let rotation = Rotation { grace: Some(seconds(60)), changes, ..Rotation::default() };
    let second = keyward.rotate(&first.key.id, rotation, &me()).await.unwrap();
    assert_ne!(second.key.id, first.key.id);
    assert_eq!(second.key.rotated_from.as_ref(), Some(&first.key.id));
    let said = payload(second.secret.expose());
    assert_eq!((&said["plan"], &said["scopes"]), (&json!("gold"), &json!(["write"])));
    assert_eq!(code(&keyward, &second.secret).await, "allowed");
    assert_eq!(code(&keyward, &first.secret).await, "allowed");
    world.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(code(&keyward, &first.secret).await, "revoked");
    assert_eq!(code(&keyward, &second.secret).await, "allowed");
}

#[tokio::test]
async fn a_signed_key_cannot_keep_its_id() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let issued = issue_signed(&keyward).await;
    let rotation = Rotation { mode: Some(RotationMode::SameId), ..Rotation::default() };
    let error = keyward.rotate(&issued.key.id, rotation, &me()).await.unwrap_err();
    assert_eq!(error.field().map(|field| &*field.field), Some("mode"));
}

#[rstest]
#[case::sooner(Expiry::In(seconds(60)), true)]
#[case::later(Expiry::In(seconds(7_200)), false)]
#[case::never(Expiry::Never, false)]
#[tokio::test]
async fn the_end_can_only_be_brought_forward(#[case] expiry: Expiry, #[case] is_possible: bool) {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let issued = issue_signed(&keyward).await;
    let changes = KeyChanges { expiry: Some(expiry), ..KeyChanges::default() };
    let changed = keyward.update(&issued.key.id, changes, &me()).await;
    assert_eq!(changed.is_ok(), is_possible, "{changed:?}");
    if is_possible {
        world.clock.advance(std::time::Duration::from_mins(1));
        assert_eq!(code(&keyward, &issued.secret).await, "expired");
    }
}

#[tokio::test]
async fn an_owner_gets_only_so_many_keys() {
    let world = World::new(Backend::Memory);
    let owner_limit = RateLimit::new(2, seconds(60)).unwrap();
    let limited = SigningSettings { owner_limit, ..settings() };
    let keyward = world.builder().signing(limited).build().await.unwrap();
    let new = new_key(&signed_keyspace(&keyward).await);
    for _ in 0..2 {
        keyward.issue(new.clone(), &me()).await.unwrap();
    }
    let error = keyward.issue(new.clone(), &me()).await.unwrap_err();
    let keyward::Error::TooManyKeys { retry_after } = error else { panic!("{error}") };
    let other = NewKey { owner: owner("customer-2"), ..new.clone() };
    keyward.issue(other, &me()).await.unwrap();
    world.clock.advance(retry_after);
    keyward.issue(new, &me()).await.unwrap();
}

/// A key that the published package has minted, under its public key alone.
#[rstest]
#[case(0)]
#[case(1)]
#[case(2)]
#[case(3)]
#[tokio::test]
async fn keys_of_japikey_are_taken_over(#[case] place: usize) {
    let vectors = include_str!("../../../../../vectors/japikey.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    let vector = &vectors["valid"][place];
    let text = |name: &str| vector[name].as_str().unwrap();
    let world = World::new(Backend::Sqlite);
    let keyward = world.start().await;
    let issuer = text("base_issuer").parse().unwrap();
    let signed = keyward::Signed::new(PairKind::Rsa2048, issuer, "api-key".parse().ok());
    let id = "japikey".parse().unwrap();
    let keyspace = NewKeyspace::new(id, keyward::Format::Signed(signed));
    let keyspace = create_keyspace(&keyward, keyspace).await.id;
    let token = keyward::Secret::new(text("token").to_owned());
    assert_eq!(code(&keyward, &token).await, "unknown");
    let (public_key, kid) = PublicKey::read(&vector["jwk"].to_string()).unwrap();
    let id: KeyId = kid.unwrap().parse().unwrap();
    let key = NewKey { keyspace, expiry: Expiry::Never, ..NewKey::new(owner("user-1")) };
    let imported = ImportedKey::signed(key, id.clone(), public_key);
    keyward.import(imported.clone(), &me()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(code(&keyward, &token).await, "allowed");
    }
    let again = keyward.import(imported, &me()).await.unwrap_err();
    assert_eq!(again.code(), "already_imported");
    keyward.revoke(&id, None, &me()).await.unwrap();
    assert_eq!(code(&keyward, &token).await, "revoked");
}

#[tokio::test]
async fn a_taken_over_token_ends_when_it_says_so() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let issued = issue_signed(&keyward).await;
    let other = World::new(Backend::Memory);
    let elsewhere = other.start().await;
    let keyspace = signed_keyspace(&elsewhere).await;
    let public_key = issued.key.secret.signature().unwrap().public_key.clone();
    let key = NewKey { keyspace, expiry: Expiry::Never, ..NewKey::new(owner("user-1")) };
    let imported = ImportedKey::signed(key, issued.key.id.clone(), public_key);
    let record = elsewhere.import(imported, &me()).await.unwrap();
    assert_eq!(record.expires_at, None);
    assert_eq!(code(&elsewhere, &issued.secret).await, "allowed");
    other.clock.advance(std::time::Duration::from_hours(1));
    for _ in 0..2 {
        assert_eq!(code(&elsewhere, &issued.secret).await, "expired");
    }
}
