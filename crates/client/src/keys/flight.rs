//! Fetches under way: one a key, shared by all who want it, and ended by changes.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Found, KeyName};

/// What a fetch found; absent while it is under way, and for good if it broke off.
type Outcome = Option<Found>;

/// The fetches under way.
#[derive(Debug)]
pub(super) struct Flights {
    /// How many may be under way or wait for their turn.
    most: usize,
    under_way: Mutex<HashMap<KeyName, Arc<watch::Receiver<Outcome>>>>,
}

/// One's part in a fetch.
pub(super) enum Flight {
    /// Does the fetch, and waits for it, too.
    Leads(Lead, Passenger),
    /// Waits for it.
    Follows(Passenger),
}

/// Whether what was found may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landing {
    /// A change ended the fetch: it is told to those who joined before, and not kept.
    Ended,
    /// It may.
    Kept,
}

impl Flights {
    pub(super) fn new(most: usize) -> Self {
        Self { most, under_way: Mutex::default() }
    }

    /// Joins the fetch of a key, or begins one. None: there are too many. Keys that are known are always
    /// fetched, so that ids that somebody made up do not hold them back.
    pub(super) fn join(self: &Arc<Self>, name: &KeyName, is_known: bool) -> Option<Flight> {
        let mut under_way = self.under_way.lock();
        if let Some(landing) = under_way.get(name) {
            return Some(Flight::Follows(Passenger((**landing).clone())));
        }
        if under_way.len() >= self.most && !is_known {
            return None;
        }
        let (sender, landing) = watch::channel(None);
        let passenger = Passenger(landing.clone());
        let landing = Arc::new(landing);
        under_way.insert(name.clone(), Arc::clone(&landing));
        let lead = Lead { flights: Arc::clone(self), landing, name: name.clone(), sender };
        Some(Flight::Leads(lead, passenger))
    }

    /// Makes sure that the fetch under way for a key will not be kept, and runs `forget` with no
    /// landing in between. Who joined it before still gets what it finds: they asked before the
    /// change was known here.
    pub(super) fn end(&self, name: &KeyName, forget: impl FnOnce()) {
        let mut under_way = self.under_way.lock();
        under_way.remove(name);
        forget();
    }

    /// The same for all fetches under way.
    pub(super) fn end_all(&self, forget: impl FnOnce()) {
        let mut under_way = self.under_way.lock();
        under_way.clear();
        forget();
    }
}

/// The one who does a fetch. Dropped without landing, it leaves its place to the next.
pub(super) struct Lead {
    flights: Arc<Flights>,
    landing: Arc<watch::Receiver<Outcome>>,
    name: KeyName,
    sender: watch::Sender<Outcome>,
}

impl Lead {
    pub(super) fn name(&self) -> &KeyName {
        &self.name
    }

    /// Lets `settle` keep what was found, and tells the others what comes of it.
    pub(super) fn land(self, settle: impl FnOnce(Landing) -> Found) {
        let mut under_way = self.flights.under_way.lock();
        let is_current =
            under_way.get(&self.name).is_some_and(|landing| Arc::ptr_eq(landing, &self.landing));
        if is_current {
            under_way.remove(&self.name);
        }
        let found = settle(if is_current { Landing::Kept } else { Landing::Ended });
        drop(under_way);
        self.sender.send_replace(Some(found));
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let mut under_way = self.flights.under_way.lock();
        let landing = under_way.get(&self.name);
        if landing.is_some_and(|landing| Arc::ptr_eq(landing, &self.landing)) {
            under_way.remove(&self.name);
        }
    }
}

/// One who waits for a fetch.
pub(super) struct Passenger(watch::Receiver<Outcome>);

impl Passenger {
    /// What the fetch found, or nothing if it broke off.
    pub(super) async fn wait(mut self) -> Outcome {
        let landed = self.0.wait_for(Option::is_some).await;
        landed.ok().and_then(|landing| landing.clone())
    }
}
