//! Rules about the audit trail.

use keyward_core::{
    Action, ActorId, AuditErasure, AuditFilter, Change, KeyRecord, Metadata, OwnerId,
};

use super::sample::{at, change, event, insertion, key, refusal};
use crate::{AuditQuery, Store};

fn all() -> AuditQuery {
    AuditQuery { limit: 100, ..AuditQuery::default() }
}

fn whole() -> AuditFilter {
    AuditFilter::default()
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
    let seconds = async |filter: AuditFilter| -> Vec<_> {
        let query = AuditQuery { filter, ..all() };
        let page = store.audit(&query).await.unwrap();
        page.events.iter().map(|e| (e.at.as_micros() - at(0).as_micros()) / 1_000_000).collect()
    };
    assert_eq!(seconds(whole()).await, [3, 2, 1]);
    assert_eq!(seconds(AuditFilter { key: Some(bob.id.clone()), ..whole() }).await, [3, 2]);
    assert_eq!(seconds(AuditFilter { owner: Some(ann.owner.clone()), ..whole() }).await, [1]);
    assert_eq!(seconds(AuditFilter { keyspace: "other".parse().ok(), ..whole() }).await, [3, 2]);
    assert_eq!(seconds(AuditFilter { action: Some(Action::KeyIssued), ..whole() }).await, [2, 1]);
    assert_eq!(seconds(AuditFilter { actor: "local".parse().ok(), ..whole() }).await, [3]);
    assert_eq!(seconds(AuditFilter { since: Some(at(2)), ..whole() }).await, [3, 2]);
    assert_eq!(seconds(AuditFilter { until: Some(at(2)), ..whole() }).await, [1]);
}

/// An event reads back with all that is known of who acted, metadata included.
pub async fn the_context_of_an_event_reads_back_as_it_was_written(store: &dyn Store) {
    let mut told = event(Action::KeyIssued, &key("told"), 0);
    let metadata = serde_json::json!({"ticket": 7, "nested": {"why": "ü"}});
    told.context.metadata = Metadata::new(metadata.as_object().unwrap().clone()).unwrap();
    told.context.ip = Some("2001:db8::1".parse().unwrap());
    told.context.user_agent = Some("curl".to_owned());
    told.context.request_id = Some("r1".to_owned());
    store.apply(&Change { events: vec![told.clone()], ..change(Vec::new()) }).await.unwrap();
    assert_eq!(store.audit(&all()).await.unwrap().events, [told]);
}

/// Summaries count what a filter names, by action, and know the last instant.
pub async fn summaries_count_what_the_filter_names(store: &dyn Store) {
    let empty = store.summarize_audit(&whole()).await.unwrap();
    assert_eq!((empty.total(), empty.last_at), (0, None));
    let ann = KeyRecord { owner: OwnerId::parse("ann").unwrap(), ..key("a") };
    let bob = KeyRecord { owner: OwnerId::parse("bob").unwrap(), ..key("b") };
    let events = vec![
        event(Action::KeyIssued, &ann, 1),
        event(Action::KeyUpdated, &ann, 2),
        event(Action::KeyUpdated, &ann, 5),
        event(Action::KeyIssued, &bob, 9),
    ];
    store.apply(&Change { events, ..change(Vec::new()) }).await.unwrap();
    let of_ann = AuditFilter { owner: Some(ann.owner.clone()), ..whole() };
    let summary = store.summarize_audit(&of_ann).await.unwrap();
    assert_eq!(summary.by_action, [("key.issued", 1), ("key.updated", 2)].into());
    assert_eq!((summary.total(), summary.last_at), (3, Some(at(5))));
    let early = AuditFilter { until: Some(at(5)), ..of_ann };
    let summary = store.summarize_audit(&early).await.unwrap();
    assert_eq!((summary.total(), summary.last_at), (2, Some(at(2))));
}

/// An erasure removes the oldest events that its filter names and no other, and the events of its
/// own change stay. Repeated, it does nothing.
pub async fn erasures_remove_what_the_filter_names_and_no_more(store: &dyn Store) {
    let ann = KeyRecord { owner: OwnerId::parse("ann").unwrap(), ..key("a") };
    let bob = KeyRecord { owner: OwnerId::parse("bob").unwrap(), ..key("b") };
    let of = |record, second| event(Action::KeyUpdated, record, second);
    let events = vec![of(&ann, 1), of(&bob, 2), of(&ann, 3), of(&ann, 4), of(&ann, 9)];
    store.apply(&Change { events, ..change(Vec::new()) }).await.unwrap();
    let owner = Some(ann.owner.clone());
    let filter = AuditFilter { owner, until: Some(at(9)), ..whole() };
    let erasure = Some(AuditErasure { filter: filter.clone(), most: 2 });
    let erasing = Change { erasure, events: vec![of(&ann, 0)], ..change(Vec::new()) };
    assert_eq!(store.apply(&erasing).await.unwrap().erased, 2);
    let seconds = async || -> Vec<_> {
        let page = store.audit(&all()).await.unwrap();
        page.events.iter().map(|e| (e.at.as_micros() - at(0).as_micros()) / 1_000_000).collect()
    };
    assert_eq!(seconds().await, [9, 4, 2, 0]);
    let again = store.apply(&erasing).await.unwrap();
    assert_eq!((again.erased, again.is_replay), (0, true));
    assert_eq!(seconds().await, [9, 4, 2, 0]);
    let long_ago = AuditFilter { until: Some(at(-100)), ..filter };
    let erasure = Some(AuditErasure { filter: long_ago, most: 100 });
    let erased = store.apply(&Change { erasure, ..change(Vec::new()) }).await.unwrap().erased;
    assert_eq!((erased, seconds().await), (0, vec![9, 4, 2, 0]));
}
