//! Which files are taken, and which are refused untouched.

use std::error::Error;
use std::fs;

use keyward_store::Store;
use keyward_store::conformance::sample::{insert, key};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};

use crate::{file_in, open_in};

#[tokio::test]
async fn a_missing_file_is_made_and_an_empty_one_filled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    assert_eq!(SqliteStore::pending_migrations(&path).unwrap(), 6);
    assert!(!path.exists());
    drop(open_in(folder.path()));
    assert_eq!(SqliteStore::pending_migrations(&path).unwrap(), 0);
    fs::write(&path, []).unwrap();
    open_in(folder.path()).health().await.unwrap();
}

#[tokio::test]
async fn migrating_makes_a_file_and_then_has_nothing_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    assert_eq!(SqliteStore::migrate(&path).unwrap(), 6);
    assert_eq!(SqliteStore::migrate(&path).unwrap(), 0);
    let store = open_in(folder.path());
    insert(&store, &key("first")).await;
    // Also beside a store that is in use.
    assert_eq!(SqliteStore::migrate(&path).unwrap(), 0);
    assert_eq!(SqliteStore::pending_migrations(&path).unwrap(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    insert(&store, &key("first")).await;
    let modes: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().permissions().mode() & 0o777)
        .collect();
    assert_eq!(modes, [0o600; 3]);
}

#[test]
fn files_of_others_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    let theirs = file_in(folder.path());
    theirs.execute_batch("CREATE TABLE theirs (n INTEGER)").unwrap();
    drop(theirs);
    let foreign = fs::read(&path).unwrap();
    for content in [b"hello".to_vec(), vec![b'x'; 10_000], foreign] {
        fs::write(&path, &content).unwrap();
        for refused in [
            SqliteStore::open(&path, &SqliteOptions::default()).unwrap_err(),
            SqliteStore::migrate(&path).unwrap_err(),
            SqliteStore::pending_migrations(&path).unwrap_err(),
        ] {
            assert!(refused.is_foreign(), "{refused}");
        }
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_of_a_newer_keyward_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyward.db");
    drop(open_in(folder.path()));
    file_in(folder.path()).pragma_update(None, "user_version", 1_000).unwrap();
    let content = fs::read(&path).unwrap();
    for refused in [
        SqliteStore::open(&path, &SqliteOptions::default()).unwrap_err(),
        SqliteStore::migrate(&path).unwrap_err(),
        SqliteStore::pending_migrations(&path).unwrap_err(),
    ] {
        assert!(refused.is_newer());
        let why = refused.source().unwrap().to_string();
        assert!(why.contains("a newer version of keyward has migrated it"), "{why}");
    }
    assert_eq!(fs::read(&path).unwrap(), content);
}

#[test]
fn a_place_that_does_not_exist_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere").join("keyward.db");
    let refused = SqliteStore::open(&path, &SqliteOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("nowhere"));
    assert!(!refused.is_foreign() && !refused.is_newer() && !refused.is_outdated());
}
