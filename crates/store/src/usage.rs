//! How a key was used. Kept apart from its record, so that neither can undo the other.

use keyward_core::{AccountState, KeyId, KeyRecord, KeyState, Timestamp};

/// A key as it is stored: its record, and what is known of it besides.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredKey {
    /// The state of the service account that it belongs to; without one, it is active.
    pub account: AccountState,
    /// The record.
    pub record: KeyRecord,
    /// The usage.
    pub usage: Usage,
}

impl StoredKey {
    /// What the key comes to: what is shown, and what lists filter by.
    pub fn state(&self, now: Timestamp) -> KeyState {
        self.record.state(self.account, now)
    }
}

/// How a key was used, as far as it has been written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// When the key was last allowed.
    pub last_used_at: Option<Timestamp>,
    /// How often it was allowed.
    pub uses: u64,
    /// How often of these by the secret before its last rotation.
    pub previous_uses: u64,
}

impl Usage {
    /// Adds what happened since: counts are summed, of the instants the later one stays.
    pub fn add(&mut self, delta: &UsageDelta) {
        self.last_used_at = self.last_used_at.max(Some(delta.last_used_at));
        self.uses = self.uses.saturating_add(delta.uses);
        self.previous_uses = self.previous_uses.saturating_add(delta.previous_uses);
    }
}

/// How a key was used since its usage was written down last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageDelta {
    /// The key.
    pub key: KeyId,
    /// When it was last allowed.
    pub last_used_at: Timestamp,
    /// How often it was allowed.
    pub uses: u64,
    /// How often of these by the secret before its last rotation.
    pub previous_uses: u64,
}
