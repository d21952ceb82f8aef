use super::*;

#[test]
fn a_file_that_lacks_migrations_is_refused_until_it_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    let first = Schema::of(&["CREATE TABLE one (n INTEGER) STRICT;"]);
    let both = Schema::of(&["CREATE TABLE one (n INTEGER) STRICT;", "DROP TABLE one;"]);
    let options = SqliteOptions::default();
    drop(open_with(first, &path, &options).unwrap());
    let refused = open_with(both, &path, &options);
    assert!(matches!(refused, Err(Problem::Outdated { pending: 1 })));
    assert!(open_with(first, &path, &options).is_ok());
}

#[test]
fn a_name_that_is_special_to_sqlite_is_a_file_like_any_other() {
    for name in [":memory:", "file:keyward.db?mode=memory"] {
        let path = absolute(Path::new(name)).unwrap();
        assert!(path.is_absolute() && path.ends_with(name));
    }
}

#[test]
fn commits_survive_a_loss_of_power_and_readers_do_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    let (connection, _) = open(&path, &SqliteOptions::default()).unwrap();
    let text = |name| connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    assert_eq!(text("journal_mode").unwrap(), "wal");
    // 2 is `FULL`.
    assert_eq!(number("synchronous").unwrap(), 2);
    assert_eq!(number("foreign_keys").unwrap(), 1);
    assert_eq!(number("busy_timeout").unwrap(), 5_000);
    assert_eq!(number("cache_size").unwrap(), -64 * 1_024);
    assert_eq!(number("wal_autocheckpoint").unwrap(), 4_096, "16 MiB in pages of 4 KiB");
}
