//! The token endpoint: what is granted, and every way to be refused (RFC 6749 §5.2).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use insta::assert_snapshot;
use keyward::OAuthSettings;
use keyward::jose::AccessToken;
use keyward::store::MemoryStore;
use keyward_http::RouterSettings;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Account, FORM, GRANT, basic, post, told};
use crate::answer::Answer;
use crate::faulty::{FaultyStore, Mood};
use crate::support::{AUTH, Api, MARK};

const TOKEN: &str = "/oauth/token";

/// The form with the credentials in it.
fn in_form(account: &Account, rest: &str) -> String {
    format!("client_id={}&client_secret={}&{rest}", account.id, account.secret)
}

/// The answer without the token in it.
fn without_token(answer: &Answer) -> Value {
    let mut body = answer.json();
    assert!(body["access_token"].take().as_str().unwrap().starts_with("eyJ"));
    body
}

#[tokio::test]
async fn a_client_gets_a_token_with_all_that_its_account_may() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read", "write"]).await;
    let answer = post(&api, TOKEN, &account.basic(), GRANT).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        [answer.header("cache-control"), answer.header("pragma")],
        ["no-store", "no-cache"],
        "RFC 6749 §5.1"
    );
    assert_snapshot!(format!("{:#}", without_token(&answer)), @r#"
    {
      "access_token": null,
      "expires_in": 600,
      "scope": "read write",
      "token_type": "Bearer"
    }
    "#);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let read = AccessToken::read(&token).unwrap();
    let claims: Value = read.all_claims().read().unwrap();
    let expected = json!({"iss": AUTH, "aud": AUTH, "sub": account.id, "client_id": account.id,
        "iat": 1_798_761_600, "exp": 1_798_762_200, "jti": claims["jti"], "scope": "read write"});
    assert_eq!(claims, expected);
}

#[rstest]
#[case::some("&scope=write", json!("write"))]
#[case::in_its_own_order("&scope=write%20read", json!("write read"))]
#[case::with_plus("&scope=write+read", json!("write read"))]
#[case::twice_the_same("&scope=write+write", json!("write"))]
#[case::an_empty_one_is_none("&scope=", json!("read write"))]
#[case::what_is_not_known_is_passed_over("&audience=x&resource=y", json!("read write"))]
#[tokio::test]
async fn a_client_may_ask_for_less(#[case] more: &str, #[case] scope: Value) {
    let api = Api::new().await;
    let account = Account::of(&api, &["read", "write"]).await;
    for (authorization, form) in [
        (account.basic(), format!("{GRANT}{more}")),
        (String::new(), in_form(&account, &format!("{GRANT}{more}"))),
    ] {
        let answer = post(&api, TOKEN, &authorization, &form).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["scope"], scope);
    }
}

#[tokio::test]
async fn an_account_without_scopes_gets_a_token_without_scopes() {
    let api = Api::new().await;
    let account = Account::of(&api, &[]).await;
    let answer = post(&api, TOKEN, &account.basic(), GRANT).await;
    assert_eq!(
        without_token(&answer),
        json!({"access_token": null, "token_type": "Bearer",
        "expires_in": 600})
    );
}

#[tokio::test]
async fn credentials_in_the_header_are_written_as_in_a_form() {
    // As RFC 6749 §2.3.1 has it; for our own credentials it makes no difference but here.
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let written = account.secret.replace('_', "%5F");
    let answer = post(&api, TOKEN, &basic(&account.id, &written), GRANT).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let scheme = account.basic().replace("Basic", "bAsIc");
    assert_eq!(post(&api, TOKEN, &scheme, GRANT).await.status, 200);
    // The same id in the form is no second way to authenticate.
    let form = format!("{GRANT}&client_id={}", account.id);
    assert_eq!(post(&api, TOKEN, &account.basic(), &form).await.status, 200);
}

