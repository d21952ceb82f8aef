//! Keys, by the instant of their creation, with their usage.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use keyward_core::{KeyId, KeyRecord, KeyWrite, Timestamp};
use keyward_store::{
    KeyPosition, KeyQuery, KeySort, KeyStates, Order, SortValue, Store, StoreError, StoredKey,
};

use super::{Difference, Listed, PAGE, Page, Pair};
use crate::ends::Ends;
use crate::rows::row_write;
use crate::usage::{self, Ahead};
use crate::{CopyError, Kind};

/// Keys that are read at the same time, where each is a question of its own.
const AT_ONCE: usize = 32;

/// Keys, deleted ones included.
pub(crate) struct Keys {
    /// Whichever instant: what is listed does not depend on it.
    pub(crate) now: Timestamp,
}

impl Listed for Keys {
    type Item = StoredKey;
    type Place = (Timestamp, KeyId);

    const KIND: Kind = Kind::Keys;

    async fn page(
        &self,
        store: &dyn Store,
        after: Option<&Self::Place>,
    ) -> Result<Page<Self>, StoreError> {
        let (sort, order) = (KeySort::CreatedAt, Order::Ascending);
        let after = after.map(|(created_at, id)| {
            let value = SortValue::Number(created_at.as_micros());
            KeyPosition { sort, order, value, id: id.clone() }
        });
        let new = KeyQuery::new(self.now, PAGE);
        let query = KeyQuery { states: KeyStates::ALL, sort, order, after, ..new };
        let page = store.list(&query).await?;
        let end = page.next.and(page.keys.last().map(Self::place));
        Ok(Page { items: page.keys, end })
    }

    fn place(item: &StoredKey) -> Self::Place {
        (item.record.created_at, item.record.id.clone())
    }

    async fn heal(&self, ends: &Ends, pairs: &[Pair<StoredKey>]) -> Result<(), CopyError> {
        ends.write_keys(pairs).await
    }

    fn written(item: &StoredKey) -> Vec<(Kind, Vec<u8>)> {
        let record = (Kind::Keys, item.record.to_stored());
        let usage = usage::written(&item.record.id, &item.usage);
        [record].into_iter().chain(usage.map(|usage| (Kind::Usage, usage))).collect()
    }

    fn difference(pair: &Pair<StoredKey>) -> Vec<(Kind, Difference)> {
        let mut differences = Vec::new();
        let [source, destination] = [&pair.source, &pair.destination].map(Option::as_ref);
        let record = |key: Option<&StoredKey>| key.map(|key| key.record.clone());
        if record(source) != record(destination) {
            differences.push((Kind::Keys, Difference::Lasting));
        }
        if let (Some(source), Some(destination)) = (source, destination)
            && source.usage != destination.usage
        {
            let ahead = usage::ahead(&source.record.id, &source.usage, &destination.usage);
            let is_moving = matches!(ahead, Ahead::By(_));
            let moving = if is_moving { Difference::Moving } else { Difference::Lasting };
            differences.push((Kind::Usage, moving));
        }
        differences
    }

    fn name(item: &StoredKey) -> String {
        item.record.id.to_string()
    }
}

impl Ends {
    /// Brings these keys into line.
    pub(crate) async fn refresh_keys(&self, ids: &BTreeSet<KeyId>) -> Result<(), CopyError> {
        let ids: Vec<_> = ids.iter().cloned().collect();
        for ids in ids.chunks(PAGE) {
            let pairs = self.key_pairs(ids).await?;
            self.write_keys(&pairs).await?;
        }
        Ok(())
    }

    /// Those of the keys that differ, as they are on both sides now.
    async fn key_pairs(&self, ids: &[KeyId]) -> Result<Vec<Pair<StoredKey>>, CopyError> {
        let pairs = stream::iter(ids.to_vec()).map(|id| self.key_pair(id)).buffered(AT_ONCE);
        let pairs: Vec<_> = pairs.try_collect().await?;
        Ok(pairs.into_iter().filter(Pair::differs).collect())
    }

    async fn key_pair(&self, id: KeyId) -> Result<Pair<StoredKey>, CopyError> {
        let source = self.source.key(&id).await.map_err(CopyError::at_source)?;
        let destination = self.destination.key(&id).await.map_err(CopyError::at_destination)?;
        Ok(Pair { source, destination })
    }

