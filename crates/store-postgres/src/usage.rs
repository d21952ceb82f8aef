//! How keys were used, as rows.

use std::collections::BTreeMap;

use keyward_core::{KeyId, Timestamp};
use keyward_store::{Usage, UsageDelta};

use crate::sql::{Sql, integer};

/// Adds usage: counts stop at the end of their range, of the instants the later one stays, and
/// keys that do not exist are passed over.
///
/// Whoever purges a key locks its row first and its usage then, key by key in the order of their ids; so
/// does this, and nobody waits for one who waits. Changes of other kinds are not in the way of this lock.
const ADD: &str = "\
    WITH known AS MATERIALIZED \
        (SELECT id FROM keyward.keys WHERE id = ANY ($1) ORDER BY id FOR KEY SHARE) \
    INSERT INTO keyward.usage AS stored (key_id, last_used_at, uses, previous_uses) \
    SELECT known.id, added.last_used_at, added.uses, added.previous_uses \
    FROM known JOIN unnest($1, $2, $3, $4) AS added (key_id, last_used_at, uses, previous_uses) \
        ON added.key_id = known.id ORDER BY known.id \
    ON CONFLICT (key_id) DO UPDATE SET \
        last_used_at = greatest(stored.last_used_at, excluded.last_used_at), \
        uses = stored.uses + least(excluded.uses, 9223372036854775807 - stored.uses), \
        previous_uses = stored.previous_uses \
            + least(excluded.previous_uses, 9223372036854775807 - stored.previous_uses)";

/// Adds the usage of a batch, each key's once.
pub(crate) fn record(batch: &[UsageDelta]) -> Sql {
    let mut by_key: BTreeMap<&KeyId, Usage> = BTreeMap::new();
    for delta in batch {
        by_key.entry(&delta.key).or_default().add(delta);
    }
    let (mut keys, mut last_used_at) = (Vec::new(), Vec::new());
    let (mut uses, mut previous_uses) = (Vec::new(), Vec::new());
    for (key, usage) in by_key {
        keys.push(key.as_str().to_owned());
        last_used_at.extend(usage.last_used_at.map(Timestamp::as_micros));
        uses.push(integer(usage.uses));
        previous_uses.push(integer(usage.previous_uses));
    }
    Sql::fixed(ADD, vec![keys.into(), last_used_at.into(), uses.into(), previous_uses.into()])
}
