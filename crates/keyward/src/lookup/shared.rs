//! A cache that several instances share, between each one's own cache and the store.

mod recent;

use std::fmt::Write as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use keyward_core::{KeyRecord, Locator, Pepper, Sequence};
use keyward_store::{CacheError, SharedCache};
pub(crate) use recent::Recent;

use super::tally::{Seen, Tally};

/// How long a cache is waited for.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long an entry is kept that nobody removes.
const TTL: Duration = Duration::from_hours(1);
/// The length of a seal, in bytes.
const SEAL: usize = 32;

/// A shared cache, and what it takes to trust its entries.
#[derive(Debug)]
pub(crate) struct Shared {
    cache: Arc<dyn SharedCache>,
    key: Pepper,
    pub(crate) recent: Recent,
}

impl Shared {
    pub(crate) fn new(cache: Arc<dyn SharedCache>, key: Pepper) -> Self {
        Self { cache, key, recent: Recent::default() }
    }

    /// The record at a locator, if there is an entry that may be trusted.
    pub(super) async fn find(&self, locator: &Locator, tally: &Tally) -> Option<KeyRecord> {
        let name = name(locator);
        let entry = in_time(self.cache.get(&name)).await.inspect_err(|error| {
            tally.count(Seen::SharedFailure);
            tracing::warn!(%error, "the shared cache failed");
        });
        let entry = entry.ok()?;
        if let Some(entry) = &entry
            && !self.is_ours(&name, entry)
        {
            tally.count(Seen::SharedForgery);
            tracing::warn!("an entry of the shared cache has a wrong seal");
            return None;
        }
        let current = entry.and_then(|entry| open(&entry)).filter(|(record, position)| {
            record.is_at(locator) && self.recent.is_current(locator, *position)
        });
        tally.count(if current.is_some() { Seen::SharedHit } else { Seen::SharedMiss });
        current.map(|(record, _)| record)
    }

    /// Keeps a record that was read when this instance knew all changes up to the position.
    pub(super) async fn keep(&self, locator: &Locator, record: &KeyRecord, position: Sequence) {
        let name = name(locator);
        let entry = self.seal(&name, record, position);
        if let Err(error) = in_time(self.cache.set(&name, &entry, TTL)).await {
            tracing::warn!(%error, "the shared cache failed");
        }
    }

    /// Removes the entries at these locators.
    pub(crate) async fn delete(&self, locators: &[Locator]) -> Result<(), CacheError> {
        for locator in locators {
            in_time(self.cache.delete(&name(locator))).await?;
        }
        Ok(())
    }

    /// The position, the record, and before both the seal over them and the name.
    fn seal(&self, name: &str, record: &KeyRecord, position: Sequence) -> Vec<u8> {
        let position = position.get().to_be_bytes();
        let record = record.to_stored();
        let seal = self.key.mac(&[name.as_bytes(), &[0], &position, &record]);
        [seal.as_slice(), &position, &record].concat()
    }

    fn is_ours(&self, name: &str, entry: &[u8]) -> bool {
        let parts = entry.split_at_checked(SEAL);
        parts
            .is_some_and(|(seal, content)| self.key.is_mac(&[name.as_bytes(), &[0], content], seal))
    }
}

/// What stands in an entry whose seal is right.
fn open(entry: &[u8]) -> Option<(KeyRecord, Sequence)> {
    let (position, record) = entry.get(SEAL..)?.split_first_chunk()?;
    let position = Sequence::new(u64::from_be_bytes(*position));
    Some((KeyRecord::from_stored(record).ok()?, position))
}

async fn in_time<T>(call: impl Future<Output = Result<T, CacheError>>) -> Result<T, CacheError> {
    tokio::time::timeout(PATIENCE, call).await.unwrap_or_else(|_| Err("it takes too long".into()))
}

fn name(locator: &Locator) -> String {
    match locator {
        Locator::KeyId(id) => format!("keyward:id:{id}"),
        Locator::Digest(digest) => {
            let mut name = format!("keyward:digest:{}:", digest.scheme());
            for byte in digest.as_bytes() {
                // Writing to a string does not fail.
                write!(name, "{byte:02x}").unwrap_or_default();
            }
            name
        }
    }
}
