//! From a locator to its key: through the cache, and through the store where the cache may not say.

mod accounts;
mod flight;
mod known;
mod shared;
mod signature;
mod tally;

use std::fmt;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use accounts::Accounts;
pub(crate) use accounts::FoundAccount;
use flight::{Flight, Flights};
use keyward_core::jose::SignedToken;
use keyward_core::{Candidate, ClientId, Digest, KeyRecord, Locator, Moment, ProvedToken, Touched};
use keyward_store::{Store, StoreError};
use known::KnownKeys;
use quick_cache::sync::Cache;
pub(crate) use shared::{Recent, Shared};
pub(crate) use signature::SignatureSlot;
pub use tally::CacheStatus;
use tally::{Seen, Tally};

use crate::signing::KeyDocument;
use crate::usage::UsageCell;

/// A key as it was looked up, with its count of uses. Clones are the same key.
#[derive(Clone)]
pub struct LiveKey(Arc<Slot>);

/// In this order, what each verification of the key touches lies side by side.
#[repr(C)]
struct Slot {
    usage: UsageCell,
    record: KeyRecord,
    written: OnceLock<Option<Box<str>>>,
    signature: OnceLock<Box<SignatureSlot>>,
}

impl LiveKey {
    fn new(record: KeyRecord) -> Self {
        let (written, signature) = (OnceLock::new(), OnceLock::new());
        Self(Arc::new(Slot { usage: UsageCell::default(), record, written, signature }))
    }

    /// The key's record.
    pub fn record(&self) -> &KeyRecord {
        &self.0.record
    }

    /// What a face writes of the record: made the first time, kept with the cached record.
    pub fn written(&self, write: impl FnOnce(&KeyRecord) -> Option<Box<str>>) -> Option<&str> {
        self.0.written.get_or_init(|| write(&self.0.record)).as_deref()
    }

    /// The document with the key's public half, if it is a signed one: made the first time.
    pub fn document(&self) -> Option<&KeyDocument> {
        self.signature().document(|| KeyDocument::of(self.record()))
    }

    /// The token that this key has proved, if it has proved one.
    pub fn proved(&self) -> Option<&Arc<ProvedToken>> {
        self.0.signature.get().and_then(|slot| slot.proved())
    }

    fn signature(&self) -> &SignatureSlot {
        self.0.signature.get_or_init(Box::default)
    }

    pub(crate) fn usage(&self) -> &UsageCell {
        &self.0.usage
    }

    /// Whether the locator finds this key.
    fn is_at(&self, locator: &Locator) -> bool {
        self.0.record.is_at(locator)
    }

    /// Looks at each part of what judging is going to read, so that the memory brings all of them at
    /// the same time. Reading them one after the other, with atomic operations in between, would wait
    /// for each.
    fn draw_near(&self) {
        let KeyRecord { updated_at, secret, enabled, .. } = &self.0.record;
        black_box((*updated_at, secret.digest().map(Digest::scheme), *enabled));
    }
}

impl Candidate for LiveKey {
    fn has_signed(&self, token: &SignedToken<'_>) -> bool {
        let public_key = || self.record().secret.signature().map(|s| s.public_key.clone());
        let key = self.signature().verifying_key(public_key);
        key.is_some_and(|key| key.verifies(token.message(), token.signature()))
    }

    fn remember(&self, proved: ProvedToken) {
        self.signature().remember(proved);
    }
}

impl AsRef<KeyRecord> for LiveKey {
    fn as_ref(&self) -> &KeyRecord {
        self.record()
    }
}

impl fmt::Debug for LiveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record().fmt(f)
    }
}

/// What the cache says of a locator.
pub(crate) enum Cached {
    /// There is no key.
    Absent,
    /// There is this key.
    Known(LiveKey),
    /// Nothing: the store must be asked.
    Unsaid,
}

/// How the cache behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LookupSettings {
    pub(crate) capacity: usize,
    pub(crate) max_staleness: Duration,
}

impl Default for LookupSettings {
    fn default() -> Self {
        Self { capacity: 100_000, max_staleness: Duration::from_secs(1) }
    }
}

/// The cache in front of the store.
///
/// Keys and known absences are bounded apart, so that made-up ids cannot push real keys out. What is
/// cached counts only while the feed was confirmed within `max_staleness` (the lease). What a change
/// outdates is forgotten together with the reads that are under way, so that a slow read never
/// brings an older record back.
pub(crate) struct Lookup {
    accounts: Accounts,
    absent: Cache<Locator, Moment>,
    confirmed_at: AtomicU64,
    flights: Flights<Locator, LiveKey>,
    known: KnownKeys,
    max_staleness: Duration,
    pub(crate) shared: Option<Shared>,
    store: Arc<dyn Store>,
    tally: Tally,
}

impl Lookup {
    /// How many absences are remembered, and for how long.
    const MOST_ABSENT: usize = 50_000;
    const ABSENT_FOR: Duration = Duration::from_secs(10);

    pub(crate) fn new(
        store: Arc<dyn Store>,
        shared: Option<Shared>,
        settings: LookupSettings,
    ) -> Self {
        Self {
            accounts: Accounts::new(settings.capacity),
            absent: Cache::new(Self::MOST_ABSENT),
            confirmed_at: AtomicU64::default(),
            flights: Flights::default(),
            known: KnownKeys::new(settings.capacity),
            max_staleness: settings.max_staleness,
            shared,
            store,
            tally: Tally::default(),
        }
    }

