//! The audit trail: what is kept, for how long, and what may be removed.

use std::sync::Weak;
use std::time::Duration;

use keyward_core::{
    ActContext, Action, Allowance, AuditErasure, AuditEvent, AuditEventId, AuditFilter, Change,
    Invalid, KeyspaceId, Lifetime, Metadata, Moment, RateLimit, Timestamp,
};
use keyward_store::{AuditPage, AuditQuery, AuditSummary};
use serde_json::{Map, Value, json};
use tokio::time::MissedTickBehavior;

use crate::keyward::Inner;
use crate::manage::{data, own_actor};
use crate::{Error, Keyward};

/// Events that are removed in one change, so that others need not wait long behind it.
const ERASED_TOGETHER: usize = 5_000;
/// How often events are looked for that are older than they shall become.
const RETENTION_INTERVAL: Duration = Duration::from_mins(10);

/// What becomes of the events of management acts.
#[derive(Clone, Debug, Default)]
pub struct AuditSettings {
    /// Whether they are kept at all.
    pub trail: AuditTrail,
    /// What is kept with the context of each act; the act's own metadata count more.
    pub context: Metadata,
    /// How long they are kept; absent: for good.
    pub retention: Option<Lifetime>,
}

/// Whether management acts leave events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditTrail {
    /// Each act leaves its event, in the same transaction.
    #[default]
    Kept,
    /// Acts leave nothing, and the trail cannot be asked.
    Off,
}

/// The settings, and what they need at work.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    denied: Allowance,
    pub(crate) settings: AuditSettings,
}

impl Audit {
    pub(crate) fn new(settings: AuditSettings) -> Self {
        Self { denied: Allowance::default(), settings }
    }

    /// The events of a change as they are kept.
    pub(crate) fn keep(&self, change: &mut Change) {
        if self.settings.trail == AuditTrail::Off {
            change.events.clear();
        }
        if !self.settings.context.is_empty() {
            for event in &mut change.events {
                // Should both together be too large, the act's own are the ones that matter.
                if let Ok(metadata) = self.settings.context.overlaid(&event.context.metadata) {
                    event.context.metadata = metadata;
                }
            }
        }
    }

    /// Whether one more refused call is written down: somebody who is refused must not be able to
    /// fill the trail.
    fn has_room_for_denied(&self, moment: Moment) -> bool {
        let limit = Lifetime::new(Duration::from_mins(1)).and_then(|per| RateLimit::new(600, per));
        limit.is_ok_and(|limit| self.denied.take(limit, moment).is_ok())
    }
}

impl Keyward {
    /// A page of the audit events that a query names, the newest first.
    pub async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, Error> {
        self.needs_trail()?;
        Ok(self.inner.store.audit(query).await?)
    }

    /// How many of the audit events that a filter names there are, by action, and when the last one
    /// happened. For one owner, these are the owner's statistics.
    pub async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, Error> {
        self.needs_trail()?;
        Ok(self.inner.store.summarize_audit(filter).await?)
    }

    /// Removes audit events that happened before now, and returns how many there were. That they
    /// were removed is an event itself. A filter that leaves nothing out is refused.
    pub async fn erase_audit(
        &self,
        filter: &AuditFilter,
        context: &ActContext,
    ) -> Result<usize, Error> {
        self.needs_trail()?;
        if filter.is_empty() {
            let rule =
                Invalid::new("must name which events: of a key, an owner, before an instant …");
            return Err(rule.at("filter").into());
        }
        self.erase(filter, context, described(filter)).await
    }

    /// Writes down that somebody known was refused a management call for want of a right. Of very
    /// many in a short time, some are only logged.
    pub async fn record_denied(
        &self,
        context: &ActContext,
        keyspace: Option<&KeyspaceId>,
        data: Map<String, Value>,
    ) -> Result<(), Error> {
        tracing::warn!(actor = context.actor.as_str(), "a management call was refused");
        let is_kept = self.inner.audit.settings.trail == AuditTrail::Kept;
        if !is_kept || !self.inner.audit.has_room_for_denied(self.inner.clock.moment()) {
            return Ok(());
        }
        let mut change = self.change(self.now());
        change.events.push(AuditEvent {
            keyspace: keyspace.cloned(),
            ..self.event(Action::AccessDenied, context, change.at, data)
        });
        self.commit(change).await.map(drop)
    }

