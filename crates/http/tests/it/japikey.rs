//! japikey's routes on a server: what they answer when all is well.

mod mounted;
mod refusals;

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use keyward::SigningSettings;
use keyward::store::{MemoryStore, Store};
use keyward_http::RouterSettings;
use keyward_http::japikey::prepare;
use rstest::rstest;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::support::{Api, few_pairs, head};

const KEYS: &str = "/compat/japikey";

/// A server with the routes, over a store.
async fn server(store: Arc<dyn Store>, signing: SigningSettings) -> Api {
    let signing = SigningSettings {
        issuer: Some("https://keys.example/jwks".parse().unwrap()),
        audience: Some("api-key".parse().unwrap()),
        ..signing
    };
    let settings = RouterSettings { japikey: true, ..RouterSettings::default() };
    Api::built(store, settings, |builder| builder.signing(signing)).await
}

/// A server with its keyspace: of Ed25519 keys, which are made in no time.
async fn api() -> Api {
    let api = server(Arc::new(MemoryStore::new()), few_pairs()).await;
    api.signed_keyspace("japikey", "https://keys.example/jwks").await;
    prepare(&api.keyward).await.unwrap();
    api
}

/// A request about the keys of `user`, by the root key.
async fn ask(api: &Api, method: &str, path: &str, user: &str, body: &Value) -> Answer {
    let request = head(&api.root, method, &format!("{KEYS}{path}")).header("keyward-user", user);
    let request = if body.is_null() {
        request.body(String::new())
    } else {
        request.header(CONTENT_TYPE, "application/json").body(body.to_string())
    };
    api.send(request.unwrap().map(Into::into)).await
}

/// Creates a key for `user`; returns its token and its id.
async fn create(api: &Api, user: &str) -> (String, String) {
    created(&ask(api, "POST", "", user, &json!({"expires_in": "1d"})).await)
}

fn created(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("api_key"), text("kid"))
}

async fn get(api: &Api, path: &str, user: &str) -> Answer {
    ask(api, "GET", path, user, &Value::Null).await
}

async fn revoke(api: &Api, kid: &str, user: &str) -> Answer {
    ask(api, "DELETE", &format!("/{kid}"), user, &Value::Null).await
}

/// The ids in a list.
fn kids(list: &Answer) -> Vec<String> {
    assert_eq!(list.status, 200, "{}", list.text());
    let rows = list.json();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["kid"].as_str().unwrap().to_owned()).collect()
}

/// What a token says.
async fn claims(api: &Api, token: &str) -> Value {
    let answer = api.call("POST", "/v1/verify", json!({"secret": token})).await.json();
    assert_eq!(answer["valid"], true, "{answer}");
    answer["claims"].clone()
}

/// An answer that is good, and that nobody keeps.
fn assert_unkept(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("etag"), "");
}

