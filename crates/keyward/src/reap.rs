//! Reaping: removing the keys that expired, were revoked or were deleted long enough ago, and the service
//! accounts that were deleted.

use std::sync::Weak;
use std::time::Duration;

use keyward_core::{
    ActContext, Action, Change, EndedBy, KeyId, KeyRecord, KeyWrite, KeyspaceId, Lifetime, Refusal,
    ServiceAccount, Timestamp,
};
use keyward_store::AccountQuery;
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
    /// How many service accounts it removed.
    pub accounts: usize,
    /// How many keys it removed.
    pub purged: usize,
    /// Whether there are keys left that it would remove.
    pub has_more: bool,
}

/// Which keys are removed, and for whom.
struct Reaping<'a> {
    by: EndedBy,
    spared: &'a [KeyspaceId],
    context: &'a ActContext,
}

impl Keyward {
    /// Removes up to `most` keys for good that had ended: those of every keyspace that is not spared,
    /// deleted ones, too. Where deletions count as ends, also up to `most` service accounts that were
    /// deleted, each once its keys are gone.
    ///
    /// Usage goes with the keys; audit events stay, and each key and account gets one more. What lies in
    /// the future has not ended, whichever instant is given. After an error, some may be gone.
    pub async fn reap(
        &self,
        by: EndedBy,
        most: usize,
        spared: &[KeyspaceId],
        context: &ActContext,
    ) -> Result<Reaped, Error> {
        let now = self.now();
        let past = |instant: Option<Timestamp>| instant.map(|instant| instant.min(now));
        let by = EndedBy { deleted: past(by.deleted), ended: past(by.ended) };
        let reaping = Reaping { by, spared, context };
        let mut reaped = Reaped { accounts: 0, purged: 0, has_more: false };
        while reaped.purged < most {
            let limit = REAPED_TOGETHER.min(most - reaped.purged);
            let keys = self.inner.store.ended(by, spared, limit).await?;
            reaped.purged += self.reap_together(&keys, &reaping).await?;
            if keys.len() < limit {
                return self.reap_accounts(&reaping, most, reaped).await;
            }
            // Whoever waits to write comes first.
            tokio::task::yield_now().await;
        }
        reaped.has_more = !self.inner.store.ended(by, spared, 1).await?.is_empty()
            || !self.deleted_accounts(&reaping, 1).await?.is_empty();
        Ok(reaped)
    }

    /// Removes the keys that ended, and the keys and service accounts that were deleted, longer ago than
    /// [`crate::Builder::reap_after`] and [`crate::Builder::reap_deleted_after`] say, and returns how
    /// many there were. Those of the keyspace of management keys, too.
    pub async fn reap_due(&self) -> Result<Reaped, Error> {
        let now = self.now();
        let before = |age: Option<Lifetime>| age.and_then(|age| now.before(age).ok());
        let by = EndedBy {
            deleted: before(self.inner.reap_deleted_after),
            ended: before(self.inner.reap_after),
        };
        self.reap(by, usize::MAX, &[], &ActContext::by(own_actor()?)).await
    }

    /// Removes deleted service accounts until as many keys, or accounts, are gone as may go.
    async fn reap_accounts(
        &self,
        reaping: &Reaping<'_>,
        most: usize,
        mut reaped: Reaped,
    ) -> Result<Reaped, Error> {
        loop {
            let accounts = self.deleted_accounts(reaping, REAPED_TOGETHER).await?;
            if accounts.is_empty() {
                return Ok(reaped);
            }
            for account in accounts {
                if reaped.purged.max(reaped.accounts) >= most {
                    return Ok(Reaped { has_more: true, ..reaped });
                }
                let most_keys = most - reaped.purged;
                match self.purge_account_and(&account.id, most_keys, reaping.context).await {
                    Ok(purged) => {
                        reaped.accounts += usize::from(purged.is_gone);
                        reaped.purged += purged.keys;
                    }
                    // Somebody else was faster, or has brought it back.
                    Err(Error::NotFound(_) | Error::Refused(Refusal::NotDeleted)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    async fn deleted_accounts(
        &self,
        reaping: &Reaping<'_>,
        limit: usize,
    ) -> Result<Vec<ServiceAccount>, Error> {
        let Some(by) = reaping.by.deleted else { return Ok(Vec::new()) };
        let query = AccountQuery::deleted_by(by, limit);
        Ok(self.inner.store.accounts(&query).await?.accounts)
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
                Ok(Reaped { accounts: 0, purged: 0, .. }) => {}
                Ok(Reaped { accounts, purged, .. }) => {
                    tracing::info!(keys = purged, accounts, "old keys were purged");
                }
                Err(error) => tracing::warn!(%error, "old keys could not be purged"),
            }
        }
    });
}
