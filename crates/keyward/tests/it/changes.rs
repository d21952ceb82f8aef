//! Streams of changes: what they tell, when, and what becomes of those who do not listen.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use keyward::store::MemoryStore;
use keyward::{ChangeStream, Error, FeedEvent, FormatKind, KeyId, Keyward, Sequence};
use rstest::rstest;

use crate::support::Backend::{self, Memory, Sqlite};
use crate::support::{World, code, issue, issue_as, keyspace_of, me};

/// The events that are there, in short.
fn told(stream: &mut ChangeStream) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(event) = stream.next().now_or_never() {
        let Some(event) = event else {
            told.push("end".to_owned());
            break;
        };
        told.push(match event {
            FeedEvent::Changes { keys, keyspaces, others, .. } => {
                let keys: Vec<_> = keys.iter().map(KeyId::as_str).collect();
                let mut words = vec![keys.join(",")];
                words.extend(keyspaces.then(|| "keyspaces".to_owned()));
                words.extend(others.then(|| "others".to_owned()));
                words.join(" ").trim().to_owned()
            }
            FeedEvent::Current(_) => "current".to_owned(),
            FeedEvent::Reset(_) => "reset".to_owned(),
            other => format!("{other:?}"),
        });
    }
    told
}

async fn pair(world: &World) -> [Keyward; 2] {
    let a = world.start().await;
    let b = world.builder_on(world.second_store()).build().await.unwrap();
    b.catch_up().await.unwrap();
    [a, b]
}

#[rstest]
#[tokio::test]
async fn a_revocation_elsewhere_is_told_and_whoever_asks_then_knows_of_it(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    let issued = issue(&a).await;
    b.catch_up().await.unwrap();
    assert_eq!(code(&b, &issued.secret).await, "allowed");
    let mut stream = b.changes(None).await.unwrap();
    assert_eq!(told(&mut stream), ["current"]);
    a.revoke(&issued.key.id, None, &me()).await.unwrap();
    assert!(told(&mut stream).is_empty());
    b.catch_up().await.unwrap();
    assert_eq!(told(&mut stream), [issued.key.id.as_str(), "current"]);
    assert_eq!(code(&b, &issued.secret).await, "revoked");
}

#[rstest]
#[tokio::test]
async fn every_act_tells_the_id_of_its_key(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let keyward = world.start().await;
    keyward.catch_up().await.unwrap();
    let mut stream = keyward.changes(None).await.unwrap();
    told(&mut stream);
    let mut acts = 0;
    let mut act = async |id: &KeyId| {
        keyward.catch_up().await.unwrap();
        assert_eq!(told(&mut stream), [id.as_str(), "current"], "act {acts}");
        acts += 1;
    };
    let id = issue(&keyward).await.key.id;
    act(&id).await;
    keyward.disable(&id, &me()).await.unwrap();
    act(&id).await;
    keyward.enable(&id, &me()).await.unwrap();
    act(&id).await;
    keyward.rotate(&id, keyward::Rotation::default(), &me()).await.unwrap();
    act(&id).await;
    keyward.revoke(&id, None, &me()).await.unwrap();
    act(&id).await;
    keyward.delete(&id, &me()).await.unwrap();
    act(&id).await;
    keyward.restore(&id, &me()).await.unwrap();
    act(&id).await;
    keyward.delete(&id, &me()).await.unwrap();
    act(&id).await;
    keyward.purge(&id, &me()).await.unwrap();
    act(&id).await;
    assert_eq!(acts, 9);
}

#[rstest]
#[tokio::test]
async fn a_key_that_is_found_by_its_digest_is_told_without_it(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    keyspace_of(&a, FormatKind::Opaque).await;
    b.catch_up().await.unwrap();
    let mut stream = b.changes(None).await.unwrap();
    told(&mut stream);
    issue_as(&a, FormatKind::Opaque).await;
    b.catch_up().await.unwrap();
    assert_eq!(told(&mut stream), ["others", "current"]);
}

