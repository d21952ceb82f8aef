//! The public keys of an authorization server: a list for all of its access tokens, at a place that the
//! server's metadata names (RFC 8414).
//!
//! ```text
//! known and counts ─────────────────────────────────────────► the key
//! not in the list, which was read a moment ago ─────────────► no such key
//! asked for in vain a moment ago ──┐
//! otherwise: metadata ── list ─────┼────────────────────────► as the list says
//!                         failed ──┴─ known, and may be stale ► the key
//!                                   └ otherwise ────────────► unreachable
//! ```
//!
//! One at a time reads the list, and for ids that it lacks it is read every so often: so ids that somebody
//! made up cost the server next to nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyward_core::jose::{BaseIssuer, KeySet, PublicKey};
use keyward_core::{Clock, KeyId, Moment};
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::time::timeout;

use super::freshness::Freshness;
use super::{Fetcher, Found, KeyLifetimes, KnownKey, Unreachable, later};
use crate::error::{FetchFault, VerifyError};

/// The keys of one server.
pub(crate) struct ServerKeys {
    clock: Arc<dyn Clock>,
    fetcher: Fetcher,
    issuer: BaseIssuer,
    known: Mutex<Known>,
    lifetimes: KeyLifetimes,
    /// How long to wait for somebody else's fetch.
    patience: Duration,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    /// When the list was read last.
    asked_at: Option<Moment>,
    failure: Option<Unreachable>,
    keys: HashMap<KeyId, Arc<KnownKey>>,
    /// Where the list is, and for how long that counts.
    place: Option<(BaseIssuer, Moment)>,
}

