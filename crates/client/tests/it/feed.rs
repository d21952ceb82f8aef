//! Following a server's changes.

use std::time::Duration;

use keyward_client::{ChangeFeed, KeyLifetimes, Verifier};
use keyward_core::Secret;

use crate::server::{Reply, Server};
use crate::support::{ACCEPTED, Scene, UNKNOWN, eventually, kid};

/// A verifier that follows its server, with keys that may count for an hour.
async fn scene() -> Scene {
    scene_with(KeyLifetimes { most: Duration::from_hours(1), ..KeyLifetimes::default() }).await
}

async fn scene_with(lifetimes: KeyLifetimes) -> Scene {
    let server = Server::start().await;
    let feed = ChangeFeed::new(&server.url(""), Secret::new("kw_management".to_owned())).unwrap();
    let feed = feed.max_staleness(Duration::from_secs(10));
    let scene = Scene::at(server, |builder| builder.lifetimes(lifetimes).feed(feed));
    eventually(|| scene.server.followers() == 1).await;
    scene
}

/// Lets the server tell that it is there, and the keys settle that are known.
async fn settle(scene: &Scene) {
    tell_current(scene, 1).await;
    scene.pass(10);
    tell_current(scene, 1).await;
}

/// A key by which is noticed that something was heard.
const PROBE: usize = 9_999;

/// Lets the server tell that it is there, and waits until that was heard. Twice: what is heard counts
/// from the moment on when it began to be waited for.
async fn tell_current(scene: &Scene, place: u64) {
    for _ in 0..2 {
        scene.server.tell(&format!("id: {place}\nevent: current\ndata: {{}}\n\n"));
        let known = scene.verifier.known_keys();
        let probe = scene.issue_cached(PROBE, "max-age=3600");
        assert_eq!(scene.outcome(&probe).await, ACCEPTED);
        scene.server.tell(&changes(place, PROBE));
        eventually(|| scene.verifier.known_keys() <= known).await;
    }
    eventually(|| scene.verifier.is_current()).await;
}

/// How often documents were asked for.
fn fetches(scene: &Scene) -> usize {
    let requests = scene.server.requests();
    let heads = requests.iter().filter(|head| head.contains("/.well-known/jwks.json"));
    heads.filter(|head| !head.contains(&kid(PROBE))).count()
}

