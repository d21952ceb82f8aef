//! Instants and lifetimes that cannot be, on every route that takes them.

use rstest::rstest;
use serde_json::{Value, json};

use crate::bad_fields::merged;
use crate::support::{Api, MARK};

const INSTANT: &str = "must be an RFC 3339 instant such as 2027-01-31T12:00:00Z";
const LIFETIME: &str = "must be a duration such as 30d, 12h or P30D";
const RANGE: &str = "must be between a millisecond and 100 years";

#[rstest]
#[case(json!({"expires_at": MARK}), "expires_at", INSTANT)]
#[case(json!({"expires_at": ""}), "expires_at", INSTANT)]
#[case(json!({"expires_at": "2027-06-01"}), "expires_at", INSTANT)]
#[case(json!({"expires_at": "2027-06-01T12:00:00"}), "expires_at", INSTANT)]
#[case(json!({"expires_at": "2027-02-30T12:00:00Z"}), "expires_at", INSTANT)]
#[case(json!({"expires_at": "1830297600"}), "expires_at", INSTANT)]
#[case(json!({"expires_at": "99999-01-01T00:00:00Z"}), "expires_at", INSTANT)]
#[case(json!({"expires_at": "2026-12-31T23:59:59Z"}), "expires_at", "must be in the future")]
#[case(json!({"expires_at": "2027-01-01T00:00:00Z"}), "expires_at", "must be in the future")]
#[case(json!({"not_before": MARK}), "not_before", INSTANT)]
#[case(json!({"not_before": "2027-06-01T12:00:00"}), "not_before", INSTANT)]
#[case(json!({"not_before": "2027-06-01T12:00:00Z", "expires_in": "1h"}), "not_before",
    "must be before the key expires")]
#[case(json!({"expires_in": MARK}), "expires_in", LIFETIME)]
#[case(json!({"expires_in": ""}), "expires_in", LIFETIME)]
#[case(json!({"expires_in": "30"}), "expires_in", LIFETIME)]
#[case(json!({"expires_in": "1y"}), "expires_in", LIFETIME)]
#[case(json!({"expires_in": "-1h"}), "expires_in", LIFETIME)]
#[case(json!({"expires_in": "0s"}), "expires_in", RANGE)]
#[case(json!({"expires_in": "900000d"}), "expires_in", RANGE)]
#[case(json!({"expires_in": "1h", "expires_at": "2028-01-01T00:00:00Z"}), "expires_in",
    "must not be given together with expires_at")]
#[case(json!({"expires_in": "1h", "expires_at": null}), "expires_in",
    "must not be given together with expires_at")]
#[tokio::test]
async fn times_that_cannot_be_are_refused(
    #[case] bad: Value,
    #[case] field: &str,
    #[case] rule: &str,
    #[values("POST /v1/keys", "PATCH /v1/keys/{id}", "POST /v1/keys/{id}/rotate")] route: &str,
) {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    let (method, path) = route.split_once(' ').unwrap();
    let base = if path.contains("{id}") { json!({}) } else { json!({"owner": "o"}) };
    let answer = api.refused(method, &path.replace("{id}", &id), &merged(base, &bad)).await;
    assert_eq!(answer, format!("422 invalid_request; {field} {rule}"));
}

#[rstest]
#[case(json!({"expires_in": "2h"}), "expires_in must not exceed the keyspace's maximum lifetime")]
#[case(json!({"expires_at": "2027-01-01T02:00:00Z"}),
    "expires_at must not exceed the keyspace's maximum lifetime")]
#[case(json!({"expires_at": null}),
    "expires_at must be given: the keyspace has a maximum lifetime")]
#[tokio::test]
async fn no_key_outlives_the_maximum_of_its_keyspace(
    #[case] bad: Value,
    #[case] rule: &str,
    #[values("POST /v1/keys", "PATCH /v1/keys/{id}", "POST /v1/keys/{id}/rotate")] route: &str,
) {
    let api = Api::new().await;
    api.call("PATCH", "/v1/keyspaces/default", json!({"maximum_lifetime": "1h"})).await;
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    let (method, path) = route.split_once(' ').unwrap();
    let base = if path.contains("{id}") { json!({}) } else { json!({"owner": "o"}) };
    let answer = api.refused(method, &path.replace("{id}", &id), &merged(base, &bad)).await;
    assert_eq!(answer, format!("422 invalid_request; {rule}"));
}
