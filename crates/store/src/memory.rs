//! A store that keeps everything in the process and nothing beyond it.

mod state;

use async_trait::async_trait;
use keyward_core::{
    AuditFilter, Change, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator, Sequence, Timestamp,
};
use parking_lot::RwLock;
use state::State;

use crate::{
    Applied, AuditPage, AuditPosition, AuditQuery, AuditSummary, Feed, KeyPage, KeyPosition,
    KeyQuery, Order, Store, StoreError, StoredKey, UsageDelta,
};

/// Keeps everything in the process: for tests and for trying things out.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: RwLock<State>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.state.read().find(locator).cloned())
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        Ok(self.state.read().keys.get(id).cloned())
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        let state = self.state.read();
        let mut found: Vec<_> = state
            .keys
            .values()
            .filter(|key| query.includes(&key.record))
            .map(|key| (KeyPosition::of(&key.record, query), key))
            .collect();
        let place = |position: &KeyPosition| (position.value.clone(), position.id.clone());
        found.sort_by_cached_key(|(position, _)| place(position));
        if query.order == Order::Descending {
            found.reverse();
        }
        if let Some(after) = &query.after {
            found.retain(|(position, _)| match query.order {
                Order::Ascending => place(position) > place(after),
                Order::Descending => place(position) < place(after),
            });
        }
        let has_more = found.len() > query.limit;
        found.truncate(query.limit);
        let next = found.last().filter(|_| has_more).map(|(position, _)| position.clone());
        Ok(KeyPage { keys: found.into_iter().map(|(_, key)| key.clone()).collect(), next })
    }

    async fn ended(
        &self,
        by: Timestamp,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        let state = self.state.read();
        let records = state.keys.values().map(|key| &key.record);
        let ended =
            records.filter(|key| key.ended(by).is_some() && !spared.contains(&key.keyspace));
        Ok(ended.take(limit).cloned().collect())
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        Ok(self.state.read().keyspaces.values().cloned().collect())
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        // Other backends wait here, and callers get in between: so they must here, too.
        tokio::task::yield_now().await;
        self.state.write().apply(change)
    }

    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError> {
        let mut state = self.state.write();
        for delta in batch {
            if let Some(key) = state.keys.get_mut(&delta.key) {
                key.usage.add(delta);
            }
        }
        Ok(())
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        let state = self.state.read();
        let after = |position: &AuditPosition| query.after.is_none_or(|after| *position < after);
        let mut found = state
            .events
            .iter()
            .rev()
            .filter(|(position, event)| after(position) && query.filter.includes(event))
            .map(|(_, event)| event.clone());
        let events: Vec<_> = found.by_ref().take(query.limit).collect();
        let has_more = found.next().is_some();
        let next = events.last().filter(|_| has_more).map(AuditPosition::of);
        Ok(AuditPage { events, next })
    }

    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError> {
        let mut summary = AuditSummary::default();
        for event in self.state.read().events.values().filter(|event| filter.includes(event)) {
            summary.add(event.action, 1, event.at);
        }
        Ok(summary)
    }

    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError> {
        Ok(self.state.read().changes_since(position))
    }

    async fn position(&self) -> Result<Sequence, StoreError> {
        Ok(self.state.read().position())
    }

    async fn health(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
