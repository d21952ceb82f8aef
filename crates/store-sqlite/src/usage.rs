//! How keys were used, as rows.

use keyward_store::UsageDelta;
use rusqlite::Connection;

use crate::failure::WriteError;
use crate::sql::{execute, integer};

/// Adds usage: counts stop at the end of their range, of the instants the later one stays, and
/// keys that do not exist are passed over.
const ADD: &str = "\
    INSERT INTO usage (key_id, last_used_at, uses, previous_uses) \
    SELECT id, ?2, ?3, ?4 FROM keys WHERE id = ?1 \
    ON CONFLICT (key_id) DO UPDATE SET \
        last_used_at = max(last_used_at, excluded.last_used_at), \
        uses = uses + min(excluded.uses, 9223372036854775807 - uses), \
        previous_uses = previous_uses \
            + min(excluded.previous_uses, 9223372036854775807 - previous_uses)";

pub(crate) fn record(connection: &Connection, batch: &[UsageDelta]) -> Result<(), WriteError> {
    for delta in batch {
        let UsageDelta { key, last_used_at, uses, previous_uses } = delta;
        let counts = (integer(*uses), integer(*previous_uses));
        let params = (key.as_str(), last_used_at.as_micros(), counts.0, counts.1);
        execute(connection, ADD, params)?;
    }
    Ok(())
}
