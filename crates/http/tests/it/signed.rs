//! Signed keys over the REST interface: their keyspaces, what their tokens say, and how they end.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use keyward::store::MemoryStore;
use keyward::{Lifetime, RateLimit, SigningSettings};
use keyward_http::RouterSettings;
use rstest::rstest;
use serde_json::{Value, json};

use crate::bad_fields::merged;
use crate::support::{Api, few_pairs, raw};

const ISSUER: &str = "https://keys.example/jwks";

/// An instance with a keyspace of Ed25519 keys.
async fn api() -> Api {
    let api = Api::new().await;
    api.signed_keyspace("signed", ISSUER).await;
    api
}

async fn set_up(signing: SigningSettings) -> Api {
    let store = Arc::new(MemoryStore::new());
    Api::built(store, RouterSettings::default(), |builder| builder.signing(signing)).await
}

/// What a key of the keyspace needs.
fn new_key() -> Value {
    json!({"owner": "customer-1", "keyspace": "signed", "expires_in": "1h"})
}

/// The claims that a token proves.
async fn claims(api: &Api, token: &str) -> Value {
    let answer = api.call("POST", "/v1/verify", json!({"secret": token})).await.json();
    assert_eq!(answer["valid"], true, "{answer}");
    answer["claims"].clone()
}

#[tokio::test]
async fn a_keyspace_of_signed_keys_is_created() {
    let api = Api::new().await;
    let body = json!({"id": "signed", "format": "signed", "issuer": "HTTPS://Keys.example:443/jwks/",
        "audience": "api", "default_lifetime": "30d", "maximum_lifetime": "90d"});
    assert_snapshot!(api.call("POST", "/v1/keyspaces", body).await.show(), @r#"
    201 Created
    content-type: application/json
    {
      "algorithm": "RS256",
      "audience": "api",
      "created_at": "2027-01-01T00:00:00Z",
      "default_lifetime": "720h",
      "description": null,
      "format": "signed",
      "id": "signed",
      "issuer": "https://keys.example/jwks",
      "key_size": 2048,
      "maximum_lifetime": "2160h",
      "prefix": null,
      "rate_limit": null,
      "schemes": [],
      "service_account": "optional",
      "updated_at": "2027-01-01T00:00:00Z",
      "version": 1
    }
    "#);
}

#[rstest]
#[case(json!({"algorithm": "RS256"}), "RS256", json!(2_048))]
#[case(json!({"algorithm": "RS256", "key_size": 2_048}), "RS256", json!(2_048))]
#[case(json!({"key_size": 3_072}), "RS256", json!(3_072))]
#[case(json!({"key_size": 4_096}), "RS256", json!(4_096))]
#[case(json!({"algorithm": "ES256"}), "ES256", Value::Null)]
#[case(json!({"algorithm": "EdDSA"}), "EdDSA", Value::Null)]
#[tokio::test]
async fn its_keys_are_of_one_kind(
    #[case] asked: Value,
    #[case] algorithm: &str,
    #[case] key_size: Value,
) {
    let api = Api::new().await;
    let body = merged(json!({"id": "signed", "format": "signed", "issuer": ISSUER}), &asked);
    let answer = api.call("POST", "/v1/keyspaces", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    for keyspace in [answer.json(), api.get("/v1/keyspaces/signed").await.json()] {
        assert_eq!([&keyspace["algorithm"], &keyspace["key_size"]], [&json!(algorithm), &key_size]);
        assert_eq!(keyspace["audience"], Value::Null);
    }
}

#[tokio::test]
async fn issuer_and_audience_may_come_from_the_settings() {
    let signing = SigningSettings {
        issuer: Some(ISSUER.parse().unwrap()),
        audience: Some("api".parse().unwrap()),
        ..few_pairs()
    };
    let api = set_up(signing).await;
    for (id, asked, issuer, audience) in [
        ("one", json!({}), ISSUER, "api"),
        ("two", json!({"issuer": "https://x.example"}), "https://x.example", "api"),
        ("three", json!({"audience": "web"}), ISSUER, "web"),
    ] {
        let body = json!({"id": id, "format": "signed", "algorithm": "EdDSA"});
        let answer = api.call("POST", "/v1/keyspaces", merged(body, &asked)).await.json();
        assert_eq!([&answer["issuer"], &answer["audience"]], [issuer, audience]);
        let (token, kid) = api.issue_signed(id).await;
        let claims = claims(&api, &token).await;
        assert_eq!(claims["iss"], format!("{issuer}/{kid}"));
        assert_eq!(claims["aud"], audience);
    }
}

const OWN: &str = "must not be given: this format has its own";

#[rstest]
#[case(json!({"issuer": null}), "issuer must be given: none is configured")]
#[case(json!({"issuer": ""}), "issuer must be an absolute URL")]
#[case(json!({"issuer": "/jwks"}), "issuer must be an absolute URL")]
#[case(json!({"issuer": "ftp://x.example"}), "issuer must be an https or http URL")]
#[case(json!({"issuer": "https://zq7marker@x.example"}),
    "issuer must not hold a user name or password")]
