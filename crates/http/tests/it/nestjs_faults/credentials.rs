//! D1, W1, W2, W3, W7, W12: what is wrong with secrets, and with those that must not work.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::nestjs::server::Backend::{self, Memory, Sqlite};
use crate::nestjs::server::{Credentials, Server};

const WRONG: &str = "401 INVALID_CLIENT_CREDENTIALS: Invalid API key or client credentials";

#[rstest]
#[tokio::test]
async fn d1_a_removed_key_no_longer_validates(#[values(Memory, Sqlite)] backend: Backend) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let other = server.another_key(json!(1), &key).await;
    // Known to the cache, too.
    assert_eq!(server.validate(&key).await, "200 KEY_VALID");
    server.done("DELETE", &format!("/{}", key.key_id), Value::Null).await;
    assert_eq!(server.validate(&key).await, WRONG);
    assert_eq!(server.beside().await.validate(&key).await, WRONG);
    assert_eq!(server.validate(&other).await, "200 KEY_VALID");
}

/// What is random of a secret, in parts that are long enough to be nothing else.
fn random_parts(secret: &str) -> Vec<&str> {
    let part = secret.rsplit('_').next().unwrap();
    [Some(secret), Some(part), part.get(..32), part.get(6..22)].into_iter().flatten().collect()
}

