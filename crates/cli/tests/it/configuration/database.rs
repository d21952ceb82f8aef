//! Files that are no database of ours.

use rusqlite::Connection;

use crate::harness::Folder;

#[test]
fn a_file_that_is_no_database_is_a_failure_and_stays_as_it_is() {
    let folder = Folder::new();
    let content = "Dear diary, this is no database. ".repeat(200);
    folder.write("diary.txt", &content);
    let database = ["--database", "sqlite:diary.txt"];
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["keys", "list"]] {
        let ended = folder.cli().with(&database).run(command);
        assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{ended:?}");
        assert!(ended.stderr.contains("it is not an SQLite database"), "{ended:?}");
        assert!(!ended.stderr.contains("diary, this"), "{ended:?}");
        assert_eq!(folder.read("diary.txt"), content);
    }
}

#[test]
fn a_database_of_another_application_is_a_failure_and_stays_as_it_is() {
    let folder = Folder::new();
    let connection = Connection::open(folder.file("other.db")).unwrap();
    connection.execute_batch("CREATE TABLE keys (door TEXT)").unwrap();
    drop(connection);
    let before = std::fs::read(folder.file("other.db")).unwrap();
    let ended = folder.cli().run(&["serve", "--database", "sqlite:other.db"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{ended:?}");
    assert!(ended.stderr.contains("it is a database of another application"), "{ended:?}");
    assert_eq!(std::fs::read(folder.file("other.db")).unwrap(), before);
}

#[test]
fn a_folder_that_is_missing_is_a_failure() {
    let folder = Folder::new();
    let ended = folder.cli().run(&["keys", "list", "--database", "sqlite:missing/keyward.db"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{ended:?}");
    assert!(ended.stderr.contains("cannot open missing/keyward.db"), "{ended:?}");
}