#[tokio::test]
async fn whatever_is_wrong_with_credentials_is_told_in_one_way() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let deleted = Account::of(&api, &["read"]).await;
    api.call("DELETE", &format!("/v1/service-accounts/{}", deleted.id), Value::Null).await;
    let disabled = Account::of(&api, &["read"]).await;
    disabled.act(&api, "disable").await;
    let (key, _) = account.key(&api).await;
    let wrong = [
        (account.id.as_str(), "kwcs_wrong"),
        (account.id.as_str(), deleted.secret.as_str()),
        (account.id.as_str(), key.as_str()),
        (deleted.id.as_str(), deleted.secret.as_str()),
        (disabled.id.as_str(), account.secret.as_str()),
        ("550e8400-e29b-41d4-a716-446655440000", account.secret.as_str()),
        ("00000000-0000-0000-0000-000000000000", account.secret.as_str()),
        (MARK, account.secret.as_str()),
    ];
    let expected = post(&api, TOKEN, &basic(&account.id, MARK), GRANT).await;
    assert_snapshot!(expected.show(), @r#"
    401 Unauthorized
    content-type: application/json
    www-authenticate: Basic realm="keyward", charset="UTF-8"
    {
      "error": "invalid_client",
      "error_description": "the client is unknown, or its secret is wrong"
    }
    "#);
    for (id, secret) in wrong {
        let answer = post(&api, TOKEN, &basic(id, secret), GRANT).await;
        assert_eq!(answer.show(), expected.show(), "{id}");
        let form = format!("client_id={id}&client_secret={secret}&{GRANT}");
        assert_eq!(post(&api, TOKEN, "", &form).await.show(), expected.show(), "{id}");
        // Whatever else is wrong comes after that.
        let form = "grant_type=password&scope=more";
        assert_eq!(post(&api, TOKEN, &basic(id, secret), form).await.show(), expected.show());
    }
}

#[tokio::test]
async fn a_disabled_account_is_told_so_once_it_is_proved() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    account.act(&api, "disable").await;
    let answer = post(&api, TOKEN, &account.basic(), GRANT).await;
    assert_snapshot!(answer.show(), @r#"
    400 Bad Request
    content-type: application/json
    {
      "error": "unauthorized_client",
      "error_description": "the service account is disabled"
    }
    "#);
    account.act(&api, "enable").await;
    assert_eq!(post(&api, TOKEN, &account.basic(), GRANT).await.status, 200);
}

#[tokio::test]
async fn a_rotated_client_secret_works_until_its_grace_is_over() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let path = format!("/v1/service-accounts/{}/rotate", account.id);
    let rotated = api.call("POST", &path, json!({"grace": "1h"})).await.json();
    let new = basic(&account.id, rotated["client_secret"].as_str().unwrap());
    for authorization in [account.basic(), new.clone()] {
        assert_eq!(post(&api, TOKEN, &authorization, GRANT).await.status, 200);
    }
    api.clock.advance(Duration::from_hours(1));
    assert_eq!(post(&api, TOKEN, &account.basic(), GRANT).await.status, 401);
    assert_eq!(post(&api, TOKEN, &new, GRANT).await.status, 200);
}

const NO_CLIENT: &str = "401 invalid_client: the client must authenticate";
const NO_HEADER: &str = "401 invalid_client: the header must hold a client id and a client secret";
const TWICE: &str = "400 invalid_request: a parameter is given twice";
const NO_GRANT: &str = "400 invalid_request: the parameter grant_type must be given";
const OTHER_GRANT: &str = "400 unsupported_grant_type: the only grant type is client_credentials";
const NO_SCOPE: &str = "400 invalid_scope: the parameter scope must hold scopes with one space \
    between two of them";
const MORE: &str = "400 invalid_scope: the service account does not have each of the scopes";