#[rstest]
#[tokio::test]
async fn a_stream_goes_on_from_where_another_ended(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let [a, b] = pair(&world).await;
    let mut stream = b.changes(None).await.unwrap();
    let [one, two] = [issue(&a).await.key.id, issue(&a).await.key.id];
    b.catch_up().await.unwrap();
    stream.next().await.unwrap();
    let last = stream.next().await.unwrap().sequence();
    drop(stream);
    a.revoke(&two, None, &me()).await.unwrap();
    b.catch_up().await.unwrap();
    a.revoke(&one, None, &me()).await.unwrap();
    let mut stream = b.changes(Some(last)).await.unwrap();
    let mut both = [one.as_str(), two.as_str()];
    both.sort_unstable();
    assert_eq!(told(&mut stream), [both.join(","), "current".to_owned()]);
    // The follower comes to what the stream has told already.
    b.catch_up().await.unwrap();
    assert_eq!(told(&mut stream), ["current"]);
}

#[rstest]
#[tokio::test]
async fn a_place_that_the_feed_has_not_reached_is_of_another_feed(
    #[values(Memory, Sqlite)] backend: Backend,
    #[values(1_000_000, u64::MAX)] place: u64,
) {
    let world = World::new(backend);
    let keyward = world.start().await;
    keyward.catch_up().await.unwrap();
    let mut stream = keyward.changes(Some(Sequence::new(place))).await.unwrap();
    assert_eq!(told(&mut stream), ["reset", "current"]);
    let id = issue(&keyward).await.key.id;
    keyward.catch_up().await.unwrap();
    assert_eq!(told(&mut stream), [id.as_str(), "current"]);
}

#[tokio::test]
async fn a_place_that_is_no_longer_kept_is_a_reset_to_streams_old_and_new() {
    let world = World::new(Sqlite);
    let a = world.builder_on(world.forgetful_store()).build().await.unwrap();
    let b = world.builder_on(world.forgetful_store()).build().await.unwrap();
    let mut old = b.changes(None).await.unwrap();
    told(&mut old);
    let id = issue(&a).await.key.id;
    for _ in 0..150 {
        a.disable(&id, &me()).await.unwrap();
        a.enable(&id, &me()).await.unwrap();
    }
    let mut new = b.changes(Some(Sequence::new(1))).await.unwrap();
    assert_eq!(told(&mut new), ["reset", "current"]);
    b.catch_up().await.unwrap();
    assert_eq!(told(&mut old), ["reset", "current"]);
}

#[tokio::test]
async fn while_the_store_fails_nothing_is_said_to_be_current() {
    let world = World::new(Memory);
    let keyward = world.start().await;
    let mut stream = keyward.changes(None).await.unwrap();
    told(&mut stream);
    world.store.set_down(true);
    keyward.catch_up().await.unwrap_err();
    assert!(told(&mut stream).is_empty());
    assert!(matches!(keyward.changes(None).await, Err(Error::Store(_))));
    world.store.set_down(false);
    keyward.catch_up().await.unwrap();
    assert_eq!(told(&mut stream), ["current"]);
}

#[tokio::test]
async fn a_look_that_is_long_past_says_nothing_of_the_present() {
    let world = World::new(Memory);
    let keyward = world.builder().max_staleness(Duration::from_secs(1)).build().await.unwrap();
    let mut stream = keyward.changes(None).await.unwrap();
    told(&mut stream);
    keyward.catch_up().await.unwrap();
    world.clock.advance(Duration::from_millis(250));
    assert_eq!(told(&mut stream), ["current"]);
    keyward.catch_up().await.unwrap();
    world.clock.advance(Duration::from_millis(251));
    assert!(told(&mut stream).is_empty());
}

#[tokio::test]
async fn whoever_falls_too_far_behind_is_told_to_forget_everything() {
    let world = World::new(Memory);
    let keyward = world.start().await;
    let mut stream = keyward.changes(None).await.unwrap();
    told(&mut stream);
    for _ in 0..300 {
        issue(&keyward).await;
        keyward.catch_up().await.unwrap();
    }
    // And not the hundreds of events that it has missed.
    assert_eq!(told(&mut stream), ["reset"]);
    let id = issue(&keyward).await.key.id;
    keyward.catch_up().await.unwrap();
    assert_eq!(told(&mut stream), [id.as_str(), "current"]);
}