#[tokio::test]
async fn a_key_is_created_listed_shown_and_revoked() {
    let api = server(Arc::new(MemoryStore::new()), few_pairs()).await;
    prepare(&api.keyward).await.unwrap();
    let body = json!({"expires_at": "2027-01-31T00:00:00Z", "claims": {"scopes": ["read"]},
        "metadata": {"name": "laptop"}});
    let answer = ask(&api, "POST", "", "user-1", &body).await;
    assert_unkept(&answer);
    let (token, kid) = created(&answer);
    assert_eq!(answer.text(), format!(r#"{{"api_key":"{token}","kid":"{kid}"}}"#));
    assert_eq!(
        claims(&api, &token).await,
        json!({"scopes": ["read"], "sub": "user-1", "aud": "api-key",
            "iss": format!("https://keys.example/jwks/{kid}"),
            "exp": 1_801_353_600, "ver": "japikey-v1", "iat": 1_798_761_600})
    );

    let jwks = get_document(&api, &kid).await;
    let jwk = jwks.text().strip_prefix(r#"{"keys":["#).unwrap().strip_suffix("]}").unwrap();
    let row = |revoked: bool| {
        format!(
            r#"{{"kid":"{kid}","user_id":"user-1","revoked":{revoked},"jwk":{jwk},"metadata":{{"name":"laptop"}}}}"#
        )
    };
    assert!(jwk.starts_with(r#"{"kty":"RSA","n":""#), "{jwk}");
    assert!(jwk.ends_with(&format!(r#"","e":"AQAB","kid":"{kid}"}}"#)), "{jwk}");
    for (path, expected) in [("/my", format!("[{}]", row(false))), (&format!("/{kid}"), row(false))]
    {
        let answer = get(&api, path, "user-1").await;
        assert_unkept(&answer);
        assert_eq!(answer.text(), expected);
    }

    for _ in 0..2 {
        let answer = revoke(&api, &kid, "user-1").await;
        assert_unkept(&answer);
        assert_eq!(answer.text(), "{}");
    }
    assert_eq!(get(&api, &format!("/{kid}"), "user-1").await.text(), row(true));
    assert_eq!(get(&api, "/my", "user-1").await.text(), format!("[{}]", row(true)));
    assert_eq!(api.decision(&token).await, "revoked");
    assert_eq!(get_document(&api, &kid).await.status, 404);
}

async fn get_document(api: &Api, kid: &str) -> Answer {
    api.get(&format!("/jwks/{kid}/.well-known/jwks.json")).await
}

#[tokio::test]
async fn who_has_no_keys_gets_an_empty_list() {
    let api = api().await;
    create(&api, "user-1").await;
    let answer = get(&api, "/my", "user-2").await;
    assert_unkept(&answer);
    assert_eq!((answer.text(), answer.header("link")), ("[]", ""));
}

/// The slash behind the mount path, and what a client may add for reasons of its own.
#[rstest]
#[case("")]
#[case("/")]
#[case("?x=1")]
#[tokio::test]
async fn a_key_is_created_at_the_root(#[case] path: &str) {
    let api = api().await;
    created(&ask(&api, "POST", path, "user-1", &json!({"expires_in": "1d"})).await);
}

#[rstest]
#[case(json!({}), json!({}))]
#[case(json!({"plan": "gold", "nested": {"a": [1, null]}}), json!({}))]
#[case(json!({"sub": "x", "iss": "x", "aud": "x", "exp": 1, "ver": "x", "iat": 1}), json!({}))]
#[case(json!({"nbf": 1_798_761_600, "jti": "a"}), json!({}))]
#[case(json!({}), json!({"name": "laptop", "deep": {"a": [1, 2.5, null]}}))]
#[tokio::test]
async fn claims_stand_in_the_token_and_metadata_in_the_row(
    #[case] asked: Value,
    #[case] metadata: Value,
) {
    let api = api().await;
    let body = json!({"expires_in": "30d", "claims": asked, "metadata": metadata});
    let (token, kid) = created(&ask(&api, "POST", "", "user-1", &body).await);
    let mut expected = asked.as_object().unwrap().clone();
    let issuer = format!("https://keys.example/jwks/{kid}");
    for (name, value) in [
        ("sub", json!("user-1")),
        ("iss", json!(issuer)),
        ("aud", json!("api-key")),
        ("exp", json!(1_801_353_600)),
        ("ver", json!("japikey-v1")),
        ("iat", json!(1_798_761_600)),
    ] {
        expected.insert(name.to_owned(), value);
    }
    assert_eq!(claims(&api, &token).await, Value::Object(expected));
    assert_eq!(get(&api, &format!("/{kid}"), "user-1").await.json()["metadata"], metadata);
}

#[tokio::test]
async fn a_list_is_in_the_order_of_creation_and_holds_no_other_keys() {
    let api = api().await;
    api.signed_keyspace("other", "https://keys.example/jwks").await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(create(&api, "user-1").await.1);
        create(&api, "user-2").await;
        for keyspace in ["default", "other"] {
            let body = json!({"owner": "user-1", "keyspace": keyspace, "expires_in": "1d"});
            api.issue(body).await;
        }
        api.clock.advance(Duration::from_millis(1));
    }
    revoke(&api, &expected[1], "user-1").await;
    assert_eq!(kids(&get(&api, "/my", "user-1").await), expected);
    let deleted = expected.remove(2);
    api.call("DELETE", &format!("/v1/keys/{deleted}"), Value::Null).await;
    assert_eq!(kids(&get(&api, "/my", "user-1").await), expected);
    assert_eq!(get(&api, &format!("/{deleted}"), "user-1").await.status, 404);
    // Those that have expired are there, and are not revoked.
    api.clock.advance(Duration::from_secs(100_000));
    let list = get(&api, "/my", "user-1").await;
    assert_eq!(kids(&list), expected);
    let revoked: Vec<_> =
        list.json().as_array().unwrap().iter().map(|row| row["revoked"].clone()).collect();
    assert_eq!(revoked, [false, true, false, false]);
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(3)]
#[case(5)]
#[tokio::test]
async fn a_list_is_read_page_by_page(#[case] limit: usize) {
    let api = api().await;
    let mut expected = Vec::new();
    // Several at the same instant: their order is the same on every page.
    for n in 0..5 {
        expected.push(create(&api, "user-1").await.1);
        if n % 2 == 1 {
            api.clock.advance(Duration::from_secs(1));
        }
    }
    let whole = kids(&get(&api, "/my", "user-1").await);
    let mut query = format!("?limit={limit}");
    let mut found = Vec::new();
    loop {
        let page = get(&api, &format!("/my{query}"), "user-1").await;
        assert_unkept(&page);
        let on_it = kids(&page);
        assert!((1..=limit).contains(&on_it.len()));
        found.extend(on_it);
        let link = page.header("link");
        if link.is_empty() {
            break;
        }
        // Relative to whatever path the routes are mounted under.
        let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
        query = next.unwrap().to_owned();
        assert!(query.starts_with(&format!("?limit={limit}&cursor=")), "{link}");
        // A key that is new in between shifts nothing.
        let (_, new) = create(&api, "user-2").await;
        assert!(!found.contains(&new));
    }
    assert_eq!(found, whole);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[rstest]
#[case("/my")]
#[case("/KID")]
#[tokio::test]
async fn a_head_request_gets_the_head(#[case] path: &str) {
    let api = api().await;
    let (_, kid) = create(&api, "user-1").await;
    let path = path.replace("KID", &kid);
    let answer = ask(&api, "HEAD", &path, "user-1", &Value::Null).await;
    assert_unkept(&answer);
    assert_eq!(answer.text(), "");
}

#[tokio::test]
async fn without_a_name_the_user_is_the_owner_of_the_management_key() {
    let api = api().await;
    let writer = json!({"keyspace:japikey": ["keys:read", "keys:write"]});
    let robot = api.management_key(&[], writer).await;
    let answer = api.call_as(&robot, "POST", KEYS, json!({"expires_in": "1d"})).await;
    let (token, kid) = created(&answer);
    assert_eq!(claims(&api, &token).await["sub"], "robot");
    let own = api.call_as(&robot, "GET", &format!("{KEYS}/my"), Value::Null).await;
    assert_eq!(kids(&own), [kid]);
    let told = api.get("/v1/audit?action=key.issued&keyspace=japikey").await.json();
    let told = &told["data"][0];
    assert!(told["actor"].as_str().unwrap().starts_with("key:"), "{told}");
    assert_eq!(told["owner"], "robot");
}

#[tokio::test]
async fn they_are_keys_like_all_others() {
    let api = api().await;
    let (token, kid) = create(&api, "user-1").await;
    let shown = api.get(&format!("/v1/keys/{kid}")).await.json();
    assert_eq!([&shown["owner"], &shown["keyspace"]], ["user-1", "japikey"]);
    assert_eq!(api.call("POST", &format!("/v1/keys/{kid}/revoke"), Value::Null).await.status, 200);
    assert_eq!(get(&api, &format!("/{kid}"), "user-1").await.json()["revoked"], true);
    assert_eq!(api.decision(&token).await, "revoked");
    let (secret, id) = api
        .issue(json!({"owner": "user-1", "keyspace": "japikey", "expires_in": "1d", "name": "n"}))
        .await;
    assert_eq!(api.decision(&secret).await, "allowed");
    assert!(kids(&get(&api, "/my", "user-1").await).contains(&id));
}

#[tokio::test]
async fn the_keyspace_is_made_once() {
    let api = server(Arc::new(MemoryStore::new()), few_pairs()).await;
    for _ in 0..2 {
        prepare(&api.keyward).await.unwrap();
    }
    let keyspace = api.get("/v1/keyspaces/japikey").await.json();
    assert_eq!(
        [&keyspace["algorithm"], &keyspace["issuer"], &keyspace["audience"]],
        ["RS256", "https://keys.example/jwks", "api-key"]
    );
    assert_eq!(keyspace["version"], 1);
}

#[tokio::test]
async fn no_keyspace_is_made_without_an_issuer_or_over_another() {
    let api = Api::new().await;
    let error = prepare(&api.keyward).await.unwrap_err();
    assert_eq!(error.field().map(|field| &*field.field), Some("issuer"));
    api.keyspace("japikey").await;
    let error = prepare(&api.keyward).await.unwrap_err();
    assert_eq!(error.field().map(|field| &*field.field), Some("keyspace"));
}

#[tokio::test]
async fn a_server_that_is_not_told_to_has_no_such_routes() {
    let api = Api::new().await;
    api.signed_keyspace("japikey", "https://keys.example/jwks").await;
    for path in ["", "/my", "/x"] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = ask(&api, method, path, "user-1", &Value::Null).await;
            assert_eq!(answer.complaint(), "404 not_found");
        }
    }
}
