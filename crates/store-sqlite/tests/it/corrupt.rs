//! Rows that cannot be read back.

use std::error::Error;

use keyward_core::{Action, Change, FormatKind, KeyspaceWrite, Sequence};
use keyward_store::conformance::sample::{
    at, change, event, insert, insertion, key, keyspace, opaque_key,
};
use keyward_store::{AuditQuery, KeyQuery, KeyStates, Store, StoreError};

use crate::{file_in, open_in};

fn corrupt<T: std::fmt::Debug>(result: Result<T, StoreError>) -> (&'static str, String) {
    match result {
        Err(error @ StoreError::Corrupt { what, .. }) => {
            assert!(!error.may_retry());
            (what, error.source().unwrap().to_string())
        }
        other => panic!("expected a corrupt row, not {other:?}"),
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_read_is_an_error_and_never_a_weaker_key() {
    for (damage, column) in [
        ("expires_at = 9223372036854775807", "expires_at"),
        ("not_before = -9223372036854775808", "not_before"),
        ("created_at = 9223372036854775807", "created_at"),
        ("version = -1", "version"),
        ("digest = x'00'", "digest"),
        ("digest_scheme = 'md5'", "digest_scheme"),
        ("digest_scheme = 'sha512'", "digest"),
        ("previous_digest_scheme = 'sha256'", "previous_digest"),
        ("previous_digest = x'00'", "previous_digest"),
        ("previous_until = 5", "previous_until"),
        ("format = 'other'", "format"),
        ("owner = ''", "owner"),
        ("owner = CAST(x'ff' AS TEXT)", "owner"),
        ("revoked_at = 5", "revoked_by"),
        ("revoked_by = 'actor'", "revoked_by"),
        ("revoked_reason = 'actor'", "revoked_reason"),
        ("deleted_at = 5", "deleted_by"),
        ("deleted_by = 'actor'", "deleted_by"),
        ("scopes = '[\"read\"'", "scopes"),
        ("scopes = '[\"two words\"]'", "scopes"),
        ("resources = '{\"noid\":[]}'", "resources"),
        ("tags = '{}'", "tags"),
        ("metadata = '[]'", "metadata"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = open_in(folder.path());
        let record = key("damaged");
        insert(&store, &record).await;
        file_in(folder.path()).execute(&format!("UPDATE keys SET {damage}"), []).unwrap();
        let all = KeyQuery { states: KeyStates::ALL, ..KeyQuery::new(at(0), 10) };
        let listed = store.list(&all).await;
        for (what, why) in [
            corrupt(store.find(&record.locators().next().unwrap()).await),
            corrupt(store.key(&record.id).await),
            corrupt(listed),
        ] {
            assert_eq!(what, "key");
            assert!(why.contains(&format!("column {column}:")), "{damage}: {why}");
            assert!(!why.contains("two words") && !why.contains("noid"), "{why}");
        }
    }
}

#[tokio::test]
async fn an_opaque_key_whose_digest_is_damaged_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    let record = opaque_key("damaged");
    insert(&store, &record).await;
    file_in(folder.path()).execute("UPDATE keys SET digest = x'0102'", []).unwrap();
    let (what, why) = corrupt(store.find(&record.locators().next().unwrap()).await);
    assert_eq!(
        (what, why.as_str()),
        ("key", "column digest: must have the length of its digest scheme")
    );
}

#[tokio::test]
async fn usage_that_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_in(folder.path());
    let record = key("damaged");
    insert(&store, &record).await;
    let sql = "INSERT INTO usage VALUES ('damaged', 0, -1, 0)";
    file_in(folder.path()).execute(sql, []).unwrap();
    let (what, why) = corrupt(store.key(&record.id).await);
    assert_eq!((what, why.as_str()), ("key", "column uses: must not be negative"));
}

#[tokio::test]
async fn a_keyspace_that_cannot_be_read_is_an_error() {
    for damage in [
        "document = '{}'",
        "document = 'x'",
        "version = 7",
        "id = 'b'",
        "document = json_set(document, '$.networks', 'a restriction of a newer version')",
        "document = json_set(document, '$.maximum_lifetime', 'long')",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = open_in(folder.path());
        let keyspaces = vec![KeyspaceWrite::Insert(keyspace("a", FormatKind::Prefixed))];
        store.apply(&Change { keyspaces, ..change(Vec::new()) }).await.unwrap();
        store.keyspaces().await.unwrap();
        file_in(folder.path()).execute(&format!("UPDATE keyspaces SET {damage}"), []).unwrap();
        assert_eq!(corrupt(store.keyspaces().await).0, "keyspace", "{damage}");
    }
}

#[tokio::test]
async fn an_audit_event_that_cannot_be_read_is_an_error() {
    for damage in
        ["at = 9223372036854775807", "id = x'00'", "action = 'x'", "ip = 'x'", "data = 'x'"]
    {
        let folder = tempfile::tempdir().unwrap();
        let store = open_in(folder.path());
        let record = key("told");
        let events = vec![event(Action::KeyIssued, &record, 0)];
        store.apply(&Change { events, ..insertion(&record) }).await.unwrap();
        file_in(folder.path()).execute(&format!("UPDATE audit SET {damage}"), []).unwrap();
        let all = AuditQuery { limit: 10, ..AuditQuery::default() };
        assert_eq!(corrupt(store.audit(&all).await).0, "audit event", "{damage}");
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_read_is_an_error() {
    for damage in ["'x'", "'[[\"key-id\", \"\"]]'", "'[[\"sha256\", \"AAAA\"]]'"] {
        let folder = tempfile::tempdir().unwrap();
        let store = open_in(folder.path());
        insert(&store, &key("changed")).await;
        let sql = format!("UPDATE changes SET locators = {damage}");
        file_in(folder.path()).execute(&sql, []).unwrap();
        assert_eq!(corrupt(store.changes_since(Sequence::START).await).0, "change", "{damage}");
    }
}

#[tokio::test]
async fn damage_to_the_file_itself_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let record = key("damaged");
    let store = open_in(folder.path());
    insert(&store, &record).await;
    drop(store);
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'keys'";
    let page: u32 = file_in(folder.path()).query_row(sql, [], |row| row.get(0)).unwrap();
    let path = folder.path().join("keyward.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let page = page as usize;
    bytes[(page - 1) * 4_096..page * 4_096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let store = open_in(folder.path());
    let (what, _) = corrupt(store.find(&record.locators().next().unwrap()).await);
    assert_eq!(what, "database");
}