#[rstest]
#[case::nothing("", NO_GRANT)]
#[case::no_grant("scope=read", NO_GRANT)]
#[case::an_empty_grant("grant_type=", NO_GRANT)]
#[case::another_grant("grant_type=password&username=zq7marker&password=zq7marker", OTHER_GRANT)]
#[case::code("grant_type=authorization_code&code=zq7marker", OTHER_GRANT)]
#[case::refresh("grant_type=refresh_token&refresh_token=zq7marker", OTHER_GRANT)]
#[case::in_capitals("grant_type=CLIENT_CREDENTIALS", OTHER_GRANT)]
#[case::grant_twice("grant_type=client_credentials&grant_type=client_credentials", TWICE)]
#[case::scope_twice("grant_type=client_credentials&scope=read&scope=zq7marker", TWICE)]
#[case::unknown_twice("grant_type=client_credentials&zq7marker=1&zq7marker=2", TWICE)]
#[case::written_otherwise("grant_type=client_credentials&sco%70e=read&scope=read", TWICE)]
#[case::more_than_it_may("grant_type=client_credentials&scope=read+zq7marker", MORE)]
#[case::two_spaces("grant_type=client_credentials&scope=read++write", NO_SCOPE)]
#[case::a_space_behind("grant_type=client_credentials&scope=read+", NO_SCOPE)]
#[case::no_scope_token("grant_type=client_credentials&scope=%22zq7marker%22", NO_SCOPE)]
#[case::not_ascii("grant_type=client_credentials&scope=%C3%A4", NO_SCOPE)]
#[tokio::test]
async fn a_request_that_breaks_a_rule_is_refused(#[case] form: &str, #[case] expected: &str) {
    let api = Api::new().await;
    let account = Account::of(&api, &["read", "write"]).await;
    let before = api.everything().await;
    let answer = post(&api, TOKEN, &account.basic(), form).await;
    assert_eq!(told(&answer), expected);
    assert!(!answer.text().contains(MARK), "an echo: {}", answer.text());
    assert_eq!(before, api.everything().await);
    assert_eq!(told(&post(&api, TOKEN, "", &in_form(&account, form)).await), expected);
}

#[rstest]
#[case::none("", "", NO_CLIENT)]
#[case::id_alone("", "&client_id=ID", NO_CLIENT)]
#[case::secret_alone("", "&client_secret=SECRET", NO_CLIENT)]
#[case::an_empty_secret("", "&client_id=ID&client_secret=", NO_CLIENT)]
#[case::twice_in_the_form("", "&client_id=ID&client_secret=SECRET&client_secret=SECRET", TWICE)]
#[case::scheme_alone("Basic", "", NO_HEADER)]
#[case::no_base64("Basic zq7marker!", "", NO_HEADER)]
#[case::no_colon("Basic aWQ=", "", NO_HEADER)]
#[case::not_utf_8("Basic //8=", "", NO_HEADER)]
#[case::no_id("Basic OnNlY3JldA==", "", NO_HEADER)]
#[case::no_secret("Basic aWQ6", "", NO_HEADER)]
#[case::another_scheme("Bearer zq7marker", "", NO_HEADER)]
#[case::both(
    "BASIC",
    "&client_id=ID&client_secret=SECRET",
    "400 invalid_request: the client must \
    authenticate in one way: by the header or in the body"
)]
#[case::secret_in_the_form(
    "BASIC",
    "&client_secret=SECRET",
    "400 invalid_request: the client must \
    authenticate in one way: by the header or in the body"
)]
#[case::another_id(
    "BASIC",
    "&client_id=zq7marker",
    "400 invalid_request: the client must \
    authenticate in one way: by the header or in the body"
)]
#[tokio::test]
async fn a_client_must_authenticate_in_one_way(
    #[case] authorization: &str,
    #[case] more: &str,
    #[case] expected: &str,
) {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let authorization = authorization.replace("BASIC", &account.basic());
    let more = more.replace("ID", &account.id).replace("SECRET", &account.secret);
    let answer = post(&api, TOKEN, &authorization, &format!("{GRANT}{more}")).await;
    assert_eq!(told(&answer), expected);
    assert!(!answer.text().contains(MARK), "an echo: {}", answer.text());
}

#[tokio::test]
async fn credentials_that_are_given_in_two_headers_are_refused() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let request = Request::post(TOKEN).header(CONTENT_TYPE, FORM);
    let request = (0..2).fold(request, |r, _| r.header(AUTHORIZATION, account.basic()));
    let answer = api.send(request.body(Body::from(GRANT)).unwrap()).await;
    let expected = "400 invalid_request: the header that holds the key must be given once";
    assert_eq!(told(&answer), expected);
}