#[case(json!({"issuer": "https://x.example?a"}), "issuer must not hold a query or fragment")]
#[case(json!({"issuer": "https://x.example#a"}), "issuer must not hold a query or fragment")]
#[case(json!({"issuer": format!("https://x.example/{}", "a".repeat(512))}),
    "issuer must be at most 512 characters long")]
#[case(json!({"algorithm": "HS256"}), "algorithm must be RS256, ES256 or EdDSA")]
#[case(json!({"algorithm": "none"}), "algorithm must be RS256, ES256 or EdDSA")]
#[case(json!({"algorithm": "rs256"}), "algorithm must be RS256, ES256 or EdDSA")]
#[case(json!({"algorithm": "sha256"}), "algorithm must be RS256, ES256 or EdDSA")]
#[case(json!({"key_size": 1_024}), "key_size must be 2048, 3072 or 4096")]
#[case(json!({"key_size": 0}), "key_size must be 2048, 3072 or 4096")]
#[case(json!({"algorithm": "ES256", "key_size": 2_048}),
    "key_size must not be given: this algorithm has one size")]
#[case(json!({"algorithm": "EdDSA", "key_size": 2_048}),
    "key_size must not be given: this algorithm has one size")]
#[case(json!({"audience": ""}), "audience ")]
#[case(json!({"audience": "a\nb"}), "audience ")]
#[case(json!({"audience": "a".repeat(257)}), "audience ")]
#[case(json!({"audience": ["a"]}), "audience must be a string")]
#[case(json!({"prefix": "kw"}), &format!("prefix {OWN}"))]
#[case(json!({"length": 32}), &format!("length {OWN}"))]
#[case(json!({"alphabet": "01"}), &format!("alphabet {OWN}"))]
#[case(json!({"profile": "seam"}), &format!("profile {OWN}"))]
#[case(json!({"id_length": 8}), &format!("id_length {OWN}"))]
#[case(json!({"secret_length": 8}), &format!("secret_length {OWN}"))]
#[case(json!({"short_prefix": "d"}), &format!("short_prefix {OWN}"))]
#[case(json!({"weak_secrets": "warn"}), &format!("weak_secrets {OWN}"))]
#[case(json!({"format": "prefixed", "prefix": "p"}), &format!("issuer {OWN}"))]
#[case(json!({"format": "opaque"}), &format!("issuer {OWN}"))]
#[case(json!({"format": "opaque", "issuer": null, "key_size": 2_048}), &format!("key_size {OWN}"))]
#[case(json!({"format": "opaque", "issuer": null, "audience": "a"}), &format!("audience {OWN}"))]
#[case(json!({"format": "opaque", "issuer": null, "algorithm": "EdDSA"}), "algorithm must be ")]
#[tokio::test]
async fn a_keyspace_that_cannot_be_is_refused(#[case] change: Value, #[case] complaint: &str) {
    let api = Api::new().await;
    let body = json!({"id": "signed", "format": "signed", "issuer": ISSUER});
    let told = api.refused("POST", "/v1/keyspaces", &merged(body, &change)).await;
    assert!(told.starts_with(&format!("422 invalid_request; {complaint}")), "{told}");
    assert_eq!(told.matches("; ").count(), 1, "{told}");
}

