//! How keys are used: counted beside the cached record, written down in batches.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use keyward_core::{KeyId, SecretUsed, Timestamp};
use keyward_store::{StoreError, UsageDelta};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use crate::keyward::Inner;
use crate::{Error, Keyward, LiveKey};

/// Rows in one write, so that management acts need not wait long behind it.
const BATCH: usize = 1_000;
/// Keys whose usage is kept while the store does not take it. Of further keys it is dropped.
const MOST_UNWRITTEN: usize = 100_000;
/// Used keys that are waited for at least, also by an instance with a small cache.
const LEAST_DUE: usize = 10_000;

/// Whether uses are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UsageTracking {
    /// Each allowed verification counts, unless its options say otherwise.
    #[default]
    On,
    /// None does. [`Keyward::touch`] still writes down that a key was used.
    Off,
}

/// The use of one cached key since it was written down last.
#[derive(Debug, Default)]
pub(crate) struct UsageCell {
    last_used_at: AtomicI64,
    previous_uses: AtomicU64,
    uses: AtomicU64,
}

impl UsageCell {
    /// Counts a use. Returns whether it is the first since the cell was emptied.
    fn count(&self, secret_used: SecretUsed, now: Timestamp) -> bool {
        // Concurrent uses may leave the earlier instant: they are as good as simultaneous.
        self.last_used_at.store(now.as_micros(), Ordering::Relaxed);
        if secret_used == SecretUsed::Previous {
            self.previous_uses.fetch_add(1, Ordering::Relaxed);
        }
        // Release, so that whoever empties the cell sees the instant and the other count too.
        self.uses.fetch_add(1, Ordering::Release) == 0
    }

    /// Empties the cell.
    fn take(&self, key: &KeyId) -> Option<UsageDelta> {
        let uses = self.uses.swap(0, Ordering::Acquire);
        let previous_uses = self.previous_uses.swap(0, Ordering::Relaxed);
        let last_used_at = self.last_used_at.load(Ordering::Relaxed);
        let last_used_at = Timestamp::from_micros(last_used_at).ok()?;
        let key = key.clone();
        (uses > 0).then_some(UsageDelta { key, last_used_at, uses, previous_uses })
    }
}

/// The keys that were used since usage was written down last.
#[derive(Debug)]
pub(crate) struct UsageLog {
    used: Mutex<Vec<LiveKey>>,
    /// From this many used keys on, their usage is written down before its time: each of them is kept
    /// alive, also when the cache has long forgotten it.
    most_used: usize,
    /// Told when there are that many, and when the instance is dropped.
    is_due: Arc<Notify>,
    /// Usage that the store did not take.
    unwritten: Mutex<HashMap<KeyId, UsageDelta>>,
    /// Held while usage is written down, so that one write waits for the other.
    writing: tokio::sync::Mutex<()>,
}

impl UsageLog {
    /// Of an instance whose cache holds that many keys.
    pub(crate) fn new(cache_capacity: usize) -> Self {
        Self {
            used: Mutex::default(),
            most_used: cache_capacity.max(LEAST_DUE),
            is_due: Arc::default(),
            unwritten: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// Counts a use of a key, in memory.
    pub(crate) fn record(&self, key: &LiveKey, secret_used: SecretUsed, now: Timestamp) {
        if key.usage().count(secret_used, now) {
            let mut used = self.used.lock();
            used.push(key.clone());
            if used.len() == self.most_used {
                self.is_due.notify_one();
            }
        }
    }

    /// Takes everything out that is not written down. A key may be in it more than once: stores add
    /// up, and looking for it here would cost more than it saves.
    fn take(&self) -> Vec<UsageDelta> {
        let unwritten = mem::take(&mut *self.unwritten.lock());
        let used = mem::take(&mut *self.used.lock());
        let deltas = used.iter().filter_map(|key| key.usage().take(&key.record().id));
        unwritten.into_values().chain(deltas).collect()
    }

    pub(crate) fn put_back(&self, deltas: impl Iterator<Item = UsageDelta>) {
        let mut unwritten = self.unwritten.lock();
        let mut dropped = 0_usize;
        for delta in deltas {
            if unwritten.len() < MOST_UNWRITTEN || unwritten.contains_key(&delta.key) {
                add(&mut unwritten, delta);
            } else {
                dropped += 1;
            }
        }
        if dropped > 0 {
            tracing::warn!(keys = dropped, "usage dropped: the store does not take it");
        }
    }
}

impl Drop for UsageLog {
    fn drop(&mut self) {
        self.is_due.notify_one();
    }
}

/// Usage that is being written down. What is left of it when it is dropped is kept for later.
struct Taken<'a> {
    deltas: Vec<UsageDelta>,
    log: &'a UsageLog,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.log.put_back(mem::take(&mut self.deltas).into_iter());
    }
}

fn add(deltas: &mut HashMap<KeyId, UsageDelta>, delta: UsageDelta) {
    match deltas.get_mut(&delta.key) {
        Some(sum) => {
            sum.last_used_at = sum.last_used_at.max(delta.last_used_at);
            sum.uses = sum.uses.saturating_add(delta.uses);
            sum.previous_uses = sum.previous_uses.saturating_add(delta.previous_uses);
        }
        None => {
            deltas.insert(delta.key.clone(), delta);
        }
    }
}

impl Keyward {
    /// Writes down now that a key was used, without counting it.
    pub async fn touch(&self, id: &KeyId) -> Result<(), Error> {
        if self.inner.store.key(id).await?.is_none() {
            return Err(Error::NotFound("key"));
        }
        let (key, last_used_at) = (id.clone(), self.now());
        let touch = UsageDelta { key, last_used_at, uses: 0, previous_uses: 0 };
        Ok(self.inner.store.record_usage(&[touch]).await?)
    }

    /// Writes usage down now. What the store does not take is kept and tried again.
    pub async fn flush_usage(&self) -> Result<(), StoreError> {
        let usage = &self.inner.usage;
        let _writing = usage.writing.lock().await;
        let mut taken = Taken { deltas: usage.take(), log: usage };
        while !taken.deltas.is_empty() {
            let rest = taken.deltas.len().saturating_sub(BATCH);
            // Should the caller go away now, the store writes this batch all the same.
            let batch = taken.deltas.split_off(rest);
            if let Err(error) = self.inner.store.record_usage(&batch).await {
                taken.deltas.extend(batch);
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Writes usage down every so often, and when much of it has come together, until the instance is
/// dropped.
pub(crate) fn spawn(inner: &Arc<Inner>, interval: Duration) {
    let is_due = Arc::clone(&inner.usage.is_due);
    let inner = Arc::downgrade(inner);
    let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = is_due.notified() => {}
            }
            let Some(keyward) = inner.upgrade().map(|inner| Keyward { inner }) else { return };
            if let Err(error) = keyward.flush_usage().await {
                tracing::warn!(%error, "usage could not be written down; it is kept");
            }
        }
    });
}
