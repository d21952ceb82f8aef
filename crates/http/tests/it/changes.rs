//! The stream of changes: its events, where it begins, and when it ends.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use insta::assert_snapshot;
use keyward_http::RouterSettings;
use rstest::rstest;
use serde_json::{Value, json};

use crate::faulty::{FaultyStore, Mood};
use crate::support::{Api, MARK, head};

/// A stream that was opened.
struct Events(Body);

impl Events {
    async fn open(api: &Api, request: Request<Body>) -> Self {
        let response = api.open(request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self(response.into_body())
    }

    /// From now on, with that key.
    async fn of(api: &Api, secret: &str) -> Self {
        Self::open(api, request(secret, "/v1/changes", &[])).await
    }

    /// What is there, each event as its fields.
    fn told(&mut self) -> String {
        let mut told = String::new();
        while let Some(frame) = self.0.frame().now_or_never() {
            let Some(frame) = frame else {
                told.push_str("end\n");
                break;
            };
            let bytes = frame.unwrap().into_data().unwrap();
            told.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        told
    }

    /// The names of the events that are there.
    fn names(&mut self) -> Vec<String> {
        let told = self.told();
        let lines = told.lines().filter(|line| line.starts_with("event: ") || *line == "end");
        lines.map(|line| line.trim_start_matches("event: ").to_owned()).collect()
    }
}

fn request(secret: &str, path: &str, last_event_ids: &[&[u8]]) -> Request<Body> {
    let head = head(secret, "GET", path);
    let head = last_event_ids.iter().fold(head, |head, id| head.header("last-event-id", *id));
    head.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn events_are_written_as_the_standard_says() {
    let api = Api::new().await;
    api.keyward.catch_up().await.unwrap();
    let mut events = Events::of(&api, &api.root).await;
    events.told();
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    api.call("POST", &format!("/v1/keys/{id}/revoke"), Value::Null).await;
    let keyspace = json!({"id": "opaque", "format": "opaque"});
    api.call("POST", "/v1/keyspaces", keyspace).await;
    api.issue(json!({"owner": "o", "keyspace": "opaque"})).await;
    api.keyward.catch_up().await.unwrap();
    assert_snapshot!(events.told().replace(&id, "<id>"), @r#"
    id: 6
    event: changes
    data: {"keys":["<id>"],"keyspaces":true,"others":true}

    id: 6
    event: current
    data: {}
    "#);
}

#[tokio::test]
async fn a_stream_begins_after_the_last_event_that_is_known() {
    let api = Api::new().await;
    let ids = [api.issue(json!({"owner": "o"})).await.1, api.issue(json!({"owner": "o"})).await.1];
    let changes = |told: &str| ids.iter().filter(|id| told.contains(id.as_str())).count();
    for (path, header, expected) in [
        ("/v1/changes?since=2", None, 2),
        ("/v1/changes?since=3", None, 1),
        ("/v1/changes", Some("3"), 1),
        // A client that opens its URL anew adds the header.
        ("/v1/changes?since=2", Some("4"), 0),
    ] {
        let header: Vec<_> = header.iter().map(|id: &&str| id.as_bytes()).collect();
        let mut events = Events::open(&api, request(&api.root, path, &header)).await;
        let told = events.told();
        assert_eq!(changes(&told), expected, "{path} {header:?} {told}");
        assert!(told.ends_with("id: 4\nevent: current\ndata: {}\n\n"), "{told}");
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_gone_on_from_is_a_reset() {
    let api = Api::new().await;
    let last = u64::MAX.to_string();
    let mut events =
        Events::open(&api, request(&api.root, "/v1/changes", &[last.as_bytes()])).await;
    assert_eq!(
        events.told(),
        "id: 2\nevent: reset\ndata: {}\n\nid: 2\nevent: current\ndata: {}\n\n"
    );
}

#[rstest]
#[case::empty(b"")]
#[case::no_number(b"zq7marker")]
#[case::negative(b"-1")]
#[case::signed(b"+1")]
#[case::blank(b"1 2")]
#[case::too_large(b"18446744073709551616")]
#[case::no_text(b"\xff")]
#[tokio::test]
async fn a_place_that_is_none_is_refused(#[case] id: &[u8]) {
    let api = Api::new().await;
    for ids in [vec![id], vec![b"1", id], vec![b"1", b"1"]] {
        let refusal = api.refusal(request(&api.root, "/v1/changes", &ids)).await;
        assert_eq!(refusal, "400 invalid_header");
    }
}

#[rstest]
#[case("since=", "since must be the id of an event")]
#[case("since=zq7marker", "since must be the id of an event")]
#[case("since=-1", "since must be the id of an event")]
#[case("since=1&since=1", "since must be given once")]
#[case("from=1", "from is not a known field")]
#[tokio::test]
async fn parameters_that_changes_do_not_have_are_refused(#[case] query: &str, #[case] rule: &str) {
    assert!(!rule.contains(MARK));
    let api = Api::new().await;
    let answer = api.refused("GET", &format!("/v1/changes?{query}"), &Value::Null).await;
    assert_eq!(answer, format!("400 invalid_query; {rule}"));
}

#[tokio::test]
async fn no_digest_and_no_secret_is_told() {
    let api = Api::new().await;
    let mut events = Events::of(&api, &api.root).await;
    let keyspace = json!({"id": "opaque", "format": "opaque"});
    api.call("POST", "/v1/keyspaces", keyspace).await;
    let (secret, _) = api.issue(json!({"owner": "o", "keyspace": "opaque"})).await;
    api.issue(json!({"owner": "o"})).await;
    api.keyward.catch_up().await.unwrap();
    let body = json!({"keyspace": "opaque"});
    let exported = api.call("POST", "/v1/keys/export", body).await.json();
    let digest = exported["data"][0]["hash"]["value"].as_str().unwrap();
    let told = events.told();
    assert!(told.contains(r#""others":true"#), "{told}");
    assert!(!told.contains(digest) && !told.contains(&secret), "{told}");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " \n{}[]\",:".contains(c);
    assert!(told.chars().all(is_plain), "{told}");
}

#[rstest]
#[case::revoked("POST", "/revoke", json!({}))]
#[case::disabled("POST", "/disable", Value::Null)]
#[case::deleted("DELETE", "", Value::Null)]
#[case::rotated("POST", "/rotate", json!({}))]
#[case::less("PATCH", "", json!({"scopes": ["keys:read"]}))]
#[tokio::test]
async fn a_key_that_loses_its_right_is_told_nothing_more(
    #[case] method: &str,
    #[case] act: &str,
    #[case] body: Value,
) {
    let api = Api::new().await;
    let new = json!({"keyspace": "management", "owner": "robot", "scopes": ["changes:read"]});
    let (secret, id) = api.issue(new).await;
    let mut events = Events::of(&api, &secret).await;
    assert_eq!(events.names().last().unwrap(), "current");
    api.keyward.catch_up().await.unwrap();
    assert_eq!(events.names(), ["current"]);
    api.issue(json!({"owner": "o"})).await;
    assert!(api.call(method, &format!("/v1/keys/{id}{act}"), body).await.status.is_success());
    api.keyward.catch_up().await.unwrap();
    assert_eq!(events.names(), ["end"]);
}

#[tokio::test]
async fn a_key_that_changes_in_other_ways_goes_on() {
    let api = Api::new().await;
    let new = json!({"keyspace": "management", "owner": "robot", "scopes": ["changes:read"]});
    let (secret, id) = api.issue(new).await;
    let mut events = Events::of(&api, &secret).await;
    events.told();
    api.call("PATCH", &format!("/v1/keys/{id}"), json!({"name": "another"})).await;
    api.keyward.catch_up().await.unwrap();
    assert_eq!(events.names(), ["changes", "current"]);
    api.call("POST", &format!("/v1/keys/{id}/rotate"), json!({"grace": "1h"})).await;
    api.keyward.catch_up().await.unwrap();
    assert_eq!(events.names(), ["changes", "current"]);
    api.clock.advance(Duration::from_hours(1));
    api.keyward.catch_up().await.unwrap();
    assert_eq!(events.names(), ["end"]);
}

#[tokio::test]
async fn a_key_that_expires_is_told_nothing_more() {
    let api = Api::new().await;
    let new = json!({"keyspace": "management", "owner": "robot", "scopes": ["changes:read"],
        "expires_in": "1m"});
    let (secret, _) = api.issue(new).await;
    let mut events = Events::of(&api, &secret).await;
    events.told();
    api.clock.advance(Duration::from_mins(1));
    api.keyward.catch_up().await.unwrap();
    assert_eq!(events.names(), ["end"]);
}

#[tokio::test]
async fn a_reader_that_is_slow_is_told_to_forget_everything() {
    let api = Api::new().await;
    let mut events = Events::of(&api, &api.root).await;
    events.told();
    for _ in 0..300 {
        api.issue(json!({"owner": "o"})).await;
        api.keyward.catch_up().await.unwrap();
    }
    assert_eq!(events.names(), ["reset"]);
    api.keyward.catch_up().await.unwrap();
    assert_eq!(events.names(), ["current"]);
}

#[tokio::test]
async fn beyond_so_many_streams_a_further_one_waits() {
    let api = Api::new().await;
    let mut open = Vec::new();
    while let Ok(stream) = api.keyward.changes(None).await {
        open.push(stream);
    }
    assert_eq!(open.len(), 1_000);
    let answer = api.get("/v1/changes").await;
    assert_eq!(answer.complaint(), "503 no_further_stream");
    assert_eq!(answer.header("retry-after"), "1");
    open.pop();
    assert_eq!(api.get("/v1/changes").await.status, 200);
}

#[tokio::test]
async fn streams_end_when_the_server_is_about_to_stop() {
    let api = Api::new().await;
    let mut events = Events::of(&api, &api.root).await;
    events.told();
    api.keyward.end_streams();
    assert_eq!(events.told(), "end\n");
    assert_eq!(api.get("/v1/changes").await.complaint(), "503 no_further_stream");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_requests_does_not_end_a_stream() {
    let store = Arc::new(FaultyStore::new());
    let deadline = Duration::from_millis(20);
    let settings = RouterSettings { deadline, ..RouterSettings::default() };
    let api = Api::over(Arc::<FaultyStore>::clone(&store), settings).await;
    let mut events = Events::of(&api, &api.root).await;
    events.told();
    tokio::time::advance(Duration::from_hours(1)).await;
    api.keyward.catch_up().await.unwrap();
    assert_eq!(events.names(), ["current"]);
    // Nothing is said to be current that is not.
    store.set(Mood::Down);
    api.keyward.catch_up().await.unwrap_err();
    assert!(events.names().is_empty());
    assert_eq!(api.get("/v1/changes").await.complaint(), "503 unavailable");
}
