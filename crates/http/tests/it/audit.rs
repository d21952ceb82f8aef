//! The audit trail over HTTP.

use std::time::Duration;

use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Api, raw};

/// Acts of a minute each: a keyspace, two keys, a revocation of the first, by somebody else.
async fn some_acts() -> (Api, String) {
    let api = Api::new().await;
    let robot = api.management_key(&["keys:write"], json!({})).await;
    api.clock.advance(Duration::from_mins(1));
    api.keyspace("payments").await;
    api.clock.advance(Duration::from_mins(1));
    let (_, first) = api.issue(json!({"owner": "a", "keyspace": "payments"})).await;
    api.clock.advance(Duration::from_mins(1));
    api.issue(json!({"owner": "b"})).await;
    api.clock.advance(Duration::from_mins(1));
    let path = format!("/v1/keys/{first}/revoke");
    api.call_as(&robot, "POST", &path, json!({"reason": "leaked"})).await;
    (api, first)
}

fn actions(page: &Value) -> Vec<String> {
    let line = |event: &Value| {
        let part = |name: &str| event[name].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", part("action"), part("keyspace"), part("owner"))
    };
    page["data"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn an_event_says_who_did_what_from_where() {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "customer-1"})).await;
    api.clock.advance(Duration::from_secs(1));
    let mut request = raw(&api.root, "POST", &format!("/v1/keys/{id}/revoke"), r#"{"reason":"x"}"#);
    request.headers_mut().insert("user-agent", "curl/8".parse().unwrap());
    request.headers_mut().insert("x-request-id", "req-1".parse().unwrap());
    let address: std::net::SocketAddr = "[::ffff:192.0.2.7]:5".parse().unwrap();
    request.extensions_mut().insert(axum::extract::ConnectInfo(address));
    assert_eq!(api.send(request).await.status, 200);
    assert_snapshot!(api.get("/v1/audit?limit=1").await.show(), @r#"
    200 OK
    content-type: application/json
    {
      "data": [
        {
          "action": "key.revoked",
          "actor": "key:ac34MDhdECb9",
          "at": "2027-01-01T00:00:01Z",
          "data": {
            "reason": "x"
          },
          "id": "01a2ce8b-d7e8-783a-b046-9a5e55a0ad10",
          "ip": "192.0.2.7",
          "key": "QbrQiWc61u4L",
          "keyspace": "default",
          "metadata": {},
          "owner": "customer-1",
          "request_id": "req-1",
          "service_account": null,
          "user_agent": "curl/8"
        }
      ],
      "next_cursor": "WzE3OTg3NjE2MDEwMDAwMDAsIjAxYTJjZThiLWQ3ZTgtNzgzYS1iMDQ2LTlhNWU1NWEwYWQxMCJd"
    }
    "#);
}

#[tokio::test]
async fn the_trail_begins_with_the_newest_event() {
    let (api, _) = some_acts().await;
    let listed = actions(&api.get("/v1/audit").await.json());
    assert_snapshot!(listed.join("\n"), @r#"
    key.revoked payments a
    key.issued default b
    key.issued payments a
    keyspace.created payments -
    keyspace.created management -
    key.issued management root
    key.issued management robot
    keyspace.created default -
    "#);
}

#[rstest]
#[case("action=key.issued", 4)]
#[case("action=key.purged", 0)]
#[case("owner=a", 2)]
#[case("owner=nobody", 0)]
#[case("keyspace=payments", 3)]
#[case("keyspace=payments&action=key.revoked", 1)]
#[case("actor=keyward", 3)]
#[case("since=2027-01-01T00:01:00Z", 4)]
#[case("until=2027-01-01T00:01:00Z", 4)]
#[case("since=2027-01-01T00:01:00Z&until=2027-01-01T00:03:00Z", 2)]
#[case("since=2027-01-01T00:01:00.000000Z&owner=b", 1)]
#[tokio::test]
async fn filters_choose_events(#[case] query: &str, #[case] count: usize) {
    let (api, _) = some_acts().await;
    let answer = api.get(&format!("/v1/audit?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(actions(&answer.json()).len(), count, "{}", answer.text());
}

#[tokio::test]
async fn the_events_of_one_key_and_of_one_actor_are_found() {
    let (api, first) = some_acts().await;
    let of_key = api.get(&format!("/v1/audit?key={first}")).await.json();
    assert_eq!(actions(&of_key), ["key.revoked payments a", "key.issued payments a"]);
    let actor = of_key["data"][0]["actor"].as_str().unwrap();
    assert!(actor.starts_with("key:"), "{actor}");
    let by_actor = api.get(&format!("/v1/audit?actor={actor}")).await.json();
    assert_eq!(actions(&by_actor), ["key.revoked payments a"]);
}

#[tokio::test]
async fn pages_lead_through_the_whole_trail() {
    let (api, _) = some_acts().await;
    let whole = api.get("/v1/audit").await.json()["data"].clone();
    let (mut pieces, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/v1/audit?limit=3{cursor}")).await.json();
        pieces.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(Value::from(pieces), whole);
}

#[tokio::test]
async fn an_act_that_is_refused_leaves_no_event_and_no_secret_is_ever_in_one() {
    let (api, first) = some_acts().await;
    api.refused("POST", &format!("/v1/keys/{first}/revoke"), &Value::Null).await;
    let (secret, id) = api.issue(json!({"owner": "c"})).await;
    let rotated = api.call("POST", &format!("/v1/keys/{id}/rotate"), Value::Null).await.json();
    let trail = api.get("/v1/audit?limit=200").await;
    for secret in [&secret, rotated["secret"].as_str().unwrap(), &api.root] {
        assert!(!trail.text().contains(secret));
    }
}
