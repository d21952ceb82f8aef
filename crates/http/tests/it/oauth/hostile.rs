//! Tokens that are not ours, or not any more: none is worth anything, and none can be revoked.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyward::jose::{AccessToken, Signer};
use keyward::store::Store;
use keyward::{Change, SigningKey};
use rstest::rstest;
use serde_json::{Map, Value, json};

use super::{Account, bearer, is_active, post};
use crate::support::{AUTH, Api};

/// A server with a key that the test holds, too.
struct Forge {
    api: Api,
    account: Account,
    signer: Box<dyn Signer>,
    kid: String,
}

impl Forge {
    async fn new() -> Self {
        let store = std::sync::Arc::new(keyward::store::MemoryStore::new());
        let shared = std::sync::Arc::<keyward::store::MemoryStore>::clone(&store);
        let api = Api::over(shared, keyward_http::RouterSettings::default()).await;
        let account = Account::of(&api, &["read"]).await;
        let signer = keyward_signatures::signer(keyward::jose::PairKind::Ed25519).unwrap();
        let (now, entropy) = (api.keyward.now(), api.keyward.entropy());
        let key = SigningKey {
            id: SigningKey::draw_id(entropy, now),
            key: signer.public_key().clone(),
            created_at: now,
            expires_at: now.after("1h".parse().unwrap()).unwrap(),
        };
        let kid = key.id.to_string();
        let mut change = Change::new(entropy, now);
        change.signing_keys.push(key);
        store.apply(&change).await.unwrap();
        Self { api, account, signer, kid }
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.kid})
    }

    fn claims(&self) -> Map<String, Value> {
        let claims = json!({"iss": AUTH, "aud": AUTH, "sub": self.account.id,
            "client_id": self.account.id, "iat": 1_798_761_600, "exp": 1_798_762_200,
            "jti": "01a2ce8b-d400-7df2-9712-7f4e90d9a590", "scope": "read"});
        claims.as_object().unwrap().clone()
    }

    /// A token with these texts, signed by the key that is published.
    fn sign(&self, header: &str, claims: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signer.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn with_claims(&self, members: &Value) -> String {
        let mut claims = self.claims();
        for (name, value) in members.as_object().unwrap() {
            claims.insert(name.clone(), value.clone());
        }
        self.sign(&self.header().to_string(), &Value::Object(claims).to_string())
    }

    fn with_header(&self, members: &Value) -> String {
        let mut header = self.header();
        for (name, value) in members.as_object().unwrap() {
            header[name] = value.clone();
        }
        self.sign(&header.to_string(), &Value::Object(self.claims()).to_string())
    }

    /// The token is worth nothing to anybody, and revoking it leaves no trace.
    async fn refuses(&self, token: &str) {
        assert!(!is_active(&self.api, token).await);
        let before = self.api.everything().await;
        for authorization in [bearer(&self.api.root), self.account.basic()] {
            let form = format!("token={token}");
            let answer = post(&self.api, "/oauth/revoke", &authorization, &form).await;
            assert_eq!(answer.status, 200);
        }
        assert_eq!(before, self.api.everything().await);
    }
}

#[tokio::test]
async fn a_token_that_is_right_in_everything_is_believed() {
    let forge = Forge::new().await;
    let token = forge.with_claims(&json!({}));
    assert!(is_active(&forge.api, &token).await, "or else nothing below proves anything");
}

#[rstest]
#[case::none(json!({"alg": "none"}))]
#[case::symmetric(json!({"alg": "HS256"}))]
#[case::another_algorithm(json!({"alg": "ES256"}))]
#[case::no_type(json!({"typ": "JWT"}))]
#[case::unknown_key(json!({"kid": "01a2ce8b-d400-7df2-9712-7f4e90d9a591"}))]
#[case::key_as_a_path(json!({"kid": "../jwks"}))]
#[case::own_key(json!({"jwk": {"kty": "OKP"}}))]
#[case::own_address(json!({"jku": "https://evil.example/jwks"}))]
#[case::critical(json!({"crit": ["exp"]}))]
#[case::unencoded(json!({"b64": false, "crit": ["b64"]}))]
#[tokio::test]
async fn other_headers_are_worth_nothing(#[case] members: Value) {
    let forge = Forge::new().await;
    forge.refuses(&forge.with_header(&members)).await;
}

