//! 5: whoever can write the cache can make any secret mean any key, and a cache that fails is an
//! answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use keyward::store::{
    AccountPage, AccountQuery, Applied, AuditPage, AuditQuery, AuditSummary, Feed, KeyPage,
    KeyQuery, Store, StoreError, StoredKey, UsageDelta,
};
use keyward::{
    Asked, AuditFilter, CacheError, Change, ClientId, EndedBy, Expiry, FormatKind, KeyId,
    KeyRecord, Keyspace, KeyspaceId, Keyward, Locator, NewKey, Pepper, RevokedToken, Secret,
    Sequence, ServiceAccount, SharedCache, SigningKey, TokenId,
};
use rstest::rstest;

use super::made_up;
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{Call, World, code, issue, issue_as, keyspace_of, me, reader, seconds};

use FormatKind::{Opaque, Prefixed, Signed};

/// A store that finds one key wherever one looks, once somebody has seen to it.
#[derive(Debug)]
struct MisledStore {
    everywhere: Mutex<Option<KeyRecord>>,
    inner: Arc<dyn Store>,
}

#[async_trait]
impl Store for MisledStore {
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        let everywhere = self.everywhere.lock().unwrap().clone();
        match everywhere {
            Some(record) => Ok(Some(record)),
            None => self.inner.find(locator).await,
        }
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.inner.key(id).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        self.inner.list(query).await
    }

    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        self.inner.ended(by, spared, limit).await
    }

    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        self.inner.account(id).await
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        self.inner.accounts(query).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.inner.signing_keys().await
    }

    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError> {
        self.inner.is_token_revoked(id).await
    }

    async fn revoked_tokens(&self) -> Result<Vec<RevokedToken>, StoreError> {
        self.inner.revoked_tokens().await
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        self.inner.keyspaces().await
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        self.inner.apply(change).await
    }

    async fn seal(&self, is_sealed: bool) -> Result<(), StoreError> {
        self.inner.seal(is_sealed).await
    }

    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError> {
        self.inner.record_usage(batch).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        self.inner.audit(query).await
    }

    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError> {
        self.inner.summarize_audit(filter).await
    }

    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError> {
        self.inner.changes_since(position).await
    }

    async fn position(&self) -> Result<Sequence, StoreError> {
        self.inner.position().await
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.inner.health().await
    }
}

#[rstest]
#[tokio::test]
async fn fault_05_a_record_in_the_wrong_place_makes_no_other_secret_valid(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let store = Arc::new(MisledStore { everywhere: Mutex::default(), inner: world.second_store() });
    let keyward = world.builder_on(Arc::<MisledStore>::clone(&store)).build().await.unwrap();
    let (victim, own) = (issue_as(&keyward, format).await, issue_as(&keyward, format).await);
    *store.everywhere.lock().unwrap() = Some(victim.key.clone());
    for _ in 0..2 {
        assert_eq!(code(&keyward, &own.secret).await, "unknown");
        assert_eq!(code(&keyward, &made_up(format, 0)).await, "unknown");
        assert_eq!(code(&keyward, &victim.secret).await, "allowed");
    }
    *store.everywhere.lock().unwrap() = None;
    keyward.catch_up().await.unwrap();
    assert_eq!(code(&keyward, &own.secret).await, "allowed");
}

/// A shared cache in somebody else's hands: it answers with the first entry that it was given,
/// under whichever name, and forgets nothing.
#[derive(Debug, Default)]
struct ForgedCache(Mutex<Option<Vec<u8>>>);

#[async_trait]
impl SharedCache for ForgedCache {
    async fn get(&self, _: &str) -> Result<Option<Vec<u8>>, CacheError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn set(&self, _: &str, value: &[u8], _: Duration) -> Result<(), CacheError> {
        self.0.lock().unwrap().get_or_insert_with(|| value.to_vec());
        Ok(())
    }

    async fn delete(&self, _: &str) -> Result<(), CacheError> {
        Ok(())
    }
}

/// A shared cache that does nothing but fail.
#[derive(Debug)]
struct BrokenCache;

