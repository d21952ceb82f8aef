//! What is not copied.

use std::os::unix::fs::symlink;

use rstest::rstest;
use rusqlite::Connection;

use super::{copy, issue};
use crate::harness::Folder;

#[rstest]
#[case(&["copy", "--from", "sqlite:keyward.db"], "--to <URL>")]
#[case(&["copy", "--from", "sqlite:keyward.db", "--to", "sqlite:keyward.db"], "are the same database")]
#[case(&["copy", "--from", "sqlite:keyward.db", "--to", "sqlite:./keyward.db"], "are the same database")]
#[case(&["copy", "--from", "sqlite:keyward.db", "--to", "sqlite:link.db"], "are the same database")]
#[case(&["copy", "--from", "memory:", "--to", "sqlite:new.db"], "must be a database that outlives")]
#[case(&["copy", "--from", "sqlite:keyward.db", "--to", "memory:"], "must be a database that outlives")]
#[case(&["copy", "--from", "sqlite:missing.db", "--to", "sqlite:new.db"], "missing.db is missing")]
#[case(&["copy", "--from", "sqlite:keyward.db", "--to", "abc://me:hunter2@host/db"], "--to must be")]
#[case(&["copy", "--from", "sqlite:keyward.db", "--to", "sqlite:new.db", "--check", "--switch"], "cannot be used with")]
#[case(&["copy", "--from", "sqlite:keyward.db", "--to", "sqlite:new.db", "--unseal"], "cannot be used with")]
fn a_call_that_makes_no_sense_is_refused(#[case] arguments: &[&str], #[case] complaint: &str) {
    let folder = Folder::new();
    let cli = folder.cli();
    issue(&cli, 1);
    symlink("keyward.db", folder.file("link.db")).unwrap();
    let ended = cli.run(arguments);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    assert!(ended.stderr.contains(complaint), "{ended:?}");
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    assert!(!folder.file("new.db").exists() && !folder.file("missing.db").exists());
}

#[test]
fn a_database_in_use_is_not_copied_to() {
    let folder = Folder::new();
    let cli = folder.cli();
    issue(&cli, 2);
    cli.clone().with(&["--database", "sqlite:new.db"]).done(&["keys", "issue", "--owner", "p"]);
    for arguments in [&[][..], &["--follow"], &["--switch"]] {
        let ended = cli.run(&copy(arguments));
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
        assert!(ended.stderr.contains("records that are no copy of the source"), "{ended:?}");
    }
    issue(&cli, 1);
}

#[test]
fn a_database_of_a_newer_version_is_not_copied_to() {
    let folder = Folder::new();
    let cli = folder.cli();
    issue(&cli, 1);
    cli.clone().with(&["--database", "sqlite:new.db"]).done(&["keys", "list"]);
    let file = Connection::open(folder.file("new.db")).unwrap();
    file.pragma_update(None, "user_version", 9_999).unwrap();
    drop(file);
    for (from, to) in [("keyward.db", "new.db"), ("new.db", "keyward.db")] {
        let (from, to) = (format!("sqlite:{from}"), format!("sqlite:{to}"));
        let ended = cli.run(&["copy", "--from", &from, "--to", &to]);
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.stderr.contains("a newer version of keyward"), "{ended:?}");
    }
}
