//! What the acts leave in the audit trail.

use keyward::store::AuditQuery;
use keyward::{
    ActContext, Action, AuditEvent, AuditFilter, FormatKind, Issued, KeyChanges, KeyId,
    KeyspaceChanges, KeyspaceId, Keyward, NewKeyspace, Rotation, RotationMode,
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, create_keyspace, issue, issue_as, me, opaque, scopes, seconds};

use Action::{
    KeyDeleted, KeyDisabled, KeyEnabled, KeyIssued, KeyPurged, KeyRestored, KeyRevoked, KeyRotated,
    KeyUpdated,
};

/// Whoever performs the acts that are looked at.
fn auditor() -> ActContext {
    ActContext {
        ip: "192.0.2.7".parse().ok(),
        user_agent: Some("tests".to_owned()),
        request_id: Some("request-1".to_owned()),
        ..ActContext::by("key:auditor".parse().unwrap())
    }
}

/// Every event, the newest first.
async fn all_events(keyward: &Keyward) -> Vec<AuditEvent> {
    let query = AuditQuery { limit: 1_000, ..AuditQuery::default() };
    keyward.audit(&query).await.unwrap().events
}

/// Events of the auditor since the last look, each as action, key and data.
struct Look {
    seen: Vec<AuditEvent>,
}

impl Look {
    async fn new(keyward: &Keyward) -> Self {
        Self { seen: all_events(keyward).await }
    }

    async fn news(&mut self, keyward: &Keyward) -> Vec<(Action, KeyId, Value)> {
        let mut events = all_events(keyward).await;
        events.retain(|event| !self.seen.contains(event));
        self.seen.extend(events.iter().cloned());
        events.sort_by_key(|event| event.action.as_str());
        let told = |event: AuditEvent| {
            assert_eq!(event.context, auditor());
            assert_eq!(event.at, keyward.now());
            assert_eq!(event.owner.unwrap().as_str(), "customer-1");
            (event.action, event.key.unwrap(), Value::Object(event.data))
        };
        events.into_iter().map(told).collect()
    }
}

#[rstest]
#[tokio::test]
async fn each_act_leaves_one_event(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(FormatKind::Prefixed, FormatKind::Opaque)] format: FormatKind,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let Issued { key, .. } = issue_as(&keyward, format).await;
    let (id, by) = (key.id, auditor());
    let mut look = Look::new(&keyward).await;
    let mut left = async |action: Action, data: Value| {
        assert_eq!(look.news(&keyward).await, [(action, id.clone(), data)]);
    };
    keyward.disable(&id, &by).await.unwrap();
    left(KeyDisabled, json!({})).await;
    keyward.enable(&id, &by).await.unwrap();
    left(KeyEnabled, json!({})).await;
    let changes = KeyChanges { scopes: Some(scopes(&["write"])), ..KeyChanges::default() };
    keyward.update(&id, changes, &by).await.unwrap();
    left(KeyUpdated, json!({"fields": ["scopes"]})).await;
    keyward.rotate(&id, Rotation::default(), &by).await.unwrap();
    left(KeyRotated, json!({"mode": "same_id"})).await;
    let rotation = Rotation { grace: Some(seconds(60)), ..Rotation::default() };
    keyward.rotate(&id, rotation, &by).await.unwrap();
    left(KeyRotated, json!({"mode": "same_id", "grace": "1m"})).await;
    keyward.revoke(&id, "leaked".parse().ok(), &by).await.unwrap();
    left(KeyRevoked, json!({"reason": "leaked"})).await;
    keyward.delete(&id, &by).await.unwrap();
    left(KeyDeleted, json!({})).await;
    keyward.restore(&id, &by).await.unwrap();
    left(KeyRestored, json!({})).await;
    keyward.delete(&id, &by).await.unwrap();
    left(KeyDeleted, json!({})).await;
    keyward.purge(&id, &by).await.unwrap();
    left(KeyPurged, json!({})).await;
}

