//! A store that keeps everything in the process and nothing beyond it.

mod state;

use async_trait::async_trait;
use keyward_core::{
    AuditFilter, Change, ClientId, EndedBy, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator,
    RevokedToken, Sequence, ServiceAccount, SigningKey, TokenId,
};
use parking_lot::RwLock;
use state::State;

use crate::{
    AccountPage, AccountPosition, AccountQuery, Applied, AuditPage, AuditPosition, AuditQuery,
    AuditSummary, Feed, KeyPage, KeyPosition, KeyQuery, Order, Position, Store, StoreError,
    StoredKey, UsageDelta,
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

    /// Whether it is sealed: for a backend that keeps this state elsewhere.
    pub fn is_sealed(&self) -> bool {
        self.state.read().is_sealed
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.state.read().find(locator).cloned())
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        let state = self.state.read();
        Ok(state.keys.get(id).map(|key| state.stored(key)))
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        let state = self.state.read();
        let keys = state.keys.values().map(|key| state.stored(key));
        let keys = keys.filter(|key| query.includes(key));
        let placed = keys.map(|key| (KeyPosition::of(&key.record, query), key)).collect();
        let Part { items, next, total } =
            part(placed, query.order, query.after.as_ref(), query.skip, query.limit);
        Ok(KeyPage { keys: items, next, total })
    }

    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        let state = self.state.read();
        let records = state.keys.values().map(|key| &key.record);
        let ended =
            records.filter(|key| key.ended(by).is_some() && !spared.contains(&key.keyspace));
        Ok(ended.take(limit).cloned().collect())
    }

    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        Ok(self.state.read().accounts.get(id).cloned())
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        let state = self.state.read();
        let accounts = state.accounts.values().filter(|account| query.includes(account)).cloned();
        let placed = accounts.map(|account| (AccountPosition::of(&account, query), account));
        let placed = placed.collect();
        let Part { items, next, total } =
            part(placed, query.order, query.after.as_ref(), query.skip, query.limit);
        Ok(AccountPage { accounts: items, next, total })
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        Ok(self.state.read().signing_keys.values().cloned().collect())
    }

    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError> {
        Ok(self.state.read().revoked_tokens.contains_key(id))
    }

    async fn revoked_tokens(&self) -> Result<Vec<RevokedToken>, StoreError> {
        let state = self.state.read();
        Ok(state.revoked_tokens.iter().map(|(&id, &until)| RevokedToken { id, until }).collect())
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        Ok(self.state.read().keyspaces.values().cloned().collect())
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        // Other backends wait here, and callers get in between: so they must here, too.
        tokio::task::yield_now().await;
        self.state.write().apply(change)
    }

    async fn seal(&self, is_sealed: bool) -> Result<(), StoreError> {
        self.state.write().is_sealed = is_sealed;
        Ok(())
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

/// The part of a list that was asked for.
struct Part<T, S, I> {
    items: Vec<T>,
    next: Option<Position<S, I>>,
    total: Option<u64>,
}

/// Sorts a list by its positions and takes a part of it.
fn part<T, S, I: Clone + Ord>(
    mut list: Vec<(Position<S, I>, T)>,
    order: Order,
    after: Option<&Position<S, I>>,
    skip: Option<u64>,
    limit: usize,
) -> Part<T, S, I> {
    let place = |position: &Position<S, I>| (position.value.clone(), position.id.clone());
    list.sort_by_cached_key(|(position, _)| place(position));
    if order == Order::Descending {
        list.reverse();
    }
    let total = skip.map(|_| u64::try_from(list.len()).unwrap_or(u64::MAX));
    if let Some(skip) = skip {
        list.drain(..usize::try_from(skip).unwrap_or(usize::MAX).min(list.len()));
    } else if let Some(after) = after {
        list.retain(|(position, _)| match order {
            Order::Ascending => place(position) > place(after),
            Order::Descending => place(position) < place(after),
        });
    }
    let has_more = list.len() > limit;
    list.truncate(limit);
    let (mut positions, items): (Vec<_>, Vec<_>) = list.into_iter().unzip();
    Part { items, next: positions.pop().filter(|_| has_more), total }
}
