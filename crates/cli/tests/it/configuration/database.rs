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
    assert!(ended.stderr.contains("cannot open sqlite:missing/keyward.db"), "{ended:?}");
}

#[test]
fn urls_of_servers_are_read_from_files_and_printed_without_their_passwords() {
    let folder = Folder::new();
    folder.write("database.url", "postgres://keyward:geheim@db.internal/keyward?sslmode=require\n");
    folder.write("replica.url", "postgres://keyward:geheim@db2.internal/keyward\n");
    folder.write("cache.url", "rediss://:geheim@cache.internal\n");
    let settings = "[database]\nurl_file = 'database.url'\nreplica_file = 'replica.url'\n\
        feed = 'postgres://keyward:geheim@db.internal/keyward'\n[cache]\nshared_file = 'cache.url'\n";
    folder.write("keyward.toml", settings);
    let printed = folder.cli().done(&["config", "print", "--config", "keyward.toml"]);
    for line in [
        "url = \"postgres://keyward:(hidden)@db.internal/keyward?(hidden)\"",
        "replica = \"postgres://keyward:(hidden)@db2.internal/keyward\"",
        "feed = \"postgres://keyward:(hidden)@db.internal/keyward\"",
        "shared = \"rediss://:(hidden)@cache.internal\"",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} in {printed}");
    }
    assert!(!printed.contains("geheim"), "{printed}");
    // A flag wins over the file that the configuration names.
    let flag = ["--config", "keyward.toml", "--database", "memory:"];
    let printed = folder.cli().with(&flag).done(&["config", "print"]);
    assert!(printed.contains("url = \"memory:\"\n"), "{printed}");
    let cli = folder.cli().env("KEYWARD_DATABASE_FILE", "replica.url");
    assert!(cli.done(&["config", "print"]).contains("@db2.internal/keyward"));
    // Which of them wins is not left to guess.
    let ended = cli.run(&["config", "print", "--database", "memory:"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("cannot be used with"), "{ended:?}");
}

#[test]
fn a_server_that_does_not_answer_is_a_failure_that_shows_no_password() {
    let folder = Folder::new();
    for url in ["postgres://u:geheim@127.0.0.1:1/d", "redis://:geheim@127.0.0.1:1"] {
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["keys", "list"]] {
            let ended = folder.cli().with(&["--database", url]).run(command);
            assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{ended:?}");
            assert!(ended.stderr.contains("(hidden)@127.0.0.1:1"), "{ended:?}");
            assert!(!ended.stderr.contains("geheim"), "{ended:?}");
        }
    }
}
