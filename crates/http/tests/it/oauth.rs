//! The authorization server over HTTP: who gets tokens, what they say, and what becomes of them.

mod documents;
mod hostile;
mod introspection;
mod revocation;
mod token;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::support::Api;

const FORM: &str = "application/x-www-form-urlencoded";

/// A service account, and its client secret.
struct Account {
    id: String,
    secret: String,
}

impl Account {
    async fn of(api: &Api, scopes: &[&str]) -> Self {
        let body = json!({"owner": "customer-1", "scopes": scopes});
        let answer = api.call("POST", "/v1/service-accounts", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
        Self { id: text("client_id"), secret: text("client_secret") }
    }

    /// Its credentials in a header.
    fn basic(&self) -> String {
        basic(&self.id, &self.secret)
    }

    /// Does one of the acts on it.
    async fn act(&self, api: &Api, act: &str) {
        let path = format!("/v1/service-accounts/{}/{act}", self.id);
        assert_eq!(api.call("POST", &path, Value::Null).await.status, 200);
    }

    /// An access token of it.
    async fn token(&self, api: &Api) -> String {
        let answer = post(api, "/oauth/token", &self.basic(), GRANT).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A key of it; returns its secret and its id.
    async fn key(&self, api: &Api) -> (String, String) {
        let body = json!({"owner": "customer-1", "service_account_id": self.id});
        api.issue(body).await
    }
}

/// What a client asks for that wants all it may have.
const GRANT: &str = "grant_type=client_credentials";

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

fn bearer(secret: &str) -> String {
    format!("Bearer {secret}")
}

/// Sends a form. An empty authorization is none.
async fn post(api: &Api, path: &str, authorization: &str, form: &str) -> Answer {
    let request = Request::builder().method("POST").uri(path).header(CONTENT_TYPE, FORM);
    let request = match authorization {
        "" => request,
        value => request.header(AUTHORIZATION, value),
    };
    api.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

/// An error in one line: status, word and sentence.
fn told(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    let part = |name: &str| body[name].as_str().unwrap().to_owned();
    format!("{} {}: {}", answer.status.as_u16(), part("error"), part("error_description"))
}

/// What the introspection says to that caller.
async fn worth(api: &Api, authorization: &str, token: &str) -> Value {
    let answer = post(api, "/oauth/introspect", authorization, &format!("token={token}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

/// Whether a text is worth anything, as the root key is told. Of one that is not, nothing else is told.
async fn is_active(api: &Api, token: &str) -> bool {
    let told = worth(api, &bearer(&api.root), token).await;
    let is_active = told["active"] == true;
    assert!(is_active || told == json!({"active": false}), "{told}");
    is_active
}
