//! What is acknowledged stays.

use keyward_core::{Action, Change, FormatKind, KeyWrite, KeyspaceWrite, Sequence};
use keyward_store::conformance::sample::{
    at, change, changed, event, insert, insertion, key, keyspace, opaque_key, update,
};
use keyward_store::{AuditQuery, KeyQuery, Store, Usage, UsageDelta};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};

use crate::{file_in, open_in};

#[tokio::test]
async fn a_file_that_is_opened_again_holds_everything() {
    let folder = tempfile::tempdir().unwrap();
    let (record, opaque) = (key("kept"), opaque_key("found"));
    let space = keyspace("a", FormatKind::Opaque);
    let told = event(Action::KeyIssued, &record, 0);
    let first = Change {
        keyspaces: vec![KeyspaceWrite::Insert(space.clone())],
        events: vec![told.clone()],
        ..insertion(&record)
    };
    let usage =
        UsageDelta { key: record.id.clone(), last_used_at: at(3), uses: 2, previous_uses: 1 };
    let store = open_in(folder.path());
    let applied = store.apply(&first).await.unwrap();
    insert(&store, &opaque).await;
    store.record_usage(&[usage]).await.unwrap();
    drop(store);

    let store = open_in(folder.path());
    let stored = store.key(&record.id).await.unwrap().unwrap();
    assert_eq!(stored.record, record);
    assert_eq!(stored.usage, Usage { last_used_at: Some(at(3)), uses: 2, previous_uses: 1 });
    let locator = opaque.locators().next().unwrap();
    assert_eq!(store.find(&locator).await.unwrap(), Some(opaque));
    assert_eq!(store.keyspaces().await.unwrap(), [space]);
    let trail = store.audit(&AuditQuery { limit: 10, ..AuditQuery::default() }).await.unwrap();
    assert_eq!(trail.events, [told]);
    assert_eq!(store.list(&KeyQuery::new(at(0), 10)).await.unwrap().keys.len(), 2);
    assert_eq!(store.position().await.unwrap(), Sequence::new(2));
    let again = store.apply(&first).await.unwrap();
    assert!(again.is_replay);
    assert_eq!(again.sequence, applied.sequence);
}

#[tokio::test]
async fn a_closed_store_leaves_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    insert(&store, &key("kept")).await;
    store.health().await.unwrap();
    drop(store);
    let files: Vec<_> = folder.path().read_dir().unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(files, ["keyward.db"]);
}

#[tokio::test]
async fn the_feed_drops_old_changes_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { kept_changes: 300, ..SqliteOptions::default() };
    let store = SqliteStore::open(folder.path().join("keyward.db"), &options).unwrap();
    let changes: Vec<_> = (0..1_100).map(|_| change(Vec::new())).collect();
    for change in &changes {
        store.apply(change).await.unwrap();
    }
    // The last removal was after change 1,024, and left 725 to 1,024.
    let gap = async |position: u64| {
        let feed = store.changes_since(Sequence::new(position)).await.unwrap();
        assert_eq!(feed.position, Sequence::new(1_100));
        feed.has_gap
    };
    assert!(gap(0).await);
    assert!(gap(723).await);
    assert!(!gap(724).await);
    assert!(!gap(1_099).await);
    assert!(!gap(1_100).await);
    // A follower of another file, of which this one is an older copy.
    assert!(gap(5_000).await);
    let rows: i64 = file_in(folder.path())
        .query_row("SELECT count(*) FROM changes", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 376);
}

#[tokio::test]
async fn counts_stop_at_the_end_of_their_range() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    let record = key("busy");
    insert(&store, &record).await;
    let much =
        |uses| UsageDelta { key: record.id.clone(), last_used_at: at(1), uses, previous_uses: 0 };
    store.record_usage(&[much(u64::MAX), much(5), much(u64::MAX)]).await.unwrap();
    let usage = store.key(&record.id).await.unwrap().unwrap().usage;
    assert_eq!(usage.uses, i64::MAX.cast_unsigned());
}

#[tokio::test]
async fn a_purge_leaves_nothing_of_the_key_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    let record = opaque_key("purged");
    insert(&store, &record).await;
    store.apply(&update(&record, &changed(&record))).await.unwrap();
    let usage =
        UsageDelta { key: record.id.clone(), last_used_at: at(3), uses: 2, previous_uses: 1 };
    store.record_usage(&[usage]).await.unwrap();
    let purge = KeyWrite::Purge(Box::new(changed(&record)));
    store.apply(&change(vec![purge])).await.unwrap();
    let file = file_in(folder.path());
    for table in ["keys", "key_tags", "locators", "usage"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let rows: i64 = file.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}
