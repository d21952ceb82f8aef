//! RSA pairs that are made ahead, on threads of their own and at low priority, so that issuing a key
//! does not wait for one, and verifying never waits for issuing.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use keyward_core::jose::{PairKind, SigningPair};
use parking_lot::{Condvar, Mutex};
use tokio::sync::Semaphore;

use super::SigningSettings;
use crate::Error;

/// What a pool holds and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatus {
    /// Pairs that are ready.
    pub ready: usize,
    /// Requests that wait for a pair.
    pub waiting: usize,
    /// Pairs that were made, since the start.
    pub made: u64,
    /// Requests that had to wait, since the start.
    pub waited: u64,
}

/// Pairs by their kind. Those that are left when it is dropped are wiped.
pub(super) struct KeyPool {
    shared: Arc<Shared>,
    threads: usize,
    most_waiting: usize,
}

struct Shared {
    stocks: Mutex<HashMap<PairKind, Arc<Stock>>>,
    /// Told when a stock has room, and when the pool is dropped.
    has_room: Condvar,
    is_over: AtomicBool,
    ready_pairs: usize,
    made: AtomicU64,
    waited: AtomicU64,
    /// Those who wait for a pair of any kind.
    waiting: AtomicUsize,
}

/// Pairs of one kind. Whoever takes one has got a permit before, in the order in which they came.
struct Stock {
    pairs: Mutex<VecDeque<Box<dyn SigningPair>>>,
    permits: Semaphore,
    /// Pairs that are being made, which are going to be ready.
    making: AtomicUsize,
    waiting: AtomicUsize,
}

impl KeyPool {
    pub(super) fn new(settings: &SigningSettings) -> Self {
        let shared = Shared {
            stocks: Mutex::default(),
            has_room: Condvar::new(),
            is_over: AtomicBool::default(),
            ready_pairs: settings.ready_pairs,
            made: AtomicU64::default(),
            waited: AtomicU64::default(),
            waiting: AtomicUsize::default(),
        };
        let (threads, most_waiting) = (settings.threads.max(1), settings.most_waiting);
        Self { shared: Arc::new(shared), threads, most_waiting }
    }

    /// A pair of that kind. It is the only one with this public key, and nobody else gets it.
    pub(super) async fn take(&self, kind: PairKind) -> Result<Box<dyn SigningPair>, Error> {
        if kind.bits().is_none() {
            return keyward_signatures::generate(kind).map_err(|_| Error::Signing);
        }
        let stock = self.stock(kind).ok_or(Error::Signing)?;
        let permit = match stock.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => self.wait(&stock).await?,
        };
        permit.forget();
        let pair = stock.pairs.lock().pop_front().ok_or(Error::Signing);
        self.shared.wake();
        pair
    }

    async fn wait<'s>(&self, stock: &'s Stock) -> Result<tokio::sync::SemaphorePermit<'s>, Error> {
        let _counted = Counted::take(&self.shared.waiting, self.most_waiting).ok_or(Error::Busy)?;
        let _in_line = Counted::take(&stock.waiting, usize::MAX);
        self.shared.waited.fetch_add(1, Ordering::Relaxed);
        self.shared.wake();
        stock.permits.acquire().await.map_err(|_| Error::Signing)
    }

    /// Has pairs of that kind made from now on, if it takes long to make one.
    pub(super) fn prepare(&self, kind: PairKind) {
        let is_ahead = self.shared.ready_pairs > 0 && kind.bits().is_some();
        if is_ahead && self.stock(kind).is_none() {
            tracing::error!("no signed keys can be issued");
        }
    }

    fn stock(&self, kind: PairKind) -> Option<Arc<Stock>> {
        let mut stocks = self.shared.stocks.lock();
        if let Some(stock) = stocks.get(&kind) {
            return Some(Arc::clone(stock));
        }
        let stock = Arc::new(Stock {
            pairs: Mutex::default(),
            permits: Semaphore::new(0),
            making: AtomicUsize::default(),
            waiting: AtomicUsize::default(),
        });
        if stocks.is_empty() && !self.start() {
            return None;
        }
        stocks.insert(kind, Arc::clone(&stock));
        self.shared.has_room.notify_all();
        Some(stock)
    }

    /// Starts the threads; says whether there is one at least.
    fn start(&self) -> bool {
        let started = (0..self.threads).filter(|_| {
            let shared = Arc::clone(&self.shared);
            let thread = thread::Builder::new().name("keyward-pairs".to_owned());
            let started = thread.spawn(move || {
                step_back();
                make_pairs(&shared);
            });
            started.inspect_err(|error| tracing::error!(%error, "no thread for key pairs")).is_ok()
        });
        started.count() > 0
    }

    pub(super) fn status(&self) -> PoolStatus {
        let stocks = self.shared.stocks.lock();
        PoolStatus {
            ready: stocks.values().map(|stock| stock.pairs.lock().len()).sum(),
            waiting: self.shared.waiting.load(Ordering::Relaxed),
            made: self.shared.made.load(Ordering::Relaxed),
            waited: self.shared.waited.load(Ordering::Relaxed),
        }
    }
}

