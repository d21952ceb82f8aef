//! Reads under way: one a locator, shared by all who want it, and ended by changes.

use std::collections::HashMap;
use std::sync::Arc;

use keyward_core::Locator;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::LiveKey;

/// What a read found; absent while it is under way, and for good if it failed.
type Landing = Option<Option<LiveKey>>;

/// The reads under way.
#[derive(Debug, Default)]
pub(super) struct Flights {
    under_way: Mutex<HashMap<Locator, Arc<watch::Receiver<Landing>>>>,
}

/// One's part in a read.
pub(super) enum Flight<'a> {
    /// Does the read.
    Leads(Lead<'a>),
    /// Waits for it.
    Follows(Passenger),
}

impl Flights {
    /// Joins the read of a locator, or begins one.
    pub(super) fn join(&self, locator: &Locator) -> Flight<'_> {
        let mut under_way = self.under_way.lock();
        if let Some(landing) = under_way.get(locator) {
            return Flight::Follows(Passenger { landing: (**landing).clone() });
        }
        let (sender, landing) = watch::channel(None);
        let landing = Arc::new(landing);
        under_way.insert(locator.clone(), Arc::clone(&landing));
        let locator = locator.clone();
        Flight::Leads(Lead { flights: self, landing, locator, sender })
    }

    /// Makes sure that the read under way at a locator will not be kept, and runs `forget` with no
    /// landing in between. Who joined it before still gets what it finds: they asked before the
    /// change was acknowledged.
    pub(super) fn end(&self, locator: &Locator, forget: impl FnOnce()) {
        let mut under_way = self.under_way.lock();
        under_way.remove(locator);
        forget();
    }

    /// The same for all reads under way.
    pub(super) fn end_all(&self, forget: impl FnOnce()) {
        let mut under_way = self.under_way.lock();
        under_way.clear();
        forget();
    }
}

/// The one who does a read. Dropped without landing, it leaves its place to the next.
pub(super) struct Lead<'a> {
    flights: &'a Flights,
    landing: Arc<watch::Receiver<Landing>>,
    locator: Locator,
    sender: watch::Sender<Landing>,
}

impl Lead<'_> {
    /// Tells the others what was found and, unless a change ended the read, runs `keep`.
    pub(super) fn land(self, found: Option<LiveKey>, keep: impl FnOnce()) {
        let mut under_way = self.flights.under_way.lock();
        let is_current =
            under_way.get(&self.locator).is_some_and(|landing| Arc::ptr_eq(landing, &self.landing));
        if is_current {
            under_way.remove(&self.locator);
            keep();
        }
        drop(under_way);
        self.sender.send_replace(Some(found));
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut under_way = self.flights.under_way.lock();
        let landing = under_way.get(&self.locator);
        if landing.is_some_and(|landing| Arc::ptr_eq(landing, &self.landing)) {
            under_way.remove(&self.locator);
        }
    }
}

/// One who waits for a read.
pub(super) struct Passenger {
    landing: watch::Receiver<Landing>,
}

impl Passenger {
    /// What the read found, or nothing if it failed.
    pub(super) async fn wait(mut self) -> Landing {
        let landed = self.landing.wait_for(Option::is_some).await;
        landed.ok().and_then(|landing| landing.clone())
    }
}
