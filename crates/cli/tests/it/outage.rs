//! While the store is down: what is known still counts for a while, then nothing is allowed, nothing
//! hangs, and all is well again by itself.

use std::thread;
use std::time::{Duration, Instant};

use keyward_testkit::postgres::Postgres;
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, Issued, PostgresSite, now, verdict};

const MAX_STALENESS: Duration = Duration::from_secs(3);
/// What the configuration allows a call: three seconds to reach the store, three for an answer; and what a
/// busy machine may take for the rest of it.
const LONGEST: Duration = Duration::from_secs(3 + 3 + 6);

#[rstest]
#[case::that_refuses(PostgresSite::refuse)]
#[case::that_is_silent(PostgresSite::stall)]
fn a_store_is_down(#[case] fall: fn(&PostgresSite, usize)) {
    let cache = "[cache]\nmax_staleness = \"3s\"\n";
    let site = PostgresSite::start_with(Postgres::start(&[]), "", cache);
    let mut client = site.cluster.client(0);
    let [key, stranger] = [(); 2].map(|()| client.issue(&json!({"owner": "x"})));
    // Until the node has heard of the issue by the feed, too, and forgotten the key over it.
    let start = now();
    while start.elapsed() < MAX_STALENESS / 3 {
        assert_eq!(client.verify(&key.secret), "valid");
    }

    let begin = now();
    fall(&site, 0);
    let allowed = allowed_until_unavailable(&mut client, &key, begin);
    println!("{allowed} verifications were answered while the lease held");
    assert!(allowed > 10, "only {allowed} verifications were answered while the lease held");
    thread::scope(|scope| {
        for (method, path, body) in everything(&key, &stranger) {
            let mut client = site.cluster.client(0);
            scope.spawn(move || {
                let answer = timed(&mut client, method, &path, &body);
                is_unavailable(&answer);
            });
        }
    });
    assert_eq!(client.call("GET", "/healthz", &Value::Null).status, 200);
    // The others do not mind.
    assert_eq!(site.cluster.client(1).verify(&key.secret), "valid");

    site.heal(0);
    site.cluster.wait_until_ready();
    for known in [&key, &stranger] {
        assert_eq!(client.verify(&known.secret), "valid");
    }
    client.act(&key.id, "revoke");
    assert_eq!(client.verify(&key.secret), "revoked");
}

/// Verifies a key until the node cannot answer any more, which must come as the lease ends and not much
/// later. Returns how often it was answered.
fn allowed_until_unavailable(client: &mut Client, key: &Issued, begin: Instant) -> usize {
    let mut allowed = 0;
    loop {
        let asked = begin.elapsed();
        let answer = timed(client, "POST", "/v1/verify", &json!({"secret": key.secret}));
        if answer.status != 200 {
            is_unavailable(&answer);
            return allowed;
        }
        assert_eq!(verdict(&answer.body), "valid");
        assert!(asked <= MAX_STALENESS, "allowed {asked:?} after the store went away");
        allowed += 1;
    }
}

/// Calls of each kind, some of them at the same time.
fn everything(key: &Issued, stranger: &Issued) -> Vec<(&'static str, String, Value)> {
    let of_key = |act: &str| format!("/v1/keys/{}{act}", key.id);
    let verify = |key: &Issued| ("POST", "/v1/verify".to_owned(), json!({"secret": key.secret}));
    let mut calls = vec![
        ("GET", "/readyz".to_owned(), Value::Null),
        ("POST", "/v1/keys".to_owned(), json!({"owner": "x"})),
        ("GET", "/v1/keys".to_owned(), Value::Null),
        ("GET", of_key(""), Value::Null),
        ("PATCH", of_key(""), json!({"name": "new"})),
        ("DELETE", of_key(""), Value::Null),
        ("POST", of_key("/revoke"), Value::Null),
        ("POST", of_key("/rotate"), Value::Null),
        ("GET", "/v1/audit".to_owned(), Value::Null),
        ("POST", "/v1/service-accounts".to_owned(), json!({"owner": "x"})),
        ("POST", "/v1/keyspaces".to_owned(), json!({"id": "new", "format": "opaque"})),
    ];
    calls.extend((0..8).flat_map(|_| [verify(key), verify(stranger)]));
    calls
}

/// An answer that came in time.
fn timed(client: &mut Client, method: &str, path: &str, body: &Value) -> Answer {
    let asked = now();
    let answer = client.call(method, path, body);
    let took = asked.elapsed();
    assert!(took <= LONGEST, "{method} {path} took {took:?}: {answer:?}");
    answer
}

/// The answer says that it is for later.
fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}");
    let code = answer.body["code"].as_str().unwrap();
    assert!(["unavailable", "timeout"].contains(&code), "{answer:?}");
}
