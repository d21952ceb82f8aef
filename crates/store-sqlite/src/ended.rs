//! Keys that have ended.

use keyward_core::{EndedBy, KeyRecord, KeyspaceId, Timestamp};
use keyward_store::StoreError;
use rusqlite::{Connection, params_from_iter};

use crate::key::{RECORDS, key_columns};
use crate::sql::{Sql, integer};

pub(crate) fn ended(
    connection: &Connection,
    by: EndedBy,
    spared: &[KeyspaceId],
    limit: usize,
) -> Result<Vec<KeyRecord>, StoreError> {
    if by == EndedBy::default() {
        return Ok(Vec::new());
    }
    let Sql { text, values } = statement(by, spared, limit);
    RECORDS.all(connection, &text, params_from_iter(values))
}

/// The same rule as `KeyRecord::ended`: those that have expired, then those that were revoked and
/// have not expired, then those that were deleted and neither, each through an index of its own.
fn statement(by: EndedBy, spared: &[KeyspaceId], limit: usize) -> Sql {
    const SELECT: &str = concat!("SELECT ", key_columns!(), " FROM keys");
    const NOT_EXPIRED: &str = " AND ifnull(expires_at > ?, true)";
    const NOT_REVOKED: &str = " AND ifnull(revoked_at > ?, true)";
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
    sql.bind(" LIMIT ?", integer(u64::try_from(limit).unwrap_or(u64::MAX)));
    sql
}

fn leave_out(sql: &mut Sql, spared: &[KeyspaceId]) {
    for keyspace in spared {
        sql.bind(" AND keyspace <> ?", keyspace.as_str().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use keyward_store::conformance::sample::at;

    use super::*;
    use crate::schema::Schema;

    #[test]
    fn every_way_to_end_has_its_index_and_needs_no_sorting() {
        let mut connection = Connection::open_in_memory().unwrap();
        Schema::CURRENT.migrate(&mut connection).unwrap();
        for spared in [&[][..], &[KeyspaceId::management()]] {
            let by = EndedBy { deleted: Some(at(0)), ended: Some(at(0)) };
            let Sql { text, values } = statement(by, spared, 10);
            let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
            let lines = explain.query_map(params_from_iter(values), |row| row.get::<_, String>(3));
            let plan = lines.unwrap().collect::<Result<Vec<_>, _>>().unwrap().join("\n");
            for search in [
                "keys_expiring (expires_at<?)",
                "keys_revoked (revoked_at<?)",
                "keys_deleted (deleted_at<?)",
            ] {
                assert!(plan.contains(&format!("SEARCH keys USING INDEX {search}")), "{plan}");
            }
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
