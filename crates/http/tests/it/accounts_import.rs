//! Service accounts from elsewhere: taken over with their client secrets or hashes, each for itself, and
//! handed out again; and keys under them.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Api, MARK};

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// SHA-256 of it as hexadecimal digits, computed by another program.
const HEX: &str = "905f28def18eaac05ae6f12b2c3452744afaf626da1343d57b395b544e0519b6";
const ID: &str = "0b6f1b0e-8a61-4b0e-9a53-0d2f7b9f3c11";

async fn import(api: &Api, accounts: Value) -> Value {
    let body = json!({"service_accounts": accounts});
    let answer = api.call("POST", "/v1/service-accounts/import", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn import_keys(api: &Api, keys: Value) -> Value {
    let body = json!({"keyspace": "default", "keys": keys});
    let answer = api.call("POST", "/v1/keys/import", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// What is decided on a key that is presented with credentials.
async fn decision(api: &Api, secret: &str, key: &str) -> String {
    let body = json!({"secret": key, "client_id": ID, "client_secret": secret});
    let answer = api.call("POST", "/v1/verify", body).await.json();
    if answer["valid"] == true { "allowed" } else { answer["code"].as_str().unwrap() }.to_owned()
}

/// The places that failed, each with the fields that are complained about, or else with the code.
fn failures(answer: &Value) -> Vec<(u64, String)> {
    let failed = answer["failed"].as_array().unwrap().iter();
    let told = failed.map(|failure| {
        let errors = failure["errors"].as_array().into_iter().flatten();
        let fields: Vec<_> = errors.map(|error| error["field"].as_str().unwrap()).collect();
        let code = failure["code"].as_str().unwrap();
        let told = if fields.is_empty() { code.to_owned() } else { fields.join(",") };
        (failure["index"].as_u64().unwrap(), told)
    });
    told.collect()
}

#[rstest]
#[case::secret(json!({"client_secret": SECRET}))]
#[case::hash(json!({"hash": {"scheme": "sha256-hex", "value": HEX}}))]
#[tokio::test]
async fn an_account_is_taken_over_and_its_credentials_work(#[case] proof: Value) {
    let api = Api::new().await;
    let mut account = json!({"id": ID, "owner": "ann", "primary": true, "description": "D",
        "scopes": ["read"], "created_at": "2020-01-01T00:00:00Z", "created_by": "maker"});
    account.as_object_mut().unwrap().extend(proof.as_object().unwrap().clone());
    let taken = import(&api, json!([account])).await;
    assert_eq!(taken, json!({"imported": 1, "failed": []}));
    let shown = api.get(&format!("/v1/service-accounts/{ID}")).await;
    assert!(!shown.text().contains(SECRET) && !shown.text().contains(HEX));
    let shown = shown.json();
    assert_eq!(
        [&shown["owner"], &shown["description"], &shown["created_by"]],
        ["ann", "D", "maker"]
    );
    assert_eq!([&shown["primary"], &shown["scopes"]], [&json!(true), &json!(["read"])]);
    let (key, _) = api.issue(json!({"owner": "ann", "service_account_id": ID})).await;
    assert_eq!(decision(&api, SECRET, &key).await, "allowed");
    assert_eq!(decision(&api, HEX, &key).await, "unknown");
    let again = import(&api, json!([account])).await;
    assert_eq!(failures(&again), [(0, "already_imported".to_owned())]);
}

#[tokio::test]
async fn what_is_wrong_with_one_is_told_and_no_harm_to_the_others() {
    let api = Api::new().await;
    let hash = |scheme: &str, value: &str| json!({"scheme": scheme, "value": value});
    let accounts = json!([
        {"owner": "a", "client_secret": SECRET, "primary": true},
        {"owner": "", "client_secret": SECRET, "id": MARK},
        {"owner": "a"},
        {"owner": "a", "client_secret": SECRET, "hash": hash("sha256-hex", HEX)},
        {"owner": "a", "client_secret": "short"},
        {"owner": "a", "hash": hash("md5", MARK)},
        {"owner": "a", "hash": hash("fork4", HEX)},
        {"owner": "a", "hash": hash("sha256-hex", MARK)},
        {"owner": "a", "client_secret": format!("{SECRET}2"), "primary": true},
        {"owner": "a", "client_secret": SECRET, "created_at": MARK, "created_by": ""},
        {"owner": "a", "client_secret": SECRET, "version": 0},
        {"owner": "a", "client_secret": SECRET, "secret": MARK},
        [],
        {"owner": "a", "client_secret": SECRET,
            "previous": {"scheme": "md5", "value": MARK, "until": "2030-01-01T00:00:00Z"}},
        {"owner": "a", "client_secret": format!("{SECRET}3")},
        {"owner": "a", "client_secret": SECRET},
    ]);
    let answer = import(&api, accounts).await;
    assert!(!answer.to_string().contains(MARK) && !answer.to_string().contains(SECRET), "{answer}");
    assert_eq!(answer["imported"], 2);
    let expected = [
        (1, "id,owner"),
        (2, "client_secret"),
        (3, "client_secret"),
        (4, "client_secret"),
        (5, "hash"),
        (6, "hash"),
        (7, "hash"),
        (8, "primary"),
        (9, "created_at,created_by"),
        (10, "version"),
        (11, "secret"),
        (12, "body"),
        (13, "previous"),
        (15, "service_account_exists"),
    ];
    assert_eq!(failures(&answer), expected.map(|(place, told)| (place, told.to_owned())));
}

#[tokio::test]
async fn nothing_is_written_unless_all_are_acceptable_if_that_is_wanted() {
    let api = Api::new().await;
    let account = json!({"owner": "a", "client_secret": SECRET});
    for (mode, accounts, expected) in [
        ("check", json!([account]), json!({"imported": 0, "acceptable": 1, "failed": []})),
        ("whole", json!([account, account]), Value::Null),
        ("whole", json!([account, {"owner": "a"}]), Value::Null),
        ("whole", json!([account]), json!({"imported": 1, "failed": []})),
    ] {
        let body = json!({"service_accounts": accounts, "mode": mode});
        let answer = api.call("POST", "/v1/service-accounts/import", body).await.json();
        if expected.is_null() {
            assert_eq!([&answer["imported"], &answer["acceptable"]], [0, 1]);
            let listed = api.get("/v1/service-accounts").await.json();
            assert_eq!(listed["data"], json!([]));
        } else {
            assert_eq!(answer, expected);
        }
    }
    for (body, status) in [
        (json!({"service_accounts": []}), 422),
        (json!({"service_accounts": vec![account; 101]}), 422),
        (json!({"service_accounts": [{}], "mode": "some"}), 422),
        (json!({"accounts": []}), 422),
    ] {
        let answer = api.call("POST", "/v1/service-accounts/import", body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_key_is_taken_over_under_an_account_whose_owner_need_not_be_repeated() {
    let api = Api::new().await;
    import(&api, json!([{"id": ID, "owner": "ann", "client_secret": SECRET}])).await;
    let elsewhere = Api::new().await;
    let (key, id) = elsewhere.issue(json!({"owner": "somebody"})).await;
    let hash = |digit: u8| json!({"scheme": "sha256-hex", "value": digit.to_string().repeat(64)});
    let unknown = "0b6f1b0e-8a61-4b0e-9a53-0d2f7b9f3c12";
    let keys = json!([
        {"secret": key, "service_account_id": ID},
        {"id": "wrongUnknown", "owner": "ann", "hash": hash(1), "service_account_id": unknown},
        {"id": "wrongUnowned", "hash": hash(2), "service_account_id": unknown},
        {"id": "wrongAnother", "owner": "bob", "hash": hash(3), "service_account_id": ID},
        {"id": "wrongMadeUp1", "owner": "ann", "hash": hash(4), "service_account_id": MARK},
        {"id": "rightWithout", "owner": "bob", "hash": hash(5)},
    ]);
    let answer = import_keys(&api, keys).await;
    let expected =
        (1..=4).map(|place| (place, "service_account_id".to_owned())).collect::<Vec<_>>();
    assert_eq!((&answer["imported"], failures(&answer)), (&json!(2), expected));
    let shown = api.get(&format!("/v1/keys/{id}")).await.json();
    assert_eq!([&shown["owner"], &shown["service_account_id"]], ["ann", ID]);
    assert_eq!(decision(&api, SECRET, &key).await, "allowed");
    assert_eq!(decision(&api, &format!("{SECRET}x"), &key).await, "unknown");
}

#[tokio::test]
async fn a_management_key_is_never_taken_over_under_an_account() {
    let api = Api::new().await;
    import(&api, json!([{"id": ID, "owner": "ann", "client_secret": SECRET}])).await;
    let hash = json!({"scheme": "sha256-hex", "value": "1".repeat(64)});
    let key = json!({"id": "managingKey1", "owner": "ann", "hash": hash, "service_account_id": ID});
    let body = json!({"keyspace": "management", "keys": [key]});
    let answer = api.call("POST", "/v1/keys/import", body).await.json();
    assert_eq!(failures(&answer), [(0, "service_account_id".to_owned())]);
}

#[tokio::test]
async fn what_is_exported_can_be_taken_over_elsewhere_and_is_exported_the_same_again() {
    let here = Api::new().await;
    let create = json!({"owner": "ann", "description": "D", "scopes": ["read"], "enabled": false});
    let created = here.call("POST", "/v1/service-accounts", create).await.json();
    let (id, old) = (created["client_id"].as_str().unwrap(), &created["client_secret"]);
    let path = |act: &str| format!("/v1/service-accounts/{id}{act}");
    here.call("POST", &path("/enable"), Value::Null).await;
    let rotated = here.call("POST", &path("/rotate"), json!({"grace": "1h"})).await.json();
    let deleted = here.call("POST", "/v1/service-accounts", json!({"owner": "bob"})).await.json();
    let gone = format!("/v1/service-accounts/{}", deleted["client_id"].as_str().unwrap());
    here.call("DELETE", &gone, Value::Null).await;

    let export = async |api: &Api, state: Option<&str>| {
        let body = json!({"state": state});
        let answer = api.call("POST", "/v1/service-accounts/export", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(!answer.text().contains("kwcs_"), "no secret leaves");
        answer.json()["data"].clone()
    };
    let there = Api::new().await;
    for state in [None, Some("deleted")] {
        let exported = export(&here, state).await;
        assert_eq!(exported.as_array().unwrap().len(), 1, "{exported}");
        assert_eq!(import(&there, exported.clone()).await["imported"], 1);
        assert_eq!(export(&there, state).await, exported);
    }
    let (key, _) = there.issue(json!({"owner": "ann", "service_account_id": id})).await;
    for secret in [old, &rotated["client_secret"]] {
        let body = json!({"secret": key, "client_id": id, "client_secret": secret});
        assert_eq!(there.call("POST", "/v1/verify", body).await.json()["valid"], true);
    }
    let told = here.get("/v1/audit?action=service_accounts.exported").await.json();
    assert_eq!(told["data"].as_array().unwrap().len(), 2);
    assert_eq!(told["data"][0]["data"]["accounts"], 1);
}

#[tokio::test]
async fn an_export_comes_in_pages_and_takes_its_own_right() {
    let api = Api::new().await;
    for _ in 0..3 {
        api.call("POST", "/v1/service-accounts", json!({"owner": "ann"})).await;
    }
    let path = "/v1/service-accounts/export";
    let first = api.call("POST", path, json!({"limit": 2, "owner": "ann"})).await.json();
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    let cursor = &first["next_cursor"];
    let second = api.call("POST", path, json!({"cursor": cursor})).await.json();
    assert_eq!(second["data"].as_array().unwrap().len(), 1);
    for body in [
        json!({"limit": 0}),
        json!({"limit": 201}),
        json!({"cursor": "x"}),
        json!({"state": "expired"}),
        json!({"keyspace": "default"}),
    ] {
        assert_eq!(api.call("POST", path, body.clone()).await.status, 422, "{body}");
    }
    let writer = api.management_key(&["accounts:read", "accounts:write", "keys:export"], json!({}));
    let answer = api.call_as(&writer.await, "POST", path, json!({})).await;
    assert_eq!(answer.status, 403);
}
