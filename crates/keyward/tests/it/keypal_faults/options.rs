//! What can be different in one verification, and where keys are looked for in headers.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use keyward::{
    Asked, Bearer, Decision, HeaderRules, Headers, Issued, Keyward, SecretUsed, UsageTracking,
    VerifyOptions,
};
use rstest::rstest;

use super::another;
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{Call, World, code, issue, me};

const UNCACHED: VerifyOptions<'static> = VerifyOptions {
    client: None,
    headers: None,
    bearer: Bearer::Strip,
    skip_cache: true,
    skip_tracking: false,
};
const UNTRACKED: VerifyOptions<'static> = VerifyOptions {
    client: None,
    headers: None,
    bearer: Bearer::Strip,
    skip_cache: false,
    skip_tracking: true,
};

async fn code_with(keyward: &Keyward, text: &str, options: &VerifyOptions<'_>) -> &'static str {
    keyward.verify_with(text, &Asked::default(), options).await.unwrap().code()
}

async fn code_of<H: Headers + ?Sized>(
    keyward: &Keyward,
    headers: &H,
    options: &VerifyOptions<'_>,
) -> &'static str {
    keyward.verify_headers(headers, &Asked::default(), options).await.unwrap().code()
}

async fn uses(keyward: &Keyward, key: &Issued) -> u64 {
    keyward.key(&key.key.id).await.unwrap().unwrap().usage.uses
}

#[rstest]
#[tokio::test]
async fn without_the_cache_the_store_is_asked_each_time_and_uses_count(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let key = issue(&keyward).await;
    let text = key.secret.expose();
    for reads in 1..=5 {
        assert_eq!(code_with(&keyward, text, &UNCACHED).await, "allowed");
        assert_eq!(world.store.count(Call::Find), reads);
    }
    assert_eq!(code(&keyward, &key.secret).await, "allowed");
    assert_eq!(world.store.count(Call::Find), 6, "nothing was kept");
    assert_eq!(uses(&keyward, &key).await, 6);
}

