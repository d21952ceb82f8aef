//! Keys that have ended.

use keyward_core::{KeyRecord, KeyspaceId, Timestamp};
use keyward_store::StoreError;
use rusqlite::{Connection, params_from_iter};

use crate::key::{RECORDS, key_columns};
use crate::sql::{Sql, integer};

pub(crate) fn ended(
    connection: &Connection,
    by: Timestamp,
    spared: &[KeyspaceId],
    limit: usize,
) -> Result<Vec<KeyRecord>, StoreError> {
    let Sql { text, values } = statement(by, spared, limit);
    RECORDS.all(connection, &text, params_from_iter(values))
}

/// The same rule as `KeyRecord::ended`: those that have expired, then those that were revoked and
/// have not expired, each through an index of its own.
fn statement(by: Timestamp, spared: &[KeyspaceId], limit: usize) -> Sql {
    let mut sql = Sql::new(concat!("SELECT ", key_columns!(), " FROM keys"));
    sql.bind(" WHERE expires_at <= ?", by.as_micros());
    leave_out(&mut sql, spared);
    sql.push(concat!(" UNION ALL SELECT ", key_columns!(), " FROM keys"));
    sql.bind(" WHERE revoked_at <= ?", by.as_micros());
    sql.bind(" AND ifnull(expires_at > ?, true)", by.as_micros());
    leave_out(&mut sql, spared);
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
    fn both_ways_to_end_have_their_index_and_need_no_sorting() {
        let mut connection = Connection::open_in_memory().unwrap();
        Schema::CURRENT.migrate(&mut connection).unwrap();
        for spared in [&[][..], &[KeyspaceId::management()]] {
            let Sql { text, values } = statement(at(0), spared, 10);
            let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
            let lines = explain.query_map(params_from_iter(values), |row| row.get::<_, String>(3));
            let plan = lines.unwrap().collect::<Result<Vec<_>, _>>().unwrap().join("\n");
            for search in ["keys_expiring (expires_at<?)", "keys_revoked (revoked_at<?)"] {
                assert!(plan.contains(&format!("SEARCH keys USING INDEX {search}")), "{plan}");
            }
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
