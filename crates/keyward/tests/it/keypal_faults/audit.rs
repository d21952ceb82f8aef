//! 8: the trail ignores dates, loses its order and grows for ever. 15: what is switched off is
//! documented otherwise than it works.

use std::time::Duration;

use keyward::store::AuditQuery;
use keyward::{
    ActContext, Action, AuditFilter, AuditSettings, AuditTrail, Error, KeyId, KeyspaceId, Keyward,
    NewKey, Rotation, Timestamp,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{another, events, metadata};
use crate::support::Backend::{self, Memory, Postgres, Redis, Sqlite};
use crate::support::{World, code, issue, me, owner, reader, seconds};

const TEN_SECONDS: Duration = Duration::from_secs(10);

fn all() -> AuditFilter {
    AuditFilter::default()
}

fn of_owner(name: &str) -> AuditFilter {
    AuditFilter { owner: Some(owner(name)), ..all() }
}

/// Issues a key and, every ten seconds from then on, switches it off or on, three times each.
async fn live(world: &World, keyward: &Keyward, owner_name: &str) -> KeyId {
    let new = NewKey { owner: owner(owner_name), ..reader() };
    let id = keyward.issue(new, &me()).await.unwrap().key.id;
    for _ in 0..3 {
        world.clock.advance(TEN_SECONDS);
        keyward.disable(&id, &me()).await.unwrap();
        world.clock.advance(TEN_SECONDS);
        keyward.enable(&id, &me()).await.unwrap();
    }
    id
}

fn ago(keyward: &Keyward, age: u64) -> Timestamp {
    keyward.now().before(seconds(age)).unwrap()
}

#[rstest]
#[tokio::test]
async fn fault_08_erasing_until_long_ago_removes_nothing(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    live(&world, &keyward, "customer-1").await;
    let before = events(&keyward, of_owner("customer-1")).await;
    assert_eq!(before.len(), 7);
    let long_ago = AuditFilter { until: Some(ago(&keyward, 3_600)), ..of_owner("customer-1") };
    assert_eq!(keyward.erase_audit(&long_ago, &me()).await.unwrap(), 0);
    assert_eq!(events(&keyward, of_owner("customer-1")).await, before);
}

#[rstest]
#[tokio::test]
async fn fault_08_erasing_with_nothing_but_until_removes_what_is_older_and_no_more(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    live(&world, &keyward, "customer-1").await;
    let until = ago(&keyward, 30);
    let before = events(&keyward, all()).await;
    let (kept, older): (Vec<_>, Vec<_>) = before.into_iter().partition(|e| e.at >= until);
    // The default keyspace was created when the key was issued.
    assert_eq!((kept.len(), older.len()), (4, 4));
    let filter = AuditFilter { until: Some(until), ..all() };
    world.clock.advance(TEN_SECONDS);
    assert_eq!(keyward.erase_audit(&filter, &me()).await.unwrap(), older.len());
    let mut after = events(&keyward, all()).await;
    let erasure = after.remove(0);
    assert_eq!((erasure.action, erasure.context), (Action::AuditErased, me()));
    assert_eq!(after, kept);
}

#[rstest]
#[tokio::test]
async fn fault_08_erasing_what_is_of_one_owner_spares_the_others(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    live(&world, &keyward, "customer-1").await;
    live(&world, &keyward, "customer-2").await;
    let spared = events(&keyward, of_owner("customer-2")).await;
    let until = Some(keyward.now());
    let filter = AuditFilter { until, ..of_owner("customer-1") };
    assert_eq!(keyward.erase_audit(&filter, &me()).await.unwrap(), 7);
    assert!(events(&keyward, of_owner("customer-1")).await.is_empty());
    assert_eq!(events(&keyward, of_owner("customer-2")).await, spared);
}

#[rstest]
#[tokio::test]
async fn fault_08_a_filter_that_names_nothing_erases_nothing(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    live(&world, &keyward, "customer-1").await;
    let before = events(&keyward, all()).await;
    let refused = keyward.erase_audit(&all(), &me()).await.unwrap_err();
    assert_eq!(refused.field().unwrap().field, "filter");
    assert_eq!(events(&keyward, all()).await, before);
}

#[rstest]
#[tokio::test]
async fn fault_08_events_are_listed_newest_first_and_between_two_instants(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let start = keyward.now();
    let id = live(&world, &keyward, "customer-1").await;
    let seconds_of = async |since: Option<Timestamp>, until: Option<Timestamp>| -> Vec<i64> {
        let filter = AuditFilter { key: Some(id.clone()), since, until, ..all() };
        let events = events(&keyward, filter).await;
        events.iter().map(|e| (e.at.as_micros() - start.as_micros()) / 1_000_000).collect()
    };
    let [since, until] = [20, 50].map(|n| start.after(seconds(n)).ok());
    assert_eq!(seconds_of(None, None).await, [60, 50, 40, 30, 20, 10, 0]);
    assert_eq!(seconds_of(since, None).await, [60, 50, 40, 30, 20]);
    assert_eq!(seconds_of(None, until).await, [40, 30, 20, 10, 0]);
    assert_eq!(seconds_of(since, until).await, [40, 30, 20]);
}

#[rstest]
#[tokio::test]
async fn fault_08_a_limit_counts_what_the_filters_have_left(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let id = live(&world, &keyward, "customer-1").await;
    let query = |action| {
        let filter = AuditFilter { key: Some(id.clone()), action: Some(action), ..all() };
        AuditQuery { filter, limit: 2, after: None }
    };
    let issued = keyward.audit(&query(Action::KeyIssued)).await.unwrap();
    assert_eq!((issued.events.len(), issued.next), (1, None));
    let first = keyward.audit(&query(Action::KeyDisabled)).await.unwrap();
    assert_eq!(first.events.len(), 2);
    let rest = AuditQuery { after: first.next, ..query(Action::KeyDisabled) };
    let rest = keyward.audit(&rest).await.unwrap();
    assert_eq!((rest.events.len(), rest.next), (1, None));
    assert!(rest.events[0].at < first.events[1].at);
}

#[rstest]
#[tokio::test]
async fn fault_08_a_summary_counts_by_action_what_the_filter_names(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    live(&world, &keyward, "customer-1").await;
    let last_at = keyward.now();
    live(&world, &keyward, "customer-2").await;
    let summary = keyward.summarize_audit(&of_owner("customer-1")).await.unwrap();
    let counts = [("key.disabled", 3), ("key.enabled", 3), ("key.issued", 1)];
    assert_eq!((summary.total(), summary.last_at), (7, Some(last_at)));
    assert_eq!(summary.by_action, counts.into());
    let early = AuditFilter { until: Some(last_at), ..of_owner("customer-1") };
    let early = keyward.summarize_audit(&early).await.unwrap();
    let before = last_at.before(seconds(10)).unwrap();
    assert_eq!((early.total(), early.last_at), (6, Some(before)));
    let nobody = keyward.summarize_audit(&of_owner("customer-3")).await.unwrap();
    assert_eq!((nobody.total(), nobody.last_at), (0, None));
}

#[rstest]
#[tokio::test]
async fn fault_08_events_go_when_they_are_older_than_they_shall_become(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let audit = AuditSettings { retention: Some(seconds(36)), ..AuditSettings::default() };
    let keyward = world.builder().audit(audit).build().await.unwrap();
    live(&world, &keyward, "customer-1").await;
    let before = events(&keyward, all()).await;
    world.clock.advance(Duration::from_secs(1));
    // Two of the first instant, and those after ten and twenty seconds.
    assert_eq!(keyward.retain_audit().await.unwrap(), 4);
    let after = events(&keyward, all()).await;
    assert_eq!(after[0].action, Action::AuditErased);
    assert_eq!(after[1..], before[..4]);
    assert_eq!(keyward.retain_audit().await.unwrap(), 0);
    assert_eq!(events(&keyward, all()).await, after, "where nothing is removed, nothing is told");
    let for_good = another(&world).await;
    world.clock.advance(Duration::from_hours(24 * 365));
    assert_eq!(for_good.retain_audit().await.unwrap(), 0);
    assert_eq!(events(&for_good, all()).await, after);
}

#[rstest]
#[tokio::test]
async fn fault_15_a_trail_that_is_off_cannot_be_asked_and_acts_work_all_the_same(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let audit = AuditSettings { trail: AuditTrail::Off, ..AuditSettings::default() };
    let keyward = world.builder().audit(audit).build().await.unwrap();
    let query = AuditQuery { limit: 10, ..AuditQuery::default() };
    let refused = [
        keyward.audit(&query).await.unwrap_err(),
        keyward.summarize_audit(&all()).await.unwrap_err(),
        keyward.erase_audit(&of_owner("customer-1"), &me()).await.unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, Error::AuditOff), "{error:?}");
        assert_eq!(error.code(), "audit_off");
    }
    let issued = issue(&keyward).await;
    let id = &issued.key.id;
    keyward.disable(id, &me()).await.unwrap();
    keyward.enable(id, &me()).await.unwrap();
    let secret = keyward.rotate(id, Rotation::default(), &me()).await.unwrap().secret;
    assert_eq!(code(&keyward, &secret).await, "allowed");
    keyward.revoke(id, None, &me()).await.unwrap();
    assert_eq!(code(&keyward, &secret).await, "revoked");
    keyward.record_denied(&me(), None, serde_json::Map::new()).await.unwrap();
    assert_eq!(keyward.retain_audit().await.unwrap(), 0);
    let told = events(&another(&world).await, all()).await;
    assert!(told.is_empty(), "{told:?}");
}

