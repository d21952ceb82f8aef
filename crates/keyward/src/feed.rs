//! Following the store's change feed, so that no cached key outlives its revocation by more than
//! `max_staleness`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use keyward_core::{KeyspaceTable, Locator, Sequence, Signed, Touched};
use keyward_store::{Applied, StoreError};
use tokio::sync::{Mutex, Notify};
use tokio::time::MissedTickBehavior;

use crate::keyward::Inner;
use crate::lookup::Recent;
use crate::{Error, Keyward};

/// How many changes before its start an instance with a shared cache looks at.
const SHARED_PAST: u64 = 10_000;
/// Between two looks, so that changes which follow each other closely are read together.
const PAUSE: Duration = Duration::from_millis(2);

/// Where this instance is in the feed.
#[derive(Debug)]
pub(crate) struct Follower {
    interval: Duration,
    /// Told when there is something to read that streams wait for.
    is_due: Arc<Notify>,
    is_stopped: AtomicBool,
    position: Mutex<Sequence>,
}

impl Follower {
    /// Of an instance that promises so much.
    pub(crate) fn new(max_staleness: Duration) -> Self {
        Self {
            interval: poll_interval(max_staleness),
            is_due: Arc::default(),
            is_stopped: AtomicBool::default(),
            position: Mutex::default(),
        }
    }

    /// How often to look at the feed.
    pub(crate) const fn interval(&self) -> Duration {
        self.interval
    }

    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }
}

impl Keyward {
    /// Takes note of everything that was changed until now, whichever process changed it. Until it
    /// has succeeded within the last `max_staleness`, nothing is allowed from the cache.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let mut position = self.inner.follower.position.lock().await;
        // Whatever was acknowledged before this moment is in the feed by now.
        let moment = self.inner.clock.moment();
        loop {
            let feed = self.inner.store.changes_since(*position).await?;
            if feed.has_gap {
                self.inner.lookup.forget_all();
                self.with_recent(|recent| recent.begin(feed.position));
            }
            if feed.has_gap || feed.touched.keyspaces {
                self.read_keyspaces().await?;
            }
            self.with_recent(|recent| recent.note(&feed.touched.locators, feed.position));
            self.inner.lookup.forget_touched(&feed.touched);
            // After they were forgotten here, so that whoever is told and asks gets the newer ones.
            self.inner.news.tell(&feed);
            *position = feed.position;
            if !feed.has_more {
                break;
            }
        }
        self.inner.lookup.confirm(moment);
        self.inner.news.confirm(moment);
        Ok(())
    }

    /// Begins at the end of the feed: nothing is cached yet. With a shared cache, it begins as far
    /// before that as it takes to trust what other instances have read lately.
    pub(crate) async fn begin_to_follow(&self) -> Result<(), StoreError> {
        let mut position = self.inner.follower.position.lock().await;
        let moment = self.inner.clock.moment();
        let end = self.inner.store.position().await?;
        let is_shared = self.inner.lookup.shared.is_some();
        let back = if is_shared { SHARED_PAST } else { 0 };
        *position = Sequence::new(end.get().saturating_sub(back));
        self.with_recent(|recent| recent.begin(*position));
        self.inner.news.begin(*position);
        self.read_keyspaces().await?;
        if !is_shared {
            self.inner.lookup.confirm(moment);
            return Ok(());
        }
        drop(position);
        self.catch_up().await
    }

    /// Forgets what this instance, and the shared cache, hold at these locators. Changes made through
    /// Keyward do it by themselves, on every instance.
    pub async fn invalidate(&self, locators: &[Locator]) -> Result<(), Error> {
        self.inner.lookup.forget(locators);
        match &self.inner.lookup.shared {
            Some(shared) => shared.delete(locators).await.map_err(Error::Cache),
            None => Ok(()),
        }
    }

    /// Takes note of a change that this instance made, or may have made.
    pub(crate) async fn note(
        &self,
        touched: &Touched,
        applied: &Result<Applied, StoreError>,
    ) -> Result<(), StoreError> {
        match applied {
            Err(StoreError::Conflict(_)) => {}
            applied => {
                let sequence = applied.as_ref().ok().map(|applied| applied.sequence);
                self.with_recent(|recent| recent.note_own(&touched.locators, sequence));
            }
        }
        self.inner.lookup.forget_touched(touched);
        if self.inner.news.listeners() > 0 {
            self.inner.follower.is_due.notify_one();
        }
        if let Some(shared) = &self.inner.lookup.shared
            && let Err(error) = shared.delete(&touched.locators).await
        {
            // Whoever reads the entry will see that it is older than the change.
            tracing::warn!(%error, "the shared cache failed");
        }
        if touched.keyspaces {
            // One reader at a time, so that an older reading cannot replace a newer one.
            let _position = self.inner.follower.position.lock().await;
            self.read_keyspaces().await?;
        }
        Ok(())
    }

    fn with_recent(&self, note: impl FnOnce(&Recent)) {
        if let Some(shared) = &self.inner.lookup.shared {
            note(&shared.recent);
        }
    }

    async fn read_keyspaces(&self) -> Result<(), StoreError> {
        let keyspaces = self.inner.store.keyspaces().await?;
        // Before the first key is asked for, which would otherwise wait for its pair.
        let signed = keyspaces.iter().filter_map(|keyspace| keyspace.format.as_signed());
        self.inner.signing.prepare(signed.map(Signed::pair));
        self.inner.keyspaces.store(KeyspaceTable::new(keyspaces).into());
        Ok(())
    }
}

/// How often to look: often enough that a look which fails can be repeated in time.
fn poll_interval(max_staleness: Duration) -> Duration {
    const SLOWEST: Duration = Duration::from_millis(250);
    const FASTEST: Duration = Duration::from_millis(5);
    if max_staleness.is_zero() { SLOWEST } else { (max_staleness / 4).clamp(FASTEST, SLOWEST) }
}

/// Follows the feed until the instance is closed or dropped.
pub(crate) fn spawn(inner: &Arc<Inner>) {
    let mut ticks = tokio::time::interval(inner.follower.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let is_due = Arc::clone(&inner.follower.is_due);
    // While there are none, the ticks do.
    let mut hints = inner.store.hints().chain(stream::pending());
    let inner = Arc::downgrade(inner);
    tokio::spawn(async move {
        let mut is_failing = false;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = is_due.notified() => {}
                _ = hints.next() => {}
            }
            let Some(inner) = inner.upgrade() else { return };
            if inner.follower.is_stopped.load(Ordering::Relaxed) {
                return;
            }
            // Told once when it begins and once when it ends, not at every attempt.
            let keyward = Keyward { inner };
            match keyward.catch_up().await {
                Ok(()) if is_failing => {
                    is_failing = false;
                    tracing::info!("the change feed answers again");
                }
                Err(error) if !is_failing => {
                    is_failing = true;
                    tracing::warn!(%error, "the change feed does not answer");
                }
                Ok(()) | Err(_) => {}
            }
            drop(keyward);
            tokio::time::sleep(PAUSE).await;
        }
    });
}
