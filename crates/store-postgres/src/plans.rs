//! How PostgreSQL runs the lists, with as many keys as let it see a difference.

use keyward_core::{
    Action, AuditFilter, ClientId, EndedBy, KeyId, KeyRecord, KeyState, KeyspaceId, Name, OwnerId,
    Tag, TagFilter,
};
use keyward_store::conformance::sample::{account, at, event, key};
use keyward_store::{
    AccountPosition, AccountQuery, AccountSort, AuditPosition, AuditQuery, KeyPosition, KeyQuery,
    KeySort, KeyStates, Order,
};
use keyward_testkit::postgres::Postgres;

use crate::address::Address;
use crate::connection::Connection;
use crate::connector::Connector;
use crate::sql::Sql;
use crate::{PostgresOptions, PostgresStore, account, audit, ended, list};

/// Half of what there is comes before the instant that the queries ask for, and half after it.
const FILL: &str = "
    create function pg_temp.at(n bigint) returns bigint immutable language sql
        return 1800000000000000 + n - 15000;
    create function pg_temp.id(n bigint) returns bytea immutable language sql
        return decode(lpad(to_hex(n), 32, '0'), 'hex');
    insert into keyward.service_accounts
    select pg_temp.id(n), 1, 'owner' || n % 30, false, null, '[]', 'sha256', '', null, null, null,
        true, case when n % 100 = 0 then pg_temp.at(n) end, 'x', pg_temp.at(n * 10), 'x',
        pg_temp.at(n * 10), 'x', null, 'text' || n
    from generate_series(1, 3000) n;
    insert into keyward.keys
    select 'key' || n, 1, 'prefixed', 'space' || n % 20, 'owner' || n % 30, 'name' || n, null, 'hint',
        'sha256', '', null, null, null, true, case when n % 3 = 0 then pg_temp.at(n) end, null,
        case when n % 500 = 0 then pg_temp.at(n) end, null, 'x',
        case when n % 500 = 1 then pg_temp.at(n) end, 'x', '[]', '{}', '[]', '{}',
        pg_temp.at(n), pg_temp.at(n), null, null, null, pg_temp.id(n % 30 + 1), 'text' || n, 'notes'
    from generate_series(1, 30000) n;
    insert into keyward.key_tags select 'tag' || n % 30, pg_temp.at(n), 'key' || n
    from generate_series(1, 30000) n;
    insert into keyward.audit
    select pg_temp.id(n), pg_temp.at(n), case when n % 20 = 7 then 'key.issued' else 'other' || n % 20 end,
        'actor' || n % 30, null, null, null, null, 'key' || n % 30, 'space' || n % 20,
        'owner' || n % 30, pg_temp.id(n % 30 + 1), '{}'
    from generate_series(1, 30000) n;
    vacuum analyze;
";

/// A connection to a database with much in it.
async fn filled() -> (Connection, Postgres) {
    let server = Postgres::start(&["jit = off"]);
    server.create_database("keyward");
    let url = server.url("keyward");
    PostgresStore::migrate(&url).await.unwrap();
    server.execute("keyward", FILL);
    let address = Address::parse(&url).unwrap();
    let connector = Connector::to_primary(&address, &PostgresOptions::default()).unwrap();
    (connector.connect().await.unwrap(), server)
}