#[tokio::test]
async fn looks_alone_never_make_a_stream_fall_behind() {
    let world = World::new(Memory);
    let keyward = world.start().await;
    let mut stream = keyward.changes(None).await.unwrap();
    told(&mut stream);
    for _ in 0..1_000 {
        keyward.catch_up().await.unwrap();
    }
    assert_eq!(told(&mut stream), ["current"]);
}

#[tokio::test]
async fn only_so_many_streams_are_open_at_the_same_time() {
    let world = World::new(Memory);
    let keyward = world.builder().most_streams(2).build().await.unwrap();
    let _first = keyward.changes(None).await.unwrap();
    let second = keyward.changes(None).await.unwrap();
    assert!(matches!(keyward.changes(None).await, Err(Error::NoFurtherStream)));
    drop(second);
    keyward.changes(None).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn streams_end_when_they_are_told_to(#[values(false, true)] by_closing: bool) {
    let world = World::new(Memory);
    let keyward = world.start().await;
    let mut stream = keyward.changes(None).await.unwrap();
    told(&mut stream);
    let waiting = tokio::spawn(async move { stream.next().await });
    tokio::task::yield_now().await;
    if by_closing {
        keyward.close().await.unwrap();
    } else {
        keyward.end_streams();
    }
    assert_eq!(waiting.await.unwrap(), None);
    assert!(matches!(keyward.changes(None).await, Err(Error::NoFurtherStream)));
}

#[tokio::test(start_paused = true)]
async fn a_revocation_of_the_same_instance_is_told_before_the_next_look() {
    let keyward = Keyward::builder(Arc::new(MemoryStore::new())).build().await.unwrap();
    let id = issue(&keyward).await.key.id;
    let mut stream = keyward.changes(None).await.unwrap();
    for _ in 0..10 {
        // Just after a look, so that the next one is far away.
        while !matches!(stream.next().await, Some(FeedEvent::Current(_))) {}
        let before = tokio::time::Instant::now();
        keyward.disable(&id, &me()).await.unwrap();
        let FeedEvent::Changes { keys, .. } = stream.next().await.unwrap() else {
            panic!("the change comes first");
        };
        assert_eq!(keys.first(), Some(&id));
        assert!(before.elapsed() < Duration::from_millis(10), "{:?}", before.elapsed());
        keyward.enable(&id, &me()).await.unwrap();
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_come_and_go_miss_nothing(#[values(Memory, Sqlite)] backend: Backend) {
    let world = World::new(backend);
    let a = world.start().await;
    // Follows by itself.
    let b = Keyward::builder(world.second_store()).build().await.unwrap();
    let start = b.changes(None).await.unwrap().next().await.unwrap().sequence();
    let writer = tokio::spawn(async move {
        let mut issued = HashSet::new();
        for _ in 0..200 {
            issued.insert(issue(&a).await.key.id);
        }
        issued
    });
    let (mut since, mut all) = (start, HashSet::new());
    while !writer.is_finished() {
        since = listen(&b, since, 7, &mut all).await;
    }
    let issued = writer.await.unwrap();
    let mut stream = b.changes(Some(since)).await.unwrap();
    while let Some(FeedEvent::Changes { keys, .. }) = stream.next().await {
        all.extend(keys.iter().cloned());
    }
    assert_eq!(all, issued);
}

/// Takes some events of a new stream; returns where the next one may go on.
async fn listen(
    keyward: &Keyward,
    since: Sequence,
    events: usize,
    all: &mut HashSet<KeyId>,
) -> Sequence {
    let mut stream = keyward.changes(Some(since)).await.unwrap();
    let mut last = since;
    for _ in 0..events {
        let event = stream.next().await.unwrap();
        assert!(event.sequence() >= last, "{event:?} after {last:?}");
        last = event.sequence();
        match event {
            FeedEvent::Changes { keys, .. } => all.extend(keys.iter().cloned()),
            FeedEvent::Current(_) => {}
            other => panic!("{other:?}"),
        }
    }
    last
}
