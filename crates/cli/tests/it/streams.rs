//! Streams of changes, from a server in a process of its own.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Folder, Stream, now};

/// How long a node may still allow what was taken away elsewhere, by default.
const MAX_STALENESS: Duration = Duration::from_secs(1);

#[test]
fn a_revocation_by_another_process_is_told_in_time() {
    let folder = Folder::new();
    let servers = [folder.serve(), folder.serve()];
    let mut elsewhere = servers[0].client();
    let mut stream = Stream::open(servers[1].address(), &folder.root_key(), None);
    assert_eq!(stream.next().unwrap().name, "current");
    for _ in 0..5 {
        let key = elsewhere.issue(&json!({"owner": "x"}));
        stream.told_of(&key.id);
        elsewhere.act(&key.id, "revoke");
        let acknowledged = now();
        stream.told_of(&key.id);
        assert!(acknowledged.elapsed() <= MAX_STALENESS, "{:?}", acknowledged.elapsed());
    }
    // And by a command.
    let key = elsewhere.issue(&json!({"owner": "x"}));
    stream.told_of(&key.id);
    folder.cli().done(&["keys", "revoke", &key.id, "--database", "sqlite:keyward.db"]);
    let told = stream.told_of(&key.id);
    // Whoever comes back is told what happened meanwhile, by whichever server.
    let missed = elsewhere.issue(&json!({"owner": "x"}));
    let mut again = Stream::open(servers[0].address(), &folder.root_key(), Some(told.id));
    assert!(again.told_of(&missed.id).id > told.id);
}

#[test]
fn heartbeats_come_at_least_four_times_a_second() {
    let folder = Folder::new();
    let server = folder.serve();
    let mut stream = Stream::open(server.address(), &folder.root_key(), None);
    stream.next().unwrap();
    let start = now();
    for _ in 0..8 {
        assert_eq!(stream.next().unwrap().name, "current");
    }
    // Four a second, and as long again for a machine that is busy.
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[test]
fn an_open_stream_does_not_hold_up_the_end_of_the_server() {
    let folder = Folder::new();
    let server = folder.serve();
    let key = folder.root_key();
    let mut streams: Vec<_> = (0..20).map(|_| Stream::open(server.address(), &key, None)).collect();
    for stream in &mut streams {
        stream.next().unwrap();
    }
    let start = now();
    let stopped = server.stop();
    assert_eq!(stopped.status.code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(!stopped.stderr.contains("cut off"), "{}", stopped.stderr);
    for stream in &mut streams {
        // Ended, and not cut off.
        while stream.next().is_some() {}
    }
}

#[test]
fn a_key_that_is_revoked_elsewhere_hears_no_more() {
    let folder = Folder::new();
    let servers = [folder.serve(), folder.serve()];
    let mut elsewhere = servers[0].client();
    let body = json!({"keyspace": "management", "owner": "v", "scopes": ["changes:read"]});
    let key = elsewhere.issue(&body);
    let mut stream = Stream::open(servers[1].address(), &key.secret, None);
    stream.next().unwrap();
    elsewhere.act(&key.id, "revoke");
    let acknowledged = now();
    while let Some(event) = stream.next() {
        assert_eq!(event.name, "current");
    }
    assert!(acknowledged.elapsed() <= MAX_STALENESS, "{:?}", acknowledged.elapsed());
}

#[test]
fn as_many_streams_are_open_as_the_configuration_allows() {
    let folder = Folder::new();
    folder.write("keyward.toml", "[server]\nmost_streams = 1\n");
    let server = folder.serve_with(&["--config", "keyward.toml"]);
    let _open = Stream::open(server.address(), &folder.root_key(), None);
    let answer = server.client().call("GET", "/v1/changes", &serde_json::Value::Null);
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("no_further_stream")));
}
