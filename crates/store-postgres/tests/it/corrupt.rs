//! Rows that cannot be read back.

use std::error::Error;

use keyward_core::{Action, Change, FormatKind, KeyspaceWrite, Sequence};
use keyward_store::conformance::sample::{
    at, change, event, insert, insertion, key, keyspace, opaque_key,
};
use keyward_store::{AuditQuery, KeyQuery, KeyStates, Store, StoreError};

use crate::server::Server;

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
async fn a_row_that_cannot_be_read_is_an_error_and_never_a_weaker_one() {
    let server = Server::start(&[]).await;
    keys(&server).await;
    digests_and_usage(&server).await;
    keyspaces(&server).await;
    events(&server).await;
    changes(&server).await;
}

async fn keys(server: &Server) {
    let database = server.database();
    let store = server.store(&database).await;
    for (damage, column) in [
        ("expires_at = 9223372036854775807", "expires_at"),
        ("not_before = -9223372036854775808", "not_before"),
        ("created_at = 9223372036854775807", "created_at"),
        ("version = -1", "version"),
        ("digest = '\\x00'", "digest"),
        ("digest_scheme = 'md5'", "digest_scheme"),
        ("digest_scheme = 'sha512'", "digest"),
        ("previous_digest_scheme = 'sha256'", "previous_digest"),
        ("previous_digest = '\\x00'", "previous_digest"),
        ("previous_until = 5", "previous_until"),
        ("format = 'other'", "format"),
        ("owner = ''", "owner"),
        ("service_account = null, revoked_at = 5, revoked_by = null", "revoked_by"),
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
        let record = key("damaged");
        server.postgres.execute(&database, "delete from keyward.keys");
        insert(&store, &record).await;
        server.postgres.execute(&database, &format!("update keyward.keys set {damage}"));
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

async fn digests_and_usage(server: &Server) {
    let database = server.database();
    let store = server.store(&database).await;
    let record = opaque_key("damaged");
    insert(&store, &record).await;
    server.postgres.execute(&database, "update keyward.keys set digest = '\\x0102'");
    let (what, why) = corrupt(store.find(&record.locators().next().unwrap()).await);
    let rule = "column digest: must have the length of its digest scheme";
    assert_eq!((what, why.as_str()), ("key", rule));

    let record = key("used");
    insert(&store, &record).await;
    let sql = "insert into keyward.usage values ('used', 0, -1, 0)";
    server.postgres.execute(&database, sql);
    let (what, why) = corrupt(store.key(&record.id).await);
    assert_eq!((what, why.as_str()), ("key", "column uses: must not be negative"));
}

async fn keyspaces(server: &Server) {
    for damage in [
        "document = '{}'",
        "document = 'x'",
        "version = 7",
        "id = 'b'",
        "document = jsonb_set(document::jsonb, '{networks}', '\"of a newer version\"')::text",
        "document = jsonb_set(document::jsonb, '{maximum_lifetime}', '\"long\"')::text",
    ] {
        let database = server.database();
        let store = server.store(&database).await;
        let keyspaces = vec![KeyspaceWrite::Insert(keyspace("a", FormatKind::Prefixed))];
        store.apply(&Change { keyspaces, ..change(Vec::new()) }).await.unwrap();
        store.keyspaces().await.unwrap();
        server.postgres.execute(&database, &format!("update keyward.keyspaces set {damage}"));
        assert_eq!(corrupt(store.keyspaces().await).0, "keyspace", "{damage}");
    }
}

async fn events(server: &Server) {
    for damage in
        ["at = 9223372036854775807", "id = '\\x00'", "action = 'x'", "ip = 'x'", "data = 'x'"]
    {
        let database = server.database();
        let store = server.store(&database).await;
        let record = key("told");
        let events = vec![event(Action::KeyIssued, &record, 0)];
        store.apply(&Change { events, ..insertion(&record) }).await.unwrap();
        server.postgres.execute(&database, &format!("update keyward.audit set {damage}"));
        let all = AuditQuery { limit: 10, ..AuditQuery::default() };
        assert_eq!(corrupt(store.audit(&all).await).0, "audit event", "{damage}");
    }
}

async fn changes(server: &Server) {
    for damage in ["'x'", "'[[\"key-id\", \"\"]]'", "'[[\"sha256\", \"AAAA\"]]'"] {
        let database = server.database();
        let store = server.store(&database).await;
        insert(&store, &key("changed")).await;
        let sql = format!("update keyward.changes set locators = {damage}");
        server.postgres.execute(&database, &sql);
        assert_eq!(corrupt(store.changes_since(Sequence::START).await).0, "change", "{damage}");
    }
}