impl Drop for KeyPool {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.shared.wake();
    }
}

impl fmt::Debug for KeyPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status().fmt(f)
    }
}

impl Stock {
    /// How many pairs there are, or soon will be.
    fn length(&self) -> usize {
        self.pairs.lock().len() + self.making.load(Ordering::Relaxed)
    }
}

/// One of those that are counted, as long as it is not dropped.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    /// One more, unless there are as many as there may be.
    fn take(count: &'a AtomicUsize, most: usize) -> Option<Self> {
        let counted = Self(count);
        (count.fetch_add(1, Ordering::Relaxed) < most).then_some(counted)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    /// Has the threads look again. None is between its look and its sleep meanwhile, or it would miss it.
    fn wake(&self) {
        let _stocks = self.stocks.lock();
        self.has_room.notify_all();
    }

    /// The stock that lacks pairs and has the fewest. One for each who waits is wanted in any case.
    fn emptiest(&self, stocks: &HashMap<PairKind, Arc<Stock>>) -> Option<(PairKind, Arc<Stock>)> {
        let lengths = stocks.iter().map(|(kind, stock)| (stock.length(), kind, stock));
        let with_room = lengths.filter(|(length, _, stock)| {
            *length < self.ready_pairs.max(stock.waiting.load(Ordering::Relaxed))
        });
        let (_, kind, stock) = with_room.min_by_key(|(length, ..)| *length)?;
        Some((*kind, Arc::clone(stock)))
    }
}

/// Makes pairs as long as there is room, and until the pool is dropped.
fn make_pairs(shared: &Shared) {
    loop {
        let mut stocks = shared.stocks.lock();
        if shared.is_over.load(Ordering::Relaxed) {
            return;
        }
        let Some((kind, stock)) = shared.emptiest(&stocks) else {
            shared.has_room.wait(&mut stocks);
            continue;
        };
        // Counted before anybody else looks.
        let _making = Counted::take(&stock.making, usize::MAX);
        drop(stocks);
        match keyward_signatures::generate(kind) {
            Ok(pair) => {
                stock.pairs.lock().push_back(pair);
                shared.made.fetch_add(1, Ordering::Relaxed);
                stock.permits.add_permits(1);
            }
            Err(error) => {
                tracing::error!(%error, "no key pair");
                thread::sleep(std::time::Duration::from_secs(1));
            }
        }
    }
}

/// How nice the threads are: where all processors are busy, they get about a tenth of what others get.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lets other threads go first.
#[cfg(target_os = "linux")]
fn step_back() {
    // On Linux, "this process" means this thread.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "key pairs are made at normal priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_left_goes_with_the_pool() {
        let settings = SigningSettings { ready_pairs: 1, threads: 3, ..SigningSettings::default() };
        let pool = KeyPool::new(&settings);
        pool.prepare(PairKind::Rsa2048);
        while pool.status().ready == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        let shared = Arc::downgrade(&pool.shared);
        drop(pool);
        let mut patience = 10_000;
        while shared.strong_count() > 0 {
            patience -= 1;
            assert!(patience > 0, "a thread keeps the pairs");
            thread::sleep(Duration::from_millis(1));
        }
    }
}