#[rstest]
#[tokio::test]
async fn w1_nothing_that_is_stored_holds_a_secret(#[values(Memory, Sqlite)] backend: Backend) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let another = server.another_key(json!(1), &key).await;
    server.done("PUT", &format!("/{}", key.key_id), json!({"name": "renamed"})).await;
    assert_eq!(server.validate(&key).await, "200 KEY_VALID");
    server.validate(&Credentials { client_secret: another.api_key.clone(), ..key.clone() }).await;
    server.api.keyward.close().await.unwrap();
    let stored = server.api.everything().await.join("\n").into_bytes();
    assert!(contains(&stored, &key.key_id), "nothing to search");
    let mut files = server.files();
    assert_eq!(files.iter().any(|file| contains(file, &key.key_id)), matches!(backend, Sqlite));
    files.push(stored);
    for secret in [&key.api_key, &key.client_secret, &another.api_key, &server.api.root] {
        for part in random_parts(secret) {
            assert!(!files.iter().any(|file| contains(file, part)), "a part of a secret is there");
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[rstest]
#[tokio::test]
async fn w2_no_answer_but_that_of_create_holds_a_secret(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let path = format!("/{}", key.key_id);
    let answers = [
        server.call("POST", "/validate", key.body()).await,
        server
            .call(
                "POST",
                "/validate",
                Credentials { client_id: "x".to_owned(), ..key.clone() }.body(),
            )
            .await,
        server.call("PUT", &path, json!({"name": "n"})).await,
        server.get("?include_deleted=true").await,
        server.get(&format!("?client_id={}", key.client_id)).await,
        server.get(&format!("?search={}", key.client_secret)).await,
        server.call("POST", "", json!({"user_id": 1, "name": "second"})).await,
        server.call("DELETE", &path, Value::Null).await,
        server.get("?status=deleted").await,
        server.api.get(&format!("/v1/keys{path}")).await,
        server.api.get(&format!("/v1/service-accounts/{}", key.client_id)).await,
        server.api.get("/v1/audit?limit=200").await,
    ];
    for answer in answers {
        for secret in [&key.api_key, &key.client_secret] {
            for part in random_parts(secret) {
                assert!(!answer.text().contains(part), "{}", answer.text());
            }
        }
        assert!(!answer.text().contains("client_secret"), "{}", answer.text());
    }
}

#[rstest]
#[case::deleted("DELETE", "/v1/keys/KEY", WRONG)]
#[case::account_deleted("DELETE", "/v1/service-accounts/ACCOUNT", WRONG)]
#[case::revoked("POST", "/v1/keys/KEY/revoke", "403 KEY_INACTIVE: API key is not active")]
#[case::disabled("POST", "/v1/keys/KEY/disable", "403 KEY_INACTIVE: API key is not active")]
#[case::account_disabled(
    "POST",
    "/v1/service-accounts/ACCOUNT/disable",
    "403 KEY_INACTIVE: API key is not active"
)]
#[tokio::test]
async fn w3_what_is_not_active_is_refused_and_expiry_is_told_before_the_rest(
    #[case] method: &str,
    #[case] path: &str,
    #[case] expected: &str,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let path = path.replace("KEY", &key.key_id).replace("ACCOUNT", &key.client_id);
    assert_eq!(server.api.call(method, &path, Value::Null).await.status, 200);
    assert_eq!(server.validate(&key).await, expected);
    server.api.clock.advance(Duration::from_hours(365 * 24));
    let told = server.validate(&key).await;
    let then = if expected == WRONG { WRONG } else { "401 KEY_EXPIRED: API key has expired" };
    assert_eq!(told, then);
    // Whoever has not proved everything is told nothing of the key.
    let stranger = Credentials { client_secret: "x".to_owned(), ..key };
    assert_eq!(server.validate(&stranger).await, WRONG);
}

#[rstest]
#[tokio::test]
async fn w3_a_key_that_is_not_valid_yet_is_refused(#[values(Memory, Sqlite)] backend: Backend) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let stored = format!("/v1/keys/{}", key.key_id);
    server.api.call("PATCH", &stored, json!({"not_before": "2027-01-01T00:00:01Z"})).await;
    assert_eq!(server.validate(&key).await, "403 KEY_INACTIVE: API key is not active");
    server.api.clock.advance(Duration::from_secs(1));
    assert_eq!(server.validate(&key).await, "200 KEY_VALID");
}

/// Each is wrong in one thing, and well made.
fn wrong_in_one_thing(key: &Credentials, other: &Credentials) -> [Credentials; 6] {
    let key = || key.clone();
    let unknown = "550e8400-e29b-41d4-a716-446655440000".to_owned();
    [
        Credentials { client_id: unknown, ..key() },
        Credentials { client_id: other.client_id.clone(), ..key() },
        Credentials { client_secret: other.client_secret.clone(), ..key() },
        Credentials { client_secret: "x".to_owned(), ..key() },
        Credentials { api_key: other.api_key.clone(), ..key() },
        // Of a key that there never was, as well made as any.
        Credentials { api_key: UNKNOWN.to_owned(), ..key() },
    ]
}

/// Its checksum is right.
const UNKNOWN: &str = "kw_nest_u13DfdUmzHnP_2Nc7Zz5Gvf7GXaxFKmjv7AxUMPzh1Fm65Ci5Dj";

#[rstest]
#[case::unknown_client(0)]
#[case::client_of_another(1)]
#[case::secret_of_another(2)]
#[case::wrong_secret(3)]
#[case::key_of_another(4)]
#[case::unknown_key(5)]
#[tokio::test]
async fn w7_every_wrong_credential_has_the_same_answer_and_costs_the_same_reads(
    #[case] wrong: usize,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    server.create(json!({"user_id": 9, "name": "so that others are drawn"})).await;
    let key = server.first_key(json!(1)).await;
    let other = server.first_key(json!(2)).await;
    assert!(![&key.api_key, &other.api_key].contains(&&UNKNOWN.to_owned()));
    let presented = wrong_in_one_thing(&key, &other)[wrong].clone();
    server.store.take_calls();
    let answer = server.call("POST", "/validate", presented.body()).await;
    let calls = server.store.take_calls();
    assert_eq!(
        answer.text(),
        r#"{"success":false,"message":"Invalid API key or client credentials","code":"INVALID_CLIENT_CREDENTIALS","timestamp":"2027-01-01T00:00:00.000Z"}"#
    );
    assert_eq!((calls.get("account"), calls.get("find")), (Some(&1), Some(&1)), "{calls:?}");
}

#[rstest]
#[tokio::test]
async fn w7_credentials_that_are_no_credentials_have_the_answer_of_wrong_ones(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let nil = "00000000-0000-0000-0000-000000000000";
    for text in ["x", nil, "aW52YWxpZF9rZXlfYmFzZTY0X2VuY29kZWQ=", &key.key_id] {
        let text = text.to_owned();
        let wrong = [
            Credentials { client_id: text.clone(), ..key.clone() },
            Credentials { client_secret: text.clone(), ..key.clone() },
            Credentials { api_key: text, ..key.clone() },
        ];
        for presented in wrong {
            assert_eq!(server.validate(&presented).await, WRONG);
        }
    }
}

#[rstest]
#[tokio::test]
async fn w12_secrets_have_a_prefix_and_a_checksum_and_are_safe_in_urls(
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    for (secret, prefix) in [(&key.api_key, "kw_nest_"), (&key.client_secret, "kwcs_")] {
        assert!(secret.starts_with(prefix), "{secret}");
        assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        // 32 random characters of 58 are 187 bits; 6 more are the checksum.
        assert_eq!(secret.rsplit('_').next().unwrap().len(), 38);
    }
    let mut mistyped = key.api_key.clone();
    let last = mistyped.pop().unwrap();
    mistyped.push(if last == 'x' { 'y' } else { 'x' });
    server.store.take_calls();
    assert_eq!(server.validate(&Credentials { api_key: mistyped, ..key }).await, WRONG);
    assert_eq!(server.store.take_calls().get("find"), None, "a mistyped key is looked up");
}
