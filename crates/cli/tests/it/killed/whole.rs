//! No half act in the database: records and events tell the same story.

use keyward_testkit::postgres::Postgres;
use rusqlite::{Connection, OpenFlags};

use crate::harness::Folder;

/// Each statement finds what must not be there.
const HALVES: &[(&str, &str)] = &[
    (
        "keys without the event of their issue",
        "SELECT count(*) FROM keys WHERE (SELECT count(*) FROM audit \
         WHERE key_id = keys.id AND action = 'key.issued') <> 1",
    ),
    (
        "events of keys that are not there",
        "SELECT count(*) FROM audit WHERE key_id NOT IN (SELECT id FROM keys)",
    ),
    (
        "keys that were changed more or less often than events tell",
        "SELECT count(*) FROM keys \
         WHERE version <> (SELECT count(*) FROM audit WHERE key_id = keys.id)",
    ),
    (
        "keys that are revoked without an event, or the other way round",
        "SELECT count(*) FROM keys WHERE (revoked_at IS NOT NULL AND rotated_to IS NULL) <> EXISTS \
         (SELECT 1 FROM audit WHERE key_id = keys.id AND action = 'key.revoked')",
    ),
    (
        "keys that are rotated without an event, or the other way round",
        "SELECT count(*) FROM keys WHERE (rotated_at IS NOT NULL OR rotated_to IS NOT NULL) <> \
         EXISTS (SELECT 1 FROM audit WHERE key_id = keys.id AND action = 'key.rotated')",
    ),
    (
        "keys that are switched off without an event, or the other way round",
        "SELECT count(*) FROM keys WHERE rotated_from IS NULL AND enabled <> (SELECT \
         count(*) FILTER (WHERE action = 'key.enabled') = \
         count(*) FILTER (WHERE action = 'key.disabled') FROM audit WHERE key_id = keys.id)",
    ),
    (
        "successors whose predecessor does not know them",
        "SELECT count(*) FROM keys WHERE rotated_from IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM keys AS old WHERE old.id = keys.rotated_from AND old.rotated_to = keys.id)",
    ),
    (
        "predecessors whose successor is not there",
        "SELECT count(*) FROM keys WHERE rotated_to IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM keys AS new WHERE new.id = keys.rotated_to AND new.rotated_from = keys.id)",
    ),
];

/// The file is sound and tells of the acknowledged acts, and of no more than could have been asked.
pub(super) fn check_file(folder: &Folder, acknowledged: usize, interrupted: usize) {
    let path = folder.file("keyward.db");
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let text = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, isize>(0)).unwrap();
    assert_eq!(text("PRAGMA integrity_check"), "ok");
    assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    check(count, "json_extract(data, '$.rotated_from')", acknowledged, interrupted);
}

/// The same of a database in PostgreSQL.
pub(super) fn check_postgres(postgres: &Postgres, acknowledged: usize, interrupted: usize) {
    let count = |sql: &str| {
        let script = format!("SET search_path = keyward; {sql}");
        postgres.execute("keyward", &script).trim().parse().unwrap()
    };
    check(count, "data::json ->> 'rotated_from'", acknowledged, interrupted);
}

/// With what counts, and what reads of an event's data which key the new one follows.
fn check(
    count: impl Fn(&str) -> isize,
    rotated_from: &str,
    acknowledged: usize,
    interrupted: usize,
) {
    for (what, sql) in HALVES {
        assert_eq!(count(sql), 0, "{what}");
    }
    // A successor is issued by the act of the rotation; the root key by the first start.
    let acts = count(&format!(
        "SELECT count(*) FROM audit WHERE key_id IS NOT NULL AND owner <> 'root' \
         AND (action <> 'key.issued' OR {rotated_from} IS NULL)"
    ));
    let acts = usize::try_from(acts).unwrap();
    assert!((acknowledged..=acknowledged + interrupted).contains(&acts), "{acts} acts");
}
