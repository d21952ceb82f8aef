//! What strangers can make the verifier do and remember.

use std::time::Duration;

use keyward_client::{FetchLimits, Verifier};
use keyward_core::jose::BaseIssuer;
use rstest::rstest;

use crate::server::Reply;
use crate::support::{ACCEPTED, Key, Scene, UNKNOWN, eventually};

/// A token that reads well, of a key that does not exist.
fn made_up(scene: &Scene, n: usize) -> String {
    Key::new(&scene.base, n).token()
}

#[tokio::test]
async fn made_up_ids_do_not_push_real_keys_out() {
    let scene =
        Scene::with(|builder| builder.known_keys(4).known_absences(16).known_tokens(4)).await;
    let token = scene.issue(0);
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    for n in 1..200 {
        assert_eq!(scene.outcome(&made_up(&scene, n)).await, UNKNOWN);
    }
    let fetches = scene.server.fetches();
    assert_eq!(scene.outcome(&token).await, ACCEPTED);
    assert_eq!(scene.server.fetches(), fetches);
    assert!(scene.verifier.known_absences() <= 16);
    assert_eq!((scene.verifier.known_keys(), scene.verifier.known_tokens()), (1, 1));
}

#[tokio::test]
async fn keys_and_tokens_are_bounded() {
    let scene = Scene::with(|builder| builder.known_keys(8).known_tokens(4)).await;
    for n in 0..100 {
        assert_eq!(scene.outcome(&scene.issue(n)).await, ACCEPTED);
    }
    assert!(scene.verifier.known_keys() <= 8);
    assert!(scene.verifier.known_tokens() <= 4);
}

#[tokio::test]
async fn tokens_of_a_key_that_made_room_do_not_count_without_it() {
    let scene = Scene::with(|builder| builder.known_keys(8)).await;
    let tokens: Vec<_> = (0..100).map(|n| scene.issue(n)).collect();
    for token in &tokens {
        assert_eq!(scene.outcome(token).await, ACCEPTED);
    }
    assert_eq!(scene.verifier.known_tokens(), 100);
    let mut accepted = 0;
    for (n, token) in tokens.iter().enumerate() {
        scene.revoke(n);
        accepted += usize::from(scene.outcome(token).await == ACCEPTED);
    }
    assert!(accepted <= 8, "{accepted}");
}

#[tokio::test]
async fn failures_are_bounded() {
    let scene = Scene::with(|builder| builder.known_absences(16)).await;
    for n in 0..100 {
        scene.server.reply(&Scene::path(n), Reply::status("500 Internal Server Error"));
        assert!(scene.outcome(&made_up(&scene, n)).await.ends_with("the server answered 500"));
    }
    assert!(scene.verifier.known_absences() <= 16);
}

#[tokio::test]
async fn so_many_fetches_are_made_at_the_same_time_and_no_more() {
    let patience = Duration::from_mins(1);
    let limits = FetchLimits {
        connect_timeout: patience,
        timeout: patience,
        most_of_issuer: 6,
        most_waiting: 20,
        ..FetchLimits::default()
    };
    let scene = Scene::with(|builder| builder.limits(limits)).await;
    let known = scene.issue(1_000);
    assert_eq!(scene.outcome(&known).await, ACCEPTED);
    scene.pass(60);

    scene.server.hold();
    let strangers: Vec<_> = (0..50)
        .map(|n| {
            let (verifier, token) = (scene.verifier.clone(), made_up(&scene, n));
            tokio::spawn(async move { verifier.verify(&token).await.unwrap_err().to_string() })
        })
        .collect();
    // Three of the six are for strangers, and twenty may be under way or wait.
    eventually(|| scene.server.fetches() == 1 + 3).await;
    eventually(|| strangers.iter().filter(|stranger| stranger.is_finished()).count() == 30).await;

    // Meanwhile a key that is known is asked for.
    let (verifier, token) = (scene.verifier.clone(), known.clone());
    let asking = tokio::spawn(async move { verifier.verify(&token).await.is_ok() });
    eventually(|| scene.server.fetches() == 1 + 3 + 1).await;
    scene.server.release();
    assert!(asking.await.unwrap());
    let mut outcomes = Vec::new();
    for stranger in strangers {
        outcomes.push(stranger.await.unwrap());
    }
    let busy = "the public key cannot be fetched: too many keys are being fetched";
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == busy).count(), 30);
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == UNKNOWN).count(), 20);
    assert_eq!(scene.server.most_open(), 4);
}

#[rstest]
#[case("http://example.com/jwks")]
#[case("http://10.0.0.1/jwks")]
#[case("http://localhost.example.com/jwks")]
fn issuers_on_the_network_must_be_https(#[case] issuer: &str) {
    let issuer: BaseIssuer = issuer.parse().unwrap();
    let error = Verifier::builder().issuer(issuer).build().unwrap_err();
    assert_eq!(error.to_string(), "issuer must be https, or http on this machine");
}

#[test]
fn there_must_be_an_issuer() {
    let error = Verifier::builder().build().unwrap_err();
    assert_eq!(error.to_string(), "issuer must be at least one");
}

#[test]
fn a_verifier_is_built_anywhere_and_shared() {
    fn assert_shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let builder = Verifier::builder().issuer("https://example.com".parse().unwrap());
    assert_shared(&builder.build().unwrap());
}
