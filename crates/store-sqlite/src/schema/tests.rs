use super::*;

const FIRST: &str = "CREATE TABLE one (n INTEGER) STRICT;";
const SECOND: &str = "ALTER TABLE one ADD COLUMN m INTEGER; INSERT INTO one VALUES (1, 2);";
const BROKEN: &str = "CREATE TABLE three (n INTEGER) STRICT; INSERT INTO nowhere VALUES (1);";

fn empty() -> Connection {
    Connection::open_in_memory().unwrap()
}

#[test]
fn only_what_is_lacking_is_applied() {
    let mut connection = empty();
    assert_eq!(Schema(&[FIRST]).migrate(&mut connection).unwrap(), 1);
    let both = Schema(&[FIRST, SECOND]);
    assert_eq!(both.version_of(&connection).unwrap(), 1);
    assert_eq!(both.migrate(&mut connection).unwrap(), 1);
    assert_eq!(both.migrate(&mut connection).unwrap(), 0);
    let rows: i64 = connection.query_row("SELECT count(*) FROM one", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn a_migration_that_fails_leaves_the_file_as_it_was() {
    let mut connection = empty();
    Schema(&[FIRST]).migrate(&mut connection).unwrap();
    let broken = Schema(&[FIRST, SECOND, BROKEN]);
    assert!(broken.migrate(&mut connection).is_err());
    assert_eq!(broken.version_of(&connection).unwrap(), 1);
    assert!(connection.prepare("SELECT m FROM one").is_err());
}

#[test]
fn a_file_of_a_newer_schema_is_refused() {
    let mut connection = empty();
    Schema(&[FIRST, SECOND]).migrate(&mut connection).unwrap();
    let older = Schema(&[FIRST]);
    let newer = Err(Problem::Newer { found: 2, known: 1 });
    let message = |result: Result<usize, Problem>| result.map_err(|problem| problem.to_string());
    assert_eq!(message(older.version_of(&connection)), message(newer));
    assert!(older.migrate(&mut connection).is_err());
}

#[test]
fn a_database_of_another_application_is_refused() {
    let mut connection = empty();
    connection.execute_batch("CREATE TABLE theirs (n INTEGER)").unwrap();
    assert!(matches!(Schema::CURRENT.migrate(&mut connection), Err(Problem::Foreign)));
    let marked = empty();
    marked.pragma_update(None, "application_id", 7).unwrap();
    assert!(matches!(Schema::CURRENT.version_of(&marked), Err(Problem::Foreign)));
}