    /// An event that is about nothing in particular yet.
    pub(crate) fn event(
        &self,
        action: Action,
        context: &ActContext,
        at: Timestamp,
        data: Map<String, Value>,
    ) -> AuditEvent {
        AuditEvent {
            id: AuditEventId::generate(&*self.inner.entropy, at),
            at,
            action,
            context: context.printable(),
            key: None,
            keyspace: None,
            owner: None,
            service_account: None,
            data,
        }
    }

    /// Removes the events that are older than they shall become, if there are any.
    pub async fn retain_audit(&self) -> Result<usize, Error> {
        let settings = &self.inner.audit.settings;
        let Some(retention) = settings.retention.filter(|_| settings.trail == AuditTrail::Kept)
        else {
            return Ok(0);
        };
        let Ok(until) = self.now().before(retention) else { return Ok(0) };
        let filter = AuditFilter { until: Some(until), ..AuditFilter::default() };
        let query = AuditQuery { filter, limit: 1, after: None };
        if self.inner.store.audit(&query).await?.events.is_empty() {
            return Ok(0);
        }
        let told = data([("retention", Some(json!(retention)))]);
        self.erase(&query.filter, &ActContext::by(own_actor()?), told).await
    }

    async fn erase(
        &self,
        filter: &AuditFilter,
        context: &ActContext,
        told: Map<String, Value>,
    ) -> Result<usize, Error> {
        let now = self.now();
        // The event of the erasure is not among what is erased.
        let until = Some(filter.until.map_or(now, |until| until.min(now)));
        let filter = AuditFilter { until, ..filter.clone() };
        let mut erased = 0;
        let mut events = vec![AuditEvent {
            keyspace: filter.keyspace.clone(),
            ..self.event(Action::AuditErased, context, now, told)
        }];
        loop {
            let mut change = self.change(now);
            change.erasure = Some(AuditErasure { filter: filter.clone(), most: ERASED_TOGETHER });
            change.events = std::mem::take(&mut events);
            let applied = self.commit(change).await?;
            erased += applied.erased;
            if applied.erased < ERASED_TOGETHER {
                return Ok(erased);
            }
        }
    }

    fn needs_trail(&self) -> Result<(), Error> {
        match self.inner.audit.settings.trail {
            AuditTrail::Kept => Ok(()),
            AuditTrail::Off => Err(Error::AuditOff),
        }
    }
}

/// A filter for the event of an erasure.
fn described(filter: &AuditFilter) -> Map<String, Value> {
    data([
        ("key", filter.key.as_ref().map(|key| json!(key))),
        ("owner", filter.owner.as_ref().map(|owner| json!(owner))),
        ("keyspace", filter.keyspace.as_ref().map(|keyspace| json!(keyspace))),
        ("action", filter.action.map(|action| json!(action.as_str()))),
        ("actor", filter.actor.as_ref().map(|actor| json!(actor))),
        ("since", filter.since.map(|since| json!(since))),
        ("until", filter.until.map(|until| json!(until))),
    ])
}

/// Removes old events every so often, until the instance is dropped.
pub(crate) fn spawn(inner: Weak<Inner>) {
    let mut ticks = tokio::time::interval(RETENTION_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::spawn(async move {
        loop {
            ticks.tick().await;
            let Some(keyward) = inner.upgrade().map(|inner| Keyward { inner }) else { return };
            match keyward.retain_audit().await {
                Ok(0) => {}
                Ok(events) => tracing::info!(events, "old audit events were removed"),
                Err(error) => tracing::warn!(%error, "old audit events could not be removed"),
            }
        }
    });
}
