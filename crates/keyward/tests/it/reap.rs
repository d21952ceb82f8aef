//! Removing the keys that ended long enough ago.

use std::time::Duration;

use keyward::store::AuditQuery;
use keyward::{
    ActContext, Action, AuditEvent, AuditFilter, EndedBy, Error, Expiry, FormatKind, Issued,
    KeyChanges, KeyId, KeyspaceId, Keyward, Lifetime, NewKey, Reaped, Rotation, RotationMode,
    Timestamp,
};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{Call, World, code, issue, keyspace_of, me, reader, seconds};

const MICROSECOND: Duration = Duration::from_micros(1);

/// How long after their end keys are kept.
fn age() -> Lifetime {
    seconds(100)
}

fn expiring() -> NewKey {
    NewKey { expiry: Expiry::In(seconds(5)), ..reader() }
}

/// Issues keys that expire after five seconds, many at once.
async fn issue_expiring(keyward: &Keyward, count: usize) -> Vec<KeyId> {
    let mut issuing = JoinSet::new();
    for _ in 0..count {
        let keyward = keyward.clone();
        issuing.spawn(async move { keyward.issue(expiring(), &me()).await.unwrap().key.id });
    }
    issuing.join_all().await
}

/// An instance that reaps when it is told to.
async fn reaper(world: &World) -> Keyward {
    world.builder().reap_after(Some(age())).build().await.unwrap()
}

/// An instance that does so too, with a connection of its own.
async fn second_reaper(world: &World) -> Keyward {
    let builder = world.builder_on(world.second_store());
    builder.reap_after(Some(age())).build().await.unwrap()
}

async fn exists(keyward: &Keyward, id: &KeyId) -> bool {
    keyward.key(id).await.unwrap().is_some()
}

/// Reaps all that has ended by now, or by that instant.
async fn reap_by(keyward: &Keyward, by: Timestamp) -> usize {
    let reaped = keyward.reap(EndedBy::instant(by), usize::MAX, &[], &me()).await.unwrap();
    assert!(!reaped.has_more);
    reaped.purged
}

/// Reaps what it is time for.
async fn reap_due(keyward: &Keyward) -> usize {
    keyward.reap_due().await.unwrap().purged
}

async fn purges(keyward: &Keyward) -> Vec<AuditEvent> {
    let filter = AuditFilter { action: Some(Action::KeyPurged), ..AuditFilter::default() };
    keyward.audit(&AuditQuery { filter, limit: 10_000, after: None }).await.unwrap().events
}

/// A way to the end of a key, five seconds after it was issued.
#[derive(Clone, Copy, Debug)]
enum End {
    Deleted,
    Expired,
    Revoked,
    Succeeded,
}

impl End {
    /// Issues the key, and lets it come to its end now.
    async fn of_a_key(self, world: &World, keyward: &Keyward, keyspace: KeyspaceId) -> Issued {
        let new = match self {
            Self::Deleted | Self::Expired => expiring(),
            Self::Revoked | Self::Succeeded => reader(),
        };
        let issued = keyward.issue(NewKey { keyspace, ..new }, &me()).await.unwrap();
        let id = &issued.key.id;
        if matches!(self, Self::Succeeded) {
            let (grace, mode) = (Some(seconds(5)), Some(RotationMode::Successor));
            let rotation = Rotation { grace, mode, ..Rotation::default() };
            keyward.rotate(id, rotation, &me()).await.unwrap();
        }
        world.clock.advance(Duration::from_secs(5));
        match self {
            Self::Deleted => drop(keyward.delete(id, &me()).await.unwrap()),
            Self::Revoked => drop(keyward.revoke(id, None, &me()).await.unwrap()),
            Self::Expired | Self::Succeeded => {}
        }
        issued
    }