#[tokio::test]
async fn the_algorithm_of_signatures_stays() {
    let api = api().await;
    for algorithm in ["sha512", "ES256", "EdDSA"] {
        let change = json!({"algorithm": algorithm});
        let told = api.refused("PATCH", "/v1/keyspaces/signed", &change).await;
        assert!(told.starts_with("422 invalid_request; algorithm "), "{told}");
    }
    let change = json!({"default_lifetime": "1d"});
    assert_eq!(api.call("PATCH", "/v1/keyspaces/signed", change).await.status, 200);
    let answer = api.call("POST", "/v1/keys", json!({"owner": "a", "keyspace": "signed"})).await;
    assert_eq!(answer.json()["key"]["expires_at"], "2027-01-02T00:00:00Z");
}

#[tokio::test]
async fn a_token_says_what_was_asked_for_and_what_is_so() {
    let api = api().await;
    let asked = json!({"plan": "gold", "limits": {"a": [1, null]}, "sub": "x", "iss": "x", "exp": 1,
        "ver": "x", "iat": 1, "scopes": "x", "aud": "x", "jti": "j"});
    let body = merged(new_key(), &json!({"claims": asked, "scopes": ["read"]}));
    let answer = api.call("POST", "/v1/keys", body).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, "no-store"));
    let issued = answer.json();
    let (token, kid) = (issued["secret"].as_str().unwrap(), issued["key"]["id"].as_str().unwrap());
    let expected = json!({"plan": "gold", "limits": {"a": [1, null]}, "jti": "j",
        "scopes": ["read"], "sub": "customer-1", "iss": format!("{ISSUER}/{kid}"),
        "ver": "japikey-v1", "iat": 1_798_761_600, "exp": 1_798_765_200});
    // The second time, the token is remembered.
    for _ in 0..2 {
        assert_eq!(claims(&api, token).await, expected);
    }
    let skip = json!({"secret": token, "skip_cache": true});
    assert_eq!(api.call("POST", "/v1/verify", skip).await.json()["claims"], expected);
    let many = json!({"secrets": [token]});
    let many = api.call("POST", "/v1/verify-many", many).await.json();
    assert!(many.to_string().contains(r#""plan":"gold""#), "{many}");

    let key = &issued["key"];
    assert_eq!([&key["format"], &key["hint"]], ["signed", kid]);
    assert_eq!(key["claims"], asked);
    let jwk = key["jwk"].as_object().unwrap();
    let members: Vec<_> = jwk.keys().map(String::as_str).collect();
    assert_eq!(members, ["crv", "kid", "kty", "x"], "the public half alone");
    assert_eq!(jwk["kid"], kid);
    let shown = api.get(&format!("/v1/keys/{kid}")).await;
    assert_eq!([&shown.json()["jwk"], &shown.json()["claims"]], [&key["jwk"], &key["claims"]]);
    let listed = api.get("/v1/keys?keyspace=signed").await;
    for answer in [&shown, &listed] {
        let signature = token.rsplit('.').next().unwrap();
        assert!(!answer.text().contains(signature), "{}", answer.text());
    }
}

#[tokio::test]
async fn other_keys_have_neither_jwk_nor_claims() {
    let api = api().await;
    let (secret, id) = api.issue(json!({"owner": "a"})).await;
    let verified = api.call("POST", "/v1/verify", json!({"secret": secret})).await.json();
    assert_eq!(verified.get("claims"), None);
    for view in [&verified["key"], &api.get(&format!("/v1/keys/{id}")).await.json()] {
        assert_eq!([view.get("jwk"), view.get("claims")], [None, None]);
    }
}

#[rstest]
#[case::no_end(json!({"expires_in": null}), "expires_at must be given")]
#[case::never(json!({"expires_in": null, "expires_at": null}), "expires_at must be")]
#[case::past(json!({"expires_in": null, "expires_at": "2026-12-31T00:00:00Z"}),
    "expires_at must be in the future")]