#[rstest]
#[tokio::test]
async fn without_the_cache_a_change_elsewhere_is_seen_and_the_cache_is_left_as_it_is(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let key = issue(&keyward).await;
    let text = key.secret.expose();
    assert_eq!(code(&keyward, &key.secret).await, "allowed");
    another(&world).await.disable(&key.key.id, &me()).await.unwrap();
    assert_eq!(code_with(&keyward, text, &UNCACHED).await, "disabled");
    assert_eq!(code(&keyward, &key.secret).await, "allowed", "it is not a second yet");
    world.store.set_down(true);
    assert!(keyward.verify_with(text, &Asked::default(), &UNCACHED).await.is_err());
    assert_eq!(code(&keyward, &key.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn without_tracking_nothing_is_counted(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let key = issue(&keyward).await;
    for _ in 0..3 {
        assert_eq!(code_with(&keyward, key.secret.expose(), &UNTRACKED).await, "allowed");
        let headers = [("x-api-key", key.secret.expose())];
        assert_eq!(code_of(&keyward, &headers[..], &UNTRACKED).await, "allowed");
    }
    let usage = keyward.key(&key.key.id).await.unwrap().unwrap().usage;
    assert_eq!((usage.uses, usage.last_used_at), (0, None));
    assert_eq!(code(&keyward, &key.secret).await, "allowed");
    assert_eq!(uses(&keyward, &key).await, 1);
}

#[rstest]
#[tokio::test]
async fn an_instance_without_tracking_counts_nothing_and_can_be_told_of_a_use(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.builder().usage_tracking(UsageTracking::Off).build().await.unwrap();
    let key = issue(&keyward).await;
    let id = &key.key.id;
    for _ in 0..3 {
        assert_eq!(code(&keyward, &key.secret).await, "allowed");
    }
    keyward.close().await.unwrap();
    assert_eq!(world.store.count(Call::RecordUsage), 0);
    world.clock.advance(Duration::from_secs(5));
    keyward.touch(id).await.unwrap();
    let stored = another(&world).await.key(id).await.unwrap().unwrap();
    assert_eq!((stored.usage.uses, stored.usage.last_used_at), (0, Some(keyward.now())));
    assert_eq!(stored.record, key.key, "a touch is no change of the record");
    let nobody = keyward.touch(&"nobody".parse().unwrap()).await.unwrap_err();
    assert_eq!(nobody.code(), "not_found");
}

#[rstest]
#[tokio::test]
async fn bearer_before_a_text_is_taken_off_or_kept(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let key = issue(&keyward).await;
    let text = key.secret.expose();
    let keep = VerifyOptions { bearer: Bearer::Keep, ..VerifyOptions::default() };
    let strip = VerifyOptions::default();
    for bearer in [format!("Bearer {text}"), format!("bearer {text} "), format!("BEARER\t{text}")] {
        assert_eq!(code_with(&keyward, &bearer, &strip).await, "allowed", "{bearer:?}");
        assert_eq!(code_with(&keyward, &bearer, &keep).await, "malformed");
        let decision = keyward.verify(&bearer, &Asked::default()).await.unwrap();
        assert_eq!(decision.code(), "malformed", "`verify` takes a secret and nothing else");
    }
    assert_eq!(code_with(&keyward, text, &keep).await, "allowed");
    assert_eq!(code_with(&keyward, "Bearer ", &strip).await, "missing");
    assert_eq!(code_with(&keyward, "", &keep).await, "missing");
}

#[rstest]
#[tokio::test]
async fn credentials_of_another_scheme_do_not_shadow_a_key(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let key = issue(&keyward).await;
    let (text, options) = (key.secret.expose(), VerifyOptions::default());
    for other in ["Basic dXNlcjpwYXNz", "Digest a=b", "", "  ", "Bearer", "Bearer  "] {
        let headers = [("Authorization", other), ("X-Api-Key", text)];
        assert_eq!(code_of(&keyward, &headers[..], &options).await, "allowed", "{other:?}");
        assert_eq!(code_of(&keyward, &headers[..1], &options).await, "missing", "{other:?}");
    }
    let bearer = format!("bEARER\t{text}");
    let first = [("x-api-key", "kw_garbage"), ("authorization", bearer.as_str())];
    assert_eq!(code_of(&keyward, &first[..], &options).await, "allowed");
    let shadowed = [("x-api-key", text), ("authorization", "kw_garbage")];
    assert_eq!(code_of(&keyward, &shadowed[..], &options).await, "malformed");
}

#[rstest]
#[tokio::test]
async fn a_header_that_is_repeated_or_no_text_is_malformed_and_costs_no_read(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let key = issue(&keyward).await;
    let value = HeaderValue::from_str(key.secret.expose()).unwrap();
    let options = VerifyOptions::default();
    let mut headers = HeaderMap::new();
    assert_eq!(code_of(&keyward, &headers, &options).await, "missing");
    headers.append("x-api-key", value.clone());
    assert_eq!(code_of(&keyward, &headers, &options).await, "allowed");
    let reads = world.store.count(Call::Find);
    headers.append("x-api-key", value);
    assert_eq!(code_of(&keyward, &headers, &options).await, "malformed");
    let unreadable = [("x-api-key", &b"kw_\xff"[..])];
    assert_eq!(code_of(&keyward, &unreadable[..], &options).await, "malformed");
    assert_eq!(world.store.count(Call::Find), reads);
    assert_eq!(uses(&keyward, &key).await, 1, "one request is counted once");
}

#[rstest]
#[tokio::test]
async fn headers_are_looked_at_as_the_instance_or_the_call_says(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let rules = HeaderRules::new(["X-Service-Key"]).unwrap();
    let keyward = world.builder().header_rules(rules).build().await.unwrap();
    let key = issue(&keyward).await;
    let bearer = format!("Bearer {}", key.secret.expose());
    let (usual, own) = ([("authorization", bearer.as_str())], [("x-service-key", bearer.as_str())]);
    let by_instance = VerifyOptions::default();
    assert_eq!(code_of(&keyward, &usual[..], &by_instance).await, "missing");
    assert_eq!(code_of(&keyward, &own[..], &by_instance).await, "allowed");
    let rules = HeaderRules::default();
    let by_call = VerifyOptions { headers: Some(&rules), ..VerifyOptions::default() };
    assert_eq!(code_of(&keyward, &usual[..], &by_call).await, "allowed");
    assert_eq!(code_of(&keyward, &own[..], &by_call).await, "missing");
    let rules = HeaderRules::default().bearer(Bearer::Keep);
    let kept = VerifyOptions { headers: Some(&rules), ..VerifyOptions::default() };
    assert_eq!(code_of(&keyward, &usual[..], &kept).await, "malformed");
    let bare = [("authorization", key.secret.expose())];
    assert_eq!(code_of(&keyward, &bare[..], &kept).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn the_permit_is_a_result_with_the_key_and_not_the_key_alone(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let key = issue(&keyward).await;
    let headers = [("x-api-key", key.secret.expose())];
    let options = VerifyOptions::default();
    let decision = keyward.verify_headers(&headers[..], &Asked::default(), &options).await.unwrap();
    let Decision::Allow(permit) = decision else { panic!("{decision:?}") };
    assert_eq!((permit.key(), permit.secret_used()), (&key.key, SecretUsed::Current));
}
