//! Two servers, or a server and a command, on the same file.

use std::thread;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Client, Dice, Folder, Issued, PATIENCE, now, wait_for};

/// How long a node may still allow what was taken away elsewhere, by default.
const MAX_STALENESS: Duration = Duration::from_secs(1);
const KEYS: usize = 6;

#[rstest]
#[case::revoke("POST", "/revoke", json!({}), "revoked")]
#[case::disable("POST", "/disable", Value::Null, "disabled")]
#[case::rotate("POST", "/rotate", json!({}), "unknown")]
#[case::update("PATCH", "", json!({"scopes": []}), "insufficient_scope")]
fn what_one_server_acknowledged_the_other_obeys_in_time(
    #[case] method: &str,
    #[case] act: &str,
    #[case] body: Value,
    #[case] refusal: &str,
) {
    let folder = Folder::new();
    let (a, b) = (folder.serve(), folder.serve());
    let (mut a, mut b) = (a.client(), b.client());
    let dice = Dice::new(5);
    for _ in 0..KEYS {
        let key = a.issue(&json!({"owner": "x", "scopes": ["read"]}));
        // Known to the other's cache, and at another point between two of its looks each time.
        cached_for(&mut b, &key, Duration::from_millis(dice.roll(300).try_into().unwrap()));
        let path = format!("/v1/keys/{}{act}", key.id);
        a.granted(method, &path, &body);
        obeys_in_time(&mut b, &key, refusal);
    }
}

#[test]
fn a_command_beside_a_running_server_is_obeyed_in_time() {
    let folder = Folder::new();
    let server = folder.serve();
    let mut client = server.client();
    for _ in 0..3 {
        let key = client.issue(&json!({"owner": "x", "scopes": ["read"]}));
        cached_for(&mut client, &key, Duration::ZERO);
        folder.cli().done(&["keys", "revoke", &key.id, "--database", "sqlite:keyward.db"]);
        obeys_in_time(&mut client, &key, "revoked");
    }
    let issued = folder.cli().json(&["keys", "issue", "--owner", "y"]);
    assert_eq!(client.verify(issued["secret"].as_str().unwrap()), "valid");
}

#[test]
fn keys_of_one_server_verify_on_the_other_at_once_and_uses_add_up() {
    let folder = Folder::new();
    let servers = [folder.serve(), folder.serve()];
    let [mut a, mut b] = [servers[0].client(), servers[1].client()];
    let keys: Vec<_> = (0..10).map(|_| a.issue(&json!({"owner": "x"}))).collect();
    for key in &keys {
        assert_eq!(b.verify(&key.secret), "valid");
        assert_eq!(a.verify(&key.secret), "valid");
        assert_eq!(b.verify(&key.secret), "valid");
    }
    for server in servers {
        assert_eq!(server.stop().status.code(), Some(0));
    }
    let again = folder.serve();
    let mut client = again.client();
    for key in &keys {
        assert_eq!(client.show(&key.id)["uses"], 3);
    }
}

#[test]
fn a_new_keyspace_of_one_server_becomes_known_to_the_other() {
    let folder = Folder::new();
    let servers = [folder.serve(), folder.serve()];
    let [mut a, mut b] = [servers[0].client(), servers[1].client()];
    a.granted("POST", "/v1/keyspaces", &json!({"id": "opaque", "format": "opaque"}));
    let key = a.issue(&json!({"owner": "x", "keyspace": "opaque"}));
    wait_for("the keyspace", || (b.verify(&key.secret) == "valid").then_some(()));
}

#[test]
fn concurrent_writes_of_two_servers_lose_nothing() {
    const WRITERS: usize = 4;
    const WRITES: usize = 40;
    let folder = Folder::new();
    let servers = [folder.serve(), folder.serve()];
    let shared = servers[0].client().issue(&json!({"owner": "shared"}));
    let written: Vec<_> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| (n, servers[n % 2].client()))
            .map(|(n, client)| (n, client, shared.id.as_str()))
            .map(|(n, client, id)| scope.spawn(move || write(client, id, n, WRITES)))
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });

    let updates: usize = written.iter().map(|(_, updates)| updates).sum();
    assert!(updates > WRITES, "only {updates} updates were acknowledged");
    for server in &servers {
        let mut client = server.client();
        assert_eq!(client.show(&shared.id)["version"], updates + 1);
        let events = client.all(&format!("/v1/audit?key={}&limit=200", shared.id));
        assert_eq!(events.len(), updates + 1);
        for key in written.iter().flat_map(|(keys, _)| keys) {
            assert_eq!(client.verify(&key.secret), "valid");
        }
        assert_eq!(client.all("/v1/keys?owner=writer&limit=200").len(), WRITERS * WRITES);
    }
}

/// Issues keys and changes the one that all writers share. Returns the keys, and how often the
/// change was acknowledged: losing a race is told.
fn write(mut client: Client, shared: &str, number: usize, writes: usize) -> (Vec<Issued>, usize) {
    let mut keys = Vec::new();
    let mut updates = 0;
    for n in 0..writes {
        keys.push(client.issue(&json!({"owner": "writer"})));
        let body = json!({"metadata": {"writer": number, "n": n}});
        let answer = client.call("PATCH", &format!("/v1/keys/{shared}"), &body);
        assert!([200, 409].contains(&answer.status), "{answer:?}");
        updates += usize::from(answer.status == 200);
    }
    (keys, updates)
}

/// Verifies a key for a while, so that it is cached.
fn cached_for(client: &mut Client, key: &Issued, while_: Duration) {
    let start = now();
    loop {
        assert_eq!(client.verify_for(&key.secret, &["read"]), "valid");
        if now() - start >= while_ {
            return;
        }
    }
}

/// What was acknowledged just now is obeyed: nothing is allowed that is asked later than
/// `max_staleness` after it, and never again once it was refused.
fn obeys_in_time(client: &mut Client, key: &Issued, refusal: &str) {
    let acknowledged = now();
    let mut refused = 0;
    loop {
        let asked = now() - acknowledged;
        let verdict = client.verify_for(&key.secret, &["read"]);
        if verdict == "valid" {
            assert!(asked <= MAX_STALENESS, "allowed {asked:?} after the acknowledgement");
            assert_eq!(refused, 0, "allowed again");
        } else {
            assert_eq!(verdict, refusal);
            refused += 1;
        }
        if refused > 20 {
            return;
        }
        assert!(asked < PATIENCE);
    }
}