/// What a server says of itself, as far as it matters.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl ServerKeys {
    pub(crate) fn new(
        issuer: BaseIssuer,
        clock: Arc<dyn Clock>,
        fetcher: Fetcher,
        lifetimes: KeyLifetimes,
        fetch_timeout: Duration,
    ) -> Self {
        Self {
            clock,
            fetcher,
            issuer,
            known: Mutex::default(),
            lifetimes,
            // Metadata and list.
            patience: fetch_timeout.saturating_mul(2),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// What stands in the server's tokens as their issuer.
    pub(crate) const fn issuer(&self) -> &BaseIssuer {
        &self.issuer
    }

    /// Whether a key may be used without asking.
    pub(crate) fn counts(&self, key: &KnownKey) -> bool {
        key.counts(self.latest(), None)
    }

    /// How many keys are known.
    pub(crate) fn known(&self) -> usize {
        self.known.lock().keys.len()
    }

    /// The key of that id, or that there is none.
    pub(crate) async fn find(&self, id: &KeyId) -> Result<Option<Arc<KnownKey>>, VerifyError> {
        let found = match self.recall(id) {
            Some(found) => found,
            None => self.ask(id).await,
        };
        found.or_else(|unreachable| match self.stale(id) {
            Some(key) => Ok(Some(key)),
            None => Err(self.error(unreachable)),
        })
    }

    /// Reads the list, unless somebody else has done so meanwhile.
    async fn ask(&self, id: &KeyId) -> Found {
        let turn = timeout(self.patience, self.turn.lock()).await;
        let _turn = turn.map_err(|_| self.unreachable(FetchFault::Busy))?;
        if let Some(found) = self.recall(id) {
            return found;
        }
        let asked_at = self.clock.moment();
        match self.fetch(asked_at).await {
            Ok((keys, freshness)) => Ok(self.keep(keys, freshness, asked_at).get(id).cloned()),
            Err(fault) => {
                tracing::warn!(issuer = %self.issuer, %fault, "the public keys were not fetched");
                Err(self.keep_failure(fault))
            }
        }
    }

    async fn fetch(
        &self,
        asked_at: Moment,
    ) -> Result<(Vec<(String, PublicKey)>, Freshness), FetchFault> {
        let known = self.known.lock().place.clone();
        let place = match known.filter(|(_, until)| self.latest() < *until) {
            Some((place, _)) => place,
            None => self.fetch_place(asked_at).await?,
        };
        let (text, freshness) = self.fetcher.fetch_of_server(place.as_str()).await?;
        Ok((KeySet::read_all(&text).map_err(FetchFault::Document)?, freshness))
    }

    /// Where the server says that its keys are (RFC 8414 §3.3): it must say that it is this one.
    async fn fetch_place(&self, asked_at: Moment) -> Result<BaseIssuer, FetchFault> {
        let (text, freshness) = self.fetcher.fetch_of_server(&self.issuer.metadata_url()).await?;
        let metadata: Metadata = serde_json::from_str(&text).map_err(|_| FetchFault::Metadata)?;
        let place = BaseIssuer::parse(&metadata.jwks_uri).ok();
        let place = place.filter(BaseIssuer::is_protected).ok_or(FetchFault::Metadata)?;
        if metadata.issuer != self.issuer.as_str() {
            return Err(FetchFault::Metadata);
        }
        let lifetime = freshness.lifetime(&self.lifetimes).unwrap_or_default();
        self.known.lock().place = Some((place.clone(), later(asked_at, lifetime)));
        Ok(place)
    }

    /// Keeps a list in place of the one before: keys that are not in it any more count no more, nor does
    /// any token that they proved.
    fn keep(
        &self,
        listed: Vec<(String, PublicKey)>,
        freshness: Freshness,
        asked_at: Moment,
    ) -> HashMap<KeyId, Arc<KnownKey>> {
        let lifetime = freshness.lifetime(&self.lifetimes);
        let stale_for = freshness.stale_for(&self.lifetimes, false);
        let mut known = self.known.lock();
        let mut before = std::mem::take(&mut known.keys);
        for (id, public) in listed {
            let Ok(id) = KeyId::parse(id) else { continue };
            let same = before.remove(&id).filter(|key| {
                let is_same = key.is(&public);
                if !is_same {
                    key.withdraw();
                }
                is_same
            });
            let Some(key) = same.or_else(|| KnownKey::new(public).map(Arc::new)) else { continue };
            match lifetime {
                Some(lifetime) => key.hold(asked_at, later(asked_at, lifetime), stale_for),
                None => key.withdraw(),
            }
            known.keys.insert(id, key);
        }
        for gone in before.values() {
            gone.withdraw();
        }
        known.asked_at = Some(asked_at);
        known.failure = None;
        known.keys.clone()
    }

    fn keep_failure(&self, fault: FetchFault) -> Unreachable {
        let unreachable = self.unreachable(fault);
        let mut known = self.known.lock();
        known.failure = Some(unreachable);
        // The list may have moved.
        known.place = None;
        unreachable
    }

    /// What is known of a key and still counts.
    fn recall(&self, id: &KeyId) -> Option<Found> {
        let (now, known) = (self.latest(), self.known.lock());
        let key = known.keys.get(id);
        if let Some(key) = key.filter(|key| key.counts(now, None)) {
            return Some(Ok(Some(Arc::clone(key))));
        }
        if let Some(failure) = known.failure.filter(|failure| now < failure.until) {
            return Some(Err(failure));
        }
        let is_recent = |asked_at| now < later(asked_at, self.lifetimes.absent);
        let is_absent = key.is_none() && known.asked_at.is_some_and(is_recent);
        is_absent.then_some(Ok(None))
    }

    /// A key that counted until lately, for as long as the server cannot be asked.
    fn stale(&self, id: &KeyId) -> Option<Arc<KnownKey>> {
        let (now, known) = (self.latest(), self.known.lock());
        known.keys.get(id).filter(|key| key.may_be_stale(now, None)).map(Arc::clone)
    }

    /// The latest moment that it may be: what ends must not last longer because the clock lags.
    fn latest(&self) -> Moment {
        later(self.clock.moment(), self.clock.moment_lag())
    }

    fn unreachable(&self, fault: FetchFault) -> Unreachable {
        Unreachable { fault, until: later(self.latest(), self.lifetimes.failed) }
    }

    fn error(&self, Unreachable { fault, until }: Unreachable) -> VerifyError {
        let retry_after = until.since(self.clock.moment());
        VerifyError::KeysUnreachable { fault, retry_after }
    }
}
