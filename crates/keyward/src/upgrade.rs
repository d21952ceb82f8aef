//! Moving digests to the newest scheme, when the secret has been presented and proved.
//!
//! The stored digest may be somebody else's hash, or of an older pepper. The secret is only there
//! while it is verified: its better digest is made then, and written by a management act of its own
//! in the background, so that verifying does not wait for it.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use futures_util::future::join_all;
use keyward_core::{
    ActContext, Action, Change, Digest, KeyId, KeyRecord, KeyWrite, KeyspaceTable, KeyspaceWrite,
    Permit, SecretUsed,
};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::Notify;

use crate::keyward::Inner;
use crate::manage::{ATTEMPTS, data, own_actor};
use crate::{Error, Keyward, LiveKey};

/// Digests that wait to be written. Further ones are dropped: the next use makes them again.
const MOST_WAITING: usize = 10_000;
/// Changes that are made at once, so that management acts need not wait long behind them.
const AT_ONCE: usize = 64;

/// Whether digests are moved to the newest scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DigestUpgrades {
    /// When their secrets are used.
    #[default]
    On,
    /// Never: for the time in which not all nodes have the newest pepper yet.
    Off,
}

/// The digests that are to be replaced.
#[derive(Debug)]
pub(crate) struct Upgrades {
    settings: DigestUpgrades,
    waiting: Mutex<HashMap<KeyId, Upgrade>>,
    /// Told when one waits, and when the instance is dropped.
    is_due: Arc<Notify>,
}

/// A digest to write in place of another one.
#[derive(Debug)]
struct Upgrade {
    outdated: Digest,
    better: Digest,
}

impl Upgrades {
    pub(crate) fn new(settings: DigestUpgrades) -> Self {
        Self { settings, waiting: Mutex::default(), is_due: Arc::default() }
    }
}

impl Drop for Upgrades {
    fn drop(&mut self) {
        self.is_due.notify_one();
    }
}

impl Keyward {
    /// Takes note of a better digest than the outdated one that has just been proved.
    #[cold]
    pub(crate) fn note_upgrade(
        &self,
        permit: &Permit<LiveKey>,
        secret: &str,
        keyspaces: &KeyspaceTable,
    ) {
        let (upgrades, hasher) = (&self.inner.upgrades, &self.inner.hasher);
        let Some(outdated) = permit.key().secret.digest() else { return };
        if upgrades.settings == DigestUpgrades::Off || permit.secret_used() != SecretUsed::Current {
            return;
        }
        let key = permit.key();
        let scheme = keyspaces.find(&key.keyspace).map(|keyspace| keyspace.minting_scheme(hasher));
        let Some(better) = scheme.and_then(|scheme| hasher.digest(scheme, secret)) else { return };
        let mut waiting = upgrades.waiting.lock();
        if waiting.len() < MOST_WAITING {
            waiting.insert(key.id.clone(), Upgrade { outdated: outdated.clone(), better });
            upgrades.is_due.notify_one();
        }
    }

    /// Writes now what verifications have found out about outdated digests. What fails is left to
    /// the next use of the key.
    pub async fn flush_upgrades(&self) -> Result<(), Error> {
        let waiting = mem::take(&mut *self.inner.upgrades.waiting.lock());
        let mut waiting: Vec<_> = waiting.into_iter().collect();
        while !waiting.is_empty() {
            let rest = waiting.len().saturating_sub(AT_ONCE);
            let acts = waiting.split_off(rest).into_iter();
            let results = join_all(acts.map(|(id, upgrade)| self.upgrade(id, upgrade))).await;
            results.into_iter().collect::<Result<Vec<()>, _>>()?;
        }
        Ok(())
    }

    /// Replaces a digest, unless somebody else has changed the key just now.
    async fn upgrade(&self, id: KeyId, upgrade: Upgrade) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let found = self.inner.store.key(&id).await?.map(|key| key.record);
            let Some(before) = found.filter(|key| key.secret.digest() == Some(&upgrade.outdated))
            else {
                return Ok(());
            };
            match self.commit(self.upgrade_change(before, &upgrade)?).await {
                Err(error) if error.is_outdated() => self.catch_up().await?,
                result => return result.map(|_| ()),
            }
        }
        // Its next use comes here again.
        Ok(())
    }

    fn upgrade_change(&self, before: KeyRecord, upgrade: &Upgrade) -> Result<Change, Error> {
        let scheme = upgrade.better.scheme();
        let keyspace = self.keyspace_of(&before)?;
        let now = self.now();
        let mut change = self.change(now);
        if let Some(after) = keyspace.with_scheme(scheme).map_err(|e| e.at("keyspace"))? {
            change.keyspaces.push(KeyspaceWrite::Update { from: keyspace.version, after });
        }
        let told =
            data([("from", Some(json!(upgrade.outdated.scheme()))), ("to", Some(json!(scheme)))]);
        let after = before.clone().with_digest(upgrade.better.clone());
        let context = ActContext::by(own_actor()?);
        change.events.push(self.key_event(Action::KeyRehashed, &after, &context, now, told));
        let (before, after) = (Box::new(before), Box::new(after));
        change.keys.push(KeyWrite::Update { before, after });
        Ok(change)
    }
}

/// Writes upgrades whenever some wait, until the instance is dropped.
pub(crate) fn spawn(inner: &Arc<Inner>) {
    let is_due = Arc::clone(&inner.upgrades.is_due);
    let inner = Arc::downgrade(inner);
    tokio::spawn(async move {
        loop {
            is_due.notified().await;
            let Some(keyward) = inner.upgrade().map(|inner| Keyward { inner }) else { return };
            if let Err(error) = keyward.flush_upgrades().await {
                tracing::warn!(%error, "outdated digests could not be replaced; their next use tries again");
            }
        }
    });
}
