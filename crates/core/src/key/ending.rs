//! Keys that have come to their end, and how.

use super::KeyRecord;
use crate::Timestamp;

/// By when a key must have come to its end to be meant. An end without an instant is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndedBy {
    /// By when it was deleted.
    pub deleted: Option<Timestamp>,
    /// By when it expired or was revoked.
    pub ended: Option<Timestamp>,
}

/// How a key came to its end. The first that holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Its last instant came.
    Expired,
    /// It was revoked.
    Revoked,
    /// It was deleted.
    Deleted,
}

impl EndedBy {
    /// Expired or revoked by an instant. Whoever deleted a key may want it back.
    pub const fn instant(ended: Timestamp) -> Self {
        Self { deleted: None, ended: Some(ended) }
    }
}

impl KeyRecord {
    /// How the key had ended, if it had.
    // Not by `at_least`, as everything else is: that is about whether the key is dead, this about
    // since when. Of a key that was changed yesterday, it would say that whatever ended by yesterday
    // had ended a year ago.
    pub fn ended(&self, by: EndedBy) -> Option<Ending> {
        let has_come = |at: Timestamp, by: Option<Timestamp>| by.is_some_and(|by| at.has_come(by));
        if self.expires_at.is_some_and(|at| has_come(at, by.ended)) {
            return Some(Ending::Expired);
        }
        if self.revocation.as_ref().is_some_and(|revocation| has_come(revocation.at, by.ended)) {
            return Some(Ending::Revoked);
        }
        let deletion = self.deletion.as_ref();
        deletion
            .is_some_and(|deletion| has_come(deletion.at, by.deleted))
            .then_some(Ending::Deleted)
    }
}

impl Ending {
    /// The ending's name as it is written in audit events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}
