//! Questions for lists of audit events.

use std::collections::BTreeMap;

use keyward_core::{Action, AuditEvent, AuditEventId, AuditFilter, Invalid, Timestamp};
use serde::{Deserialize, Serialize};

/// Which audit events to list, how many, and after which place.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Which events.
    pub filter: AuditFilter,
    /// The most events to return.
    pub limit: usize,
    /// Only events after this place in the order, that is, older ones.
    pub after: Option<AuditPosition>,
}

/// What the audit trail comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSummary {
    /// How many events there are of each action, of those that there are any of.
    pub by_action: BTreeMap<&'static str, u64>,
    /// When the last one happened.
    pub last_at: Option<Timestamp>,
}

impl AuditSummary {
    /// Counts events of an action, the last of which happened then.
    pub fn add(&mut self, action: Action, count: u64, last_at: Timestamp) {
        *self.by_action.entry(action.as_str()).or_default() += count;
        self.last_at = self.last_at.max(Some(last_at));
    }

    /// How many events there are.
    pub fn total(&self) -> u64 {
        self.by_action.values().sum()
    }
}

/// A page of audit events.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// Where the next page begins, if there is one.
    pub next: Option<AuditPosition>,
}

/// A place in a list of audit events: just after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "(i64, String)", into = "(i64, String)")]
pub struct AuditPosition {
    /// When the event happened.
    pub at: Timestamp,
    /// The event.
    pub id: AuditEventId,
}

impl AuditPosition {
    /// The place of an event.
    pub const fn of(event: &AuditEvent) -> Self {
        Self { at: event.at, id: event.id }
    }
}

impl TryFrom<(i64, String)> for AuditPosition {
    type Error = Invalid;

    fn try_from((at, id): (i64, String)) -> Result<Self, Invalid> {
        Ok(Self { at: Timestamp::from_micros(at)?, id: id.parse()? })
    }
}

impl From<AuditPosition> for (i64, String) {
    fn from(position: AuditPosition) -> Self {
        (position.at.as_micros(), position.id.to_string())
    }
}