    /// What the cache says of a locator, at most `max_staleness` out of date.
    pub(crate) fn cached(&self, locator: &Locator, now: Moment) -> Cached {
        if !self.is_confirmed(now) {
            return Cached::Unsaid;
        }
        if let Some(key) = self.known.find(locator) {
            return Cached::Known(key);
        }
        let since = self.absent.get(locator);
        if since.is_some_and(|since| now.since(since) < Self::ABSENT_FOR) {
            Cached::Absent
        } else {
            Cached::Unsaid
        }
    }

    /// The key at a locator, at most `max_staleness` out of date.
    pub(crate) async fn find(
        &self,
        locator: &Locator,
        now: Moment,
    ) -> Result<Option<LiveKey>, StoreError> {
        match self.cached(locator, now) {
            Cached::Absent => Ok(None),
            Cached::Known(key) => Ok(Some(key)),
            Cached::Unsaid if self.is_confirmed(now) => self.load(locator, now).await,
            Cached::Unsaid => {
                self.tally.count(Seen::Bypassed);
                self.ask_store(locator).await
            }
        }
    }

    /// The key at a locator as the store has it, whatever is cached.
    pub(crate) async fn ask_store(&self, locator: &Locator) -> Result<Option<LiveKey>, StoreError> {
        Ok(self.store.find(locator).await?.map(LiveKey::new))
    }

    /// What the cache says of a service account, at most `max_staleness` out of date; nothing: the store
    /// must be asked.
    pub(crate) fn cached_account(&self, id: &ClientId, now: Moment) -> Option<FoundAccount> {
        self.is_confirmed(now).then(|| self.accounts.cached(id, now)).flatten()
    }

    /// A service account, at most `max_staleness` out of date.
    pub(crate) async fn account(
        &self,
        id: &ClientId,
        now: Moment,
    ) -> Result<FoundAccount, StoreError> {
        match self.cached_account(id, now) {
            Some(found) => Ok(found),
            None if self.is_confirmed(now) => self.accounts.load(&*self.store, id, now).await,
            None => self.ask_store_for_account(id).await,
        }
    }

    /// A service account as the store has it, whatever is cached.
    pub(crate) async fn ask_store_for_account(
        &self,
        id: &ClientId,
    ) -> Result<FoundAccount, StoreError> {
        Ok(self.store.account(id).await?.map(Arc::new))
    }

    /// Everything acknowledged before this moment has been taken note of.
    pub(crate) fn confirm(&self, moment: Moment) {
        self.confirmed_at.fetch_max(moment.as_nanos(), Ordering::Release);
    }

    /// What the cache holds, and has done.
    pub(crate) fn status(&self, now: Moment) -> CacheStatus {
        self.tally.status(self.known.len(), self.is_confirmed(now))
    }

    /// How long ago that was.
    pub(crate) fn since_confirmed(&self, now: Moment) -> Duration {
        now.since(Moment::from_nanos(self.confirmed_at.load(Ordering::Acquire)))
    }

    /// Forgets what is at these locators, and what reads under way will find there.
    pub(crate) fn forget(&self, locators: &[Locator]) {
        for locator in locators {
            self.flights.end(locator, || {
                self.known.remove(locator);
                self.absent.remove(locator);
            });
        }
    }

    /// Forgets what a change made outdated.
    pub(crate) fn forget_touched(&self, touched: &Touched) {
        self.forget(&touched.locators);
        for id in &touched.accounts {
            self.accounts.forget(id);
        }
    }

    /// Forgets everything.
    pub(crate) fn forget_all(&self) {
        self.accounts.forget_all();
        self.flights.end_all(|| {
            self.known.clear();
            self.absent.clear();
        });
    }

    fn is_confirmed(&self, now: Moment) -> bool {
        !self.max_staleness.is_zero() && self.since_confirmed(now) <= self.max_staleness
    }

    /// Reads a record: from the shared cache, if there is one and it has it, or else from the store.
    async fn read(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        self.tally.count(Seen::Read);
        let Some(shared) = &self.shared else { return self.store.find(locator).await };
        if let Some(record) = shared.find(locator, &self.tally).await {
            return Ok(Some(record));
        }
        // Before the read: it shows every change up to here.
        let position = shared.recent.position();
        let found = self.store.find(locator).await?;
        if let Some(record) = &found {
            shared.keep(locator, record, position).await;
        }
        Ok(found)
    }

    /// Reads a key from the store; those who want the same at the same time share one read.
    async fn load(&self, locator: &Locator, now: Moment) -> Result<Option<LiveKey>, StoreError> {
        let mut has_failed = false;
        loop {
            match self.flights.join(locator) {
                Flight::Leads(lead) => {
                    let read = self.read(locator).await.map_err(|error| lead.fail(error));
                    let found = read?.map(LiveKey::new);
                    lead.land(found.clone(), || match &found {
                        Some(key) => self.known.insert(locator, key.clone()),
                        None => self.absent.insert(locator.clone(), now),
                    });
                    return Ok(found);
                }
                Flight::Follows(passenger) => {
                    // If the leader went away, the next one to come leads. A failure is tried once more:
                    // the second one is everybody's, or each would wait for all before it.
                    match passenger.wait().await {
                        Some(Err(_)) if !has_failed => has_failed = true,
                        Some(landing) => return landing,
                        None => {}
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup").field("known", &self.known.len()).finish_non_exhaustive()
    }
}
