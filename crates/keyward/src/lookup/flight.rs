//! Reads under way: one a place, shared by all who want it, and ended by changes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use keyward_store::StoreError;
use parking_lot::Mutex;
use tokio::sync::watch;

/// How a read ended; absent while it is under way, and for good if whoever did it went away.
type Landing<V> = Option<Result<Option<V>, Arc<StoreError>>>;

/// The reads under way, by the places that are read.
#[derive(Debug)]
pub(super) struct Flights<K, V> {
    under_way: Mutex<HashMap<K, Arc<watch::Receiver<Landing<V>>>>>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

/// One's part in a read.
pub(super) enum Flight<'a, K: Eq + Hash, V> {
    /// Does the read.
    Leads(Lead<'a, K, V>),
    /// Waits for it.
    Follows(Passenger<V>),
}

impl<K: Clone + Eq + Hash, V> Flights<K, V> {
    /// Joins the read of a place, or begins one.
    pub(super) fn join(&self, place: &K) -> Flight<'_, K, V> {
        let mut under_way = self.under_way.lock();
        if let Some(landing) = under_way.get(place) {
            return Flight::Follows(Passenger { landing: (**landing).clone() });
        }
        let (sender, landing) = watch::channel(None);
        let landing = Arc::new(landing);
        under_way.insert(place.clone(), Arc::clone(&landing));
        let place = place.clone();
        Flight::Leads(Lead { flights: self, landing, place, sender })
    }

    /// Makes sure that the read under way at a place will not be kept, and runs `forget` with no
    /// landing in between. Who joined it before still gets what it finds: they asked before the
    /// change was acknowledged.
    pub(super) fn end(&self, place: &K, forget: impl FnOnce()) {
        let mut under_way = self.under_way.lock();
        under_way.remove(place);
        forget();
    }

    /// The same for all reads under way.
    pub(super) fn end_all(&self, forget: impl FnOnce()) {
        let mut under_way = self.under_way.lock();
        under_way.clear();
        forget();
    }
}

/// The one who does a read. Dropped without landing or failing, it leaves its place to the next.
pub(super) struct Lead<'a, K: Eq + Hash, V> {
    flights: &'a Flights<K, V>,
    landing: Arc<watch::Receiver<Landing<V>>>,
    place: K,
    sender: watch::Sender<Landing<V>>,
}

impl<K: Eq + Hash, V> Lead<'_, K, V> {
    /// Tells the others what was found and, unless a change ended the read, runs `keep`.
    pub(super) fn land(self, found: Option<V>, keep: impl FnOnce()) {
        let mut under_way = self.flights.under_way.lock();
        let is_current =
            under_way.get(&self.place).is_some_and(|landing| Arc::ptr_eq(landing, &self.landing));
        if is_current {
            under_way.remove(&self.place);
            keep();
        }
        drop(under_way);
        self.sender.send_replace(Some(Ok(found)));
    }

    /// Tells the others why nothing was read.
    pub(super) fn fail(&self, error: StoreError) -> StoreError {
        let again = error.again();
        self.leave();
        self.sender.send_replace(Some(Err(Arc::new(error))));
        again
    }

    /// Lets others begin a read at the same place.
    fn leave(&self) {
        let mut under_way = self.flights.under_way.lock();
        let landing = under_way.get(&self.place);
        if landing.is_some_and(|landing| Arc::ptr_eq(landing, &self.landing)) {
            under_way.remove(&self.place);
        }
    }
}

impl<K: Eq + Hash, V> Drop for Lead<'_, K, V> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// One who waits for a read.
pub(super) struct Passenger<V> {
    landing: watch::Receiver<Landing<V>>,
}

impl<V: Clone> Passenger<V> {
    /// What the read found, or why it failed; nothing if whoever did it went away.
    pub(super) async fn wait(mut self) -> Option<Result<Option<V>, StoreError>> {
        let landed = self.landing.wait_for(Option::is_some).await;
        let landing = landed.ok()?.clone()?;
        Some(landing.map_err(|error| error.again()))
    }
}
