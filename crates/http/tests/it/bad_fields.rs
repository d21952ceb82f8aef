//! Values that keys do not take: each is refused with its rule, has no effect, and is not echoed.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Api, MARK, request};

/// Values with the rule that they break, where the route takes the field.
#[rstest]
#[case(json!({"owner": ""}), "owner must be 1 to 256 characters long")]
#[case(json!({"owner": "   "}), "owner must not begin or end with white space")]
#[case(json!({"owner": format!(" {MARK}")}), "owner must not begin or end with white space")]
#[case(json!({"owner": MARK.repeat(29)}), "owner must be 1 to 256 characters long")]
#[case(json!({"owner": "x".repeat(257)}), "owner must be 1 to 256 characters long")]
#[case(json!({"owner": format!("{MARK}\n")}), "owner must not contain control characters")]
#[case(json!({"owner": format!("{MARK}\0")}), "owner must not contain control characters")]
#[case(json!({"owner": format!("{MARK}\u{202e}")}), "owner must not contain control characters")]
#[case(json!({"owner": format!("{MARK}\u{2066}")}), "owner must not contain control characters")]
#[case(json!({"keyspace": "nowhere"}), "keyspace must name a keyspace")]
#[case(json!({"keyspace": "No Where"}), "keyspace must consist of a-z, 0-9 and '-'")]
#[case(json!({"keyspace": "-x"}), "keyspace must not begin with '-'")]
#[case(json!({"keyspace": ""}), "keyspace must be 1 to 64 characters long")]
#[tokio::test]
async fn values_of_issuing_alone_are_refused(#[case] bad: Value, #[case] rule: &str) {
    let api = Api::new().await;
    let body = merged(json!({"owner": "o"}), &bad);
    let expected = format!("422 invalid_request; {rule}");
    assert_eq!(api.refused("POST", "/v1/keys", &body).await, expected);
}

#[rstest]
#[case(json!({"name": ""}), "name must be 1 to 200 characters long")]
#[case(json!({"name": MARK.repeat(23)}), "name must be 1 to 200 characters long")]
#[case(json!({"name": format!("{MARK}\u{2028}")}), "name must not contain control characters")]
#[case(json!({"name": format!("{MARK}\u{7f}")}), "name must not contain control characters")]
#[case(json!({"description": ""}), "description must be 1 to 2000 characters long")]
#[case(json!({"description": "x".repeat(2_001)}), "description must be 1 to 2000 characters long")]
#[case(json!({"description": "\u{1b}[2J"}), "description must not contain control characters")]
#[case(json!({"scopes": [""]}), "scopes[0] must be 1 to 128 characters long")]
#[case(json!({"scopes": ["read", format!("{MARK} {MARK}")]}),
    "scopes[1] must consist of printable ASCII without space, '\"' and '\\'")]
#[case(json!({"scopes": ["ä"]}),
    "scopes[0] must consist of printable ASCII without space, '\"' and '\\'")]
#[case(json!({"scopes": ["x".repeat(129)]}), "scopes[0] must be 1 to 128 characters long")]
#[case(json!({"scopes": numbered(257)}), "scopes must hold at most 256 scopes")]
#[case(json!({"tags": numbered(300)}), "tags must hold at most 64 tags")]
#[case(json!({"tags": [""]}), "tags[0] must be 1 to 64 characters long")]
#[case(json!({"tags": ["eu", format!("{MARK}\t")]}), "tags[1] must not contain control characters")]
#[case(json!({"resources": {MARK: ["read"]}}), "resources[0] must be written type:id")]
#[case(json!({"resources": {":1": []}}), "resources[0] must be 1 to 64 characters long")]
#[case(json!({"resources": {"a:": []}}), "resources[0] must be 1 to 256 characters long")]
#[case(json!({"resources": {"a:1": ["x y"]}}),
    "resources[0][0] must consist of printable ASCII without space, '\"' and '\\'")]
#[case(json!({"resources": resources(257)}), "resources must hold at most 256 resources")]
#[case(json!({"metadata": {"k": "x".repeat(16 * 1024)}}), "metadata must be at most 16 KiB as JSON")]
#[case(json!({"metadata": nested(17)}), "metadata must be nested at most 16 levels deep")]
#[tokio::test]
async fn values_that_keys_never_take_are_refused_wherever_they_are_given(
    #[case] bad: Value,
    #[case] rule: &str,
    #[values("POST /v1/keys", "PATCH /v1/keys/{id}", "POST /v1/keys/{id}/rotate")] route: &str,
) {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    let (method, path) = route.split_once(' ').unwrap();
    let base = if path.contains("{id}") { json!({}) } else { json!({"owner": "o"}) };
    let answer = api.refused(method, &path.replace("{id}", &id), &merged(base, &bad)).await;
    assert_eq!(answer, format!("422 invalid_request; {rule}"));
}

