use keyward_core::{KeyspaceId, OwnerId, Tag};
use keyward_store::Search;
use keyward_store::conformance::sample::{at, key};

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
    let queries = [
        ("keys_by_creation", all()),
        ("keys_by_owner (owner=?", KeyQuery { owner: owner(), ..all() }),
        ("keys_by_keyspace (keyspace=?", KeyQuery { keyspace: keyspace.clone(), ..all() }),
        ("key_tags USING PRIMARY KEY (tag=?", KeyQuery { tags: tags(), ..all() }),
        ("keys_deleted", KeyQuery { state: Some(KeyState::Deleted), ..all() }),
        ("keys_by_expiry", KeyQuery { sort: KeySort::ExpiresAt, ..all() }),
        ("keys_by_name", KeyQuery { sort: KeySort::Name, ..all() }),
        // The filter that leaves the fewest decides.
        ("keys_by_owner (owner=?", KeyQuery { owner: owner(), tags: tags(), keyspace, ..all() }),
    ];
    for (index, query) in queries {
        for state in [query.state, query.state.or(Some(KeyState::Active))] {
            for order in [Order::Ascending, Order::Descending] {
                for page in pages(&KeyQuery { state, order, ..query.clone() }) {
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
