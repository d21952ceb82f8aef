//! Keys that have ended.

use keyward_core::{EndedBy, KeyRecord, KeyspaceId};
use keyward_store::StoreError;

use crate::calls::Calls;
use crate::key::read_stored;
use crate::list::{Wanted, up_to};
use crate::place::instant;
use crate::reply::{Reply, corrupt};
use crate::{page, script};

/// The same rule as `KeyRecord::ended`: those that have expired, then those that were revoked and
/// have not expired, then those that were deleted and neither, each through a sorted set of its own.
pub(crate) async fn ended(
    calls: &Calls,
    by: EndedBy,
    spared: &[KeyspaceId],
    limit: usize,
) -> Result<Vec<KeyRecord>, StoreError> {
    let spared: Vec<_> = spared.iter().map(KeyspaceId::as_str).collect();
    let ended = by.ended.map(instant);
    let expired = Wanted { spared, ..Wanted::default() };
    let revoked = Wanted { unless_expired_by: ended.clone(), ..expired.clone() };
    let deleted = Wanted { unless_revoked_by: ended, ..revoked.clone() };
    let mut found = Vec::new();
    for (index, by, wanted) in [
        ("keys:expires", by.ended, expired),
        ("keys:revoked", by.ended, revoked),
        ("keys:deleted", by.deleted, deleted),
    ] {
        let left = limit - found.len();
        let Some(by) = by.filter(|_| left > 0) else { continue };
        let walk = up_to(index, by, left, wanted);
        let page = page::read(calls, "find keys that have ended", &script::LIST, &walk).await?;
        for row in page.rows {
            let key = Reply::of(row).and_then(read_stored).map_err(corrupt("key"))?;
            found.push(key.record);
        }
    }
    Ok(found)
}