#[case::over_by_the_second(json!({"expires_in": null, "expires_at": "2027-01-01T00:00:00.9Z"}),
    "expires_at must be in the future")]
#[case::text(json!({"claims": "zq7marker"}), "claims ")]
#[case::list(json!({"claims": ["zq7marker"]}), "claims ")]
#[case::nbf_text(json!({"claims": {"nbf": "zq7marker"}}), "claims must hold")]
#[case::nbf_null(json!({"claims": {"nbf": null}}), "claims must hold")]
#[case::nbf_never(json!({"claims": {"nbf": 1e300}}), "claims must hold")]
#[case::jti_number(json!({"claims": {"jti": 5}}), "claims must hold")]
#[case::jti_null(json!({"claims": {"jti": null}}), "claims must hold")]
#[case::too_long(json!({"claims": {"a": "a".repeat(4_000)}}), "claims must not make the token longer")]
#[case::another_format(json!({"keyspace": "default", "claims": {"a": 1}}),
    "claims must not be given: only signed keys have claims")]
#[case::begins_when_it_is_over(json!({"not_before": "2027-01-01T02:00:00Z"}), "not_before ")]
#[tokio::test]
async fn a_key_that_would_be_dead_or_lost_is_refused(
    #[case] change: Value,
    #[case] complaint: &str,
) {
    let api = api().await;
    let told = api.refused("POST", "/v1/keys", &merged(new_key(), &change)).await;
    assert!(told.starts_with(&format!("422 invalid_request; {complaint}")), "{told}");
}

#[tokio::test]
async fn a_claim_is_given_once() {
    let api = api().await;
    let body = r#"{"owner":"a","keyspace":"signed","expires_in":"1h","claims":{"a":1,"a":2}}"#;
    let told = api.refusal(raw(&api.root, "POST", "/v1/keys", body)).await;
    assert!(told.starts_with("422 invalid_request; claims"), "{told}");
}

#[tokio::test]
async fn an_owner_gets_only_so_many_signed_keys() {
    let owner_limit = RateLimit::new(2, Lifetime::parse("1m").unwrap()).unwrap();
    let api = set_up(SigningSettings { owner_limit, ..few_pairs() }).await;
    api.signed_keyspace("signed", ISSUER).await;
    let (_, first) = api.issue(new_key()).await;
    api.issue(new_key()).await;
    let rotate = format!("/v1/keys/{first}/rotate");
    for (path, body) in [("/v1/keys", new_key()), (rotate.as_str(), json!({}))] {
        let answer = api.call("POST", path, body).await;
        assert_eq!(answer.complaint(), "429 too_many_keys", "{path}");
        assert_eq!(answer.header("retry-after"), "30");
    }
    let many = json!({"keys": [new_key(), merged(new_key(), &json!({"owner": "b"}))]});
    let many = api.call("POST", "/v1/keys/issue-many", many).await.json();
    assert_eq!(many["results"][0]["problem"]["code"], "too_many_keys", "{many}");
    assert_eq!(many["results"][1]["done"], true);
    api.issue(merged(new_key(), &json!({"owner": "customer-2"}))).await;
    api.issue(json!({"owner": "customer-1"})).await;
    api.clock.advance(Duration::from_secs(30));
    api.issue(new_key()).await;
}

