//! Queries of lists that cannot be.

use keyward::KeyId;
use keyward::store::{Cursor, KeyPosition, KeySort, Order, SortValue};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::Api;

const LIMIT: &str = "limit must be a number from 1 to 200";
const PAGE: &str = "page must be a number from 1 to 1000000000";
const CURSOR: &str = "cursor must be the next_cursor of a page of the same list";

#[rstest]
#[case("limit=0", LIMIT)]
#[case("limit=201", LIMIT)]
#[case("limit=abc", LIMIT)]
#[case("limit=-1", LIMIT)]
#[case("limit=1.5", LIMIT)]
#[case("limit=", LIMIT)]
#[case("limit=99999999999999999999999", LIMIT)]
#[case("cursor=", CURSOR)]
#[case("cursor=zq7marker", CURSOR)]
#[case("cursor=!!!", CURSOR)]
#[case("cursor=e30", CURSOR)]
#[case("cursor=bnVsbA", CURSOR)]
#[case("zq7=zq7marker", "zq7 is not a known field")]
#[case("Limit=1", "Limit is not a known field")]
#[case("=", "body is not a known field")]
#[case("%00=1", "body is not a known field")]
#[case("limit=1&limit=2", "limit must be given once")]
#[case("owner=zq7marker&owner=zq7marker", "owner must be given once")]
#[case("owner=", "owner must be 1 to 256 characters long")]
#[case("owner=zq7marker%00", "owner must not contain control characters")]
#[case("owner=zq7marker%0A", "owner must not contain control characters")]
#[case("keyspace=Zq7marker", "keyspace must consist of a-z, 0-9 and '-'")]
#[tokio::test]
async fn parameters_that_cannot_be_are_refused_by_every_list(
    #[case] query: &str,
    #[case] rule: &str,
    #[values("/v1/keys", "/v1/audit")] path: &str,
) {
    let api = Api::new().await;
    let answer = api.refused("GET", &format!("{path}?{query}"), &Value::Null).await;
    assert_eq!(answer, format!("400 invalid_query; {rule}"));
}

#[rstest]
#[case("page=0", PAGE)]
#[case("page=-1", PAGE)]
#[case("page=1e3", PAGE)]
#[case("page=1000000001", PAGE)]
#[case("page=99999999999999999999999", PAGE)]
#[case("page=", PAGE)]
#[case("page=zq7marker", PAGE)]
#[case(
    "page=1&cursor=e30",
    "cursor must not be given together with page; cursor must be the next_cursor of a page of the same list"
)]
#[case("include_deleted=1", "include_deleted must be true or false")]
#[case("include_deleted=", "include_deleted must be true or false")]
#[case("service_account_id=", "service_account_id must be a UUID")]
#[case("service_account_id=zq7marker", "service_account_id must be a UUID")]
#[case("service_account_id=%27%20OR%20%271%27%3D%271", "service_account_id must be a UUID")]
#[case(
    "state=foo",
    "state must be active, deleted, disabled, expired, inactive, not_yet_valid or revoked"
)]
#[case(
    "state=Active",
    "state must be active, deleted, disabled, expired, inactive, not_yet_valid or revoked"
)]
#[case("sort=zq7marker", "sort must be created_at, updated_at, expires_at, name or enabled")]
#[case("order=ascending", "order must be asc or desc")]
#[case("tag=", "tag must be 1 to 64 characters long")]
#[case("tag=zq7marker%7F", "tag must not contain control characters")]
#[case("search=", "search must be 1 to 200 characters without control characters")]
#[case("search=zq7marker%0A", "search must be 1 to 200 characters without control characters")]
#[case("key=x", "key is not a known field")]
#[tokio::test]
async fn parameters_that_keys_do_not_have_are_refused(#[case] query: &str, #[case] rule: &str) {
    let api = Api::new().await;
    let answer = api.refused("GET", &format!("/v1/keys?{query}"), &Value::Null).await;
    assert_eq!(answer, format!("400 invalid_query; {rule}"));
}

#[rstest]
#[case("action=key.exploded", "action must be the name of an action")]
#[case("key=zq7marker%2F", "key must consist of A-Z, a-z, 0-9, '.', '_' and '-'")]
#[case("actor=zq7marker%0D", "actor must not contain control characters")]
#[case("since=yesterday", "since must be an RFC 3339 instant such as 2027-01-31T12:00:00Z")]
#[case(
    "since=2027-01-01T00:00:00+00:00",
    "since must be an RFC 3339 instant such as 2027-01-31T12:00:00Z"
)]
#[case("until=2027-01-01", "until must be an RFC 3339 instant such as 2027-01-31T12:00:00Z")]
#[case("state=active", "state is not a known field")]
#[tokio::test]
async fn parameters_that_events_do_not_have_are_refused(#[case] query: &str, #[case] rule: &str) {
    let api = Api::new().await;
    let answer = api.refused("GET", &format!("/v1/audit?{query}"), &Value::Null).await;
    assert_eq!(answer, format!("400 invalid_query; {rule}"));
}

#[tokio::test]
async fn a_cursor_of_another_order_is_refused() {
    let api = Api::new().await;
    api.issue(json!({"owner": "o"})).await;
    let page = api.get("/v1/keys?limit=1&sort=name&order=asc").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(api.get(&format!("/v1/keys?sort=name&order=asc&cursor={cursor}")).await.status, 200);
    for order in ["sort=name", "order=asc", "sort=created_at&order=asc", "sort=name&order=desc"] {
        let path = format!("/v1/keys?{order}&cursor={cursor}");
        let answer = api.refused("GET", &path, &Value::Null).await;
        let rule = "cursor must be used with the sort and order of its list";
        assert_eq!(answer, format!("400 invalid_query; {rule}"), "{order}");
    }
    let answer = api.refused("GET", &format!("/v1/audit?cursor={cursor}"), &Value::Null).await;
    assert_eq!(answer, format!("400 invalid_query; {CURSOR}"));
}

#[rstest]
#[case("name", SortValue::Number(5))]
#[case("created_at", SortValue::Text("zq7marker".to_owned()))]
#[case("expires_at", SortValue::Text(String::new()))]
#[tokio::test]
async fn a_cursor_that_was_made_up_is_refused(#[case] by: &str, #[case] value: SortValue) {
    let sort = match by {
        "name" => KeySort::Name,
        "created_at" => KeySort::CreatedAt,
        _ => KeySort::ExpiresAt,
    };
    let id = KeyId::parse("x").unwrap();
    let cursor = KeyPosition { sort, order: Order::Descending, value, id }.to_cursor();
    let api = Api::new().await;
    let path = format!("/v1/keys?sort={by}&cursor={cursor}");
    let answer = api.refused("GET", &path, &Value::Null).await;
    let rule = "cursor must be used with the sort and order of its list";
    assert_eq!(answer, format!("400 invalid_query; {rule}"));
}
