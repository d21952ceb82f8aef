//! Looking at keys and keyspaces.

use keyward_core::{Digest, KeyId, Keyspace, KeyspaceId, Locator};
use keyward_store::{KeyPage, KeyQuery, StoreError, StoredKey};

use crate::Keyward;

impl Keyward {
    /// The key of that id, deleted ones included, with its usage up to now on this node.
    pub async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.write_usage_if_possible().await;
        self.inner.store.key(id).await
    }

    /// A page of the keys that a query names, with their usage up to now on this node.
    pub async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        self.write_usage_if_possible().await;
        self.inner.store.list(query).await
    }

    /// The key with this digest of its secret, deleted ones included: of the formats whose keys are
    /// found by digest.
    pub async fn find_by_digest(&self, digest: &Digest) -> Result<Option<StoredKey>, StoreError> {
        let found = self.inner.store.find(&Locator::Digest(digest.clone())).await?;
        match found {
            Some(record) => self.key(&record.id).await,
            None => Ok(None),
        }
    }

    /// All keyspaces, by id.
    pub async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        self.inner.store.keyspaces().await
    }

    /// The keyspace of that name.
    pub async fn keyspace(&self, id: &KeyspaceId) -> Result<Option<Keyspace>, StoreError> {
        Ok(self.keyspaces().await?.into_iter().find(|keyspace| keyspace.id == *id))
    }

    /// Usage that cannot be written down is no reason not to read; it is kept, and reported by the
    /// work in the background.
    async fn write_usage_if_possible(&self) {
        if self.flush_usage().await.is_err() {
            tracing::debug!("usage may be out of date");
        }
    }
}
