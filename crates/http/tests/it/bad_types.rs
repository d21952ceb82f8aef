//! Fields of the wrong type, fields that are null, and fields that nobody knows.

use rstest::rstest;
use serde_json::{Value, json};

use crate::bad_fields::merged;
use crate::support::{Api, MARK};

/// The fields of a route, and what each takes.
#[derive(Clone, Copy)]
struct Route {
    call: &'static str,
    base: &'static str,
    /// Names of fields that take a text, and so on.
    texts: &'static str,
    lists: &'static str,
    objects: &'static str,
    booleans: &'static str,
    numbers: &'static str,
    /// Names of fields that take null, for none or for what they are without.
    nullable: &'static str,
}

const ISSUE: Route = Route {
    call: "POST /v1/keys",
    base: r#"{"owner": "o"}"#,
    texts: "keyspace owner name description expires_at expires_in not_before",
    lists: "scopes tags",
    objects: "resources metadata claims",
    booleans: "enabled",
    numbers: "",
    nullable: "keyspace name description expires_at expires_in not_before enabled claims",
};
const UPDATE: Route = Route {
    call: "PATCH /v1/keys/{id}",
    base: r#"{"name": "n"}"#,
    texts: "name description expires_at expires_in not_before",
    objects: "resources metadata",
    booleans: "",
    numbers: "version",
    nullable: "name description expires_at not_before",
    ..ISSUE
};
const ROTATE: Route = Route {
    call: "POST /v1/keys/{id}/rotate",
    base: "{}",
    texts: "grace mode name description expires_at expires_in not_before",
    objects: "resources metadata claims",
    nullable: "grace name description expires_at not_before",
    ..UPDATE
};
const NOTHING: Route = Route {
    call: "POST /v1/keys/{id}/revoke",
    base: "{}",
    texts: "reason",
    lists: "",
    objects: "",
    booleans: "",
    numbers: "",
    nullable: "reason",
};
const REVOKE_ALL: Route = Route {
    call: "POST /v1/keys/revoke-all",
    base: r#"{"owner": "o"}"#,
    texts: "owner reason",
    ..NOTHING
};
const REAP: Route = Route {
    call: "POST /v1/keys/reap",
    base: r#"{"older_than": "1d"}"#,
    texts: "older_than",
    nullable: "",
    ..NOTHING
};
const VERIFY: Route = Route {
    call: "POST /v1/verify",
    base: r#"{"secret": "x"}"#,
    texts: "secret match resource",
    lists: "scopes",
    nullable: "resource",
    ..NOTHING
};
const CREATE_KEYSPACE: Route = Route {
    call: "POST /v1/keyspaces",
    base: r#"{"id": "k", "format": "opaque"}"#,
    texts: "id description format prefix alphabet algorithm issuer audience default_lifetime \
        maximum_lifetime",
    objects: "rate_limit",
    numbers: "length key_size",
    nullable: "description prefix alphabet algorithm issuer audience default_lifetime \
        maximum_lifetime rate_limit length key_size",
    ..NOTHING
};
const UPDATE_KEYSPACE: Route = Route {
    call: "PATCH /v1/keyspaces/default",
    base: r#"{"description": "d"}"#,
    texts: "description algorithm default_lifetime maximum_lifetime",
    objects: "rate_limit",
    numbers: "version",
    nullable: "description default_lifetime maximum_lifetime rate_limit",
    ..NOTHING
};

#[rstest]
#[case::issue(ISSUE)]
#[case::update(UPDATE)]
#[case::rotate(ROTATE)]
#[case::revoke(NOTHING)]
#[case::revoke_all(REVOKE_ALL)]
#[case::reap(REAP)]
#[case::verify(VERIFY)]
#[case::create_keyspace(CREATE_KEYSPACE)]
#[case::update_keyspace(UPDATE_KEYSPACE)]
#[tokio::test]
async fn fields_of_the_wrong_type_are_refused_by_name(#[case] route: Route) {
    let wrong = [
        (route.texts, vec![json!(true), json!(5), json!([MARK]), json!({MARK: MARK})]),
        (route.lists, vec![json!(true), json!(5), json!(MARK), json!({MARK: MARK})]),
        (route.lists, vec![json!([5]), json!([[MARK]]), json!([null]), json!(["x", {MARK: 1}])]),
        (route.objects, vec![json!(false), json!(5), json!(MARK), json!([MARK, MARK])]),
        (route.booleans, vec![json!(0), json!("true"), json!(MARK), json!([true])]),
        (route.numbers, vec![json!(-1), json!(1.5), json!("1"), json!(MARK), json!([1])]),
    ];
    for (fields, values) in wrong {
        for field in fields.split_whitespace() {
            for value in &values {
                refused_by_name(&route, field, value).await;
            }
        }
    }
}

