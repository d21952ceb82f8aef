//! Rules about the audit trail.

use keyward_core::{Action, ActorId, Change, KeyRecord, OwnerId};

use super::sample::{at, change, event, insertion, key, refusal};
use crate::{AuditQuery, Store};

fn all() -> AuditQuery {
    AuditQuery { limit: 100, ..AuditQuery::default() }
}

/// Events commit with the rows of their change, and are refused with them.
pub async fn events_commit_with_their_change_or_not_at_all(store: &dyn Store) {
    let record = key("told");
    let issued = event(Action::KeyIssued, &record, 0);
    let first = Change { events: vec![issued.clone()], ..insertion(&record) };
    store.apply(&first).await.unwrap();
    let again =
        Change { events: vec![event(Action::KeyIssued, &record, 1)], ..insertion(&key("told")) };
    refusal(store, &again).await;
    assert_eq!(store.audit(&all()).await.unwrap().events, [issued]);
}

/// Events are listed newest first, and pages visit each once.
pub async fn events_are_listed_newest_first_in_pages(store: &dyn Store) {
    let record = key("told");
    let events: Vec<_> = (0..5).map(|n| event(Action::KeyUpdated, &record, n / 2)).collect();
    store.apply(&Change { events: events.clone(), ..change(Vec::new()) }).await.unwrap();
    let mut expected = events;
    expected.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
    let mut query = AuditQuery { limit: 2, ..AuditQuery::default() };
    let mut listed = Vec::new();
    loop {
        let page = store.audit(&query).await.unwrap();
        listed.extend(page.events);
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(listed, expected);
}

/// Filters by key, owner, keyspace, action, actor and time are kept; times from, and up to but
/// without, the given instant.
pub async fn every_filter_of_events_is_kept(store: &dyn Store) {
    let ann = KeyRecord { owner: OwnerId::parse("ann").unwrap(), ..key("a") };
    let other = "other".parse().unwrap();
    let bob = KeyRecord { owner: OwnerId::parse("bob").unwrap(), keyspace: other, ..key("b") };
    let mut by_other = event(Action::KeyRevoked, &bob, 3);
    by_other.context.actor = ActorId::parse("local").unwrap();
    let events =
        vec![event(Action::KeyIssued, &ann, 1), event(Action::KeyIssued, &bob, 2), by_other];
    store.apply(&Change { events, ..change(Vec::new()) }).await.unwrap();
    let seconds = async |query: AuditQuery| -> Vec<_> {
        let page = store.audit(&query).await.unwrap();
        page.events.iter().map(|e| (e.at.as_micros() - at(0).as_micros()) / 1_000_000).collect()
    };
    assert_eq!(seconds(all()).await, [3, 2, 1]);
    assert_eq!(seconds(AuditQuery { key: Some(bob.id.clone()), ..all() }).await, [3, 2]);
    assert_eq!(seconds(AuditQuery { owner: Some(ann.owner.clone()), ..all() }).await, [1]);
    assert_eq!(seconds(AuditQuery { keyspace: "other".parse().ok(), ..all() }).await, [3, 2]);
    assert_eq!(seconds(AuditQuery { action: Some(Action::KeyIssued), ..all() }).await, [2, 1]);
    assert_eq!(seconds(AuditQuery { actor: "local".parse().ok(), ..all() }).await, [3]);
    assert_eq!(seconds(AuditQuery { since: Some(at(2)), ..all() }).await, [3, 2]);
    assert_eq!(seconds(AuditQuery { until: Some(at(2)), ..all() }).await, [1]);
}
