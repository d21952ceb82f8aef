//! Following the store's change feed, so that no cached key outlives its revocation by more than
//! `max_staleness`.

use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyward_core::{KeyspaceTable, Sequence, Touched};
use keyward_store::StoreError;
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;

use crate::Keyward;
use crate::keyward::Inner;

/// Where this instance is in the feed.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    is_stopped: AtomicBool,
    position: Mutex<Sequence>,
}

impl Follower {
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
            }
            if feed.has_gap || feed.touched.keyspaces {
                self.read_keyspaces().await?;
            }
            self.inner.lookup.forget(&feed.touched.locators);
            *position = feed.position;
            if !feed.has_more {
                break;
            }
        }
        self.inner.lookup.confirm(moment);
        Ok(())
    }

    /// Begins at the end of the feed: nothing is cached yet.
    pub(crate) async fn begin_to_follow(&self) -> Result<(), StoreError> {
        let mut position = self.inner.follower.position.lock().await;
        let moment = self.inner.clock.moment();
        *position = self.inner.store.position().await?;
        self.read_keyspaces().await?;
        self.inner.lookup.confirm(moment);
        Ok(())
    }

    /// Takes note of a change that this instance made.
    pub(crate) async fn note(&self, touched: &Touched) -> Result<(), StoreError> {
        self.inner.lookup.forget(&touched.locators);
        if touched.keyspaces {
            // One reader at a time, so that an older reading cannot replace a newer one.
            let _position = self.inner.follower.position.lock().await;
            self.read_keyspaces().await?;
        }
        Ok(())
    }

    async fn read_keyspaces(&self) -> Result<(), StoreError> {
        let keyspaces = self.inner.store.keyspaces().await?;
        self.inner.keyspaces.store(KeyspaceTable::new(keyspaces).into());
        Ok(())
    }
}

/// How often to look: often enough that a look which fails can be repeated in time.
pub(crate) fn poll_interval(max_staleness: Duration) -> Duration {
    const SLOWEST: Duration = Duration::from_millis(250);
    const FASTEST: Duration = Duration::from_millis(5);
    if max_staleness.is_zero() { SLOWEST } else { (max_staleness / 4).clamp(FASTEST, SLOWEST) }
}

/// Follows the feed until the instance is closed or dropped.
pub(crate) fn spawn(inner: Weak<Inner>, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::spawn(async move {
        let mut is_failing = false;
        loop {
            ticks.tick().await;
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
        }
    });
}