#[rstest]
#[case::issue(ISSUE)]
#[case::update(UPDATE)]
#[case::rotate(ROTATE)]
#[case::revoke(NOTHING)]
#[case::revoke_all(REVOKE_ALL)]
#[case::reap(REAP)]
#[case::verify(VERIFY)]
#[case::create_keyspace(CREATE_KEYSPACE)]
#[case::update_keyspace(UPDATE_KEYSPACE)]
#[tokio::test]
async fn null_is_refused_where_it_means_nothing(#[case] route: Route) {
    let all = [route.texts, route.lists, route.objects, route.booleans, route.numbers].join(" ");
    for field in all.split_whitespace() {
        if !route.nullable.split_whitespace().any(|nullable| nullable == field) {
            refused_by_name(&route, field, &Value::Null).await;
        }
    }
}

#[rstest]
#[case::issue(ISSUE)]
#[case::update(UPDATE)]
#[case::rotate(ROTATE)]
#[case::revoke(NOTHING)]
#[case::revoke_all(REVOKE_ALL)]
#[case::reap(REAP)]
#[case::verify(VERIFY)]
#[case::create_keyspace(CREATE_KEYSPACE)]
#[case::update_keyspace(UPDATE_KEYSPACE)]
#[tokio::test]
async fn unknown_fields_are_refused_by_name(#[case] route: Route) {
    for field in ["expiresAt", "Name", "id2", "__proto__", "key.id", "state"] {
        let answer = refusal(&route, field, &json!(MARK)).await;
        assert_eq!(answer, format!("422 invalid_request; {field} is not a known field"));
    }
    // Names that are no names are not repeated.
    for field in ["", " ", "a\nb", "<script>", MARK.repeat(9).as_str(), "\u{202e}"] {
        let answer = refusal(&route, field, &json!(MARK)).await;
        assert_eq!(answer, "422 invalid_request; body is not a known field", "{field:?}");
    }
}

#[tokio::test]
async fn a_nested_field_is_named_with_its_path() {
    let limit = |limit: Value| json!({"rate_limit": limit});
    let api = Api::new().await;
    for (bad, complaint) in [
        (
            limit(json!({"requests": MARK, "per": "1m"})),
            "rate_limit.requests must be a whole number",
        ),
        (limit(json!({"per": "1m"})), "rate_limit.requests must be given"),
        (
            limit(json!({"requests": 1, "per": "1m", "burst": 1})),
            "rate_limit.burst is not a known field",
        ),
        (
            limit(json!({"requests": 1, "per": MARK})),
            "rate_limit.per must be a duration such as 30d, 12h or P30D",
        ),
        (limit(json!([1, "1m"])), "rate_limit must be an object"),
        (
            limit(json!({"requests": 0, "per": "1m"})),
            "rate_limit must allow 1 to 1,000,000 requests",
        ),
        (
            limit(json!({"requests": 1, "per": "2d"})),
            "rate_limit must have a period of 1 second to 1 day",
        ),
    ] {
        let answer = api.refused("PATCH", "/v1/keyspaces/default", &bad).await;
        assert_eq!(answer, format!("422 invalid_request; {complaint}"));
    }
}

async fn refused_by_name(route: &Route, field: &str, value: &Value) {
    let answer = refusal(route, field, value).await;
    let rest = answer.strip_prefix(&format!("422 invalid_request; {field}"));
    let rest = rest.unwrap_or_else(|| panic!("{} {field} {value}: {answer}", route.call));
    assert!(rest.contains(" must be "), "{} {field} {value}: {answer}", route.call);
}

async fn refusal(route: &Route, field: &str, value: &Value) -> String {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    let (method, path) = route.call.split_once(' ').unwrap();
    let body = merged(serde_json::from_str(route.base).unwrap(), &json!({field: value}));
    api.refused(method, &path.replace("{id}", &id), &body).await
}
