use keyward_core::{KeyId, OwnerId};
use keyward_store::conformance::sample::{at, event, key};

use super::*;
use crate::schema::Schema;

fn plan(query: &AuditQuery) -> String {
    let mut connection = Connection::open_in_memory().unwrap();
    Schema::CURRENT.migrate(&mut connection).unwrap();
    let Sql { text, values } = statement(query);
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    let lines = explain.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    lines.collect::<Result<Vec<_>, _>>().unwrap().join("\n")
}

#[test]
fn every_filter_uses_its_index_and_needs_no_sorting() {
    let all = AuditFilter::default;
    let key_id = KeyId::parse("abc").ok();
    let owner = || OwnerId::parse("ann").ok();
    let filters = [
        ("audit", all()),
        ("PRIMARY KEY (at>?", AuditFilter { since: Some(at(0)), ..all() }),
        ("audit_by_key (key_id=?", AuditFilter { key: key_id.clone(), ..all() }),
        ("audit_by_owner (owner=?", AuditFilter { owner: owner(), ..all() }),
        ("audit_by_actor (actor=?", AuditFilter { actor: "local".parse().ok(), ..all() }),
        ("audit_by_keyspace (keyspace=?", AuditFilter { keyspace: "a".parse().ok(), ..all() }),
        ("audit_by_action (action=?", AuditFilter { action: Some(Action::KeyIssued), ..all() }),
        (
            "audit_by_key (key_id=?",
            AuditFilter { key: key_id, owner: owner(), action: Some(Action::KeyIssued), ..all() },
        ),
    ];
    let after = Some(AuditPosition::of(&event(Action::KeyIssued, &key("a"), 0)));
    for (index, filter) in filters {
        let query = AuditQuery { filter, limit: 10, after: None };
        for query in [query.clone(), AuditQuery { after, ..query }] {
            let plan = plan(&query);
            assert!(plan.contains(index) || query.after.is_some(), "{index} in {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