#[rstest]
#[tokio::test]
async fn a_rotation_to_a_successor_leaves_one_event_for_each_key(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let old = issue(&keyward).await.key.id;
    let mut look = Look::new(&keyward).await;
    let rotation = Rotation { mode: Some(RotationMode::Successor), ..Rotation::default() };
    let new = keyward.rotate(&old, rotation, &auditor()).await.unwrap().key.id;
    let issued = (KeyIssued, new.clone(), json!({"rotated_from": old}));
    let rotated = (KeyRotated, old.clone(), json!({"mode": "successor", "rotated_to": new}));
    assert_eq!(look.news(&keyward).await, [issued, rotated]);
}

#[rstest]
#[tokio::test]
async fn an_issue_leaves_one_event_with_name_and_scopes(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let mut look = Look::new(&keyward).await;
    let new = keyward::NewKey { name: "ci".parse().ok(), ..crate::support::reader() };
    let id = keyward.issue(new, &auditor()).await.unwrap().key.id;
    let data = json!({"name": "ci", "scopes": ["read"]});
    assert_eq!(look.news(&keyward).await, [(KeyIssued, id, data)]);
}

#[rstest]
#[tokio::test]
async fn acts_on_keyspaces_leave_one_event_each(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let id: KeyspaceId = "opaque".parse().unwrap();
    create_keyspace(&keyward, NewKeyspace::new(id.clone(), opaque())).await;
    let changes =
        KeyspaceChanges { maximum_lifetime: Some(Some(seconds(60))), ..KeyspaceChanges::default() };
    keyward.update_keyspace(&id, changes, &auditor()).await.unwrap();
    let query = AuditQuery {
        filter: AuditFilter { keyspace: Some(id), ..AuditFilter::default() },
        limit: 10,
        after: None,
    };
    let events = keyward.audit(&query).await.unwrap().events;
    let of = |action| {
        let mut found = events.iter().filter(move |event| event.action == action);
        (found.next().unwrap(), found.count())
    };
    let (created, others) = of(Action::KeyspaceCreated);
    assert_eq!((&created.context, others), (&me(), 0));
    let (updated, others) = of(Action::KeyspaceUpdated);
    assert_eq!((&updated.context, others), (&auditor(), 0));
    assert_eq!(updated.data["fields"], json!(["maximum_lifetime"]));
    assert_eq!((&updated.key, &updated.owner), (&None, &None));
}

#[rstest]
#[tokio::test]
async fn a_refused_act_leaves_no_event(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let id = issue(&keyward).await.key.id;
    let nobody = "nobody".parse().unwrap();
    let before = all_events(&keyward).await;
    let outdated = KeyChanges { version: Some(keyward::Version::new(9)), ..KeyChanges::default() };
    let rotation = Rotation { changes: outdated.clone(), ..Rotation::default() };
    assert!(keyward.enable(&id, &me()).await.is_err());
    assert!(keyward.restore(&id, &me()).await.is_err());
    assert!(keyward.purge(&id, &me()).await.is_err());
    assert!(keyward.update(&id, outdated, &me()).await.is_err());
    assert!(keyward.rotate(&id, rotation, &me()).await.is_err());
    assert!(keyward.revoke(&nobody, None, &me()).await.is_err());
    let again = NewKeyspace::new(KeyspaceId::default_keyspace(), opaque());
    assert!(keyward.create_keyspace(again, &me()).await.is_err());
    world.store.set_down(true);
    assert!(keyward.revoke(&id, None, &me()).await.is_err());
    world.store.set_down(false);
    assert_eq!(all_events(&keyward).await, before);
}

#[rstest]
#[tokio::test]
async fn what_came_with_a_request_is_kept_as_every_store_can_keep_it(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let keyward = World::new(backend).start().await;
    let hostile = ActContext {
        user_agent: Some(format!("a\0b\u{1b}[31m\r\n{}", "ü".repeat(300))),
        request_id: Some("\0".to_owned()),
        ..auditor()
    };
    keyward.issue(keyward::NewKey::new("o".parse().unwrap()), &hostile).await.unwrap();
    let context = all_events(&keyward).await.swap_remove(0).context;
    let user_agent = context.user_agent.unwrap();
    assert!(user_agent.starts_with("a\u{fffd}b\u{fffd}[31m\u{fffd}\u{fffd}üü"), "{user_agent:?}");
    assert_eq!(user_agent.chars().count(), 256);
    assert_eq!(context.request_id.as_deref(), Some("\u{fffd}"));
}
