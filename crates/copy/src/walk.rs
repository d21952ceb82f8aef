//! Comparing all records of both sides in their order, and following the feed in between.
//!
//! A stretch of the order is read, compared and written before anything else is. What the feed tells is
//! carried over between two stretches and never during one: so no record is taken back to what it was,
//! and none that the feed has just brought is taken for one that the source does not have.

use keyward_core::{Action, AuditFilter, Timestamp};
use keyward_store::{AuditQuery, KeyQuery, KeyStates};

use crate::CopyError;
use crate::copier::Course;
use crate::ends::Ends;
use crate::kind::Kind;
use crate::listed::{
    Accounts, Events, Keys, Keyspaces, Listed, RevokedTokens, SigningKeys, Window,
};

/// By how much an event may be older than others that were there before it, as clocks differ.
const LATE: i64 = 30_000_000;

impl Course<'_> {
    /// Compares all records, and once more if changes were missed meanwhile.
    pub(crate) async fn copy_all(&mut self) -> Result<(), CopyError> {
        loop {
            self.has_gap = false;
            self.compare(&Keyspaces).await?;
            self.compare(&Accounts).await?;
            self.compare_keys().await?;
            self.compare_tokens().await?;
            self.whole_trail_at = Some(self.ends.clock.now());
            self.newest_event = self.newest_event_at_source(AuditFilter::default()).await?;
            self.compare(&Events { since: None }).await?;
            self.catch_up().await?;
            if !self.has_gap {
                return Ok(());
            }
        }
    }

    /// Carries over what has been acknowledged until now, the usage of keys excepted.
    pub(crate) async fn catch_up(&mut self) -> Result<(), CopyError> {
        self.absorb().await?;
        if !self.has_moved {
            return Ok(());
        }
        self.has_moved = false;
        self.compare_tokens().await?;
        let since = self.newest_event.map(earlier);
        self.newest_event = self.newest_event_at_source(AuditFilter::default()).await?;
        self.compare(&Events { since }).await
    }

    pub(crate) async fn compare_keys(&mut self) -> Result<(), CopyError> {
        let keys = Keys { now: self.ends.clock.now() };
        let query =
            KeyQuery { states: KeyStates::ALL, skip: Some(0), ..KeyQuery::new(keys.now, 1) };
        let total = self.ends.source.list(&query).await.ok().and_then(|page| page.total);
        self.ends.observer.begin(Kind::Keys, total);
        self.compare(&keys).await
    }

    /// Compares the whole audit trail if events were removed from it since that was done last.
    pub(crate) async fn compare_erased(&mut self) -> Result<(), CopyError> {
        let began = self.ends.clock.now();
        let since = self.whole_trail_at.map(earlier);
        let filter =
            AuditFilter { action: Some(Action::AuditErased), since, ..AuditFilter::default() };
        if self.newest_event_at_source(filter).await?.is_some() {
            self.compare(&Events { since: None }).await?;
            self.whole_trail_at = Some(began);
        }
        Ok(())
    }

    async fn compare_tokens(&mut self) -> Result<(), CopyError> {
        let now = self.ends.clock.now();
        self.compare(&SigningKeys { now }).await?;
        self.compare(&RevokedTokens { now }).await
    }

    /// Compares all records of a kind, and writes those that differ.
    async fn compare<L: Listed>(&mut self, listed: &L) -> Result<(), CopyError> {
        let mut after = None;
        loop {
            let mut patience = self.ends.patience();
            let window = loop {
                match self.ends.reconcile(listed, after.as_ref()).await {
                    Ok(window) => break window,
                    Err(error) => patience.wait(error).await?,
                }
            };
            let count = u64::try_from(window.source.len()).unwrap_or(u64::MAX);
            self.ends.observer.advance(L::KIND, count);
            after = window.end;
            if after.is_none() {
                return Ok(());
            }
            self.absorb().await?;
        }
    }

    /// Carries over what the feed tells, up to its end.
    pub(crate) async fn absorb(&mut self) -> Result<(), CopyError> {
        loop {
            let mut patience = self.ends.patience();
            let feed = loop {
                match self.ends.absorb(self.position).await {
                    Ok(feed) => break feed,
                    Err(error) => patience.wait(error).await?,
                }
            };
            // A place that the feed has not reached is one of another feed, such as that of a store
            // before it was restored.
            self.has_gap |= feed.has_gap || feed.position < self.position;
            self.has_moved |= feed.position != self.position;
            self.changes += feed.position.get().saturating_sub(self.position.get());
            self.position = feed.position;
            if !feed.has_more {
                return Ok(());
            }
        }
    }

    async fn newest_event_at_source(
        &self,
        filter: AuditFilter,
    ) -> Result<Option<Timestamp>, CopyError> {
        let mut patience = self.ends.patience();
        let query = AuditQuery { filter, limit: 1, after: None };
        loop {
            match self.ends.source.audit(&query).await.map_err(CopyError::at_source) {
                Ok(page) => return Ok(page.events.first().map(|event| event.at)),
                Err(error) => patience.wait(error).await?,
            }
        }
    }
}

impl Ends {
    /// Compares a stretch, and writes what differs.
    async fn reconcile<L: Listed>(
        &self,
        listed: &L,
        after: Option<&L::Place>,
    ) -> Result<Window<L>, CopyError> {
        let window = Window::read(listed, self, after).await?;
        let differing = window.differing();
        if !differing.is_empty() {
            listed.heal(self, &differing).await?;
        }
        Ok(window)
    }
}

fn earlier(instant: Timestamp) -> Timestamp {
    Timestamp::from_micros(instant.as_micros().saturating_sub(LATE)).unwrap_or(instant)
}
