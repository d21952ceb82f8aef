//! The rules of the port, and what is this backend's own: that what was acknowledged is in the file,
//! and that a file which cannot be read or written is an error.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use keyward::store::conformance::sample::{change, insert, insertion, key};
use keyward::store::{Store, StoreError};
use keyward::{ActContext, Asked, Keyward, NewKey};
use keyward_example_file_store::FileStore;
use tempfile::TempDir;

async fn fresh_store() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path().join("keys.json")).await.unwrap();
    (Arc::new(store), folder)
}

keyward_store::conformance_tests!(fresh_store);

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("keys.json")
}

async fn open(folder: &TempDir) -> FileStore {
    FileStore::open(path(folder)).await.unwrap()
}

#[tokio::test]
async fn an_application_finds_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    let keyward = Keyward::builder(Arc::new(open(&folder).await)).manual().build().await.unwrap();
    let me = ActContext::by("me".parse().unwrap());
    let [kept, revoked] = [(); 2].map(|()| NewKey::new("ann".parse().unwrap()));
    let kept = keyward.issue(kept, &me).await.unwrap();
    let revoked = keyward.issue(revoked, &me).await.unwrap();
    let ask = async |keyward: &Keyward, secret: &keyward::Secret| {
        keyward.verify(secret.expose(), &Asked::default()).await.unwrap().code()
    };
    assert_eq!(ask(&keyward, &kept.secret).await, "allowed");
    keyward.revoke(&revoked.key.id, None, &me).await.unwrap();
    keyward.close().await.unwrap();

    let again = Keyward::builder(Arc::new(open(&folder).await)).manual().build().await.unwrap();
    assert_eq!(again.key(&kept.key.id).await.unwrap().unwrap().usage.uses, 1);
    assert_eq!(ask(&again, &kept.secret).await, "allowed");
    assert_eq!(ask(&again, &revoked.secret).await, "revoked");
    let everything = keyward::AuditFilter::default();
    let before = keyward.summarize_audit(&everything).await.unwrap();
    assert_eq!(again.summarize_audit(&everything).await.unwrap(), before);
    assert!(!fs::read_to_string(path(&folder)).unwrap().contains(kept.secret.expose()));
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    insert(&open(&folder).await, &key("a")).await;
    let good = fs::read_to_string(path(&folder)).unwrap();
    let cut = good.strip_suffix('}').unwrap();
    for damaged in ["", "{}", cut, &good.replace("\"sha256\"", "\"md5\"")] {
        fs::write(path(&folder), damaged).unwrap();
        let error = FileStore::open(path(&folder)).await.expect_err(damaged);
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert_eq!(fs::read_to_string(path(&folder)).unwrap(), damaged);
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_written_is_not_acknowledged_nor_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    insert(&store, &key("a")).await;
    // A folder where the new file should be made.
    fs::create_dir(path(&folder).with_extension("new")).unwrap();
    let error = store.apply(&insertion(&key("b"))).await.unwrap_err();
    assert!(error.may_retry());
    // Memory is ahead of the file: from now on nothing is said.
    assert!(store.key(&key("b").id).await.is_err() && store.health().await.is_err());
    assert!(store.apply(&change(Vec::new())).await.is_err());
    fs::remove_dir(path(&folder).with_extension("new")).unwrap();
    let again = open(&folder).await;
    assert_eq!(again.key(&key("a").id).await.unwrap().unwrap().record.metadata, key("a").metadata);
    assert!(again.key(&key("b").id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_refused_change_leaves_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    insert(&store, &key("a")).await;
    let before = fs::read(path(&folder)).unwrap();
    assert!(store.apply(&insertion(&key("a"))).await.is_err());
    assert_eq!(fs::read(path(&folder)).unwrap(), before);
    insert(&store, &key("b")).await;
}