#[rstest]
#[case::another_issuer(json!({"iss": "https://evil.example"}))]
#[case::issuer_with_a_slash(json!({"iss": format!("{AUTH}/")}))]
#[case::another_audience(json!({"aud": "https://api.example"}))]
#[case::no_audience(json!({"aud": []}))]
#[case::expired(json!({"exp": 1_798_761_600}))]
#[case::not_yet(json!({"nbf": 1_798_761_601}))]
#[case::for_ever(json!({"exp": 1e300}))]
#[case::expiry_as_text(json!({"exp": "1798762200"}))]
#[case::no_expiry(json!({"exp": null}))]
#[case::no_account(json!({"client_id": "550e8400-e29b-41d4-a716-446655440000"}))]
#[case::nobody(json!({"client_id": "00000000-0000-0000-0000-000000000000"}))]
#[case::client_of_no_form(json!({"client_id": "x"}))]
#[case::id_of_no_form(json!({"jti": "x"}))]
#[case::id_in_capitals(json!({"jti": "01A2CE8B-D400-7DF2-9712-7F4E90D9A590"}))]
#[case::scope_of_no_form(json!({"scope": ["read"]}))]
#[tokio::test]
async fn other_claims_are_worth_nothing(#[case] members: Value) {
    let forge = Forge::new().await;
    forge.refuses(&forge.with_claims(&members)).await;
}

#[tokio::test]
async fn repeated_members_are_worth_nothing() {
    let forge = Forge::new().await;
    let (header, claims) = (forge.header().to_string(), Value::Object(forge.claims()).to_string());
    for name in ["exp", "scope", "client_id"] {
        let value = &forge.claims()[name];
        let repeated = claims.replacen('{', &format!("{{\"{name}\":{value},"), 1);
        forge.refuses(&forge.sign(&header, &repeated)).await;
    }
    let repeated = header.replacen('{', "{\"alg\":\"EdDSA\",", 1);
    forge.refuses(&forge.sign(&repeated, &claims)).await;
}

#[tokio::test]
async fn other_signatures_are_worth_nothing() {
    let forge = Forge::new().await;
    let token = forge.with_claims(&json!({}));
    let (message, signature) = token.rsplit_once('.').unwrap();
    // The public key as the secret of a symmetric algorithm, as readers have taken that let the header
    // choose; and the signature of the other key that there is.
    let of_server = forge.account.token(&forge.api).await;
    let other = of_server.rsplit('.').next().unwrap();
    let turned: String = signature.chars().rev().collect();
    for signature in ["", "AA", other, &turned, &format!("{signature}A"), &format!("{signature}=")]
    {
        forge.refuses(&format!("{message}.{signature}")).await;
    }
    let mut changed = forge.claims();
    changed["scope"] = json!("read admin");
    let changed = URL_SAFE_NO_PAD.encode(Value::Object(changed).to_string());
    let header = message.split('.').next().unwrap();
    forge.refuses(&format!("{header}.{changed}.{signature}")).await;
    let long = forge.with_claims(&json!({"x": "x".repeat(4_096)}));
    forge.refuses(&long).await;
}

#[tokio::test]
async fn neither_sort_of_token_passes_for_the_other() {
    let forge = Forge::new().await;
    forge.api.signed_keyspace("signed", AUTH).await;
    let (key, kid) = forge.api.issue_signed("signed").await;
    // A signed key is a key, also where it has the issuer of access tokens.
    let form = format!("token={key}");
    let told = post(&forge.api, "/oauth/introspect", &bearer(&forge.api.root), &form).await.json();
    assert_eq!((&told["active"], &told["jti"]), (&json!(true), &json!(kid)));
    // An access token is no key, nor is it with the claims of one.
    let token = forge.with_claims(&json!({}));
    let both = forge.with_claims(&json!({"ver": "japikey-v1", "iss": format!("{AUTH}/{kid}")}));
    let typed = forge.with_header(&json!({"typ": "JWT", "kid": kid}));
    for text in [&token, &both, &typed] {
        assert_eq!(forge.api.decision(text).await, "malformed");
        assert_eq!(forge.api.call_as(text, "GET", "/v1/keys", Value::Null).await.status, 401);
    }
    forge.refuses(&both).await;
    // The id of a signed key signs no access tokens.
    forge.refuses(&forge.with_header(&json!({"kid": kid}))).await;
}

#[tokio::test]
async fn a_key_that_has_ended_is_worth_nothing() {
    let forge = Forge::new().await;
    let token = forge.with_claims(&json!({"exp": 1_798_848_000}));
    assert!(is_active(&forge.api, &token).await);
    forge.api.clock.advance(Duration::from_hours(1));
    forge.refuses(&token).await;
    assert!(AccessToken::read(&token).is_ok());
}