    /// Writes at the destination what differs.
    async fn write_keys(&self, pairs: &[Pair<StoredKey>]) -> Result<(), CopyError> {
        let pairs = self.begin_anew(pairs).await?;
        let writes: Vec<_> = pairs.iter().filter_map(|pair| row_write(&records(pair))).collect();
        match self.apply_keys(writes).await {
            Err(error) if error.is_conflict() => return self.write_one_by_one(&pairs).await,
            result => result?,
        }
        self.write_usage(&pairs).await
    }

    /// Removes keys whose usage at the destination is not the beginning of that at the source: usage
    /// only grows, so it takes a new row. Returns what is there afterwards.
    async fn begin_anew(
        &self,
        pairs: &[Pair<StoredKey>],
    ) -> Result<Vec<Pair<StoredKey>>, CopyError> {
        let mut pairs = pairs.to_vec();
        let mut writes = Vec::new();
        for pair in &mut pairs {
            if usage_ahead(pair) == Ahead::No
                && let Some(gone) = pair.destination.take()
            {
                writes.push(KeyWrite::Purge(Box::new(gone.record)));
            }
        }
        self.apply_keys(writes).await?;
        Ok(pairs)
    }

    async fn write_usage(&self, pairs: &[Pair<StoredKey>]) -> Result<(), CopyError> {
        let ahead = pairs.iter().filter_map(|pair| match usage_ahead(pair) {
            Ahead::By(delta) => Some(delta),
            Ahead::No | Ahead::Same => None,
        });
        let deltas: Vec<_> = ahead.collect();
        if deltas.is_empty() {
            return Ok(());
        }
        let recorded = self.destination.record_usage(&deltas).await;
        recorded.map_err(CopyError::at_destination)
    }

    /// For when the keys cannot be written together: their accounts come first, and other keys that
    /// still have their ids or digests give way.
    async fn write_one_by_one(&self, pairs: &[Pair<StoredKey>]) -> Result<(), CopyError> {
        let sources = || pairs.iter().filter_map(|pair| pair.source.as_ref());
        let accounts = sources().filter_map(|key| key.record.service_account);
        let accounts = self.account_pairs(accounts).await?;
        self.write_accounts(&accounts).await?;
        let mut displaced = BTreeSet::new();
        for record in sources().map(|key| &key.record) {
            displaced.extend(self.displace(record).await?);
        }
        let ids =
            pairs.iter().filter_map(|pair| pair.source.as_ref().or(pair.destination.as_ref()));
        let ids: BTreeSet<_> = ids.map(|key| key.record.id.clone()).chain(displaced).collect();
        for id in ids {
            let pair = self.key_pair(id).await?;
            if pair.differs() {
                self.apply_keys(row_write(&records(&pair)).into_iter().collect()).await?;
                self.write_usage(&[pair]).await?;
            }
        }
        Ok(())
    }

    /// Removes the keys that are found at the destination by what finds this one at the source.
    async fn displace(&self, record: &KeyRecord) -> Result<Vec<KeyId>, CopyError> {
        let mut displaced = Vec::new();
        for locator in record.locators() {
            let found = self.destination.find(&locator).await.map_err(CopyError::at_destination)?;
            if let Some(other) = found.filter(|other| other.id != record.id) {
                displaced.push(other.id.clone());
                self.apply_keys(vec![KeyWrite::Purge(Box::new(other))]).await?;
            }
        }
        Ok(displaced)
    }

    async fn apply_keys(&self, keys: Vec<KeyWrite>) -> Result<(), CopyError> {
        let mut change = self.change();
        change.keys = keys;
        if change.keys.is_empty() { Ok(()) } else { self.apply(&change).await }
    }
}

fn records(pair: &Pair<StoredKey>) -> Pair<KeyRecord> {
    let record = |key: &StoredKey| key.record.clone();
    Pair {
        source: pair.source.as_ref().map(record),
        destination: pair.destination.as_ref().map(record),
    }
}

/// By how much the source's usage of a key is ahead of the destination's.
fn usage_ahead(pair: &Pair<StoredKey>) -> Ahead {
    let Some(source) = &pair.source else { return Ahead::Same };
    let carried = pair.destination.as_ref().map(|key| key.usage).unwrap_or_default();
    usage::ahead(&source.record.id, &source.usage, &carried)
}
