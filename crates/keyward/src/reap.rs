//! Reaping: removing the keys that expired, or were revoked, long enough ago.

use std::sync::Weak;
use std::time::Duration;

use keyward_core::{
    ActContext, Action, Change, KeyId, KeyRecord, KeyWrite, KeyspaceId, Refusal, Timestamp,
};
use serde_json::json;
use tokio::time::MissedTickBehavior;

use crate::keyward::Inner;
use crate::manage::{ATTEMPTS, data, own_actor};
use crate::{Error, Keyward};

/// Keys that are removed in one change, so that others need not wait long behind it.
const REAPED_TOGETHER: usize = 200;
/// How often keys are looked for that ended long enough ago.
const REAPING_INTERVAL: Duration = Duration::from_mins(10);

/// What a reaping came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaped {
    /// How many keys it removed.
    pub purged: usize,
    /// Whether there are keys left that it would remove.
    pub has_more: bool,
}

/// Which keys are removed, and for whom.
struct Reaping<'a> {
    by: Timestamp,
    spared: &'a [KeyspaceId],
    context: &'a ActContext,
}

impl Keyward {
    /// Removes up to `most` keys for good that had ended by an instant: that had expired, or whose
    /// revocation had come. Deleted keys, too, and those of every keyspace that is not spared.
    ///
    /// Their usage goes with them; their audit events stay, and each gets one more. What lies in the
    /// future has not ended, whichever instant is given. After an error, some keys may be gone.
    pub async fn reap(
        &self,
        by: Timestamp,
        most: usize,
        spared: &[KeyspaceId],
        context: &ActContext,
    ) -> Result<Reaped, Error> {
        let reaping = Reaping { by: by.min(self.now()), spared, context };
        let mut purged = 0;
        while purged < most {
            let limit = REAPED_TOGETHER.min(most - purged);
            let keys = self.inner.store.ended(reaping.by, spared, limit).await?;
            purged += self.reap_together(&keys, &reaping).await?;
            if keys.len() < limit {
                return Ok(Reaped { purged, has_more: false });
            }
            // Whoever waits to write comes first.
            tokio::task::yield_now().await;
        }
        let has_more = !self.inner.store.ended(reaping.by, spared, 1).await?.is_empty();
        Ok(Reaped { purged, has_more })
    }

    /// Removes the keys that ended longer ago than [`crate::Builder::reap_after`] says, and returns
    /// how many there were. Those of the keyspace of management keys, too.
    pub async fn reap_due(&self) -> Result<usize, Error> {
        let Some(age) = self.inner.reap_after else { return Ok(0) };
        let Ok(by) = self.now().before(age) else { return Ok(0) };
        let context = ActContext::by(own_actor()?);
        self.reap(by, usize::MAX, &[], &context).await.map(|reaped| reaped.purged)
    }

    /// Removes keys in one change; if one of them was changed meanwhile, one by one.
    async fn reap_together(
        &self,
        keys: &[KeyRecord],
        reaping: &Reaping<'_>,
    ) -> Result<usize, Error> {
        if let Some(purged) = self.commit_together(self.reaping_change(keys, reaping)).await? {
            return Ok(purged);
        }
        let mut purged = 0;
        for key in keys {
            purged += usize::from(self.reap_one(&key.id, reaping).await?);
        }
        Ok(purged)
    }

    /// Removes a key if it is still one of those that are to be removed, and says whether it was.
    async fn reap_one(&self, id: &KeyId, reaping: &Reaping<'_>) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS {
            let key = self.inner.store.key(id).await?.map(|key| key.record);
            let change = self.reaping_change(key.as_slice(), reaping);
            if change.keys.is_empty() {
                return Ok(false);
            }
            match self.commit(change).await {
                Err(error) if error.is_outdated() => {}
                result => return result.map(|_| true),
            }
        }
        Err(Refusal::Outdated.into())
    }

    /// The change that removes those of the keys that are to be removed.
    fn reaping_change(&self, keys: &[KeyRecord], reaping: &Reaping<'_>) -> Change {
        let now = self.now();
        let mut change = self.change(now);
        for key in keys.iter().filter(|key| !reaping.spared.contains(&key.keyspace)) {
            let Some(ending) = key.ended(reaping.by) else { continue };
            let told = data([("reaped", Some(json!(true))), ("why", Some(json!(ending.as_str())))]);
            let event = self.key_event(Action::KeyPurged, key, reaping.context, now, told);
            change.events.push(event);
            change.keys.push(KeyWrite::Purge(Box::new(key.clone())));
        }
        change
    }
}

/// Removes keys that ended long enough ago every so often, until the instance is dropped.
pub(crate) fn spawn(inner: Weak<Inner>) {
    let mut ticks = tokio::time::interval(REAPING_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::spawn(async move {
        loop {
            ticks.tick().await;
            let Some(keyward) = inner.upgrade().map(|inner| Keyward { inner }) else { return };
            match keyward.reap_due().await {
                Ok(0) => {}
                Ok(keys) => tracing::info!(keys, "old keys were purged"),
                Err(error) => tracing::warn!(%error, "old keys could not be purged"),
            }
        }
    });
}
