//! An instance whose time and chance repeat, and the calls on it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderName, Request, request};
use axum::response::Response;
use http_body_util::BodyExt;
use keyward::store::{AccountQuery, AuditQuery, KeyQuery, KeyStates, MemoryStore, Store};
use keyward::{Action, Builder, Keyward, SigningSettings};
use keyward_http::{RouterSettings, router};
use keyward_testkit::{FixedClock, SeededEntropy};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::answer::Answer;
use crate::document;

/// Stands in values that are sent and must never come back in a complaint.
pub(crate) const MARK: &str = "zq7marker";

/// Longer than any answer takes; reached only by a test that fails.
const AT_MOST: Duration = Duration::from_secs(10);

/// The interface over a fresh instance, with its root key.
pub(crate) struct Api {
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) keyward: Keyward,
    pub(crate) root: String,
    router: Router,
}

impl Api {
    /// Over a store in memory.
    pub(crate) async fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new()), RouterSettings::default()).await
    }

    pub(crate) async fn over(store: Arc<dyn Store>, settings: RouterSettings) -> Self {
        Self::built(store, settings, |builder| builder).await
    }

    /// The same over an instance with more settings than usual.
    pub(crate) async fn built(
        store: Arc<dyn Store>,
        settings: RouterSettings,
        set: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = Arc::new(FixedClock::new());
        let keyward = set(builder(store, &clock, 7)).build().await.unwrap();
        let first_start = keyward.first_start().await.unwrap().unwrap();
        assert!(keyward.finish_first_start(&first_start).await.unwrap());
        let root = first_start.secret().expose().to_owned();
        let router = router(keyward.clone(), settings);
        Self { clock, keyward, root, router }
    }

    /// Another instance over the same store, which has cached nothing.
    pub(crate) async fn beside(&self, store: Arc<dyn Store>, settings: RouterSettings) -> Self {
        let clock = Arc::clone(&self.clock);
        let keyward = builder(store, &clock, 8).build().await.unwrap();
        let router = router(keyward.clone(), settings);
        Self { clock, keyward, root: self.root.clone(), router }
    }

    /// Makes a call with the root key.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call_as(&self.root, method, path, body).await
    }

    /// Makes a call with that key. A body of null is none.
    pub(crate) async fn call_as(
        &self,
        secret: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> Answer {
        self.send(request(secret, method, path, &body)).await
    }

    /// Reads something with the root key.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Value::Null).await
    }

    /// Sends a request. Whatever is answered must be as the OpenAPI document says.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.open(request).await;
        let (parts, body) = response.into_parts();
        // A stream of events has no end.
        let is_stream = parts.headers.get(CONTENT_TYPE).is_some_and(|k| k == "text/event-stream");
        let body = if is_stream { Bytes::new() } else { body.collect().await.unwrap().to_bytes() };
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        document::check(method.as_str(), &path, &answer);
        answer
    }

    /// Sends a request whose answer may have no end.
    pub(crate) async fn open(&self, request: Request<Body>) -> Response {
        let answered = tokio::time::timeout(AT_MOST, self.router.clone().oneshot(request)).await;
        answered.unwrap().unwrap()
    }

    /// Issues a key; returns its secret and its id.
    pub(crate) async fn issue(&self, body: Value) -> (String, String) {
        let answer = self.call("POST", "/v1/keys", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let issued = answer.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&issued["secret"]), text(&issued["key"]["id"]))
    }

    /// Issues a management key with these scopes, and these by resource; returns its secret.
    pub(crate) async fn management_key(&self, scopes: &[&str], resources: Value) -> String {
        let body = json!({"keyspace": "management", "owner": "robot", "scopes": scopes,
            "resources": resources});
        self.issue(body).await.0
    }

    /// Creates a keyspace of the default format.
    pub(crate) async fn keyspace(&self, id: &str) {
        let body = json!({"id": id, "format": "prefixed", "prefix": id});
        assert_eq!(self.call("POST", "/v1/keyspaces", body).await.status, 201);
    }

    /// Creates a keyspace of Ed25519 keys with that base issuer.
    pub(crate) async fn signed_keyspace(&self, id: &str, issuer: &str) {
        let body = json!({"id": id, "format": "signed", "algorithm": "EdDSA", "issuer": issuer});
        let answer = self.call("POST", "/v1/keyspaces", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// Issues a key of a keyspace of signed ones; returns its token and its id.
    pub(crate) async fn issue_signed(&self, keyspace: &str) -> (String, String) {
        self.issue(json!({"owner": "customer-1", "keyspace": keyspace, "expires_in": "1d"})).await
    }

    /// Whether and how the secret verifies: `allowed`, or the code of the refusal.
    pub(crate) async fn decision(&self, secret: &str) -> String {
        let answer = self.call("POST", "/v1/verify", json!({"secret": secret})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told = answer.json();
        if told["valid"] == true {
            return "allowed".to_owned();
        }
        told["code"].as_str().unwrap().to_owned()
    }

    /// All that is stored, usage and refused calls excepted.
    pub(crate) async fn everything(&self) -> Vec<String> {
        let query = KeyQuery::new(self.keyward.now(), 1_000);
        let query = KeyQuery { states: KeyStates::ALL, ..query };
        let keys = self.keyward.list(&query).await.unwrap().keys;
        let mut all: Vec<_> = keys.iter().map(|key| format!("{:?}", key.record)).collect();
        let query = AccountQuery { with_deleted: true, ..AccountQuery::new(1_000) };
        let accounts = self.keyward.accounts(&query).await.unwrap().accounts;
        all.extend(accounts.iter().map(|account| format!("{account:?}")));
        let query = AuditQuery { limit: 1_000, ..AuditQuery::default() };
        let events = self.keyward.audit(&query).await.unwrap().events;
        let acts = events.iter().filter(|event| event.action != Action::AccessDenied);
        all.extend(acts.map(|event| format!("{event:?}")));
        all.extend(self.keyward.keyspaces().await.unwrap().iter().map(|k| format!("{k:?}")));
        all
    }

    /// Sends a request that must be refused, without effect and without an echo; returns status,
    /// code and fields.
    pub(crate) async fn refusal(&self, request: Request<Body>) -> String {
        let before = self.everything().await;
        let answer = self.send(request).await;
        assert!(answer.status.is_client_error(), "{} {}", answer.status, answer.text());
        assert_eq!(before, self.everything().await, "a refused request changed something");
        assert!(!answer.text().contains(MARK), "an echo: {}", answer.text());
        assert!(!answer.text().contains(&self.root), "a secret: {}", answer.text());
        answer.complaint()
    }

    /// A call with the root key that must be refused.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: &Value) -> String {
        self.refusal(request(&self.root, method, path, body)).await
    }
}

/// An instance to be, which does nothing by itself.
fn builder(store: Arc<dyn Store>, clock: &Arc<FixedClock>, seed: u64) -> Builder {
    let builder = Keyward::builder(store).manual().entropy(Arc::new(SeededEntropy::new(seed)));
    builder.clock(Arc::<FixedClock>::clone(clock)).signing(few_pairs())
}

/// So that a keyspace of RSA keys costs a test no more than the pairs that it takes.
pub(crate) fn few_pairs() -> SigningSettings {
    SigningSettings { ready_pairs: 1, threads: 1, ..SigningSettings::default() }
}

/// A request with a body of JSON, unless it is null.
pub(crate) fn request(secret: &str, method: &str, path: &str, body: &Value) -> Request<Body> {
    let builder = head(secret, method, path);
    if body.is_null() {
        return builder.body(Body::empty()).unwrap();
    }
    builder.header(CONTENT_TYPE, "application/json").body(body.to_string().into()).unwrap()
}

/// A request with these bytes as its body, which are said to be JSON.
pub(crate) fn raw(secret: &str, method: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
    let builder = head(secret, method, path).header(CONTENT_TYPE, "application/json");
    builder.body(body.into()).unwrap()
}

/// The head of a request with that key.
pub(crate) fn head(secret: &str, method: &str, path: &str) -> request::Builder {
    let request = Request::builder().method(method).uri(path);
    request.header(AUTHORIZATION, format!("Bearer {secret}"))
}

/// A request without a key and without a body.
pub(crate) fn bare(path: &str, headers: &[(HeaderName, &[u8])]) -> Request<Body> {
    let request = Request::builder().uri(path);
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
    request.body(Body::empty()).unwrap()
}
