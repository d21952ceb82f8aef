//! Keyspaces that cannot be.

use rstest::rstest;
use serde_json::{Value, json};

use crate::bad_fields::merged;
use crate::support::{Api, MARK};

const BITS: &str = "length must give at least 128 bits of chance with its alphabet";
const ALPHABET: &str = "alphabet must be 2 to 94 different printable ASCII characters";
const PREFIX: &str =
    "prefix must be groups of a-z and 0-9 joined by single underscores, at most 32 characters";
const FOREIGN_PREFIX: &str = "prefix must be groups of letters, digits and hyphens joined by \
    single underscores, at most 64 characters";

#[rstest]
#[case(json!({"length": 21}), BITS)]
#[case(json!({"length": 0}), BITS)]
#[case(json!({"length": 127, "alphabet": "01"}), BITS)]
#[case(json!({"length": 31, "alphabet": "0123456789abcdef"}), BITS)]
#[case(json!({"alphabet": "01"}), BITS)]
#[case(json!({"length": 257}), "length must be at most 256 characters long")]
#[case(json!({"length": u64::MAX}), "length must be at most 256 characters long")]
#[case(json!({"alphabet": ""}), ALPHABET)]
#[case(json!({"alphabet": "a"}), ALPHABET)]
#[case(json!({"alphabet": "aba"}), ALPHABET)]
#[case(json!({"alphabet": "ab cd"}), ALPHABET)]
#[case(json!({"alphabet": "äöü"}), ALPHABET)]
#[case(json!({"prefix": ""}), PREFIX)]
#[case(json!({"prefix": "Kw"}), PREFIX)]
#[case(json!({"prefix": "a__b"}), PREFIX)]
#[case(json!({"prefix": "a_"}), PREFIX)]
#[case(json!({"prefix": "_a"}), PREFIX)]
#[case(json!({"prefix": "a-b"}), PREFIX)]
#[case(json!({"prefix": "a".repeat(33)}), PREFIX)]
#[case(json!({"prefix": format!("{MARK}\n")}), PREFIX)]
#[case(json!({"format": "prefixed"}), "prefix must be given for this format")]
#[case(json!({"format": "prefixed", "prefix": "p", "length": 32}),
    "length must not be given: this format has its own")]
#[case(json!({"format": "prefixed", "prefix": "p", "alphabet": "ab"}),
    "alphabet must not be given: this format has its own")]
#[case(json!({"profile": "seam"}), "profile must not be given: this format has its own")]
#[case(json!({"format": "prefixed", "prefix": "p", "profile": MARK}),
    "profile must be keyward, seam, fork3, fork4 or rust")]
#[case(json!({"format": "prefixed", "prefix": "p", "id_length": 8}),
    "id_length must not be given: this format has its own")]
#[case(json!({"format": "prefixed", "prefix": "p", "weak_secrets": "warn"}),
    "weak_secrets must not be given: this format has its own")]
#[case(json!({"format": "prefixed", "profile": "seam"}), "prefix must be given for this format")]
#[case(json!({"format": "prefixed", "profile": "seam", "prefix": "p_"}), FOREIGN_PREFIX)]
#[case(json!({"format": "prefixed", "profile": "seam", "prefix": "p p"}), FOREIGN_PREFIX)]
#[case(json!({"format": "prefixed", "profile": "seam", "prefix": "p".repeat(65)}), FOREIGN_PREFIX)]
#[case(json!({"format": "prefixed", "profile": "seam", "prefix": "p", "id_length": 0}),
    "id_length must be 1 to 128")]
#[case(json!({"format": "prefixed", "profile": "rust", "prefix": "p", "id_length": 48}),
    "id_length must give ids of at most 64 characters")]
#[case(json!({"format": "prefixed", "profile": "seam", "prefix": "p", "secret_length": 129}),
    "secret_length must be 1 to 128")]
#[case(json!({"format": "prefixed", "profile": "fork4", "prefix": "p", "short_prefix": "x"}),
    "short_prefix is for the profiles seam and rust")]
#[case(json!({"format": "prefixed", "profile": "seam", "prefix": "p", "length": 32}),
    "length must not be given: this format has its own")]
#[case(json!({"format": "prefixed", "profile": "seam", "prefix": "p", "weak_secrets": MARK}),
    "weak_secrets must be `refuse` or `warn`")]
#[case(json!({"format": MARK}), "format must be one of `opaque`, `prefixed`, `signed`")]
#[case(json!({"algorithm": MARK}), "algorithm must be sha256 or sha512")]
#[case(json!({"id": ""}), "id must be 1 to 64 characters long")]
#[case(json!({"id": "a".repeat(65)}), "id must be 1 to 64 characters long")]
#[case(json!({"id": format!("{MARK}/..")}), "id must consist of a-z, 0-9 and '-'")]
#[case(json!({"id": "Payments"}), "id must consist of a-z, 0-9 and '-'")]
#[case(json!({"id": "-"}), "id must not begin with '-'")]
#[case(json!({"description": ""}), "description must be 1 to 2000 characters long")]
#[case(json!({"default_lifetime": MARK}),
    "default_lifetime must be a duration such as 30d, 12h or P30D")]
#[case(json!({"maximum_lifetime": "0s"}),
    "maximum_lifetime must be between a millisecond and 100 years")]
#[case(json!({"default_lifetime": "2d", "maximum_lifetime": "1d"}),
    "default_lifetime must not exceed the maximum lifetime")]
#[tokio::test]
async fn a_keyspace_that_cannot_be_is_refused(#[case] bad: Value, #[case] rule: &str) {
    let api = Api::new().await;
    let body = merged(json!({"id": "new", "format": "opaque"}), &bad);
    let answer = api.refused("POST", "/v1/keyspaces", &body).await;
    assert_eq!(answer, format!("422 invalid_request; {rule}"));
}

#[rstest]
#[case("id")]
#[case("format")]
#[tokio::test]
async fn a_keyspace_needs_an_id_and_a_format(#[case] field: &str) {
    let api = Api::new().await;
    let mut body = json!({"id": "new", "format": "opaque"});
    body.as_object_mut().unwrap().remove(field);
    let answer = api.refused("POST", "/v1/keyspaces", &body).await;
    assert_eq!(answer, format!("422 invalid_request; {field} must be given"));
}

#[rstest]
#[case("id")]
#[case("format")]
#[case("prefix")]
#[case("length")]
#[case("alphabet")]
#[tokio::test]
async fn what_a_keyspace_is_never_changes(#[case] field: &str) {
    let api = Api::new().await;
    let body = json!({"description": "d", field: "x"});
    let answer = api.refused("PATCH", "/v1/keyspaces/default", &body).await;
    assert_eq!(answer, format!("422 invalid_request; {field} is not a known field"));
}

#[tokio::test]
async fn a_keyspace_is_not_changed_to_what_cannot_be() {
    let api = Api::new().await;
    let path = "/v1/keyspaces/default";
    assert_eq!(api.call("PATCH", path, json!({"default_lifetime": "2d"})).await.status, 200);
    let answer = api.refused("PATCH", path, &json!({"maximum_lifetime": "1d"})).await;
    let rule = "default_lifetime must not exceed the maximum lifetime";
    assert_eq!(answer, format!("422 invalid_request; {rule}"));
    for body in [json!({}), json!({"version": 2})] {
        let answer = api.refused("PATCH", path, &body).await;
        assert_eq!(answer, "422 invalid_request; body must change at least one field");
    }
}