    const fn why(self) -> &'static str {
        match self {
            Self::Deleted | Self::Expired => "expired",
            Self::Revoked | Self::Succeeded => "revoked",
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_key_goes_when_its_end_is_as_long_ago_as_was_said(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(FormatKind::Prefixed, FormatKind::Opaque)] format: FormatKind,
    #[values(End::Deleted, End::Expired, End::Revoked, End::Succeeded)] end: End,
) {
    let world = World::new(backend);
    let keyward = reaper(&world).await;
    let keyspace = keyspace_of(&keyward, format).await;
    let living = issue(&keyward).await;
    let Issued { key, secret, .. } = end.of_a_key(&world, &keyward, keyspace.clone()).await;
    world.clock.advance(age().duration().saturating_sub(MICROSECOND));
    assert_eq!(reap_due(&keyward).await, 0);
    assert!(exists(&keyward, &key.id).await);
    assert_eq!(purges(&keyward).await, []);
    world.clock.advance(MICROSECOND);
    assert_eq!(reap_due(&keyward).await, 1);
    assert!(!exists(&keyward, &key.id).await);
    assert_eq!(code(&keyward, &secret).await, "unknown");
    assert_eq!(code(&keyward, &living.secret).await, "allowed");
    let [told] = purges(&keyward).await.try_into().unwrap();
    assert_eq!(
        (told.at, told.context),
        (keyward.now(), ActContext::by("keyward".parse().unwrap()))
    );
    assert_eq!(
        (told.key, told.keyspace, told.owner),
        (Some(key.id), Some(keyspace), Some(key.owner))
    );
    assert_eq!(Value::Object(told.data), json!({"reaped": true, "why": end.why()}));
    assert_eq!(reap_due(&keyward).await, 0);
    assert_eq!(purges(&keyward).await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn nothing_is_reaped_unless_it_was_said(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    for end in [End::Deleted, End::Expired, End::Revoked, End::Succeeded] {
        end.of_a_key(&world, &keyward, KeyspaceId::default_keyspace()).await;
    }
    world.clock.advance(Duration::from_hours(24 * 10_000));
    assert_eq!(reap_due(&keyward).await, 0);
    assert_eq!(purges(&keyward).await, []);
    assert_eq!(reap_by(&keyward, keyward.now()).await, 4);
}

#[rstest]
#[tokio::test]
async fn keys_that_have_not_ended_stay_whichever_instant_is_given(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let expiring = keyward.issue(expiring(), &me()).await.unwrap();
    let deleted = issue(&keyward).await.key.id;
    keyward.disable(&deleted, &me()).await.unwrap();
    keyward.delete(&deleted, &me()).await.unwrap();
    let far = keyward.now().after(seconds(1_000_000)).unwrap();
    assert_eq!(reap_by(&keyward, far).await, 0);
    assert_eq!(code(&keyward, &expiring.secret).await, "allowed");
    assert!(exists(&keyward, &deleted).await);
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(reap_by(&keyward, far).await, 1);
    assert!(exists(&keyward, &deleted).await);
}

#[rstest]
#[tokio::test]
async fn a_clock_that_was_wrong_for_a_while_lets_no_key_go_too_early(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = reaper(&world).await;
    let id = keyward.issue(expiring(), &me()).await.unwrap().key.id;
    world.clock.advance(Duration::from_secs(50));
    // From now on, the key's own present is here: it has expired, whatever the clock says.
    keyward.disable(&id, &me()).await.unwrap();
    world.clock.set_back(Duration::from_secs(50));
    world.clock.advance((age().duration() + Duration::from_secs(5)).saturating_sub(MICROSECOND));
    assert_eq!(reap_due(&keyward).await, 0);
    world.clock.advance(MICROSECOND);
    assert_eq!(reap_due(&keyward).await, 1);
}

#[rstest]
#[tokio::test]
async fn many_keys_go_in_batches_and_no_more_than_were_asked_for(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let keys = issue_expiring(&keyward, 450).await;
    world.clock.advance(Duration::from_secs(5));
    let before = world.store.count(Call::Apply);
    let reap =
        async |most| keyward.reap(EndedBy::instant(keyward.now()), most, &[], &me()).await.unwrap();
    assert_eq!(reap(0).await, Reaped { accounts: 0, purged: 0, has_more: true });
    assert_eq!(reap(210).await, Reaped { accounts: 0, purged: 210, has_more: true });
    assert_eq!(reap(240).await, Reaped { accounts: 0, purged: 240, has_more: false });
    assert_eq!(reap(usize::MAX).await, Reaped { accounts: 0, purged: 0, has_more: false });
    assert_eq!(world.store.count(Call::Apply) - before, 4, "batches of 200 and 10, 200 and 40");
    let mut told: Vec<_> = purges(&keyward).await.into_iter().map(|e| e.key.unwrap()).collect();
    told.sort_unstable();
    let mut keys = keys;
    keys.sort_unstable();
    assert_eq!(told, keys, "each key has its event");
}

#[rstest]
#[tokio::test]
async fn spared_keyspaces_keep_their_keys(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    let spared = keyspace_of(&keyward, FormatKind::Opaque).await;
    let kept = NewKey { keyspace: spared.clone(), ..expiring() };
    let kept = keyward.issue(kept, &me()).await.unwrap().key.id;
    let gone = keyward.issue(expiring(), &me()).await.unwrap().key.id;
    world.clock.advance(Duration::from_secs(5));
    let reaped = keyward.reap(EndedBy::instant(keyward.now()), 1, &[spared], &me()).await.unwrap();
    assert_eq!(reaped, Reaped { accounts: 0, purged: 1, has_more: false });
    assert!(exists(&keyward, &kept).await && !exists(&keyward, &gone).await);
}

#[rstest]
#[tokio::test]
async fn keys_that_are_changed_meanwhile_are_looked_at_again(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let (keyward, other) =
        (reaper(&world).await, world.builder_on(world.second_store()).build().await.unwrap());
    let keys = issue_expiring(&keyward, 6).await;
    world.clock.advance(Duration::from_secs(5));
    keyward.delete(&keys[4], &me()).await.unwrap();
    keyward.delete(&keys[5], &me()).await.unwrap();
    world.clock.advance(age().duration());
    let gate = world.store.hold(Call::Apply);
    let reaping = {
        let keyward = keyward.clone();
        tokio::spawn(async move { reap_due(&keyward).await })
    };
    gate.arrivals(1).await;
    let prolonged = |expiry| KeyChanges { expiry: Some(expiry), ..KeyChanges::default() };
    other.update(&keys[0], prolonged(Expiry::Never), &me()).await.unwrap();
    other.disable(&keys[1], &me()).await.unwrap();
    other.delete(&keys[2], &me()).await.unwrap();
    other.purge(&keys[2], &me()).await.unwrap();
    other.restore(&keys[4], &me()).await.unwrap();
    other.restore(&keys[5], &me()).await.unwrap();
    other.update(&keys[5], prolonged(Expiry::In(seconds(1_000))), &me()).await.unwrap();
    gate.open();
    assert_eq!(reaping.await.unwrap(), 3);
    let left = [true, false, false, false, false, true];
    for (n, (id, is_left)) in keys.iter().zip(left).enumerate() {
        assert_eq!(exists(&keyward, id).await, is_left, "{n}");
    }
    let reaped: Vec<_> = purges(&keyward)
        .await
        .into_iter()
        .filter(|event| event.data.contains_key("reaped"))
        .collect();
    assert_eq!(reaped.len(), 3);
}

#[rstest]
#[tokio::test]
async fn a_key_that_others_change_all_the_time_is_left_to_them(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let (keyward, other) =
        (reaper(&world).await, world.builder_on(world.second_store()).build().await.unwrap());
    let id = keyward.issue(expiring(), &me()).await.unwrap().key.id;
    world.clock.advance(age().duration() + Duration::from_secs(5));
    let gate = world.store.hold(Call::Apply);
    let reaping = {
        let keyward = keyward.clone();
        tokio::spawn(async move { keyward.reap_due().await })
    };
    // Once with the others of its batch, and eight times by itself.
    for _ in 0..9 {
        gate.arrivals(1).await;
        let name = KeyChanges { name: Some(None), ..KeyChanges::default() };
        other.update(&id, name, &me()).await.unwrap();
        gate.let_one_pass();
    }
    let refused = reaping.await.unwrap();
    assert!(matches!(&refused, Err(Error::Refused(keyward::Refusal::Outdated))), "{refused:?}");
    assert!(exists(&keyward, &id).await);
    gate.open();
    assert_eq!(reap_due(&keyward).await, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_reap_at_once_each_key_goes_once(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let (one, other) = (reaper(&world).await, second_reaper(&world).await);
    let keys = issue_expiring(&one, 900).await;
    let living = issue(&one).await;
    world.clock.advance(age().duration() + Duration::from_secs(5));
    let [first, second] = [one.clone(), other.clone()]
        .map(|keyward| tokio::spawn(async move { reap_due(&keyward).await }));
    let reaped = first.await.unwrap() + second.await.unwrap();
    assert_eq!(reaped, 900);
    assert_eq!(purges(&one).await.len(), 900);
    for id in &keys {
        assert!(!exists(&one, id).await);
    }
    assert_eq!(code(&other, &living.secret).await, "allowed");
}

#[rstest]
#[tokio::test]
async fn an_instance_that_has_a_reaped_key_cached_learns_of_it(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(FormatKind::Prefixed, FormatKind::Opaque)] format: FormatKind,
) {
    let world = World::new(backend);
    let (keyward, other) =
        (reaper(&world).await, world.builder_on(world.second_store()).build().await.unwrap());
    let keyspace = keyspace_of(&keyward, format).await;
    other.catch_up().await.unwrap();
    let issued = keyward.issue(NewKey { keyspace, ..expiring() }, &me()).await.unwrap();
    world.clock.advance(age().duration() + Duration::from_secs(5));
    other.catch_up().await.unwrap();
    assert_eq!(code(&other, &issued.secret).await, "expired");
    assert_eq!(reap_due(&keyward).await, 1);
    assert_eq!(code(&other, &issued.secret).await, "expired", "it is not a second yet");
    other.catch_up().await.unwrap();
    assert_eq!(code(&other, &issued.secret).await, "unknown");
}

#[rstest]
#[tokio::test]
async fn a_store_that_fails_in_between_leaves_whole_batches(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let keyward = reaper(&world).await;
    issue_expiring(&keyward, 300).await;
    world.clock.advance(age().duration() + Duration::from_secs(5));
    world.store.fail_after(Call::Apply, Some(1));
    assert!(matches!(keyward.reap_due().await, Err(Error::Store(_))));
    assert_eq!(purges(&keyward).await.len(), 200);
    world.store.fail_after(Call::Apply, None);
    world.store.fail_after(Call::Ended, Some(0));
    assert!(matches!(keyward.reap_due().await, Err(Error::Store(_))));
    world.store.fail_after(Call::Ended, None);
    assert_eq!(reap_due(&keyward).await, 100);
    assert_eq!(purges(&keyward).await.len(), 300);
}

#[tokio::test]
async fn keys_are_reaped_in_the_background() {
    let world = World::new(Memory);
    let id = world.start().await.issue(expiring(), &me()).await.unwrap().key.id;
    world.clock.advance(age().duration() + Duration::from_secs(5));
    let builder = Keyward::builder(world.second_store());
    let clock = std::sync::Arc::<keyward_testkit::FixedClock>::clone(&world.clock);
    let keyward = builder.clock(clock).reap_after(Some(age())).build().await.unwrap();
    while exists(&keyward, &id).await {
        tokio::task::yield_now().await;
    }
    assert_eq!(purges(&keyward).await.len(), 1);
}
