//! Keys from elsewhere: taken over with their hashes or their secrets, each for itself.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Api, MARK, raw};

/// SHA-256 of `SECRET` as hexadecimal digits and in base64, computed by another program.
const SECRET: &str = "sk_0000000000111111111122222222223A";
const HEX: &str = "9b076038f04f6d555fe5378d6e4dbf319bf5761cd71a180b1e982492f8c5800b";
const BASE64: &str = "mwdgOPBPbVVf5TeNbk2/MZv1dhzXGhgLHpgkkvjFgAs=";

/// An instance with a keyspace for keys of the form `sk_` and 32 letters and digits.
async fn api() -> Api {
    let api = Api::new().await;
    let body = json!({"id": "old", "format": "opaque", "prefix": "sk"});
    assert_eq!(api.call("POST", "/v1/keyspaces", body).await.status, 201);
    api
}

async fn import(api: &Api, keys: Value) -> Value {
    let body = json!({"keyspace": "old", "keys": keys});
    let answer = api.call("POST", "/v1/keys/import", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[rstest]
#[case::hex("sha256-hex", HEX)]
#[case::base64("sha256-base64", BASE64)]
#[case::base64_of_urls("sha256-base64", "mwdgOPBPbVVf5TeNbk2_MZv1dhzXGhgLHpgkkvjFgAs")]
#[tokio::test]
async fn a_key_is_taken_over_by_its_hash(#[case] scheme: &str, #[case] value: &str) {
    let api = api().await;
    assert_eq!(api.decision(SECRET).await, "unknown");
    let key = json!({"id": "old-1", "owner": "ann", "scopes": ["read"], "created_at": "2020-01-01T00:00:00Z",
        "hash": {"scheme": scheme, "value": value}});
    assert_eq!(import(&api, json!([key])).await, json!({"imported": 1, "failed": []}));
    assert_eq!(api.decision(SECRET).await, "allowed");
    let shown = api.get("/v1/keys/old-1").await.json();
    assert_eq!([&shown["owner"], &shown["created_at"]], ["ann", "2020-01-01T00:00:00Z"]);
    let again = import(&api, json!([key])).await;
    assert_eq!(
        [&again["imported"], &again["failed"][0]["code"]],
        [&json!(0), &json!("already_imported")]
    );
}

#[tokio::test]
async fn a_key_is_taken_over_by_its_secret_which_is_not_sent_back() {
    let api = api().await;
    let answer = import(&api, json!([{"owner": "ann", "secret": SECRET}])).await;
    assert_eq!(answer, json!({"imported": 1, "failed": []}));
    assert_eq!(api.decision(SECRET).await, "allowed");
    let found = api.get(&format!("/v1/keys?digest=sha256:{HEX}")).await.json();
    assert_eq!(found["data"][0]["owner"], "ann");
    // One of ours moves from one installation to another.
    let (elsewhere, here) = (Api::new().await, api);
    let (secret, id) = elsewhere.issue(json!({"owner": "bob"})).await;
    let body = json!({"keyspace": "default", "keys": [{"owner": "bob", "secret": secret}]});
    assert_eq!(here.call("POST", "/v1/keys/import", body).await.json()["imported"], 1);
    assert_eq!(here.get(&format!("/v1/keys/{id}")).await.json()["owner"], "bob");
    assert_eq!(here.decision(&secret).await, "allowed");
}

#[tokio::test]
async fn what_had_become_of_a_key_comes_along() {
    let api = api().await;
    let key = json!({"owner": "a", "secret": SECRET, "id": "k", "revoked_at": "2021-01-01T00:00:00Z",
        "revoked_reason": "lost", "rotated_to": "next", "last_used_at": "2020-12-01T00:00:00Z"});
    assert_eq!(import(&api, json!([key])).await["imported"], 1);
    let shown = api.get("/v1/keys/k").await.json();
    assert_eq!([&shown["state"], &shown["revoked_reason"]], ["revoked", "lost"]);
    assert_eq!([&shown["rotated_to"], &shown["last_used_at"]], ["next", "2020-12-01T00:00:00Z"]);
    assert_eq!(api.decision(SECRET).await, "revoked");
    let expired = json!({"owner": "a", "id": "e", "expires_at": "2020-01-01T00:00:00Z",
        "hash": {"scheme": "sha256-hex", "value": "0".repeat(64)}});
    assert_eq!(import(&api, json!([expired])).await["imported"], 1);
    assert_eq!(api.get("/v1/keys/e").await.json()["state"], "expired");
}

#[tokio::test]
async fn what_is_wrong_with_one_is_told_and_no_harm_to_the_others() {
    let api = api().await;
    let hash = |scheme: &str, value: &str| json!({"owner": "a", "hash": {"scheme": scheme, "value": value}});
    let keys = json!([
        {"owner": "a", "secret": SECRET},
        {"owner": "", "secret": SECRET, "id": MARK.repeat(20)},
        {"owner": "a"},
        {"owner": "a", "secret": SECRET, "hash": {"scheme": "sha256-hex", "value": HEX}},
        {"owner": "a", "secret": format!("sk_{MARK}")},
        hash("md5", MARK), hash("sha256-hex", MARK), hash("sha256-base64", MARK),
        hash("sha512-hex", HEX), hash("hmac-sha256", HEX), hash("keypal-salted-sha256", HEX),
        {"owner": "a", "secret": SECRET},
    ]);
    let answer = import(&api, keys).await;
    assert!(!answer.to_string().contains(MARK));
    assert_eq!(answer["imported"], 1);
    let failed = answer["failed"].as_array().unwrap();
    let told: Vec<_> = failed
        .iter()
        .map(|failure| {
            let errors = failure["errors"].as_array().into_iter().flatten();
            let fields: Vec<_> = errors.map(|error| error["field"].as_str().unwrap()).collect();
            (
                failure["index"].as_u64().unwrap(),
                failure["code"].as_str().unwrap(),
                fields.join(","),
            )
        })
        .collect();
    let invalid = |index, fields: &str| (index, "invalid_request", fields.to_owned());
    let mut expected = vec![
        invalid(1, "id,owner"),
        invalid(2, "secret"),
        invalid(3, "secret"),
        invalid(4, "secret"),
    ];
    expected.extend((5..=10).map(|index| invalid(index, "hash")));
    expected.push((11, "key_exists", String::new()));
    assert_eq!(told, expected);
}

#[tokio::test]
async fn the_request_as_a_whole_is_read_strictly_and_needs_the_right() {
    let api = api().await;
    for (body, expected) in [
        (
            json!({"keyspace": "old", "keys": []}),
            "422 invalid_request; keys must hold 1 to 100 items",
        ),
        (
            json!({"keyspace": "No", "keys": [{"owner": "a"}]}),
            "422 invalid_request; keyspace must consist of a-z, 0-9 and '-'",
        ),
        (json!({"keys": []}), "422 invalid_request; keyspace must be given"),
    ] {
        assert_eq!(api.refused("POST", "/v1/keys/import", &body).await, expected);
    }
    let reader = api.management_key(&["keys:read"], json!({})).await;
    let body = json!({"keyspace": "old", "keys": [{"owner": "a", "secret": SECRET}]});
    assert_eq!(api.call_as(&reader, "POST", "/v1/keys/import", body).await.status, 403);
    let writer = api.management_key(&["keys:write"], json!({})).await;
    let body = json!({"keyspace": "management", "keys": [{"owner": "a", "secret": SECRET, "scopes": ["root"]}]});
    assert_eq!(api.call_as(&writer, "POST", "/v1/keys/import", body).await.status, 403);
    let nowhere = json!({"keyspace": "nowhere", "keys": [{"owner": "a", "secret": SECRET}]});
    let failed = api.call("POST", "/v1/keys/import", nowhere).await.json();
    assert_eq!(failed["failed"][0]["errors"][0]["field"], "keyspace");
}

#[tokio::test]
async fn each_key_is_read_for_itself() {
    let api = api().await;
    let good = json!({"owner": "a", "secret": SECRET}).to_string();
    let bad = [
        "5",
        "null",
        "[]",
        r#"{"owner": "a", "secret": 5}"#,
        r#"{"owner": "a", "x": 1}"#,
        r#"{"owner": "a", "owner": "b"}"#,
        r#"{"owner": "a", "metadata": {"x": 1, "x": 2}}"#,
        r#"{"owner": "a", "hash": {"scheme": "sha256-hex"}}"#,
        r#"{"owner": "a", "keyspace": "default", "secret": "s"}"#,
    ];
    let keys = [bad.join(","), good].join(",");
    let body = format!(r#"{{"keyspace": "old", "keys": [{keys}]}}"#);
    let answer = api.send(raw(&api.root, "POST", "/v1/keys/import", body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["imported"], 1);
    let failed = answer["failed"].as_array().unwrap();
    assert_eq!(failed.len(), bad.len(), "{answer}");
    for (failure, bad) in failed.iter().zip(bad) {
        assert!(
            ["invalid_request", "invalid_body"].contains(&failure["code"].as_str().unwrap()),
            "{bad}: {failure}"
        );
    }
    assert_eq!(failed[4]["errors"][0]["field"], "x");
    assert_eq!(failed[7]["errors"][0]["field"], "hash.value");
    assert_eq!(api.decision(SECRET).await, "allowed");
    let broken = r#"{"keyspace": "old", "keys": [{"owner": }]}"#;
    let answer = api.send(raw(&api.root, "POST", "/v1/keys/import", broken)).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_request_can_write_nothing_or_all_of_its_keys_or_none() {
    let api = api().await;
    let call = async |mode: &str, keys: Value| {
        let body = json!({"keyspace": "old", "mode": mode, "keys": keys});
        api.call("POST", "/v1/keys/import", body).await
    };
    let good = json!({"owner": "a", "secret": SECRET});
    let checked = call("check", json!([good, {"owner": ""}])).await.json();
    assert_eq!([&checked["imported"], &checked["acceptable"]], [0, 1]);
    assert_eq!(checked["failed"][0]["index"], 1);
    for other in [json!({"owner": ""}), json!({"owner": "a", "secret": SECRET})] {
        let refused = call("whole", json!([good, other])).await.json();
        assert_eq!([&refused["imported"], &refused["acceptable"]], [0, 1], "{refused}");
        assert_eq!(api.decision(SECRET).await, "unknown");
    }
    assert_eq!(call("whole", json!([good])).await.json(), json!({"imported": 1, "failed": []}));
    assert_eq!(api.decision(SECRET).await, "allowed");
    assert_eq!(call("some", json!([good])).await.status, 422);
}

/// All keys of a keyspace as they are exported, page by page.
async fn export(api: &Api, keyspace: &str) -> Vec<Value> {
    let mut keys = Vec::new();
    for state in [Value::Null, json!("deleted")] {
        let mut cursor = Value::Null;
        loop {
            let body = json!({"keyspace": keyspace, "state": state, "limit": 1, "cursor": cursor});
            let page = api.call("POST", "/v1/keys/export", body).await.json();
            keys.extend(page["data"].as_array().unwrap().clone());
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
    }
    keys
}

#[tokio::test]
async fn what_is_exported_is_the_same_after_it_was_taken_over_elsewhere() {
    let (here, there) = (api().await, api().await);
    for api in [&here, &there] {
        let seam =
            json!({"id": "seam", "format": "prefixed", "profile": "seam", "prefix": "my-app"});
        assert_eq!(api.call("POST", "/v1/keyspaces", seam).await.status, 201);
    }
    let mut secrets = Vec::new();
    for keyspace in ["default", "old", "seam"] {
        for n in 0..3 {
            let (secret, id) = here
                .issue(json!({"owner": "a", "keyspace": keyspace, "name": format!("{keyspace} {n}"), "scopes": ["read"],
                    "resources": {"project:1": ["write"]}, "tags": ["x"], "metadata": {"n": n}, "expires_in": "30d"}))
                .await;
            assert_eq!(here.decision(&secret).await, "allowed");
            let path = format!("/v1/keys/{id}");
            let act = async |act: &str, body: Value| {
                let answer = here.call("POST", &format!("{path}/{act}"), body).await;
                assert!(answer.status.is_success(), "{}", answer.text());
                answer.json()
            };
            match n {
                0 => drop(act("revoke", json!({"reason": "lost"})).await),
                1 => {
                    let rotated = act("rotate", json!({"grace": "1h"})).await;
                    secrets.push((rotated["secret"].as_str().unwrap().to_owned(), "allowed"));
                }
                _ => assert_eq!(here.call("DELETE", &path, Value::Null).await.status, 200),
            }
            secrets.push((secret, ["revoked", "allowed", "unknown"][n]));
        }
    }
    for keyspace in ["default", "old", "seam"] {
        let exported = export(&here, keyspace).await;
        assert_eq!(exported.len(), 3);
        for (secret, _) in &secrets {
            assert!(!json!(exported).to_string().contains(secret.get(16..).unwrap()));
        }
        let body = json!({"keyspace": keyspace, "mode": "whole", "keys": exported});
        let taken = there.call("POST", "/v1/keys/import", body).await.json();
        assert_eq!(taken, json!({"imported": 3, "failed": []}));
        assert_eq!(export(&there, keyspace).await, exported);
        let told = here.get(&format!("/v1/audit?action=keys.exported&keyspace={keyspace}")).await;
        let told = told.json();
        assert_eq!(told["data"].as_array().unwrap().len(), 3, "one of each page");
        assert_eq!(told["data"][0]["data"]["keys"], 1);
        for key in exported {
            let path = format!("/v1/keys/{}", key["id"].as_str().unwrap());
            assert_eq!(there.get(&path).await.json(), here.get(&path).await.json());
        }
    }
    for (secret, expected) in secrets {
        assert_eq!(there.decision(&secret).await, expected);
    }
}

#[tokio::test]
async fn digests_leave_only_with_the_right_to_it_and_those_of_management_only_to_root() {
    let api = api().await;
    let allowed = |scopes: &'static [&'static str], resources: Value, keyspace: &'static str| {
        let api = &api;
        async move {
            let key = api.management_key(scopes, resources).await;
            let body = json!({ "keyspace": keyspace });
            api.call_as(&key, "POST", "/v1/keys/export", body).await.status.as_u16()
        }
    };
    assert_eq!(allowed(&["keys:read", "keys:write"], json!({}), "old").await, 403);
    assert_eq!(allowed(&["keys:export"], json!({}), "old").await, 200);
    assert_eq!(allowed(&["keys:export"], json!({}), "management").await, 403);
    assert_eq!(allowed(&["root"], json!({}), "management").await, 200);
    let confined = json!({"keyspace:old": ["keys:export"]});
    assert_eq!(allowed(&[], confined.clone(), "old").await, 200);
    assert_eq!(allowed(&[], confined, "default").await, 403);
    for (body, expected) in [
        (json!({}), "422 invalid_request; keyspace must be given"),
        (
            json!({"keyspace": "old", "limit": 0}),
            "422 invalid_request; limit must be a number from 1 to 200",
        ),
        (
            json!({"keyspace": "old", "state": "x"}),
            "422 invalid_request; state must be active, deleted, disabled, expired, inactive, not_yet_valid or revoked",
        ),
    ] {
        assert_eq!(api.refused("POST", "/v1/keys/export", &body).await, expected);
    }
    let list = api.get("/v1/keys?limit=1&sort=name").await.json();
    let body = json!({"keyspace": "old", "cursor": list["next_cursor"]});
    assert!(api.refused("POST", "/v1/keys/export", &body).await.contains("cursor"));
}

#[tokio::test]
async fn a_key_without_an_expiry_never_expires_whatever_its_keyspace_demands_of_new_ones() {
    let (here, there) = (Api::new().await, Api::new().await);
    let plain = json!({"id": "old", "format": "opaque", "prefix": "sk"});
    assert_eq!(here.call("POST", "/v1/keyspaces", plain).await.status, 201);
    let limited = json!({"id": "old", "format": "opaque", "prefix": "sk", "default_lifetime": "1d", "maximum_lifetime": "2d"});
    assert_eq!(there.call("POST", "/v1/keyspaces", limited).await.status, 201);
    import(&here, json!([{"owner": "a", "secret": SECRET}])).await;
    let exported = export(&here, "old").await;
    assert_eq!(import(&there, json!(exported)).await["imported"], 1);
    assert_eq!(export(&there, "old").await, exported);
    let id = exported[0]["id"].as_str().unwrap();
    assert_eq!(there.get(&format!("/v1/keys/{id}")).await.json()["expires_at"], json!(null));
}

#[tokio::test]
async fn what_would_never_work_is_not_taken_over() {
    let api = api().await;
    let seam = json!({"id": "seam", "format": "prefixed", "profile": "seam", "prefix": "app"});
    assert_eq!(api.call("POST", "/v1/keyspaces", seam).await.status, 201);
    let hash = |scheme: &str| json!({"scheme": scheme, "value": HEX});
    let (secret, id) = Api::new().await.issue(json!({"owner": "b"})).await;
    for (keyspace, key, field) in [
        ("seam", json!({"id": "9e107d9d-372b-4ba3", "hash": hash("sha256-hex")}), "id"),
        ("seam", json!({"id": "SPs5scUO", "hash": hash("sha256-hex")}), "id"),
        ("seam", json!({"hash": hash("sha256-hex")}), "id"),
        ("seam", json!({"id": "SPs5scUr", "hash": hash("fork4")}), "hash"),
        ("default", json!({"id": "short", "hash": hash("sha256-hex")}), "id"),
        ("default", json!({"id": "7Kx2mPqRtUvW", "hash": hash("part-sha256")}), "hash"),
        ("default", json!({"id": "7Kx2mPqRtUvW", "secret": secret}), "id"),
        ("old", json!({"hash": hash("part-sha512")}), "hash"),
        ("old", json!({"hash": hash("part-fork4")}), "hash"),
        ("old", json!({"hash": hash("sha256-hex"), "version": 0}), "version"),
        ("old", json!({"hash": hash("sha256-hex"), "version": u64::MAX}), "version"),
        ("old", json!({"hash": hash("sha256-hex"), "uses": 3}), "last_used_at"),
    ] {
        let mut item = json!({"owner": "a"});
        item.as_object_mut().unwrap().extend(key.as_object().unwrap().clone());
        let body = json!({"keyspace": keyspace, "keys": [item]});
        let answer = api.call("POST", "/v1/keys/import", body).await.json();
        assert_eq!(answer["failed"][0]["errors"][0]["field"], field, "{keyspace} {item} {answer}");
    }
    let body = json!({"keyspace": "default", "keys": [{"owner": "a", "id": id, "secret": secret}]});
    assert_eq!(api.call("POST", "/v1/keys/import", body).await.json()["imported"], 1);
}

#[tokio::test]
async fn a_secret_that_is_there_as_the_one_before_a_rotation_is_not_taken_over_again() {
    let api = api().await;
    let hash = |digit: &str| json!({"scheme": "sha256-hex", "value": digit.repeat(64)});
    let previous = json!({"scheme": "sha256-hex", "value": HEX, "until": "2099-01-01T00:00:00Z"});
    let first = json!({"owner": "a", "id": "first", "hash": hash("1"), "previous": previous});
    assert_eq!(import(&api, json!([first])).await["imported"], 1);
    assert_eq!(api.decision(SECRET).await, "allowed");
    for mode in ["check", "each", "whole"] {
        for key in [
            json!({"owner": "b", "id": "second", "hash": {"scheme": "sha256-hex", "value": HEX}}),
            json!({"owner": "b", "id": "third", "hash": hash("3"), "previous": previous}),
            json!({"owner": "b", "id": "fourth", "secret": SECRET}),
        ] {
            let body = json!({"keyspace": "old", "mode": mode, "keys": [key]});
            let answer = api.call("POST", "/v1/keys/import", body).await.json();
            assert_eq!(
                [&answer["imported"], &answer["failed"][0]["code"]],
                [&json!(0), &json!("key_exists")],
                "{mode} {key}"
            );
        }
    }
}
