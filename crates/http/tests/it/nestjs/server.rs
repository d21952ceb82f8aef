//! A server with the routes of the `NestJS` library, and short ways to ask it things.

use std::fs;
use std::sync::Arc;

use axum::http::StatusCode;
use keyward::store::{MemoryStore, Store};
use keyward_http::RouterSettings;
use keyward_http::nestjs::prepare;
use keyward_store_sqlite::{SqliteOptions, SqliteStore};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::answer::Answer;
use crate::faulty::FaultyStore;
use crate::support::{Api, MARK};

pub(crate) const KEYS: &str = "/api/keys";

/// Every backend that a test runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Backend {
    Memory,
    Sqlite,
}

/// A server with its keyspace, over a store that is watched.
pub(crate) struct Server {
    pub(crate) api: Api,
    pub(crate) store: Arc<FaultyStore>,
    folder: Arc<TempDir>,
}

/// What its holder has of a key.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) key_id: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) api_key: String,
}

impl Credentials {
    pub(crate) fn body(&self) -> Value {
        let Self { client_id, client_secret, api_key, .. } = self;
        json!({"client_id": client_id, "client_secret": client_secret, "api_key": api_key})
    }
}

impl Server {
    pub(crate) async fn new(backend: Backend) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let inner: Arc<dyn Store> = match backend {
            Backend::Memory => Arc::new(MemoryStore::new()),
            Backend::Sqlite => {
                let path = folder.path().join("keyward.db");
                Arc::new(SqliteStore::open(path, &SqliteOptions::default()).unwrap())
            }
        };
        let store = Arc::new(FaultyStore::over(inner));
        let api = Api::over(Arc::<FaultyStore>::clone(&store), settings()).await;
        prepare(&api.keyward).await.unwrap();
        Self { api, store, folder }
    }

    /// Another server over the same store, which has cached nothing.
    pub(crate) async fn beside(&self) -> Self {
        let store = Arc::clone(&self.store);
        let api = self.api.beside(Arc::<FaultyStore>::clone(&store), settings()).await;
        Self { api, store, folder: Arc::clone(&self.folder) }
    }

    /// Makes a call on a path below that of keys.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.api.call(method, &format!("{KEYS}{path}"), body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Value::Null).await
    }

    /// What a call comes to, in one line.
    pub(crate) async fn told(&self, method: &str, path: &str, body: Value) -> String {
        told(&self.call(method, path, body).await)
    }

    /// The data of the answer to a call that does what it says.
    pub(crate) async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.call(method, path, body).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text());
        told(&answer);
        answer.json()["data"].clone()
    }

    /// Creates a key; returns the data of the answer.
    pub(crate) async fn create(&self, body: Value) -> Value {
        self.done("POST", "", body).await
    }

    /// Creates the first key of a user.
    pub(crate) async fn first_key(&self, user: Value) -> Credentials {
        let created = self.create(json!({"user_id": user, "name": "first"})).await;
        let secret = created["client_secret"].as_str().unwrap().to_owned();
        credentials(&created, secret)
    }

    /// Creates a further key of the same user.
    pub(crate) async fn another_key(&self, user: Value, first: &Credentials) -> Credentials {
        let created = self.create(json!({"user_id": user, "name": "another"})).await;
        credentials(&created, first.client_secret.clone())
    }

    /// What validating these credentials comes to, in one line.
    pub(crate) async fn validate(&self, credentials: &Credentials) -> String {
        self.told("POST", "/validate", credentials.body()).await
    }

    /// A call that must be refused, without effect.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: Value) -> String {
        let before = self.api.everything().await;
        let answer = self.call(method, path, body).await;
        assert!(answer.status.is_client_error(), "{method} {path}: {}", answer.text());
        assert_eq!(before, self.api.everything().await, "a refused request changed something");
        told(&answer)
    }

    /// The names on a page of a list, in their order.
    pub(crate) async fn names(&self, query: &str) -> Vec<String> {
        let list = self.done("GET", query, Value::Null).await;
        let rows = list["keys"].as_array().unwrap().iter();
        rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    }

    /// All bytes of the database, as far as it has files.
    pub(crate) fn files(&self) -> Vec<Vec<u8>> {
        let files = fs::read_dir(self.folder.path()).unwrap();
        files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

fn settings() -> RouterSettings {
    RouterSettings { nestjs: true, ..RouterSettings::default() }
}

/// The credentials in the answer to the creation of a key.
pub(crate) fn credentials(created: &Value, client_secret: String) -> Credentials {
    let text = |name: &str| created[name].as_str().unwrap().to_owned();
    let (key_id, client_id, api_key) = (text("key_id"), text("client_id"), text("raw_key"));
    Credentials { key_id, client_id, client_secret, api_key }
}

/// An answer in one line: its status, its code and, of a refusal, the message. It has the one envelope.
pub(crate) fn told(answer: &Answer) -> String {
    let text = answer.text();
    assert_eq!(answer.header("content-type"), "application/json", "{text}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!text.contains(MARK), "an echo: {text}");
    let body = answer.json();
    let mut names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    names.retain(|name| *name != "pagination");
    let part = |name: &str| body[name].as_str().unwrap();
    let (code, status) = (part("code"), answer.status);
    assert_instant(part("timestamp"));
    if status.is_success() {
        assert_eq!(names, ["code", "data", "message", "success", "timestamp"], "{text}");
        assert_eq!(body["success"], true);
        return format!("{} {code}", status.as_u16());
    }
    assert_eq!(names, ["code", "message", "success", "timestamp"], "{text}");
    assert_eq!(body["success"], false);
    assert_eq!(!answer.header("www-authenticate").is_empty(), status == StatusCode::UNAUTHORIZED);
    format!("{} {code}: {}", status.as_u16(), part("message"))
}

/// Fails unless the text is an instant in UTC with milliseconds.
pub(crate) fn assert_instant(text: &str) {
    let form = text.replace(|c: char| c.is_ascii_digit(), "0");
    assert_eq!(form, "0000-00-00T00:00:00.000Z", "{text}");
    keyward::Timestamp::parse(text).unwrap();
}