#[rstest]
#[tokio::test]
async fn fault_15_calls_that_were_denied_are_told_but_cannot_flood_the_trail(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keyspace = KeyspaceId::default_keyspace();
    let data = json!({"needs": "keys:write"}).as_object().unwrap().clone();
    let deny = async || keyward.record_denied(&me(), Some(&keyspace), data.clone()).await.unwrap();
    deny().await;
    let filter = AuditFilter { action: Some(Action::AccessDenied), ..all() };
    let denied = events(&keyward, filter.clone()).await;
    assert_eq!((denied.len(), &denied[0].context), (1, &me()));
    assert_eq!((&denied[0].keyspace, &denied[0].data), (&Some(keyspace.clone()), &data));
    for _ in 0..620 {
        deny().await;
    }
    assert_eq!(keyward.summarize_audit(&filter).await.unwrap().total(), 600);
    world.clock.advance(Duration::from_mins(1));
    deny().await;
    assert_eq!(keyward.summarize_audit(&filter).await.unwrap().total(), 601);
}

#[rstest]
#[tokio::test]
async fn the_default_context_is_overlaid_by_that_of_the_act(
    #[values(Memory, Sqlite, Postgres, Redis)] backend: Backend,
) {
    let world = World::new(backend);
    let context = metadata(&json!({"service": "api", "region": "eu"}));
    let audit = AuditSettings { context, ..AuditSettings::default() };
    let keyward = world.builder().audit(audit).build().await.unwrap();
    let plain = issue(&keyward).await.key.id;
    let act = ActContext { metadata: metadata(&json!({"region": "us", "ticket": 7})), ..me() };
    let described = keyward.issue(reader(), &act).await.unwrap().key.id;
    let other = another(&world).await;
    for (id, expected) in [
        (plain, json!({"service": "api", "region": "eu"})),
        (described, json!({"service": "api", "region": "us", "ticket": 7})),
    ] {
        let told = events(&other, AuditFilter { key: Some(id), ..all() }).await;
        assert_eq!(Value::Object(told[0].context.metadata.as_object().clone()), expected);
        assert_eq!((told.len(), &told[0].context.actor), (1, &me().actor));
    }
}