#[async_trait]
impl SharedCache for BrokenCache {
    async fn get(&self, _: &str) -> Result<Option<Vec<u8>>, CacheError> {
        Err("it is broken".into())
    }

    async fn set(&self, _: &str, _: &[u8], _: Duration) -> Result<(), CacheError> {
        Err("it is broken".into())
    }

    async fn delete(&self, _: &str) -> Result<(), CacheError> {
        Err("it is broken".into())
    }
}

/// An instance with a shared cache, and the key under which all of them seal.
async fn start_with(world: &World, cache: Arc<dyn SharedCache>) -> Keyward {
    let key = Pepper::new(vec![5; 32]).unwrap();
    world.builder().shared_cache(cache, key).build().await.unwrap()
}

/// Who is taken to be the holder of a secret.
async fn holder(keyward: &Keyward, secret: &Secret) -> Option<KeyId> {
    let decision = keyward.verify(secret.expose(), &Asked::default()).await.unwrap();
    decision.permit().map(|permit| permit.key().id.clone())
}

#[rstest]
#[tokio::test]
async fn fault_05_an_entry_that_was_put_under_another_name_is_not_believed(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let cache = Arc::<ForgedCache>::default();
    let first = start_with(&world, Arc::<ForgedCache>::clone(&cache)).await;
    let (victim, own) = (issue_as(&first, format).await, issue_as(&first, format).await);
    first.catch_up().await.unwrap();
    assert_eq!(holder(&first, &victim.secret).await.as_ref(), Some(&victim.key.id));
    let second = start_with(&world, cache).await;
    let reads = world.store.count(Call::Find);
    assert_eq!(holder(&second, &victim.secret).await.as_ref(), Some(&victim.key.id));
    assert_eq!(world.store.count(Call::Find), reads, "the entry in its own place is used");
    assert_eq!(holder(&second, &made_up(format, 0)).await, None);
    assert_eq!(holder(&second, &own.secret).await, Some(own.key.id));
}

#[rstest]
#[tokio::test]
async fn fault_05_an_entry_that_was_put_back_revives_no_revoked_key(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let cache = Arc::<ForgedCache>::default();
    let keyward = start_with(&world, Arc::<ForgedCache>::clone(&cache)).await;
    let victim = issue_as(&keyward, format).await;
    keyward.catch_up().await.unwrap();
    let other = start_with(&world, Arc::<ForgedCache>::clone(&cache)).await;
    assert_eq!(code(&keyward, &victim.secret).await, "allowed");
    assert_eq!(code(&other, &victim.secret).await, "allowed");
    keyward.revoke(&victim.key.id, None, &me()).await.unwrap();
    other.catch_up().await.unwrap();
    let fresh = start_with(&world, cache).await;
    for instance in [&keyward, &other, &fresh] {
        assert_eq!(code(instance, &victim.secret).await, "revoked");
    }
}

#[rstest]
#[tokio::test]
async fn fault_05_a_cache_that_fails_changes_no_answer(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
    #[values(Prefixed, Opaque, Signed)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = start_with(&world, Arc::new(BrokenCache)).await;
    let keyspace = keyspace_of(&keyward, format).await;
    let new = NewKey { keyspace, expiry: Expiry::In(seconds(60)), ..reader() };
    let issued = keyward.issue(new, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    keyward.disable(&issued.key.id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "disabled");
    keyward.enable(&issued.key.id, &me()).await.unwrap();
    assert_eq!(code(&keyward, &issued.secret).await, "allowed");
    assert_eq!(code(&keyward, &made_up(format, 0)).await, "unknown");
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(code(&keyward, &issued.secret).await, "expired");
}

#[rstest]
#[tokio::test]
async fn fault_05_a_cache_that_cannot_forget_when_it_is_told_to_is_an_error(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = start_with(&world, Arc::new(BrokenCache)).await;
    let key = issue(&keyward).await.key;
    let locators: Vec<_> = key.locators().collect();
    let error = keyward.invalidate(&locators).await.unwrap_err();
    assert_eq!(error.code(), "cache_failed");
}
