//! Acts on a key that is verified all the time: none comes too late, none is lost, every use counts.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Client, Folder, Issued, Server, now, wait_for};

const CONNECTIONS: usize = 4;
const KEYS: usize = 15;

/// A verification: when it was asked, and how it was decided.
type Verified = (Instant, String);

#[rstest]
#[case::revoke("POST", "/revoke", json!({}), "revoked")]
#[case::disable("POST", "/disable", Value::Null, "disabled")]
#[case::update("PATCH", "", json!({"scopes": ["read"]}), "insufficient_scope")]
#[case::rotate("POST", "/rotate", json!({}), "unknown")]
#[case::delete("DELETE", "", Value::Null, "unknown")]
fn no_verification_asked_after_the_acknowledgement_is_allowed(
    #[case] method: &str,
    #[case] act: &str,
    #[case] body: Value,
    #[case] refusal: &str,
) {
    let folder = Folder::new();
    let server = folder.serve();
    let mut client = server.client();
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        let key = client.issue(&json!({"owner": "busy", "scopes": ["read", "write"]}));
        let path = format!("/v1/keys/{}{act}", key.id);
        let (acknowledged, verified) = during_traffic(&server, &key, || {
            client.granted(method, &path, &body);
        });
        let late = verified.iter().filter(|(asked, _)| *asked >= acknowledged);
        let late: Vec<_> = late.map(|(_, verdict)| verdict.as_str()).collect();
        assert!(late.len() >= CONNECTIONS);
        assert!(late.iter().all(|verdict| *verdict == refusal), "{late:?}");
        let is_early = |verdict: &String| verdict == "valid" || verdict == refusal;
        assert!(verified.iter().all(|(_, verdict)| is_early(verdict)));
        let allowed = verified.iter().filter(|(_, verdict)| verdict == "valid").count();
        assert!(allowed >= CONNECTIONS);
        keys.push((key, allowed));
    }
    assert_eq!(server.stop().status.code(), Some(0));

    let again = folder.serve();
    let mut client = again.client();
    for (key, allowed) in &keys {
        assert_eq!(client.verify_for(&key.secret, &["write"]), refusal);
        assert_eq!(client.show(&key.id)["uses"], *allowed);
    }
}

#[test]
fn a_key_that_is_switched_on_again_is_allowed_at_once() {
    let folder = Folder::new();
    let server = folder.serve();
    let mut client = server.client();
    let key = client.issue(&json!({"owner": "busy", "scopes": ["write"], "enabled": false}));
    for _ in 0..KEYS {
        let (acknowledged, verified) = during_traffic(&server, &key, || {
            client.act(&key.id, "enable");
        });
        let mut late = verified.iter().filter(|(asked, _)| *asked >= acknowledged);
        assert!(late.all(|(_, verdict)| verdict == "valid"));
        client.act(&key.id, "disable");
    }
}

#[test]
fn of_five_rotations_that_are_sent_at_once_one_wins_and_its_secret_works() {
    let folder = Folder::new();
    let server = folder.serve();
    let mut client = server.client();
    let key = client.issue(&json!({"owner": "eager"}));
    let path = format!("/v1/keys/{}/rotate", key.id);
    let mut alone = 0;
    for _ in 0..10 {
        let start = Barrier::new(5);
        let rotate = || {
            let mut client = server.client();
            client.show(&key.id);
            start.wait();
            client.call("POST", &path, &json!({}))
        };
        let answers: Vec<_> = thread::scope(|scope| {
            let rotations: Vec<_> = (0..5).map(|_| scope.spawn(rotate)).collect();
            rotations.into_iter().map(|rotation| rotation.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 201);
        assert!(lost.iter().all(|answer| answer.body["code"] == "conflict"));
        let works =
            won.iter().filter(|a| client.verify(a.body["secret"].as_str().unwrap()) == "valid");
        assert_eq!(works.count(), 1, "of {} that won", won.len());
        alone += usize::from(won.len() == 1);
    }
    // On a busy machine, one of them may arrive when another is long done, and then it comes after it.
    assert!(alone > 5, "only {alone} times exactly one won");
}

/// Does something while four connections verify a key, well before and after. Returns when it was
/// done, and all verifications.
fn during_traffic(server: &Server, key: &Issued, act: impl FnOnce()) -> (Instant, Vec<Verified>) {
    let (done, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let wait_for_more = || {
        let target = done.load(Ordering::SeqCst) + 5 * CONNECTIONS;
        wait_for("verifications", || (done.load(Ordering::SeqCst) >= target).then_some(()));
    };
    let verify = || {
        let mut client = server.client();
        let mut verified = Vec::new();
        // Each connection verifies at least once after everything else is over.
        loop {
            let is_last = stop.load(Ordering::SeqCst);
            verified.push(verify_once(&mut client, key));
            done.fetch_add(1, Ordering::SeqCst);
            if is_last {
                return verified;
            }
        }
    };
    thread::scope(|scope| {
        let end = EndOnDrop(&stop);
        let verifiers: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(verify)).collect();
        wait_for_more();
        act();
        let acknowledged = now();
        wait_for_more();
        drop(end);
        let verified = verifiers.into_iter().flat_map(|verifier| verifier.join().unwrap());
        (acknowledged, verified.collect())
    })
}

/// Ends the traffic, also if the act in between fails: or else the test would never end.
struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn verify_once(client: &mut Client, key: &Issued) -> Verified {
    let asked = now();
    (asked, client.verify_for(&key.secret, &["write"]))
}