#[rstest]
#[case("POST", "/v1/keys/{id}/rotate", json!({"grace": MARK}),
    "grace must be a duration such as 30d, 12h or P30D")]
#[case("POST", "/v1/keys/{id}/rotate", json!({"grace": "0s"}),
    "grace must be between a millisecond and 100 years")]
#[case("POST", "/v1/keys/{id}/rotate", json!({"mode": MARK}),
    "mode must be `same_id` or `successor`")]
#[case("POST", "/v1/keys/{id}/revoke", json!({"reason": ""}),
    "reason must be 1 to 500 characters long")]
#[case("POST", "/v1/keys/{id}/revoke", json!({"reason": format!("{MARK}\r\n")}),
    "reason must not contain control characters")]
#[case("POST", "/v1/keys/revoke-all", json!({"owner": format!("{MARK}\n")}),
    "owner must not contain control characters")]
#[case("POST", "/v1/keys/revoke-all", json!({}), "owner must be given")]
#[case("POST", "/v1/keys/reap", json!({}),
    "older_than must be given, or deleted_older_than")]
#[case("POST", "/v1/keys/reap", json!({"older_than": MARK}),
    "older_than must be a duration such as 30d, 12h or P30D")]
#[case("POST", "/v1/keys/reap", json!({"older_than": "0s"}),
    "older_than must be between a millisecond and 100 years")]
#[case("POST", "/v1/keys", json!({}), "owner must be given")]
#[case("POST", "/v1/verify", json!({}), "secret must be given")]
#[case("POST", "/v1/verify", json!({"secret": MARK, "match": MARK}), "match must be `all` or `any`")]
#[case("POST", "/v1/verify", json!({"secret": MARK, "resource": MARK}),
    "resource must be written type:id")]
#[case("POST", "/v1/verify", json!({"secret": MARK, "scopes": [format!("{MARK} ")]}),
    "scopes[0] must consist of printable ASCII without space, '\"' and '\\'")]
#[tokio::test]
async fn values_of_other_routes_are_refused(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: Value,
    #[case] rule: &str,
) {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    let answer = api.refused(method, &path.replace("{id}", &id), &body).await;
    assert_eq!(answer, format!("422 invalid_request; {rule}"));
}

#[tokio::test]
async fn every_complaint_is_told_at_once() {
    let api = Api::new().await;
    let body = json!({"owner": "", "name": "", "scopes": ["x y"], "expires_in": "soon"});
    let answer = api.send(request(&api.root, "POST", "/v1/keys", &body)).await;
    insta::assert_snapshot!(answer.show(), @r#"
    422 Unprocessable Entity
    content-type: application/problem+json
    {
      "code": "invalid_request",
      "detail": "the body has fields that are not acceptable",
      "errors": [
        {
          "field": "owner",
          "message": "must be 1 to 256 characters long"
        },
        {
          "field": "name",
          "message": "must be 1 to 200 characters long"
        },
        {
          "field": "scopes[0]",
          "message": "must consist of printable ASCII without space, '\"' and '\\'"
        },
        {
          "field": "expires_in",
          "message": "must be a duration such as 30d, 12h or P30D"
        }
      ],
      "request_id": "12iXxzyHNzNn7ogi",
      "status": 422,
      "title": "Unprocessable Entity",
      "type": "urn:keyward:problem:invalid_request"
    }
    "#);
}

/// The first object with the members of the second.
pub(crate) fn merged(mut base: Value, more: &Value) -> Value {
    let more = more.as_object().unwrap().clone();
    base.as_object_mut().unwrap().extend(more);
    base
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("n{number}")).collect()
}

fn resources(count: usize) -> Value {
    numbered(count).into_iter().map(|id| (format!("a:{id}"), json!([]))).collect()
}

/// An object that is that many levels deep.
fn nested(levels: usize) -> Value {
    (1..levels).fold(json!({}), |inner, _| json!({"a": inner}))
}
