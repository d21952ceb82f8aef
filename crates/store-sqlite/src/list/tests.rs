use keyward_core::{ClientId, KeyspaceId, OwnerId, Tag};
use keyward_store::conformance::sample::{at, key};
use keyward_store::{Order, Search};
use rusqlite::params_from_iter;

use super::*;
use crate::schema::Schema;

/// How SQLite would run the query, one line per table.
fn plan(query: &KeyQuery) -> String {
    let mut connection = Connection::open_in_memory().unwrap();
    Schema::CURRENT.migrate(&mut connection).unwrap();
    let Sql { text, values } = statement(query);
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    let lines = explain.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    lines.collect::<Result<Vec<_>, _>>().unwrap().join("\n")
}

fn all() -> KeyQuery {
    KeyQuery::new(at(0), 10)
}

fn owner() -> Option<OwnerId> {
    OwnerId::parse("ann").ok()
}

fn tags() -> TagFilter {
    TagFilter::one(Tag::parse("prod").unwrap())
}

/// The query for the first page and that for a later one.
fn pages(query: &KeyQuery) -> [KeyQuery; 2] {
    let after = Some(KeyPosition::of(&key("last"), query));
    [query.clone(), KeyQuery { after, ..query.clone() }]
}

#[test]
fn every_path_uses_its_index_and_needs_no_sorting() {
    let keyspace = Some(KeyspaceId::default_keyspace());
    let account = Some(ClientId::from_bytes([1; 16]));
    let queries = [
        ("keys_by_creation", all()),
        ("keys_by_owner (owner=?", KeyQuery { owner: owner(), ..all() }),
        ("keys_by_keyspace (keyspace=?", KeyQuery { keyspace: keyspace.clone(), ..all() }),
        ("key_tags USING PRIMARY KEY (tag=?", KeyQuery { tags: tags(), ..all() }),
        ("keys_by_account (service_account=?", KeyQuery { service_account: account, ..all() }),
        ("keys_by_expiry", KeyQuery { sort: KeySort::ExpiresAt, ..all() }),
        ("keys_by_name", KeyQuery { sort: KeySort::Name, ..all() }),
        // The filter that leaves the fewest decides.
        (
            "keys_by_account (service_account=?",
            KeyQuery { service_account: account, owner: owner(), ..all() },
        ),
        ("keys_by_owner (owner=?", KeyQuery { owner: owner(), tags: tags(), keyspace, ..all() }),
    ];
    for (index, query) in queries {
        for states in [KeyStates::NOT_DELETED, KeyStates::ALL, KeyState::Active.into()] {
            for order in [Order::Ascending, Order::Descending] {
                for page in pages(&KeyQuery { states, order, ..query.clone() }) {
                    let plan = plan(&page);
                    assert!(plan.contains(index), "{index} in {plan}");
                    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
                    assert!(!plan.contains("SCAN keys\n"), "{plan}");
                }
            }
        }
    }
}

#[test]
fn deleted_keys_are_reached_through_what_was_deleted() {
    let plan = plan(&KeyQuery { states: KeyState::Deleted.into(), ..all() });
    for step in [
        "SEARCH keys USING INDEX sqlite_autoindex_keys_1 (id=?)",
        "keys_deleted (deleted_at>?)",
        "service_accounts_deleted (deleted_at>?)",
        "keys_by_account (service_account=?)",
    ] {
        assert!(plan.contains(step), "{step} in {plan}");
    }
}

#[test]
fn a_later_page_begins_where_the_one_before_ended() {
    for (start, query) in [
        ("keys_by_creation ((created_at,id)<(?,?))", all()),
        ("keys_by_owner (owner=? AND (created_at,id)<(?,?))", KeyQuery { owner: owner(), ..all() }),
        (
            "PRIMARY KEY (tag=? AND (key_created_at,key_id)<(?,?))",
            KeyQuery { tags: tags(), ..all() },
        ),
        (
            "keys_by_expiry ((expiry_place,id)<(?,?))",
            KeyQuery { sort: KeySort::ExpiresAt, ..all() },
        ),
        ("keys_by_name ((name_place,id)<(?,?))", KeyQuery { sort: KeySort::Name, ..all() }),
    ] {
        let [_, later] = pages(&query);
        let plan = plan(&later);
        assert!(plan.contains(start), "{start} in {plan}");
    }
}

#[test]
fn nothing_from_outside_becomes_part_of_the_statement() {
    let strange = "x'; DROP TABLE keys; --";
    let query = KeyQuery {
        owner: OwnerId::parse(strange).ok(),
        tags: TagFilter::one(Tag::parse(strange).unwrap()),
        search: Search::parse(strange).ok(),
        ..all()
    };
    for page in pages(&KeyQuery { sort: KeySort::Name, ..query }) {
        assert!(!statement(&page).text.contains("DROP"));
    }
}
