//! Service accounts over HTTP: their life, their keys, and verifying with their credentials.

use std::time::Duration;

use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::support::{Api, MARK};

/// Creates a service account; returns its id.
pub(crate) async fn service_account(api: &Api) -> String {
    Account::of(api, "o").await.id
}

struct Account {
    id: String,
    secret: String,
}

impl Account {
    async fn of(api: &Api, owner: &str) -> Self {
        let answer = api.call("POST", "/v1/service-accounts", json!({"owner": owner})).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        Self::issued(&answer.json())
    }

    fn issued(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Self { id: text("client_id"), secret: text("client_secret") }
    }

    async fn act(&self, api: &Api, act: &str, body: Value) -> Value {
        let path = format!("/v1/service-accounts/{}/{act}", self.id);
        let answer = api.call("POST", &path, body).await;
        assert!(answer.status.is_success(), "{act}: {}", answer.text());
        // So that events sort by the acts.
        api.clock.advance(Duration::from_secs(1));
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    async fn delete(&self, api: &Api) {
        let path = format!("/v1/service-accounts/{}", self.id);
        assert_eq!(api.call("DELETE", &path, Value::Null).await.status, 200);
        api.clock.advance(Duration::from_secs(1));
    }

    async fn key(&self, api: &Api) -> (String, String) {
        api.issue(json!({"owner": "o", "service_account_id": self.id})).await
    }

    /// What is decided on a key that is presented as this account's.
    async fn decision(&self, api: &Api, key: &str) -> String {
        decision(api, &self.id, &self.secret, key).await
    }
}

async fn decision(api: &Api, id: &str, secret: &str, key: &str) -> String {
    let body = json!({"secret": key, "client_id": id, "client_secret": secret});
    let answer = api.call("POST", "/v1/verify", body).await.json();
    if answer["valid"] == true { "allowed" } else { answer["code"].as_str().unwrap() }.to_owned()
}

fn code(answer: &Answer) -> String {
    answer.json()["code"].as_str().unwrap().to_owned()
}

async fn state(api: &Api, key: &str) -> String {
    api.get(&format!("/v1/keys/{key}")).await.json()["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_account_is_created_with_its_client_secret() {
    let api = Api::new().await;
    let body = json!({"owner": "customer-1", "description": "Käse", "scopes": ["write", "read"]});
    let answer = api.call("POST", "/v1/service-accounts", body).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_snapshot!(answer.show(), @r#"
    201 Created
    content-type: application/json
    {
      "client_id": "01a2ce8b-d400-7df2-9712-7f4e90d9a590",
      "client_secret": "kwcs_QbrQiWc61u4L_DjHFCYMQNsAJ5MVwuNU1E8e5DYMUeaHF7DABbc",
      "service_account": {
        "created_at": "2027-01-01T00:00:00Z",
        "created_by": "key:ac34MDhdECb9",
        "deleted_at": null,
        "deleted_by": null,
        "description": "Käse",
        "enabled": true,
        "id": "01a2ce8b-d400-7df2-9712-7f4e90d9a590",
        "owner": "customer-1",
        "previous_secret_until": null,
        "primary": false,
        "rotated_at": null,
        "scopes": [
          "write",
          "read"
        ],
        "state": "active",
        "updated_at": "2027-01-01T00:00:00Z",
        "updated_by": "key:ac34MDhdECb9",
        "version": 1
      }
    }
    "#);
    let id = answer.json()["client_id"].as_str().unwrap().to_owned();
    let shown = api.get(&format!("/v1/service-accounts/{id}")).await;
    assert_eq!(shown.json(), answer.json()["service_account"]);
    assert!(!shown.text().contains("kwcs_"), "it is shown once");
}

#[tokio::test]
async fn an_account_is_changed_and_its_acts_are_told() {
    let api = Api::new().await;
    let account = Account::of(&api, "o").await;
    let path = format!("/v1/service-accounts/{}", account.id);
    let changes = json!({"version": 1, "description": "note", "scopes": ["read"]});
    api.clock.advance(Duration::from_secs(1));
    let updated = api.call("PATCH", &path, changes.clone()).await.json();
    api.clock.advance(Duration::from_secs(1));
    assert_eq!((&updated["description"], &updated["version"]), (&json!("note"), &json!(2)));
    assert_eq!(code(&api.call("PATCH", &path, changes).await), "conflict");
    let cleared = api.call("PATCH", &path, json!({"description": null})).await.json();
    assert_eq!((&cleared["description"], &cleared["scopes"]), (&Value::Null, &json!(["read"])));
    api.clock.advance(Duration::from_secs(1));
    account.act(&api, "disable", Value::Null).await;
    account.act(&api, "enable", Value::Null).await;
    account.act(&api, "rotate", json!({"grace": "1h"})).await;
    account.delete(&api).await;
    account.act(&api, "restore", Value::Null).await;
    account.delete(&api).await;
    account.act(&api, "purge", Value::Null).await;
    assert_eq!(api.get(&path).await.status, 404);
    let told = api.get(&format!("/v1/audit?service_account={}", account.id)).await.json();
    let told = told["data"].as_array().unwrap();
    let actions: Vec<_> =
        told.iter().rev().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        [
            "service_account.created",
            "service_account.updated",
            "service_account.updated",
            "service_account.disabled",
            "service_account.enabled",
            "service_account.rotated",
            "service_account.deleted",
            "service_account.restored",
            "service_account.deleted",
            "service_account.purged",
        ]
    );
    for event in told {
        assert_eq!((&event["owner"], &event["service_account"]), (&json!("o"), &json!(account.id)));
    }
}

#[tokio::test]
async fn what_stands_against_an_act_is_a_conflict() {
    let api = Api::new().await;
    let account = Account::of(&api, "o").await;
    let path = |act: &str| format!("/v1/service-accounts/{}/{act}", account.id);
    for (act, expected) in
        [("enable", "already_enabled"), ("restore", "not_deleted"), ("purge", "not_deleted")]
    {
        let answer = api.call("POST", &path(act), Value::Null).await;
        assert_eq!((answer.status.as_u16(), &*code(&answer)), (409, expected));
    }
    account.delete(&api).await;
    for act in ["enable", "disable", "rotate"] {
        let answer = api.call("POST", &path(act), Value::Null).await;
        assert_eq!((answer.status.as_u16(), &*code(&answer)), (409, "service_account_deleted"));
    }
    let key = json!({"owner": "o", "service_account_id": account.id});
    assert_eq!(code(&api.call("POST", "/v1/keys", key).await), "service_account_deleted");
}

#[tokio::test]
async fn a_key_belongs_to_an_account_of_its_owner_alone() {
    let api = Api::new().await;
    let account = Account::of(&api, "o").await;
    let refused = async |body: Value| {
        let answer = api.call("POST", "/v1/keys", body).await;
        answer.complaint()
    };
    let of_owner = "422 invalid_request; service_account_id must be a service account of the owner";
    let nobody = "00000000-0000-4000-8000-000000000000";
    assert_eq!(refused(json!({"owner": "p", "service_account_id": account.id})).await, of_owner);
    assert_eq!(refused(json!({"owner": "o", "service_account_id": nobody})).await, of_owner);
    let management =
        json!({"owner": "o", "keyspace": "management", "service_account_id": account.id});
    assert_eq!(
        refused(management).await,
        "422 invalid_request; service_account_id must not be given for a management key"
    );
    account.act(&api, "disable", Value::Null).await;
    let body = json!({"owner": "o", "service_account_id": account.id});
    assert_eq!(code(&api.call("POST", "/v1/keys", body).await), "service_account_disabled");
}

#[tokio::test]
async fn keys_follow_their_account_and_come_back_as_they_were() {
    let api = Api::new().await;
    let account = Account::of(&api, "o").await;
    let (secret, id) = account.key(&api).await;
    let (_, deleted) = account.key(&api).await;
    api.call("DELETE", &format!("/v1/keys/{deleted}"), Value::Null).await;
    let (other, _) = api.issue(json!({"owner": "o"})).await;
    let seen = async || (api.decision(&secret).await, state(&api, &id).await);
    let told = |decision: &str, state: &str| (decision.to_owned(), state.to_owned());
    assert_eq!(seen().await, told("allowed", "active"));
    account.act(&api, "disable", Value::Null).await;
    assert_eq!(seen().await, told("disabled", "disabled"));
    account.act(&api, "enable", Value::Null).await;
    assert_eq!(seen().await, told("allowed", "active"));
    account.delete(&api).await;
    assert_eq!(seen().await, told("unknown", "deleted"));
    assert_eq!(api.decision(&other).await, "allowed");
    for act in ["enable", "disable", "restore", "rotate"] {
        let answer = api.call("POST", &format!("/v1/keys/{id}/{act}"), Value::Null).await;
        assert_eq!(code(&answer), "service_account_deleted", "{act}");
    }
    account.act(&api, "restore", Value::Null).await;
    assert_eq!(seen().await, told("allowed", "active"));
    assert_eq!(state(&api, &deleted).await, "deleted", "it was deleted by itself");
    account.delete(&api).await;
    // A key that leaked is revoked for good, also while its account is deleted.
    let revoked = api.call("POST", &format!("/v1/keys/{id}/revoke"), Value::Null).await;
    assert_eq!(revoked.status, 200);
    account.act(&api, "restore", Value::Null).await;
    assert_eq!(seen().await, told("revoked", "revoked"));
    account.delete(&api).await;
    account.act(&api, "purge", Value::Null).await;
    assert_eq!(api.get(&format!("/v1/keys/{id}")).await.status, 404);
    assert_eq!(api.get(&format!("/v1/keys/{deleted}")).await.status, 404);
}

#[tokio::test]
async fn any_wrong_credential_has_the_same_answer() {
    let api = Api::new().await;
    let (mine, other) = (Account::of(&api, "o").await, Account::of(&api, "o").await);
    let (key, id) = mine.key(&api).await;
    let (of_other, _) = other.key(&api).await;
    let (of_none, _) = api.issue(json!({"owner": "o"})).await;
    assert_eq!(mine.decision(&api, &key).await, "allowed");
    let mut mistyped = key.clone();
    mistyped.pop();
    let nobody = "00000000-0000-4000-8000-000000000000";
    let mut answers = std::collections::BTreeSet::new();
    for (id, secret, key) in [
        (&*mine.id, &*mine.secret, &*of_other),
        (&mine.id, &mine.secret, &of_none),
        (&mine.id, &mine.secret, &mistyped),
        (&mine.id, &mine.secret, "x"),
        (&mine.id, &other.secret, &key),
        (&mine.id, "", &key),
        (&other.id, &mine.secret, &key),
        (&other.id, &other.secret, &key),
        (nobody, &mine.secret, &key),
        ("", &mine.secret, &key),
        ("' OR '1'='1", &mine.secret, &key),
    ] {
        let body = json!({"secret": key, "client_id": id, "client_secret": secret});
        let answer = api.call("POST", "/v1/verify", body).await;
        assert_eq!(answer.status, 200);
        answers.insert(answer.text().to_owned());
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers.first().unwrap().contains("unknown"));
    // What is told of a key is told to whoever holds all three.
    api.call("POST", &format!("/v1/keys/{id}/disable"), Value::Null).await;
    assert_eq!(mine.decision(&api, &key).await, "disabled");
    assert_eq!(decision(&api, &mine.id, &other.secret, &key).await, "unknown");
    mine.delete(&api).await;
    assert_eq!(mine.decision(&api, &key).await, "unknown");
}

#[tokio::test]
async fn a_rotated_client_secret_works_until_its_grace_ends() {
    let api = Api::new().await;
    let account = Account::of(&api, "o").await;
    let (key, _) = account.key(&api).await;
    let rotated = account.act(&api, "rotate", json!({"grace": "1h"})).await;
    let until = rotated["service_account"]["previous_secret_until"].as_str();
    assert!(until.is_some());
    let new = Account::issued(&rotated);
    assert_eq!((&new.id, new.secret == account.secret), (&account.id, false));
    assert_eq!(account.decision(&api, &key).await, "allowed");
    assert_eq!(new.decision(&api, &key).await, "allowed");
    api.clock.advance(Duration::from_hours(1));
    assert_eq!(account.decision(&api, &key).await, "unknown");
    let newest = Account::issued(&new.act(&api, "rotate", Value::Null).await);
    assert_eq!(new.decision(&api, &key).await, "unknown", "at once, without a grace");
    assert_eq!(newest.decision(&api, &key).await, "allowed");
}

#[rstest]
#[case(json!({}), "owner must be given")]
#[case(json!({"owner": ""}), "owner must be 1 to 256 characters long")]
#[case(json!({"owner": null}), "owner must be a string")]
#[case(json!({"owner": 7}), "owner must be a string")]
#[case(json!({"owner": "o", "scopes": "read"}), "scopes must be a list")]
#[case(json!({"owner": "o", "client_secret": MARK}), "client_secret is not a known field")]
#[case(json!({"owner": "o", "enabled": "yes"}), "enabled must be a boolean")]
#[tokio::test]
async fn bad_accounts_are_refused(#[case] body: Value, #[case] complaint: &str) {
    let api = Api::new().await;
    let answer = api.call("POST", "/v1/service-accounts", body).await;
    assert_eq!(answer.complaint(), format!("422 invalid_request; {complaint}"));
    assert!(!answer.text().contains(MARK));
}

#[rstest]
#[case(json!({"client_id": "x"}), "client_secret must be given with the other one")]
#[case(json!({"client_secret": "x"}), "client_id must be given with the other one")]
#[case(json!({"client_id": 5, "client_secret": "x"}), "client_id must be a string")]
#[tokio::test]
async fn half_of_the_credentials_is_a_mistake(#[case] mut body: Value, #[case] complaint: &str) {
    let api = Api::new().await;
    body["secret"] = json!("x");
    let answer = api.call("POST", "/v1/verify", body).await;
    assert_eq!(answer.complaint(), format!("422 invalid_request; {complaint}"));
}

#[rstest]
#[case("owner=", "owner must be 1 to 256 characters long")]
#[case("primary=1", "primary must be true or false")]
#[case("state=expired", "state must be active, deleted or disabled")]
#[case("include_deleted=yes", "include_deleted must be true or false")]
#[case("sort=name", "sort must be created_at or updated_at")]
#[case("page=0", "page must be a number from 1 to 1000000000")]
#[case("page=1&cursor=e30", "cursor must not be given together with page")]
#[case("client_id=x", "client_id is not a known field")]
#[tokio::test]
async fn bad_lists_of_accounts_are_refused(#[case] query: &str, #[case] complaint: &str) {
    let api = Api::new().await;
    let answer = api.get(&format!("/v1/service-accounts?{query}")).await;
    let brief = answer.complaint();
    assert!(brief.starts_with("400 invalid_query; ") && brief.contains(complaint), "{brief}");
}

#[tokio::test]
async fn accounts_are_listed_and_found() {
    let api = Api::new().await;
    for owner in ["ann", "ann", "bob"] {
        Account::of(&api, owner).await;
        api.clock.advance(Duration::from_secs(1));
    }
    let gone = Account::of(&api, "bob").await;
    gone.delete(&api).await;
    let owners = async |query: &str| -> Vec<String> {
        let page = api.get(&format!("/v1/service-accounts?{query}")).await.json();
        let data = page["data"].as_array().unwrap();
        data.iter().map(|account| account["owner"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(owners("").await, ["bob", "ann", "ann"]);
    assert_eq!(owners("order=asc&sort=updated_at").await, ["ann", "ann", "bob"]);
    assert_eq!(owners("owner=ann").await, ["ann", "ann"]);
    assert_eq!(owners("include_deleted=true").await.len(), 4);
    assert_eq!(owners("include_deleted=false").await.len(), 3);
    assert_eq!(owners("state=deleted").await, ["bob"]);
    assert_eq!(owners(&format!("state=deleted&search={}", gone.id)).await.len(), 1);
    assert_eq!(owners("primary=true").await, [""; 0]);
    assert_eq!(owners("page=2&limit=2").await, ["ann"]);
    let page = api.get("/v1/service-accounts?page=2&limit=2").await.json();
    assert_eq!(
        page["pagination"],
        json!({"page": 2, "limit": 2, "total": 3, "total_pages": 2,
        "has_next": false, "has_previous": true})
    );
}

#[tokio::test]
async fn a_keyspace_may_give_each_owner_a_primary_account() {
    let api = Api::new().await;
    let body = json!({"id": "apps", "format": "prefixed", "prefix": "apps",
        "service_account": "primary"});
    assert_eq!(api.call("POST", "/v1/keyspaces", body).await.status, 201);
    let issue = async |owner: &str| {
        let answer =
            api.call("POST", "/v1/keys", json!({"keyspace": "apps", "owner": owner})).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    };
    let (first, second, other) = (issue("o").await, issue("o").await, issue("p").await);
    let account = Account::issued(&first);
    assert_eq!(first["service_account"]["primary"], true);
    assert_eq!(first["key"]["service_account_id"], json!(account.id));
    assert!(second.get("client_secret").is_none(), "it is shown once");
    assert_eq!(second["key"]["service_account_id"], json!(account.id));
    assert_ne!(other["client_id"], first["client_id"]);
    for issued in [&first, &second] {
        assert_eq!(account.decision(&api, issued["secret"].as_str().unwrap()).await, "allowed");
    }
    // Once it is deleted, the next key gets another one; restored, it is the primary one no more.
    account.delete(&api).await;
    let next = Account::issued(&issue("o").await);
    assert_ne!(next.id, account.id);
    let restored = account.act(&api, "restore", Value::Null).await;
    assert_eq!((&restored["primary"], &restored["state"]), (&json!(false), &json!("active")));
    let rule = json!({"service_account": "optional"});
    assert_eq!(api.call("PATCH", "/v1/keyspaces/apps", rule).await.status, 200);
    assert_eq!(issue("o").await["key"]["service_account_id"], Value::Null);
}

#[tokio::test]
async fn twelve_first_keys_at_once_make_one_account() {
    let api = Api::new().await;
    let body = json!({"id": "apps", "format": "prefixed", "prefix": "apps",
        "service_account": "primary"});
    assert_eq!(api.call("POST", "/v1/keyspaces", body).await.status, 201);
    let issue = || api.call("POST", "/v1/keys", json!({"keyspace": "apps", "owner": "o"}));
    let answers = futures_util::future::join_all((0..12).map(|_| issue())).await;
    let answers: Vec<_> = answers.iter().map(Answer::json).collect();
    let with_secret = answers.iter().filter(|answer| answer.get("client_secret").is_some());
    assert_eq!(with_secret.count(), 1);
    let ids: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer["key"]["service_account_id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let page = api.get("/v1/service-accounts").await.json();
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn deleted_accounts_are_reaped_with_their_keys_once_it_is_time() {
    let api = Api::new().await;
    let (gone, late) = (Account::of(&api, "o").await, Account::of(&api, "o").await);
    let (_, key) = gone.key(&api).await;
    let (_, deleted) = api.issue(json!({"owner": "o"})).await;
    api.call("DELETE", &format!("/v1/keys/{deleted}"), Value::Null).await;
    gone.delete(&api).await;
    api.clock.advance(Duration::from_hours(24));
    late.delete(&api).await;
    api.clock.advance(Duration::from_hours(24));
    let reap = async |body: Value| {
        let answer = api.call("POST", "/v1/keys/reap", body).await;
        answer.json()
    };
    let nothing = json!({"purged": 0, "accounts": 0, "has_more": false});
    assert_eq!(reap(json!({"older_than": "1s"})).await, nothing);
    let both = json!({"older_than": "1s", "deleted_older_than": "2d"});
    assert_eq!(reap(both).await, json!({"purged": 2, "accounts": 1, "has_more": false}));
    for path in [
        format!("/v1/keys/{key}"),
        format!("/v1/keys/{deleted}"),
        format!("/v1/service-accounts/{}", gone.id),
    ] {
        assert_eq!(api.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(api.get(&format!("/v1/service-accounts/{}", late.id)).await.status, 200);
}
