//! What a server tells about its changes, and what it makes of the keys that are known.

use keyward_core::{KeyId, Moment};

use super::{KeyName, Keys, later};

impl Keys {
    /// Gives up what is known of these keys. Fetches that are under way will not be kept.
    pub(crate) fn forget(&self, ids: &[KeyId]) {
        let now = self.latest();
        for id in ids {
            self.changed.insert(id.clone(), now);
            for issuer in 0..self.issuers.len() {
                let name = KeyName { issuer, id: id.clone() };
                self.flights.end(&name, || {
                    self.withdraw(&name);
                    self.absent.remove(&name);
                    self.failed.remove(&name);
                });
            }
        }
    }

    /// Gives up all that is known.
    pub(crate) fn forget_all(&self) {
        self.all_changed.set(self.latest());
        self.flights.end_all(|| {
            for (_, key) in self.known.iter() {
                key.withdraw();
            }
            self.known.clear();
            self.absent.clear();
            self.failed.clear();
        });
    }

    /// The moment to which all changes were known is this one.
    pub(crate) fn renew_lease(&self, moment: Moment) {
        if let Some(lease) = &self.lease {
            lease.renew(moment);
        }
    }

    /// Whether the feed was heard within `max_staleness`.
    pub(crate) fn is_current(&self) -> bool {
        self.lease.as_ref().is_some_and(|lease| self.latest() < lease.until())
    }

    /// The present moment.
    pub(crate) fn moment(&self) -> Moment {
        self.clock.moment()
    }

    /// Until when a key counts at most because it changed a moment ago: another instance of its server
    /// may not have known it yet.
    pub(super) fn settled(&self, id: &KeyId, asked_at: Moment) -> Moment {
        let unbounded = Moment::from_nanos(u64::MAX);
        let Some(lease) = &self.lease else { return unbounded };
        let changed = self.changed.get(id).max(Some(self.all_changed.get()));
        let settled = later(changed.unwrap_or_default(), lease.max_staleness());
        if asked_at < settled { settled } else { unbounded }
    }
}