#[rstest]
#[case::json("application/json", r#"{"grant_type":"client_credentials"}"#)]
#[case::several_parts("multipart/form-data; boundary=x", GRANT)]
#[case::text("text/plain", GRANT)]
#[case::none("", GRANT)]
#[tokio::test]
async fn a_body_of_another_type_is_refused(#[case] kind: &str, #[case] body: &'static str) {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let request = Request::post(TOKEN).header(AUTHORIZATION, account.basic());
    let request = if kind.is_empty() { request } else { request.header(CONTENT_TYPE, kind) };
    let answer = api.send(request.body(Body::from(body)).unwrap()).await;
    let expected = "400 invalid_request: the body must be of the type \
        application/x-www-form-urlencoded";
    assert_eq!(told(&answer), expected);
}

#[tokio::test]
async fn a_type_may_have_parameters() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let request = Request::post(TOKEN).header(AUTHORIZATION, account.basic());
    let request = request.header(CONTENT_TYPE, format!("{FORM}; charset=UTF-8"));
    assert_eq!(api.send(request.body(Body::from(GRANT)).unwrap()).await.status, 200);
}

#[tokio::test]
async fn too_large_a_body_is_refused() {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    let form = format!("{GRANT}&x={}", "x".repeat(70_000));
    let answer = post(&api, TOKEN, &account.basic(), &form).await;
    let expected = "413 invalid_request: the body is larger than this route takes";
    assert_eq!(told(&answer), expected);
}

#[rstest]
#[case("/oauth/token")]
#[case("/oauth/introspect")]
#[case("/oauth/revoke")]
#[tokio::test]
async fn credentials_do_not_belong_into_urls(#[case] path: &str) {
    let api = Api::new().await;
    let account = Account::of(&api, &["read"]).await;
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let path = format!("{path}?{}", in_form(&account, GRANT));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = api.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"), "{method}");
    }
    let answer = post(&api, &format!("{path}?{}", in_form(&account, GRANT)), "", GRANT).await;
    assert_eq!(answer.json()["error"], "invalid_client");
}

#[tokio::test]
async fn without_an_issuer_there_is_no_token_endpoint() {
    let settings = RouterSettings::default();
    let api = Api::built(Arc::new(MemoryStore::new()), settings, |builder| {
        builder.oauth(OAuthSettings::default())
    })
    .await;
    let account = Account::of(&api, &["read"]).await;
    let answer = post(&api, TOKEN, &account.basic(), GRANT).await;
    assert_eq!(answer.complaint(), "404 not_found");
    for path in ["/oauth/jwks", "/.well-known/oauth-authorization-server"] {
        assert_eq!(api.get(path).await.complaint(), "404 not_found");
    }
    // What there is can be asked about all the same.
    let (key, _) = account.key(&api).await;
    assert!(super::is_active(&api, &key).await);
}

#[tokio::test]
async fn a_store_that_fails_is_told_as_such() {
    let store = Arc::new(FaultyStore::new());
    let api = Api::over(Arc::<FaultyStore>::clone(&store), RouterSettings::default()).await;
    let account = Account::of(&api, &["read"]).await;
    let token = account.token(&api).await;
    store.set(Mood::Down);
    // What is known without asking the store is not so any more.
    api.clock.advance(Duration::from_secs(5));
    let answer = post(&api, TOKEN, &account.basic(), GRANT).await;
    assert_snapshot!(answer.show(), @r#"
    503 Service Unavailable
    content-type: application/json
    retry-after: 1
    {
      "error": "temporarily_unavailable",
      "error_description": "the store does not answer; try again"
    }
    "#);
    assert!(!answer.text().contains(FaultyStore::CAUSE));
    let form = format!("token={token}");
    let other = post(&api, "/oauth/introspect", &account.basic(), &form).await;
    assert_eq!(other.show(), answer.show());
    store.set(Mood::Works);
    assert_eq!(post(&api, TOKEN, &account.basic(), GRANT).await.status, 200);
}
