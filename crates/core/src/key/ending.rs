//! Keys that have come to their end, and how.

use super::KeyRecord;
use crate::Timestamp;

/// How a key came to its end. The first that holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Its last instant came.
    Expired,
    /// It was revoked.
    Revoked,
}

impl KeyRecord {
    /// How the key had ended by an instant, if it had. That it is deleted is no end: it could be
    /// restored.
    // Not by `at_least`, as everything else is: that is about whether the key is dead, this about
    // since when. Of a key that was changed yesterday, it would say that whatever ended by yesterday
    // had ended a year ago.
    pub fn ended(&self, by: Timestamp) -> Option<Ending> {
        let has_come = |at: Timestamp| at.has_come(by);
        if self.expires_at.is_some_and(has_come) {
            return Some(Ending::Expired);
        }
        let revoked_at = self.revocation.as_ref().map(|revocation| revocation.at);
        revoked_at.is_some_and(has_come).then_some(Ending::Revoked)
    }
}

impl Ending {
    /// The ending's name as it is written in audit events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}
