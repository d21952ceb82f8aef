//! Service accounts as they were read: bounded, one read at a time for each, forgotten with their
//! changes. Whether what is known may count, the lookup says.

use std::fmt;
use std::sync::Arc;

use keyward_core::{ClientId, Moment, ServiceAccount};
use keyward_store::{Store, StoreError};
use quick_cache::sync::Cache;

use super::Lookup;
use super::flight::{Flight, Flights};

/// A service account, or that there is none.
pub(crate) type FoundAccount = Option<Arc<ServiceAccount>>;

/// What is known of service accounts. Known absences are bounded apart, so that made-up ids cannot push
/// real accounts out.
pub(super) struct Accounts {
    absent: Cache<ClientId, Moment>,
    flights: Flights<ClientId, Arc<ServiceAccount>>,
    known: Cache<ClientId, Arc<ServiceAccount>>,
}

impl Accounts {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            absent: Cache::new(Lookup::MOST_ABSENT),
            flights: Flights::default(),
            known: Cache::new(capacity),
        }
    }

    /// What is known of an account; nothing: the store must be asked.
    pub(super) fn cached(&self, id: &ClientId, now: Moment) -> Option<FoundAccount> {
        if let Some(account) = self.known.get(id) {
            return Some(Some(account));
        }
        let since = self.absent.get(id)?;
        (now.since(since) < Lookup::ABSENT_FOR).then_some(None)
    }

    /// Reads an account from the store; those who want the same at the same time share one read.
    pub(super) async fn load(
        &self,
        store: &dyn Store,
        id: &ClientId,
        now: Moment,
    ) -> Result<FoundAccount, StoreError> {
        let mut has_failed = false;
        loop {
            match self.flights.join(id) {
                Flight::Leads(lead) => {
                    let read = store.account(id).await.map_err(|error| lead.fail(error));
                    let found = read?.map(Arc::new);
                    lead.land(found.clone(), || match &found {
                        Some(account) => self.known.insert(*id, Arc::clone(account)),
                        None => self.absent.insert(*id, now),
                    });
                    return Ok(found);
                }
                Flight::Follows(passenger) => match passenger.wait().await {
                    Some(Err(_)) if !has_failed => has_failed = true,
                    Some(landing) => return landing,
                    None => {}
                },
            }
        }
    }

    pub(super) fn forget(&self, id: &ClientId) {
        self.flights.end(id, || {
            self.known.remove(id);
            self.absent.remove(id);
        });
    }

    pub(super) fn forget_all(&self) {
        self.flights.end_all(|| {
            self.known.clear();
            self.absent.clear();
        });
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("known", &self.known.len()).finish_non_exhaustive()
    }
}
