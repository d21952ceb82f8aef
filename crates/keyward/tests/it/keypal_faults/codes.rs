//! Each error code of keypal has its counterpart here, which can be met.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keyward::{
    Asked, AuditFilter, AuditSettings, AuditTrail, CacheError, Error, Expiry, Issued, KeyId,
    Keyward, NewKey, Pepper, Rotation, SharedCache, VerifyOptions,
};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{World, code, issue, me, reader, seconds};

#[derive(Debug)]
struct DeadCache;

#[async_trait]
impl SharedCache for DeadCache {
    async fn get(&self, _: &str) -> Result<Option<Vec<u8>>, CacheError> {
        Err("it is dead".into())
    }

    async fn set(&self, _: &str, _: &[u8], _: Duration) -> Result<(), CacheError> {
        Err("it is dead".into())
    }

    async fn delete(&self, _: &str) -> Result<(), CacheError> {
        Err("it is dead".into())
    }
}

/// The code of a verification of a text.
async fn verified(keyward: &Keyward, text: &str) -> &'static str {
    let options = VerifyOptions::default();
    keyward.verify_with(text, &Asked::default(), &options).await.unwrap().code()
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}

#[rstest]
#[tokio::test]
async fn the_codes_of_verifications(#[values(Memory, Sqlite, Postgres, Redis)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let soon = NewKey { expiry: Expiry::In(seconds(1)), ..reader() };
    let expired = keyward.issue(soon, &me()).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let [revoked, disabled, gone] =
        [issue(&keyward).await, issue(&keyward).await, issue(&keyward).await];
    keyward.revoke(&revoked.key.id, None, &me()).await.unwrap();
    keyward.disable(&disabled.key.id, &me()).await.unwrap();
    keyward.delete(&gone.key.id, &me()).await.unwrap();
    keyward.purge(&gone.key.id, &me()).await.unwrap();
    let text = |issued: &Issued| issued.secret.expose().to_owned();
    for (theirs, ours, presented) in [
        ("MISSING_KEY", "missing", "Bearer ".to_owned()),
        ("INVALID_FORMAT", "malformed", "sk_abc123".to_owned()),
        ("INVALID_KEY", "unknown", text(&gone)),
        ("EXPIRED", "expired", text(&expired)),
        ("REVOKED", "revoked", text(&revoked)),
        ("DISABLED", "disabled", text(&disabled)),
    ] {
        assert_eq!(verified(&keyward, &presented).await, ours, "{theirs}");
    }
}

#[rstest]
#[tokio::test]
async fn the_codes_of_acts(#[values(Memory, Sqlite, Postgres, Redis)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let id = issue(&keyward).await.key.id;
    let nobody: KeyId = "nobody".parse().unwrap();
    assert_eq!(refused(keyward.revoke(&nobody, None, &me()).await), "not_found", "KEY_NOT_FOUND");
    assert_eq!(refused(keyward.enable(&id, &me()).await), "already_enabled", "ALREADY_ENABLED");
    keyward.disable(&id, &me()).await.unwrap();
    assert_eq!(refused(keyward.disable(&id, &me()).await), "already_disabled", "ALREADY_DISABLED");
    keyward.revoke(&id, None, &me()).await.unwrap();
    assert_eq!(refused(keyward.revoke(&id, None, &me()).await), "already_revoked");
    for refusal in [
        refused(keyward.enable(&id, &me()).await),
        refused(keyward.disable(&id, &me()).await),
        refused(keyward.rotate(&id, Rotation::default(), &me()).await),
    ] {
        assert_eq!(refusal, "key_revoked", "CANNOT_MODIFY_REVOKED");
    }
}

/// `STORAGE_NOT_SUPPORTED` is met in the tests of the REST interface, over a store that cannot
/// summarize.
#[rstest]
#[tokio::test]
async fn the_codes_of_what_is_broken_or_off(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let off = AuditSettings { trail: AuditTrail::Off, ..AuditSettings::default() };
    let key = Pepper::new(vec![1; 32]).unwrap();
    let builder = world.builder().audit(off).shared_cache(Arc::new(DeadCache), key);
    let keyward = builder.build().await.unwrap();
    let issued = issue(&keyward).await;
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    let summary = keyward.summarize_audit(&AuditFilter::default()).await;
    assert_eq!(refused(summary), "audit_off", "AUDIT_LOGGING_DISABLED");
    let locators: Vec<_> = issued.key.locators().collect();
    assert_eq!(refused(keyward.invalidate(&locators).await), "cache_failed", "CACHE_ERROR");
    world.store.set_down(true);
    let act = keyward.disable(&issued.key.id, &me()).await;
    assert_eq!(refused(act), "unavailable", "STORAGE_ERROR");
    let skip_cache = VerifyOptions { skip_cache: true, ..VerifyOptions::default() };
    let secret = issued.secret.expose();
    let verification = keyward.verify_with(secret, &Asked::default(), &skip_cache).await;
    assert!(verification.is_err(), "neither a yes nor a no");
}