/// How PostgreSQL would run a statement.
async fn plan(connection: &Connection, Sql { text, values }: Sql) -> String {
    let explain = Sql { text: format!("EXPLAIN {text}").into(), values };
    let rows = connection.run(&explain).await.unwrap().rows;
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

/// That a plan reads rows in the order of an index, and no more of them than it must.
fn follows(plan: &str, index: &str) {
    assert!(!plan.contains("Sort"), "{plan}");
    assert!(plan.contains(index), "{index} in\n{plan}");
    assert!(!plan.contains("Seq Scan on keys") && !plan.contains("Seq Scan on audit"), "{plan}");
}

/// A key in the middle of every order.
fn last() -> KeyRecord {
    let name = Name::parse("name5").ok();
    KeyRecord { name, expires_at: Some(at(0)), ..key("last") }
}

fn all() -> KeyQuery {
    KeyQuery::new(at(0), 10)
}

#[tokio::test]
async fn every_list_uses_its_index_and_needs_no_sorting() {
    let (connection, _server) = filled().await;
    for (index, query) in key_queries() {
        for states in [KeyStates::NOT_DELETED, KeyStates::ALL, KeyState::Active.into()] {
            for order in [Order::Ascending, Order::Descending] {
                let query = KeyQuery { states, order, ..query.clone() };
                let after = Some(KeyPosition::of(&last(), &query));
                for query in [query.clone(), KeyQuery { after, ..query }] {
                    follows(&plan(&connection, list::statement(&query)).await, index);
                }
            }
        }
    }
    for (index, query) in audit_queries() {
        let after = Some(AuditPosition::of(&event(Action::KeyIssued, &key("a"), 0)));
        for query in [query.clone(), AuditQuery { after, ..query }] {
            follows(&plan(&connection, audit::statement(&query)).await, index);
        }
    }
    let accounts = AccountQuery { with_deleted: true, ..AccountQuery::new(10) };
    let owned = AccountQuery { owner: OwnerId::parse("owner7").ok(), ..accounts.clone() };
    for (index, query) in
        [("service_accounts_by_creation", accounts), ("service_accounts_by_owner", owned)]
    {
        let after = Some(AccountPosition::of(&account(), &query));
        for query in [query.clone(), AccountQuery { after, ..query }] {
            assert_eq!(query.sort, AccountSort::CreatedAt);
            follows(&plan(&connection, account::statement(&query)).await, index);
        }
    }
    what_has_ended_is_reached_through_its_indexes(&connection).await;
}

async fn what_has_ended_is_reached_through_its_indexes(connection: &Connection) {
    let by = EndedBy { deleted: Some(at(0)), ended: Some(at(0)) };
    for spared in [&[][..], &[KeyspaceId::management()]] {
        let plan = plan(connection, ended::statement(by, spared, 10)).await;
        for index in ["keys_expiring", "keys_revoked", "keys_deleted"] {
            follows(&plan, index);
        }
    }
    // With so few keys, reading all of them would be as cheap.
    let script = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";
    connection.run_script(script).await.unwrap();
    let deleted = KeyQuery { states: KeyState::Deleted.into(), ..all() };
    let plan = plan(connection, list::statement(&deleted)).await;
    for index in ["keys_deleted", "service_accounts_deleted", "keys_by_account"] {
        assert!(plan.contains(index), "{index} in\n{plan}");
    }
}

fn key_queries() -> Vec<(&'static str, KeyQuery)> {
    let owner = || OwnerId::parse("owner7").ok();
    let keyspace = || KeyspaceId::parse("space7").ok();
    let account = Some(ClientId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]));
    let tags = || TagFilter::one(Tag::parse("tag7").unwrap());
    vec![
        ("keys_by_creation", all()),
        ("keys_by_owner", KeyQuery { owner: owner(), ..all() }),
        ("keys_by_keyspace", KeyQuery { keyspace: keyspace(), ..all() }),
        ("key_tags_pkey", KeyQuery { tags: tags(), ..all() }),
        ("keys_by_account", KeyQuery { service_account: account, ..all() }),
        ("keys_by_expiry", KeyQuery { sort: KeySort::ExpiresAt, ..all() }),
        ("keys_by_name", KeyQuery { sort: KeySort::Name, ..all() }),
    ]
}

fn audit_queries() -> Vec<(&'static str, AuditQuery)> {
    let filters = [
        ("audit_by_time", AuditFilter::default()),
        ("audit_by_time", AuditFilter { since: Some(at(0)), ..AuditFilter::default() }),
        ("audit_by_key", AuditFilter { key: KeyId::parse("key7").ok(), ..AuditFilter::default() }),
        (
            "audit_by_owner",
            AuditFilter { owner: OwnerId::parse("owner7").ok(), ..AuditFilter::default() },
        ),
        ("audit_by_actor", AuditFilter { actor: "actor7".parse().ok(), ..AuditFilter::default() }),
        (
            "audit_by_action",
            AuditFilter { action: Some(Action::KeyIssued), ..AuditFilter::default() },
        ),
        (
            "audit_by_keyspace",
            AuditFilter { keyspace: "space7".parse().ok(), ..AuditFilter::default() },
        ),
    ];
    filters
        .into_iter()
        .map(|(index, filter)| (index, AuditQuery { filter, limit: 10, after: None }))
        .collect()
}
