//! Asking for a key that is not known, or no longer counts, and keeping what comes of it.

use std::sync::Arc;

use keyward_core::Moment;

use super::fetch::Document;
use super::flight::{Flight, Landing, Lead};
use super::freshness::Freshness;
use super::{Found, KeyName, Keys, KnownKey, Unreachable, later};
use crate::error::FetchFault;

impl Keys {
    /// Joins the fetch of a key or begins one. It goes on also if nobody waits for it any more.
    pub(super) async fn fetch(self: &Arc<Self>, name: &KeyName) -> Found {
        let joined = self.flights.join(name, self.known.contains_key(name));
        let passenger = match joined.ok_or_else(|| self.unreachable(FetchFault::Busy))? {
            Flight::Leads(lead, passenger) => {
                // Somebody else's may have landed between the look and the joining.
                match self.recall(name) {
                    Some(known) => lead.land(|_| Ok(known)),
                    None => drop(tokio::spawn(Arc::clone(self).lead(lead))),
                }
                passenger
            }
            Flight::Follows(passenger) => passenger,
        };
        let landed = passenger.wait().await;
        landed.unwrap_or_else(|| Err(self.unreachable(FetchFault::Connection)))
    }

    async fn lead(self: Arc<Self>, lead: Lead) {
        let name = lead.name().clone();
        let (asked_at, fetched) = self.ask(&name).await;
        let ready = fetched.and_then(|document| match document {
            Some(document) => self.ready(&name, document).map(Some),
            None => Ok(None),
        });
        if let (Err(fault), Some(issuer)) = (&ready, self.issuers.get(name.issuer)) {
            tracing::warn!(issuer = %issuer.base, key = %name.id, %fault, "a public key was not fetched");
        }
        lead.land(|landing| match (ready, landing) {
            (Ok(Some((key, freshness))), Landing::Kept) => {
                Ok(Some(self.keep(name, key, freshness, asked_at)))
            }
            (Ok(Some((key, _))), Landing::Ended) => Ok(Some(key)),
            (Ok(None), landing) => {
                self.keep_absence(name, landing, asked_at);
                Ok(None)
            }
            (Err(fault), landing) => Err(self.keep_failure(name, landing, fault)),
        });
    }

    /// Asks the issuer, and says when it did.
    async fn ask(&self, name: &KeyName) -> (Moment, Result<Option<Document>, FetchFault>) {
        let Some(issuer) = self.issuers.get(name.issuer) else {
            return (self.clock.moment(), Err(FetchFault::NoConnection));
        };
        let slot = self.slots.take(name.issuer, self.known.contains_key(name)).await;
        let asked_at = self.clock.moment();
        match slot {
            Some(_slot) => {
                (asked_at, self.fetcher.fetch(&issuer.base, &name.id, self.lease.is_some()).await)
            }
            None => (asked_at, Err(FetchFault::Busy)),
        }
    }

    /// The key of a document, ready for checking signatures: the one that is known, if it is the same.
    fn ready(
        &self,
        name: &KeyName,
        document: Document,
    ) -> Result<(Arc<KnownKey>, Freshness), FetchFault> {
        let Document { key, freshness } = document;
        let known = self.known.peek(name).filter(|known| known.is(&key));
        let known = match known {
            Some(known) => known,
            None => Arc::new(KnownKey::new(key).ok_or(FetchFault::Key)?),
        };
        Ok((known, freshness))
    }

    fn keep(
        &self,
        name: KeyName,
        key: Arc<KnownKey>,
        freshness: Freshness,
        asked_at: Moment,
    ) -> Arc<KnownKey> {
        self.absent.remove(&name);
        self.failed.remove(&name);
        let lifetime = freshness.lifetime(&self.lifetimes);
        let is_same = self.is_known(&name, &key);
        if !is_same || lifetime.is_none() {
            self.withdraw(&name);
        }
        let Some(lifetime) = lifetime else { return key };
        let fresh_until = later(asked_at, lifetime).min(self.settled(&name.id, asked_at));
        let stale_for = freshness.stale_for(&self.lifetimes, self.lease.is_some());
        key.hold(asked_at, fresh_until, stale_for);
        // The cache takes a key that is replaced by itself for one that makes room, and withdraws it.
        if !is_same {
            self.known.insert(name, Arc::clone(&key));
        } else if !self.is_known(&name, &key) {
            // It had to make room before it was held.
            key.withdraw();
        }
        key
    }

    fn is_known(&self, name: &KeyName, key: &Arc<KnownKey>) -> bool {
        self.known.peek(name).is_some_and(|known| Arc::ptr_eq(&known, key))
    }

    fn keep_absence(&self, name: KeyName, landing: Landing, asked_at: Moment) {
        if landing == Landing::Kept {
            self.withdraw(&name);
            self.failed.remove(&name);
            self.absent.insert(name, later(asked_at, self.lifetimes.absent));
        }
    }

    fn keep_failure(&self, name: KeyName, landing: Landing, fault: FetchFault) -> Unreachable {
        let unreachable = self.unreachable(fault);
        if let (FetchFault::NoConnection, Some(issuer)) = (fault, self.issuers.get(name.issuer)) {
            issuer.rests_until.set(unreachable.until);
        }
        if landing == Landing::Kept {
            self.failed.insert(name, unreachable);
        }
        unreachable
    }

    pub(super) fn withdraw(&self, name: &KeyName) {
        if let Some((_, key)) = self.known.remove(name) {
            key.withdraw();
        }
    }
}

#[cfg(test)]
impl Keys {
    /// As if the key had just been fetched.
    pub(crate) fn take_over(&self, name: KeyName, key: keyward_core::jose::PublicKey) {
        let key = Arc::new(KnownKey::new(key).unwrap());
        self.keep(name, key, Freshness::default(), self.clock.moment());
    }
}