/// The outcome, once it is that one.
async fn becomes(scene: &Scene, token: &str, expected: &str) {
    for _ in 0..30_000 {
        if scene.outcome(token).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(scene.outcome(token).await, expected);
}

fn changes(place: u64, key: usize) -> String {
    let data = format!(r#"{{"keys":["{}"],"keyspaces":false,"others":false}}"#, kid(key));
    format!("id: {place}\nevent: changes\ndata: {data}\n\n")
}

#[tokio::test]
async fn while_the_feed_is_heard_keys_count_as_long_as_their_server_says() {
    let scene = scene().await;
    settle(&scene).await;
    let token = scene.issue_cached(1, "max-age=3600");
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    for _ in 0..50 {
        scene.pass(9);
        tell_current(&scene, 1).await;
        assert_eq!(scene.outcome(&token).await, ACCEPTED);
    }
    assert_eq!(fetches(&scene), 1);
}

#[tokio::test]
async fn a_change_takes_effect_at_the_next_verification() {
    let scene = scene().await;
    settle(&scene).await;
    let tokens = [1, 2].map(|n| scene.issue_cached(n, "max-age=3600"));
    for token in &tokens {
        assert_eq!(scene.outcome(token).await, ACCEPTED);
    }
    scene.revoke(1);
    scene.revoke(2);
    scene.server.tell(&changes(2, 1));
    becomes(&scene, &tokens[0], UNKNOWN).await;
    assert_eq!(scene.outcome(&tokens[1]).await, ACCEPTED, "nothing was told of this one");
    assert_eq!(fetches(&scene), 3);
}

#[tokio::test]
async fn a_key_that_was_absent_is_found_when_it_is_told() {
    let scene = scene().await;
    settle(&scene).await;
    let token = scene.issue(1);
    let document = scene.issue(1);
    scene.revoke(1);
    assert_eq!(scene.outcome(&token).await, UNKNOWN);
    let token = scene.issue(1);
    drop(document);
    scene.server.tell(&changes(2, 1));
    becomes(&scene, &token, ACCEPTED).await;
}

#[tokio::test]
async fn while_the_feed_is_silent_keys_are_asked_for_within_its_staleness() {
    let scene = scene().await;
    settle(&scene).await;
    let token = scene.issue_cached(1, "max-age=3600");
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.pass(9);
    assert_eq!((scene.outcome(&token).await.as_str(), fetches(&scene)), (ACCEPTED, 1));
    scene.pass(1);
    assert!(!scene.verifier.is_current());
    assert_eq!((scene.outcome(&token).await.as_str(), fetches(&scene)), (ACCEPTED, 2));
    scene.pass(9);
    assert_eq!((scene.outcome(&token).await.as_str(), fetches(&scene)), (ACCEPTED, 2));
    scene.revoke(1);
    scene.pass(1);
    assert_eq!((scene.outcome(&token).await.as_str(), fetches(&scene)), (UNKNOWN, 3));
}

#[tokio::test]
async fn while_neither_the_feed_nor_the_key_is_heard_it_is_unreachable() {
    let scene = scene().await;
    settle(&scene).await;
    let token = scene.issue_cached(1, "max-age=3600");
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.server.reply(&Scene::path(1), Reply::status("500 Internal Server Error"));
    scene.pass(10);
    let error = scene.verifier.verify(&token).await.unwrap_err();
    assert_eq!(error.to_string(), "the public key cannot be fetched: the server answered 500");
    assert_eq!(error.status(), 503);
    // The feed alone is enough.
    tell_current(&scene, 1).await;
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
}

#[tokio::test]
async fn staleness_that_was_asked_for_begins_when_the_lease_ends() {
    let stale = Some(Duration::from_secs(30));
    let most = Duration::from_hours(1);
    let scene =
        scene_with(KeyLifetimes { most, stale_if_error: stale, ..KeyLifetimes::default() }).await;
    settle(&scene).await;
    let token = scene.issue_cached(1, "max-age=3600");
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.server.reply(&Scene::path(1), Reply::status("500 Internal Server Error"));
    scene.pass(39);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.pass(1);
    assert!(scene.outcome(&token).await.ends_with("500"));
}

#[tokio::test]
async fn what_was_known_before_the_feed_was_heard_is_given_up() {
    let scene = scene().await;
    let token = scene.issue_cached(1, "max-age=3600");
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    tell_current(&scene, 1).await;
    assert_eq!(scene.verifier.known_keys(), 0);
}

#[tokio::test]
async fn a_reset_gives_up_all_that_is_known() {
    let scene = scene().await;
    settle(&scene).await;
    let token = scene.issue_cached(1, "max-age=3600");
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.revoke(1);
    scene.server.tell("id: 9\nevent: reset\ndata: {}\n\n");
    becomes(&scene, &token, UNKNOWN).await;
}

#[tokio::test]
async fn changes_that_cannot_be_read_give_up_all_that_is_known() {
    for told in
        ["id: 9\nevent: changes\ndata: {}\n\n", "id: 9\nevent: changes\ndata: {\"keys\":[1]}\n\n"]
    {
        let scene = scene().await;
        settle(&scene).await;
        let token = scene.issue_cached(1, "max-age=3600");
        assert_eq!(scene.outcome(&token).await, ACCEPTED);
        scene.revoke(1);
        scene.server.tell(told);
        becomes(&scene, &token, UNKNOWN).await;
    }
}

#[tokio::test]
async fn a_feed_that_is_not_one_is_left_and_all_is_given_up() {
    let scene = scene().await;
    settle(&scene).await;
    let token = scene.issue_cached(1, "max-age=3600");
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.server.tell("id: \n\n");
    eventually(|| scene.verifier.known_keys() == 0).await;
    scene.server.hang_up();
    eventually(|| scene.server.followers() == 1).await;
    let heads = scene.server.requests();
    assert!(!heads.last().unwrap().contains("last-event-id"), "it begins anew");
}

#[tokio::test]
async fn the_feed_is_gone_on_with_where_it_ended() {
    let scene = scene().await;
    settle(&scene).await;
    let token = scene.issue_cached(1, "max-age=3600");
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.server.tell(&changes(41, 7));
    scene.server.tell("id: 42\nevent: current\ndata: {}\n\n");
    tokio::task::yield_now().await;
    scene.server.hang_up();
    eventually(|| scene.server.followers() == 1).await;
    let heads = scene.server.requests();
    let (first, last) = (&heads[0], heads.last().unwrap());
    assert!(first.starts_with("GET /v1/changes HTTP/1.1\r\n") && !first.contains("last-event-id"));
    assert!(first.contains("authorization: Bearer kw_management\r\n"));
    assert!(last.contains("last-event-id: 42\r\n"), "{last}");
    assert_eq!(scene.verifier.known_keys(), 1);

    // What was missed is told now.
    scene.revoke(1);
    scene.server.tell(&changes(43, 1));
    becomes(&scene, &token, UNKNOWN).await;
}

#[tokio::test]
async fn a_feed_that_is_refused_is_asked_for_again() {
    let server = Server::start().await;
    server.reply("/v1/changes", Reply::status("403 Forbidden"));
    let feed = ChangeFeed::new(&server.url("/"), Secret::new("kw_management".to_owned())).unwrap();
    let scene = Scene::at(server, |builder| builder.feed(feed));
    let token = scene.issue(1);
    assert_eq!(scene.outcome(&token).await, ACCEPTED, "without it");
    let asked =
        || scene.server.requests().iter().filter(|head| head.contains("/v1/changes")).count();
    eventually(|| asked() >= 3).await;
    assert!(!scene.verifier.is_current());
}

#[tokio::test]
async fn a_key_that_changed_a_moment_ago_is_asked_for_again_soon() {
    let scene = scene().await;
    settle(&scene).await;
    let token = scene.issue_cached(1, "max-age=3600");
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.server.tell(&changes(2, 1));
    eventually(|| scene.verifier.known_keys() == 0).await;
    // An instance that has not heard of the revocation yet tells the old key.
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.revoke(1);
    scene.pass(9);
    tell_current(&scene, 2).await;
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.pass(1);
    tell_current(&scene, 2).await;
    assert_eq!(scene.outcome(&token).await, UNKNOWN);
}

#[tokio::test]
async fn with_a_feed_caches_on_the_way_are_passed_by() {
    let scene = scene().await;
    settle(&scene).await;
    let token = scene.issue(1);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    assert!(scene.server.requests().last().unwrap().contains("cache-control: no-cache\r\n"));
}

#[tokio::test]
async fn following_ends_with_the_last_clone_of_the_verifier() {
    let Scene { server, verifier, .. } = scene().await;
    let clone = verifier.clone();
    drop(verifier);
    server.tell("id: 1\nevent: current\ndata: {}\n\n");
    eventually(|| clone.is_current()).await;
    drop(clone);
    eventually(|| {
        server.tell(": there\n\n");
        server.followers() == 0
    })
    .await;
}

#[test]
fn a_feed_is_followed_inside_of_a_runtime() {
    let feed = ChangeFeed::new("https://example.com", Secret::new(String::new())).unwrap();
    let builder = Verifier::builder().issuer("https://example.com".parse().unwrap()).feed(feed);
    let error = builder.build().unwrap_err();
    assert_eq!(error.to_string(), "feed must be followed inside of a tokio runtime");
}
