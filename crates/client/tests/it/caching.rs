//! For how long what was fetched counts.

use std::time::Duration;

use keyward_client::{KeyLifetimes, VerifierBuilder};
use rstest::rstest;

use crate::server::{Reply, Server};
use crate::support::{ACCEPTED, Key, Scene, UNKNOWN, WRONG_SIGNATURE, eventually, kid};

const UNREACHABLE: &str = "the public key cannot be fetched: the server answered 500";

fn lifetimes(lifetimes: KeyLifetimes) -> impl FnOnce(VerifierBuilder) -> VerifierBuilder {
    move |builder| builder.lifetimes(lifetimes)
}

#[tokio::test]
async fn those_who_want_the_same_key_share_one_fetch() {
    let scene = Scene::new().await;
    let token = scene.issue(1);
    scene.server.hold();
    let verifications: Vec<_> = (0..100)
        .map(|_| {
            let (verifier, token) = (scene.verifier.clone(), token.clone());
            tokio::spawn(async move { verifier.verify(&token).await.is_ok() })
        })
        .collect();
    eventually(|| scene.server.fetches() == 1).await;
    scene.server.release();
    for verification in verifications {
        assert!(verification.await.unwrap());
    }
    assert_eq!(scene.server.fetches(), 1);
}

#[tokio::test]
async fn a_fetch_goes_on_when_the_first_who_wanted_it_goes_away() {
    let scene = Scene::new().await;
    let token = scene.issue(1);
    scene.server.hold();
    let (verifier, same) = (scene.verifier.clone(), token.clone());
    let first = tokio::spawn(async move { verifier.verify(&same).await });
    eventually(|| scene.server.fetches() == 1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let outcome = async { (scene.outcome(&token).await, scene.server.fetches()) };
    let release = async { scene.server.release() };
    assert_eq!(tokio::join!(outcome, release).0, (ACCEPTED.to_owned(), 1));
}

#[rstest]
#[case::as_stated("max-age=100", 100)]
#[case::none("max-age=0", 0)]
#[case::to_be_asked_again("no-cache", 0)]
#[case::not_to_be_stored("no-store", 0)]
#[case::at_most("max-age=31536000", 300)]
#[case::not_stated("public", 60)]
#[tokio::test]
async fn keys_count_as_long_as_their_server_says(#[case] header: &str, #[case] seconds: u64) {
    let scene = Scene::new().await;
    let token = scene.issue_cached(1, header);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.revoke(1);
    if seconds > 0 {
        scene.pass(seconds - 1);
        assert_eq!(scene.outcome(&token).await, ACCEPTED);
        assert_eq!(scene.server.fetches(), 1);
        scene.pass(1);
    }
    assert_eq!(scene.outcome(&token).await, UNKNOWN);
    assert_eq!(scene.server.fetches(), 2);
}

#[rstest]
#[case("max-age=0")]
#[case("no-store")]
#[tokio::test]
async fn keys_count_at_least_as_long_as_configured(#[case] header: &str) {
    let least = KeyLifetimes { least: Duration::from_secs(10), ..KeyLifetimes::default() };
    let scene = Scene::with(lifetimes(least)).await;
    let token = scene.issue_cached(1, header);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.revoke(1);
    scene.pass(9);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.pass(1);
    assert_eq!(scene.outcome(&token).await, UNKNOWN);
}

#[tokio::test]
async fn time_that_an_answer_spent_in_caches_counts() {
    let scene = Scene::new().await;
    let key = Key::new(&scene.base, 1);
    let headers = ["cache-control: max-age=100", "age: 90"];
    scene.server.reply(&Scene::path(1), Reply::new("200 OK", &headers, key.document().as_bytes()));
    let token = key.token();
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.revoke(1);
    scene.pass(10);
    assert_eq!(scene.outcome(&token).await, UNKNOWN);
}

#[tokio::test]
async fn a_known_token_is_proved_once_as_long_as_its_key_stays_the_same() {
    let scene = Scene::new().await;
    let token = scene.issue(1);
    for _ in 0..5 {
        for _ in 0..3 {
            assert_eq!(scene.outcome(&token).await, ACCEPTED);
        }
        scene.pass(60);
    }
    assert_eq!((scene.server.fetches(), scene.verifier.known_tokens()), (5, 1));
}

#[tokio::test]
async fn tokens_of_a_key_that_was_replaced_are_refused() {
    let scene = Scene::new().await;
    let token = scene.issue(1);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    let other = Key::new(&scene.base, 1);
    scene.server.reply(&Scene::path(1), Reply::json(&other.document()));
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.pass(60);
    assert_eq!(scene.outcome(&token).await, WRONG_SIGNATURE);
    assert_eq!(scene.outcome(&other.token()).await, ACCEPTED);
}

#[tokio::test]
async fn a_known_token_expires() {
    let scene = Scene::new().await;
    let key = Key::new(&scene.base, 1);
    scene.server.reply(&Scene::path(1), Reply::json(&key.document()));
    let token = key.token_with(&[("exp", "1798761610")]);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.pass(9);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.pass(1);
    assert_eq!(scene.outcome(&token).await, "the token is refused: it has expired");
    assert_eq!(scene.server.fetches(), 1);
}

#[tokio::test]
async fn absences_count_for_a_short_time() {
    let scene = Scene::new().await;
    let key = Key::new(&scene.base, 1);
    let document = key.document();
    let token = key.token();
    assert_eq!(scene.outcome(&token).await, UNKNOWN);
    scene.server.reply(&Scene::path(1), Reply::json(&document));
    scene.pass(4);
    assert_eq!((scene.outcome(&token).await.as_str(), scene.server.fetches()), (UNKNOWN, 1));
    scene.pass(1);
    assert_eq!((scene.outcome(&token).await.as_str(), scene.server.fetches()), (ACCEPTED, 2));
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_after_a_second() {
    let scene = Scene::new().await;
    let token = scene.issue(1);
    scene.server.reply(&Scene::path(1), Reply::status("500 Internal Server Error"));
    for _ in 0..10 {
        assert_eq!(scene.outcome(&token).await, UNREACHABLE);
    }
    assert_eq!(scene.server.fetches(), 1);
    let error = scene.verifier.verify(&token).await.unwrap_err();
    assert_eq!((error.status(), error.retry_after()), (503, Some(Duration::from_secs(1))));
    scene.pass(1);
    assert_eq!(scene.outcome(&token).await, UNREACHABLE);
    assert_eq!(scene.server.fetches(), 2);
}

#[tokio::test]
async fn known_keys_count_on_while_their_server_fails_for_a_stated_time() {
    let scene = Scene::new().await;
    let token = scene.issue(1);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.server.reply(&Scene::path(1), Reply::status("500 Internal Server Error"));
    scene.pass(60);
    for _ in 0..10 {
        assert_eq!(scene.outcome(&token).await, ACCEPTED);
    }
    assert_eq!(scene.server.fetches(), 2, "the server is not asked each time");
    scene.pass(299);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.pass(1);
    assert_eq!(scene.outcome(&token).await, UNREACHABLE);
}

#[tokio::test]
async fn a_key_that_must_be_revalidated_does_not_count_on() {
    let scene = Scene::new().await;
    let token = scene.issue_cached(1, "max-age=60, must-revalidate");
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.server.reply(&Scene::path(1), Reply::status("500 Internal Server Error"));
    scene.pass(60);
    assert_eq!(scene.outcome(&token).await, UNREACHABLE);
}

#[tokio::test]
async fn a_revoked_key_does_not_count_on_when_its_server_fails_later() {
    let scene = Scene::new().await;
    let token = scene.issue(1);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.revoke(1);
    scene.pass(60);
    assert_eq!(scene.outcome(&token).await, UNKNOWN);
    scene.server.reply(&Scene::path(1), Reply::status("500 Internal Server Error"));
    scene.pass(5);
    assert_eq!(scene.outcome(&token).await, UNREACHABLE);
}

#[tokio::test]
async fn a_server_that_was_killed_is_found_again() {
    let Scene { server, clock, verifier, base } = Scene::new().await;
    let key = Key::new(&base, 1);
    let (document, token) = (key.document(), key.token());
    server.reply(&Scene::path(1), Reply::cached(&document, "max-age=60"));
    assert!(verifier.verify(&token).await.is_ok());
    let address = server.address;
    drop(server);
    clock.advance(Duration::from_mins(1));
    assert!(verifier.verify(&token).await.is_ok(), "it counts on");
    let unknown = Key::new(&base, 2).token();
    assert_eq!(verifier.verify(&unknown).await.unwrap_err().status(), 503);
    clock.advance(Duration::from_mins(5));
    assert_eq!(verifier.verify(&token).await.unwrap_err().status(), 503);

    let server = Server::start_at(address).await;
    let other = Key::new(&base, 3).token();
    assert_eq!(verifier.verify(&other).await.unwrap_err().status(), 503, "so do all keys of it");
    server.reply(&Scene::path(1), Reply::cached(&document, "max-age=60"));
    assert_eq!(verifier.verify(&token).await.unwrap_err().status(), 503, "it rests for a second");
    assert_eq!(server.fetches(), 0);
    clock.advance(Duration::from_secs(1));
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(verifier.verify(&unknown).await.unwrap_err().status(), 403);
}

#[tokio::test]
async fn the_civil_time_may_be_set_back_without_keys_counting_longer() {
    let scene = Scene::new().await;
    let token = scene.issue(1);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.revoke(1);
    scene.pass(59);
    scene.clock.set_back(Duration::from_hours(1));
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    scene.pass(1);
    assert_eq!(scene.outcome(&token).await, UNKNOWN);
}

#[tokio::test]
async fn without_a_feed_caches_on_the_way_are_welcome() {
    let scene = Scene::new().await;
    let token = scene.issue(1);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    let head = &scene.server.requests()[0];
    assert!(head.starts_with(&format!("GET /jwks/{}/.well-known/jwks.json HTTP/1.1\r\n", kid(1))));
    assert!(!head.contains("cache-control") && !head.contains("authorization"));
}
