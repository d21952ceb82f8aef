//! Keys that have ended.

use keyward_core::{EndedBy, KeyspaceId, Timestamp};

use crate::key::key_columns;
use crate::sql::{self, Sql};

/// Asks for keys by the same rule as `KeyRecord::ended`: those that have expired, then those that were
/// revoked and have not expired, then those that were deleted and neither, each through an index of its
/// own.
pub(crate) fn statement(by: EndedBy, spared: &[KeyspaceId], limit: usize) -> Sql {
    const SELECT: &str = concat!("SELECT ", key_columns!(), " FROM keyward.keys");
    const NOT_EXPIRED: &str = " AND coalesce(expires_at > ?, true)";
    const NOT_REVOKED: &str = " AND coalesce(revoked_at > ?, true)";
    let mut sql = Sql::new("");
    let ended = by.ended.map(Timestamp::as_micros);
    if let Some(ended) = ended {
        sql.push(SELECT);
        sql.bind(" WHERE expires_at <= ?", ended);
        leave_out(&mut sql, spared);
        sql.push(" UNION ALL ");
        sql.push(SELECT);
        sql.bind(" WHERE revoked_at <= ?", ended);
        sql.bind(NOT_EXPIRED, ended);
        leave_out(&mut sql, spared);
    }
    if let Some(deleted) = by.deleted {
        sql.push(if ended.is_some() { " UNION ALL " } else { "" });
        sql.push(SELECT);
        sql.bind(" WHERE deleted_at <= ?", deleted.as_micros());
        if let Some(ended) = ended {
            sql.bind(NOT_EXPIRED, ended);
            sql.bind(NOT_REVOKED, ended);
        }
        leave_out(&mut sql, spared);
    }
    sql.bind(" LIMIT ?", sql::count(limit));
    sql
}

fn leave_out(sql: &mut Sql, spared: &[KeyspaceId]) {
    for keyspace in spared {
        sql.bind(" AND keyspace <> ?", sql::text(keyspace));
    }
}
