//! The application as those who call it see it.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Request};
use http_body_util::BodyExt;
use keyward::store::{AuditQuery, KeyQuery, MemoryStore};
use keyward::{
    ActContext, AuditEvent, AuditFilter, Issued, KeyId, KeyRecord, Keyward, NewKey, Rotation,
    Scope, ScopeSet, Timestamp,
};
use keyward_example_axum_app::app;
use serde_json::{Value, json};
use tower::ServiceExt;

const ROUTES: [(&str, &str); 4] = [
    ("GET", "/api/data"),
    ("GET", "/api/projects/7"),
    ("POST", "/api/keys"),
    ("DELETE", "/api/keys/unknown"),
];

#[tokio::test]
async fn every_route_needs_a_valid_key() {
    let app = App::new().await;
    let [replaced, disabled] = [app.key("a", &["admin"]).await, app.key("b", &["admin"]).await];
    let by = context();
    app.keyward.rotate(&replaced.key.id, Rotation::default(), &by).await.unwrap();
    app.keyward.disable(&disabled.key.id, &by).await.unwrap();
    for (method, path) in ROUTES {
        for (secret, outcome) in [
            ("", "401 missing"),
            ("nonsense", "401 malformed"),
            (replaced.secret.expose(), "401 unknown"),
            (disabled.secret.expose(), "403 disabled"),
        ] {
            let answer = app.send(request(secret, method, path, "{}")).await;
            assert_eq!(answer.outcome(), outcome, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn data_needs_the_scope() {
    let app = App::new().await;
    let [reader, writer] = [app.key("a", &["read"]).await, app.key("a", &["write"]).await];
    let answer = app.get(reader.secret.expose(), "/api/data").await;
    assert_eq!(answer.outcome(), "200");
    assert_eq!(answer.text("data"), "sensitive data");
    let answer = app.get(writer.secret.expose(), "/api/data").await;
    assert_eq!(answer.outcome(), "403 insufficient_scope");
}

#[tokio::test]
async fn a_scope_on_a_project_opens_that_project_alone() {
    let app = App::new().await;
    let admin = app.key("a", &["admin"]).await;
    let body = json!({"owner": "b", "resources": {"project:7": ["read"], "project:9": ["write"]}});
    let (_, secret) = app.issued(admin.secret.expose(), &body).await;
    for (path, outcome) in [
        ("/api/projects/7", "200"),
        ("/api/projects/8", "403 insufficient_scope"),
        ("/api/projects/9", "403 insufficient_scope"),
        ("/api/projects/%0A", "404 not_found"),
        ("/api/data", "403 insufficient_scope"),
    ] {
        assert_eq!(app.get(&secret, path).await.outcome(), outcome, "{path}");
    }
}

#[tokio::test]
async fn a_scope_everywhere_opens_every_project() {
    let app = App::new().await;
    let reader = app.key("a", &["read"]).await;
    let answer = app.get(reader.secret.expose(), "/api/projects/8").await;
    assert_eq!(answer.outcome(), "200");
    assert_eq!(answer.body, r#"{"project":{"id":"8"}}"#);
}

#[tokio::test]
async fn an_admin_issues_a_key_as_asked() {
    let app = App::new().await;
    let admin = app.key("a", &["admin"]).await;
    let expires_at = "2099-01-01T00:00:00Z";
    let body = json!({"owner": "b", "name": "CI", "scopes": ["read"], "expires_at": expires_at});
    let (id, secret) = app.issued(admin.secret.expose(), &body).await;
    let record = app.record(&id).await;
    assert_eq!(record.owner.as_str(), "b");
    assert_eq!(record.name.unwrap().as_str(), "CI");
    assert_eq!(record.scopes.iter().collect::<Vec<_>>(), ["read"]);
    assert_eq!(record.expires_at, Some(Timestamp::parse(expires_at).unwrap()));
    assert_eq!(app.get(&secret, "/api/data").await.outcome(), "200");
}

#[tokio::test]
async fn nobody_else_issues_keys() {
    let app = App::new().await;
    let reader = app.key("a", &["read"]).await;
    // They are refused before the body is looked at.
    for body in [r#"{"owner": "a"}"#, "{"] {
        let answer = app.send(request(reader.secret.expose(), "POST", "/api/keys", body)).await;
        assert_eq!(answer.outcome(), "403 insufficient_scope");
    }
    assert_eq!(app.count_keys().await, 1);
}

#[tokio::test]
async fn a_bad_body_issues_nothing() {
    let app = App::new().await;
    let admin = app.key("a", &["admin"]).await;
    for (body, outcome) in [
        ("{", "400"),
        ("{}", "422"),
        (r#"{"owner": ""}"#, "422"),
        (r#"{"owner": "b", "scopes": ["two words"]}"#, "422"),
        (r#"{"owner": "b", "expires_at": "soon"}"#, "422"),
        (r#"{"owner": "b", "expires_at": "1999-01-01T00:00:00Z"}"#, "422 invalid_request"),
        (r#"{"owner": "b", "admin": true}"#, "422"),
    ] {
        let answer = app.send(request(admin.secret.expose(), "POST", "/api/keys", body)).await;
        assert_eq!(answer.outcome(), outcome, "{body}");
    }
    let mut untyped = request(admin.secret.expose(), "POST", "/api/keys", r#"{"owner": "b"}"#);
    untyped.headers_mut().remove(CONTENT_TYPE);
    assert_eq!(app.send(untyped).await.outcome(), "415");
    assert_eq!(app.count_keys().await, 1);
}

#[tokio::test]
async fn an_owner_revokes_their_own_keys() {
    let app = App::new().await;
    let [mine, lost] = [app.key("a", &[]).await, app.key("a", &["read"]).await];
    assert_eq!(app.get(lost.secret.expose(), "/api/data").await.outcome(), "200");
    for outcome in ["204", "409 already_revoked"] {
        let answer = app.revoke(mine.secret.expose(), lost.key.id.as_str()).await;
        assert_eq!(answer.outcome(), outcome);
    }
    assert_eq!(app.get(lost.secret.expose(), "/api/data").await.outcome(), "401 revoked");
    // A key may revoke itself, which is the last thing it does.
    for outcome in ["204", "401 revoked"] {
        let answer = app.revoke(mine.secret.expose(), mine.key.id.as_str()).await;
        assert_eq!(answer.outcome(), outcome);
    }
}

#[tokio::test]
async fn whether_a_foreign_key_exists_is_not_told() {
    let app = App::new().await;
    let reader = app.key("a", &["read"]).await;
    let [foreign, revoked] = [app.key("b", &["read"]).await, app.key("b", &[]).await];
    app.keyward.revoke(&revoked.key.id, None, &context()).await.unwrap();
    let mut bodies = Vec::new();
    for id in [foreign.key.id.as_str(), revoked.key.id.as_str(), "unknown", "no%20id"] {
        let answer = app.revoke(reader.secret.expose(), id).await;
        assert_eq!(answer.outcome(), "403 insufficient_scope", "{id}");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(app.get(foreign.secret.expose(), "/api/data").await.outcome(), "200");
}

#[tokio::test]
async fn an_admin_revokes_any_key_once() {
    let app = App::new().await;
    let [admin, foreign] = [app.key("a", &["admin"]).await, app.key("b", &["read"]).await];
    let id = foreign.key.id.as_str();
    for (id, outcome) in [
        ("unknown", "404 not_found"),
        ("no%20id", "404 not_found"),
        (id, "204"),
        (id, "409 already_revoked"),
    ] {
        assert_eq!(app.revoke(admin.secret.expose(), id).await.outcome(), outcome, "{id}");
    }
    assert_eq!(app.get(foreign.secret.expose(), "/api/data").await.outcome(), "401 revoked");
}

#[tokio::test]
async fn the_secret_is_only_in_the_answer_that_issued_it() {
    let app = App::new().await;
    let admin = app.key("a", &["admin"]).await;
    let body = json!({"owner": "b", "scopes": ["read"]});
    let (id, secret) = app.issued(admin.secret.expose(), &body).await;
    let mut told = Vec::new();
    for path in ["/api/data", "/api/projects/7", "/api/nothing"] {
        told.push(app.get(&secret, path).await);
    }
    told.push(app.send(request(&secret, "POST", "/api/keys", "{}")).await);
    told.push(app.revoke(&secret, "unknown").await);
    told.push(app.revoke(&secret, &id).await);
    told.push(app.get(&secret, "/api/data").await);
    let told = told.iter().map(|answer| format!("{:?} {}", answer.headers, answer.body));
    let kept = format!("{:?} {:?}", app.record(&id).await, app.events(&id).await);
    for text in told.chain([kept]) {
        assert!(!text.contains(&secret), "{text}");
    }
}

#[tokio::test]
async fn the_audit_trail_names_the_key_that_acted_and_where_it_came_from() {
    let app = App::new().await;
    let admin = app.key("a", &["admin"]).await;
    let send = |method, path: &str, body| {
        let mut request = request(admin.secret.expose(), method, path, body);
        let peer = SocketAddr::from(([192, 0, 2, 1], 4711));
        request.extensions_mut().insert(ConnectInfo(peer));
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("agent/1"));
        request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("203.0.113.9"));
        app.send(request)
    };
    let id = send("POST", "/api/keys", r#"{"owner": "b"}"#).await.text("id");
    assert_eq!(send("DELETE", &format!("/api/keys/{id}"), "").await.outcome(), "204");
    let events = app.events(&id).await;
    let mut actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["key.issued", "key.revoked"]);
    for AuditEvent { context, .. } in &events {
        assert_eq!(context.actor.as_str(), format!("key:{}", admin.key.id));
        assert_eq!(context.ip, Some([192, 0, 2, 1].into()));
        assert_eq!(context.user_agent.as_deref(), Some("agent/1"));
        assert_eq!(context.metadata.as_object().get("via"), Some(&json!("api")));
    }
}

/// The application over a store of its own.
struct App {
    keyward: Keyward,
    router: Router,
}

impl App {
    async fn new() -> Self {
        let builder = Keyward::builder(Arc::new(MemoryStore::new())).manual();
        let keyward = builder.build().await.unwrap();
        Self { router: app(keyward.clone()), keyward }
    }

    /// Issues a key past the application.
    async fn key(&self, owner: &str, scopes: &[&str]) -> Issued {
        let scopes = scopes.iter().map(|scope| Scope::parse(*scope).unwrap());
        let scopes = ScopeSet::new(scopes).unwrap();
        let new = NewKey { scopes, ..NewKey::new(owner.parse().unwrap()) };
        self.keyward.issue(new, &context()).await.unwrap()
    }

    /// Issues a key through the application; returns its id and its secret.
    async fn issued(&self, secret: &str, body: &Value) -> (String, String) {
        let answer = self.send(request(secret, "POST", "/api/keys", &body.to_string())).await;
        assert_eq!(answer.outcome(), "201", "{}", answer.body);
        assert_eq!(answer.headers.get(CACHE_CONTROL).unwrap(), "no-store");
        (answer.text("id"), answer.text("secret"))
    }

    async fn get(&self, secret: &str, path: &str) -> Answer {
        self.send(request(secret, "GET", path, "")).await
    }

    async fn revoke(&self, secret: &str, id: &str) -> Answer {
        self.send(request(secret, "DELETE", &format!("/api/keys/{id}"), "")).await
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn record(&self, id: &str) -> KeyRecord {
        self.keyward.key(&KeyId::parse(id).unwrap()).await.unwrap().unwrap().record
    }

    async fn events(&self, id: &str) -> Vec<AuditEvent> {
        let filter = AuditFilter { key: Some(id.parse().unwrap()), ..AuditFilter::default() };
        let query = AuditQuery { filter, limit: 10, ..AuditQuery::default() };
        self.keyward.audit(&query).await.unwrap().events
    }

    async fn count_keys(&self) -> usize {
        let query = KeyQuery::new(self.keyward.now(), 10);
        self.keyward.list(&query).await.unwrap().keys.len()
    }
}

/// An answer, read to its end.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    /// The status, and the code of the problem if the body has one.
    fn outcome(&self) -> String {
        format!("{} {}", self.status, self.text("code")).trim_end().to_owned()
    }

    /// The text of a member of the body, or nothing.
    fn text(&self, name: &str) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// A request with that key, unless it is empty.
fn request(secret: &str, method: &str, path: &str, body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(CONTENT_TYPE, "application/json");
    let request = match secret {
        "" => request,
        _ => request.header(AUTHORIZATION, format!("Bearer {secret}")),
    };
    request.body(Body::from(body.to_owned())).unwrap()
}

fn context() -> ActContext {
    ActContext::by("test".parse().unwrap())
}