#[tokio::test]
async fn a_rotated_key_gets_a_successor_with_its_claims() {
    let api = api().await;
    let body = merged(new_key(), &json!({"claims": {"plan": "gold"}}));
    let (first, kid) = api.issue(body).await;
    let rotate = async |kid: &str, body: Value| {
        let answer = api.call("POST", &format!("/v1/keys/{kid}/rotate"), body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store");
        let told = answer.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        assert_eq!([&told["key"]["rotated_from"], &told["previous"]["id"]], [kid, kid]);
        assert_ne!(told["key"]["jwk"]["x"], told["previous"]["jwk"]["x"]);
        (text(&told["secret"]), text(&told["key"]["id"]))
    };
    let (second, second_id) = rotate(&kid, json!({"grace": "1m"})).await;
    assert_eq!(claims(&api, &second).await["plan"], "gold");
    assert_eq!(api.decision(&first).await, "allowed");
    api.clock.advance(Duration::from_mins(1));
    assert_eq!(api.decision(&first).await, "revoked");
    let silver = json!({"mode": "successor", "claims": {"plan": "silver"}});
    let (third, _) = rotate(&second_id, silver).await;
    assert_eq!(claims(&api, &third).await["plan"], "silver");
    assert_eq!(api.decision(&second).await, "revoked");
}

#[rstest]
#[case::same_id(json!({"mode": "same_id"}), "mode must be successor for a signed key")]
#[case::nbf_text(json!({"claims": {"nbf": "zq7marker"}}), "claims must hold")]
#[case::jti_number(json!({"claims": {"jti": 5}}), "claims must hold")]
#[case::too_long(json!({"claims": {"a": "a".repeat(4_000)}}), "claims must not make the token longer")]
#[case::never(json!({"expires_at": null}), "expires_at must be")]
#[case::past(json!({"expires_at": "2026-01-01T00:00:00Z"}), "expires_at must be in the future")]
#[case::over_by_the_second(json!({"expires_at": "2027-01-01T00:00:00.9Z"}), "expires_at must be")]
#[tokio::test]
async fn a_successor_that_would_be_dead_is_refused(#[case] body: Value, #[case] complaint: &str) {
    let api = api().await;
    let (token, kid) = api.issue(new_key()).await;
    let told = api.refused("POST", &format!("/v1/keys/{kid}/rotate"), &body).await;
    assert!(told.starts_with(&format!("422 invalid_request; {complaint}")), "{told}");
    assert_eq!(api.decision(&token).await, "allowed");
}

#[tokio::test]
async fn claims_of_other_keys_are_refused_at_their_rotation() {
    let api = api().await;
    let (_, id) = api.issue(json!({"owner": "a"})).await;
    for mode in ["same_id", "successor"] {
        let body = json!({"mode": mode, "claims": {"a": 1}});
        let told = api.refused("POST", &format!("/v1/keys/{id}/rotate"), &body).await;
        assert!(told.starts_with("422 invalid_request; claims "), "{told}");
    }
}

#[rstest]
#[case(json!({"expires_at": "2027-01-01T01:00:00Z"}), "")]
#[case(json!({"expires_at": "2027-01-01T00:10:00Z"}), "")]
#[case(json!({"expires_in": "10m"}), "")]
#[case(json!({"name": "n", "tags": ["a"]}), "")]
#[case(json!({"expires_at": "2027-01-01T01:00:01Z"}), "expires_at must not be later than before")]
#[case(json!({"expires_at": null}), "expires_at must not be later than before")]
#[case(json!({"expires_in": "2h"}), "expires_at must not be later than before")]
#[tokio::test]
async fn a_key_can_end_sooner_but_not_later(#[case] change: Value, #[case] complaint: &str) {
    let api = api().await;
    let (token, kid) = api.issue(new_key()).await;
    let path = format!("/v1/keys/{kid}");
    if complaint.is_empty() {
        let changed = api.call("PATCH", &path, change).await;
        assert_eq!(changed.status, 200, "{}", changed.text());
        let end = changed.json()["expires_at"].as_str().unwrap().to_owned();
        let minutes = if end.contains("T00:10") { 10 } else { 60 };
        api.clock.advance(Duration::from_secs(minutes * 60 - 1));
        assert_eq!(api.decision(&token).await, "allowed");
        api.clock.advance(Duration::from_secs(1));
        assert_eq!(api.decision(&token).await, "expired");
    } else {
        let told = api.refused("PATCH", &path, &change).await;
        assert!(told.starts_with(&format!("422 invalid_request; {complaint}")), "{told}");
    }
}

/// A keyspace for the keys that the published package has minted, and these keys.
async fn with_vectors() -> (Api, Vec<Value>) {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../vectors/japikey.json")).unwrap();
    let api = Api::new().await;
    let vectors = vectors["valid"].as_array().unwrap().clone();
    for (n, vector) in vectors.iter().enumerate() {
        let body = json!({"id": format!("japikey-{n}"), "format": "signed",
            "issuer": vector["base_issuer"], "audience": "api-key"});
        assert_eq!(api.call("POST", "/v1/keyspaces", body).await.status, 201);
    }
    (api, vectors)
}

#[tokio::test]
async fn keys_of_the_published_package_are_taken_over_and_handed_on() {
    let (api, vectors) = with_vectors().await;
    let (there, _) = with_vectors().await;
    assert!(!vectors.is_empty());
    for (n, vector) in vectors.iter().enumerate() {
        let token = vector["token"].as_str().unwrap();
        assert_eq!(api.decision(token).await, "unknown");
        let keyspace = format!("japikey-{n}");
        let key = json!({"owner": "user-1", "jwk": vector["jwk"], "claims": {"a": 1}});
        let body = json!({"keyspace": keyspace, "keys": [key]});
        let answer = api.call("POST", "/v1/keys/import", body.clone()).await.json();
        assert_eq!(answer, json!({"imported": 1, "failed": []}));
        assert_eq!(claims(&api, token).await, vector["claims"]);
        let again = api.call("POST", "/v1/keys/import", body).await.json();
        assert_eq!(again["failed"][0]["code"], "already_imported");

        let kid = vector["kid"].as_str().unwrap();
        let shown = api.get(&format!("/v1/keys/{kid}")).await.json();
        assert_eq!([&shown["jwk"], &shown["expires_at"]], [&vector["jwk"], &Value::Null]);
        let document = api.get(&format!("/jwks/{kid}/.well-known/jwks.json")).await.json();
        assert_eq!(document, json!({"keys": [vector["jwk"]]}));

        let page = json!({"keyspace": keyspace});
        let exported = api.call("POST", "/v1/keys/export", page.clone()).await.json();
        let exported = &exported["data"];
        assert_eq!(exported[0]["jwk"], vector["jwk"]);
        assert_eq!([exported[0].get("hash"), exported[0].get("secret")], [None, None]);
        let body = json!({"keyspace": keyspace, "mode": "whole", "keys": exported});
        let imported = there.call("POST", "/v1/keys/import", body).await.json();
        assert_eq!(imported, json!({"imported": 1, "failed": []}));
        assert_eq!(there.call("POST", "/v1/keys/export", page).await.json()["data"], *exported);
        assert_eq!(claims(&there, token).await, vector["claims"]);
        let revoke = format!("/v1/keys/{kid}/revoke");
        assert_eq!(api.call("POST", &revoke, Value::Null).await.status, 200);
        assert_eq!(api.decision(token).await, "revoked");
    }
}

#[tokio::test]
async fn a_key_of_ours_moves_with_its_claims() {
    let (here, there) = (api().await, api().await);
    let (token, kid) =
        here.issue(merged(new_key(), &json!({"claims": {"plan": "gold"}, "scopes": ["a"]}))).await;
    let page = json!({"keyspace": "signed"});
    let exported = here.call("POST", "/v1/keys/export", page).await.json();
    assert_eq!(exported["data"][0]["claims"], json!({"plan": "gold"}));
    let signature = token.rsplit('.').next().unwrap();
    assert!(!exported.to_string().contains(signature));
    let body = json!({"keyspace": "signed", "keys": exported["data"]});
    assert_eq!(there.call("POST", "/v1/keys/import", body).await.json()["imported"], 1);
    assert_eq!(claims(&there, &token).await, claims(&here, &token).await);
    let rotated = there.call("POST", &format!("/v1/keys/{kid}/rotate"), json!({})).await.json();
    assert_eq!(claims(&there, rotated["secret"].as_str().unwrap()).await["plan"], "gold");
}

/// `GOOD` is the jwk of a key of the published package.
#[rstest]
#[case::private_half(|key: &mut Value| key["jwk"]["d"] = json!("AQAB"), "jwk")]
#[case::symmetric(|key: &mut Value| key["jwk"] = json!({"kty": "oct", "k": "AQAB"}), "jwk")]
#[case::another_exponent(|key: &mut Value| key["jwk"]["e"] = json!("Aw"), "jwk")]
#[case::short_modulus(|key: &mut Value| key["jwk"]["n"] = json!("AQAB"), "jwk")]
#[case::padding(|key: &mut Value| {
    let padded = format!("{}==", key["jwk"]["n"].as_str().unwrap());
    key["jwk"]["n"] = json!(padded);
}, "jwk")]
#[case::for_something_else(|key: &mut Value| key["jwk"]["use"] = json!("enc"), "jwk")]
#[case::another_algorithm(|key: &mut Value| key["jwk"]["alg"] = json!("HS256"), "jwk")]
#[case::no_kid(|key: &mut Value| { key["jwk"].as_object_mut().unwrap().remove("kid"); }, "jwk")]
#[case::another_id(|key: &mut Value| key["id"] = json!("0197f3a0-0000-7000-8000-000000000000"), "id")]
#[case::kid_is_no_uuid(|key: &mut Value| key["jwk"]["kid"] = json!("mine"), "id")]
#[case::upper_case_kid(|key: &mut Value| {
    let upper = key["jwk"]["kid"].as_str().unwrap().to_uppercase();
    key["jwk"]["kid"] = json!(upper);
}, "id")]
#[case::text(|key: &mut Value| key["jwk"] = json!("zq7marker"), "jwk")]
#[case::a_document(|key: &mut Value| key["jwk"] = json!({"keys": [key["jwk"]]}), "jwk")]
#[case::nothing(|key: &mut Value| { key.as_object_mut().unwrap().remove("jwk"); }, "secret")]
#[case::hash_as_well(|key: &mut Value| {
    key["hash"] = json!({"scheme": "sha256-hex", "value": "0".repeat(64)});
}, "secret")]
#[case::hash_instead(|key: &mut Value| {
    key.as_object_mut().unwrap().remove("jwk");
    key["id"] = json!("0197f3a0-0000-7000-8000-000000000000");
    key["hash"] = json!({"scheme": "sha256-hex", "value": "0".repeat(64)});
}, "keyspace")]
#[tokio::test]
async fn a_public_key_that_is_none_is_not_taken_over(
    #[case] spoil: fn(&mut Value),
    #[case] field: &str,
) {
    let (api, vectors) = with_vectors().await;
    let mut key = json!({"owner": "user-1", "jwk": vectors[0]["jwk"]});
    spoil(&mut key);
    let body = json!({"keyspace": "japikey-0", "keys": [key]});
    let answer = api.call("POST", "/v1/keys/import", body).await.json();
    assert_eq!(answer["imported"], 0);
    assert_eq!(answer["failed"][0]["errors"][0]["field"], field, "{answer}");
    assert!(!answer.to_string().contains("zq7marker"), "{answer}");
}

#[tokio::test]
async fn a_public_key_belongs_into_a_keyspace_of_signed_keys() {
    let (api, vectors) = with_vectors().await;
    let body = json!({"keyspace": "default", "keys": [{"owner": "a", "jwk": vectors[0]["jwk"]}]});
    let answer = api.call("POST", "/v1/keys/import", body).await.json();
    assert_eq!(answer["failed"][0]["errors"][0]["field"], "keyspace", "{answer}");
}
