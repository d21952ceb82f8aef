//! What is believed of a presented token, the first time and when it is remembered.

use std::time::Duration;

use keyward::jose::PairKind;
use keyward::{Asked, KeyId, Keyward, NewKeyspace, Secret, VerifyOptions};
use rstest::rstest;

use super::{format, issue_signed, new_key, signed_keyspace};
use crate::support::{Backend, Call, World, code, code_for, create_keyspace, me, scope};

/// The same text with another character at a place from its end.
fn spoilt(token: &Secret, place: usize) -> Secret {
    let mut text = token.expose().to_owned().into_bytes();
    let at = text.len() - place;
    text[at] = if text[at] == b'A' { b'B' } else { b'A' };
    Secret::new(String::from_utf8(text).unwrap())
}

async fn is_allowed_then_spoilt(keyward: &Keyward, token: &Secret) {
    assert_eq!(code(keyward, token).await, "allowed");
    for place in [10, 40, 80] {
        assert_eq!(code(keyward, &spoilt(token, place)).await, "unknown", "{place}");
    }
    assert_eq!(code(keyward, token).await, "allowed");
}

#[tokio::test]
async fn another_signature_is_unknown_before_and_after_the_right_one_was_proved() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let issued = issue_signed(&keyward).await;
    assert_eq!(code(&keyward, &spoilt(&issued.secret, 10)).await, "unknown");
    is_allowed_then_spoilt(&keyward, &issued.secret).await;
}

#[tokio::test]
async fn a_remembered_token_is_judged_anew_each_time() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let issued = issue_signed(&keyward).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    let write = [scope("write")];
    let asked = Asked { scopes: &write, ..Asked::default() };
    assert_eq!(code_for(&keyward, &issued.secret, &asked).await, "insufficient_scope");
    keyward.disable(&issued.key.id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "disabled");
    keyward.enable(&issued.key.id, &me()).await.unwrap();
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(code(&keyward, &issued.secret).await, "expired");
}

#[tokio::test]
async fn a_purged_key_is_forgotten_with_what_it_proved() {
    let world = World::new(Backend::Sqlite);
    let keyward = world.start().await;
    let issued = issue_signed(&keyward).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    keyward.delete(&issued.key.id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "unknown");
    keyward.purge(&issued.key.id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "unknown");
}

#[tokio::test]
async fn without_its_lease_a_remembered_token_is_proved_anew() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let issued = issue_signed(&keyward).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    let elsewhere = world.start().await;
    elsewhere.revoke(&issued.key.id, None, &me()).await.unwrap();
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(code(&keyward, &issued.secret).await, "revoked");
}

#[tokio::test]
async fn the_cache_can_be_passed_over() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let issued = issue_signed(&keyward).await;
    let options = VerifyOptions { skip_cache: true, ..VerifyOptions::default() };
    for _ in 0..2 {
        let decision =
            keyward.verify_with(issued.secret.expose(), &Asked::default(), &options).await.unwrap();
        assert_eq!(decision.code(), "allowed");
        let permit = decision.permit().unwrap();
        assert!(permit.holder().proved().is_some(), "its claims are there");
    }
}

#[rstest]
#[case::ours(Some("api"), "allowed")]
#[case::whatever(None, "allowed")]
#[case::another(Some("web"), "unknown")]
#[tokio::test]
async fn a_token_for_another_audience_is_unknown(
    #[case] audience: Option<&str>,
    #[case] expected: &str,
) {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let new = NewKeyspace::new("api".parse().unwrap(), format(PairKind::P256, Some("api")));
    let keyspace = create_keyspace(&keyward, new).await.id;
    let issued = keyward.issue(new_key(&keyspace), &me()).await.unwrap();
    // The same key in a keyspace that means somebody else, or does not say.
    let other = World::new(Backend::Memory);
    let elsewhere = other.start().await;
    let new = NewKeyspace::new("other".parse().unwrap(), format(PairKind::P256, audience));
    let keyspace = create_keyspace(&elsewhere, new).await.id;
    let public_key = issued.key.secret.signature().unwrap().public_key.clone();
    let key = new_key(&keyspace);
    let imported = keyward::ImportedKey::signed(key, issued.key.id.clone(), public_key);
    elsewhere.import(imported, &me()).await.unwrap();
    assert_eq!(code(&elsewhere, &issued.secret).await, expected);
}

#[tokio::test]
async fn a_made_up_token_costs_no_read_and_an_unknown_one_costs_one() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let issued = issue_signed(&keyward).await;
    let before = world.store.count(Call::Find);
    for garbage in ["eyJ", "eyJhbGciOiJub25lIn0.e30.x", "eyJ.eyJ.eyJ"] {
        assert_eq!(code(&keyward, &Secret::new(garbage.to_owned())).await, "malformed");
    }
    assert_eq!(world.store.count(Call::Find), before);
    let other = World::new(Backend::Memory);
    let elsewhere = other.start().await;
    signed_keyspace(&elsewhere).await;
    let before = other.store.count(Call::Find);
    for _ in 0..3 {
        assert_eq!(code(&elsewhere, &issued.secret).await, "unknown");
    }
    assert_eq!(other.store.count(Call::Find), before + 1);
}

#[tokio::test]
async fn a_signed_key_is_published_while_it_is_active() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let issued = issue_signed(&keyward).await;
    let id = &issued.key.id;
    let is_published = async |id: &KeyId| keyward.published_key(id).await.unwrap().is_some();
    assert!(is_published(id).await);
    keyward.disable(id, &me()).await.unwrap();
    assert!(!is_published(id).await);
    keyward.enable(id, &me()).await.unwrap();
    assert!(is_published(id).await);
    let prefixed = crate::support::issue(&keyward).await;
    assert!(!is_published(&prefixed.key.id).await, "it has no public key");
    keyward.revoke(id, None, &me()).await.unwrap();
    assert!(!is_published(id).await);
}

#[tokio::test]
async fn an_expired_key_is_published_no_more() {
    let world = World::new(Backend::Memory);
    let keyward = world.start().await;
    let issued = issue_signed(&keyward).await;
    assert!(keyward.published_key(&issued.key.id).await.unwrap().is_some());
    world.clock.advance(Duration::from_hours(1));
    assert!(keyward.published_key(&issued.key.id).await.unwrap().is_none());
}
