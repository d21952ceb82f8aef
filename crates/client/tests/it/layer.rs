//! The layer and the extractor, in an application on axum.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, Response};
use axum::routing::get;
use keyward_client::{Rejection, VerifiedToken, VerifyLayer};
use rstest::rstest;
use tower::ServiceExt as _;

use crate::server::Reply;
use crate::support::{Key, Scene};

async fn hello(key: VerifiedToken) -> Result<String, Rejection> {
    Ok(format!("Hello, {}!", key.subject()))
}

async fn perhaps(key: Option<VerifiedToken>) -> String {
    key.map_or_else(|| "Who are you?".to_owned(), |key| format!("Hello, {}!", key.subject()))
}

async fn admin(key: VerifiedToken) -> Result<&'static str, Rejection> {
    key.require(&"admin".parse().unwrap())?;
    Ok("Hello, admin!")
}

fn application(layer: VerifyLayer) -> Router {
    let router = Router::new().route("/", get(hello)).route("/perhaps", get(perhaps));
    router.route("/admin", get(admin)).layer(layer)
}

/// The answer: status, the headers that matter, and the body.
async fn ask(application: Router, path: &str, headers: &[(&'static str, &str)]) -> String {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers_mut().append(*name, value);
    }
    written(application.oneshot(request).await.unwrap()).await
}

async fn written(response: Response<Body>) -> String {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 10_000).await.unwrap();
    let mut written = parts.status.as_u16().to_string();
    for name in ["content-type", "retry-after", "www-authenticate"] {
        if let Some(value) = parts.headers.get(name) {
            written.push_str(" | ");
            written.push_str(value.to_str().unwrap());
        }
    }
    assert_eq!(parts.extensions.get::<Rejection>().is_some(), !parts.status.is_success());
    format!("{written} | {}", std::str::from_utf8(&body).unwrap())
}

fn problem(status: u16, title: &str, headers: &str, code: &str, detail: &str) -> String {
    let document = format!(
        r#"{{"type":"urn:keyward:problem:{code}","title":"{title}","status":{status},"code":"{code}","detail":"{detail}"}}"#
    );
    format!("{status} | application/problem+json | {headers}{document}")
}

const CHALLENGE: &str = "Bearer realm=\"keyward\" | ";
const HELLO: &str = "200 | text/plain; charset=utf-8 | Hello, user-1!";

fn missing() -> String {
    problem(401, "Unauthorized", CHALLENGE, "missing", "an API key is needed")
}

fn malformed() -> String {
    problem(401, "Unauthorized", CHALLENGE, "malformed_token", "the API key is malformed")
}

#[rstest]
#[case("authorization", "Bearer TOKEN")]
#[case("authorization", "bearer  TOKEN ")]
#[case("authorization", "TOKEN")]
#[case("x-api-key", "TOKEN")]
#[tokio::test]
async fn a_valid_key_comes_through(#[case] name: &'static str, #[case] value: &str) {
    let scene = Scene::new().await;
    let value = value.replace("TOKEN", &scene.issue(1));
    let application = application(VerifyLayer::new(scene.verifier.clone()));
    assert_eq!(ask(application.clone(), "/", &[(name, &value)]).await, HELLO);
    assert_eq!(ask(application, "/perhaps", &[(name, &value)]).await, HELLO);
}

#[rstest]
#[case::nothing(&[])]
#[case::another_scheme(&[("authorization", "Basic dXNlcjpwYXNz")])]
#[case::no_key(&[("authorization", "Bearer")])]
#[case::another_header(&[("cookie", "key=eyJ")])]
#[tokio::test]
async fn a_request_without_a_key_is_refused(#[case] headers: &[(&'static str, &str)]) {
    let scene = Scene::new().await;
    let layer = VerifyLayer::new(scene.verifier.clone());
    for path in ["/", "/perhaps"] {
        assert_eq!(ask(application(layer.clone()), path, headers).await, missing());
    }
    // Where it is optional, it is the handler's decision.
    let optional = application(layer.optional());
    assert_eq!(ask(optional.clone(), "/", headers).await, missing());
    let anonymous = "200 | text/plain; charset=utf-8 | Who are you?";
    assert_eq!(ask(optional, "/perhaps", headers).await, anonymous);
}

#[tokio::test]
async fn another_kind_of_token_is_refused_unless_keys_are_optional() {
    let scene = Scene::new().await;
    let other = Key::new("https://elsewhere.example", 1).token();
    for token in ["kw_abc", &other, "eyJhbGciOiJub25lIn0.e30."] {
        let header = format!("Bearer {token}");
        let headers = [("authorization", header.as_str())];
        let layer = VerifyLayer::new(scene.verifier.clone());
        assert_eq!(ask(application(layer.clone()), "/perhaps", &headers).await, malformed());
        let answer = ask(application(layer.optional()), "/perhaps", &headers).await;
        assert_eq!(answer, "200 | text/plain; charset=utf-8 | Who are you?");
    }
}

#[tokio::test]
async fn a_key_of_ours_that_is_refused_is_so_also_where_keys_are_optional() {
    let scene = Scene::new().await;
    let header = format!("Bearer {}", Key::new(&scene.base, 1).token());
    let headers = [("authorization", header.as_str())];
    let expected = problem(403, "Forbidden", "", "unauthorized", "the API key is not valid");
    let layer = VerifyLayer::new(scene.verifier.clone());
    assert_eq!(ask(application(layer.clone()), "/perhaps", &headers).await, expected);
    assert_eq!(ask(application(layer.optional()), "/perhaps", &headers).await, expected);
}

#[tokio::test]
async fn a_key_that_cannot_be_judged_is_a_503() {
    let scene = Scene::new().await;
    let header = format!("Bearer {}", scene.issue(1));
    scene.server.reply(&Scene::path(1), Reply::status("500 Internal Server Error"));
    let headers = [("authorization", header.as_str())];
    let layer = VerifyLayer::new(scene.verifier.clone()).optional();
    let detail = "the API key cannot be verified now; try again";
    let expected = problem(503, "Service Unavailable", "1 | ", "keys_unreachable", detail);
    assert_eq!(ask(application(layer), "/perhaps", &headers).await, expected);
}

#[tokio::test]
async fn headers_that_can_be_read_in_two_ways_are_refused() {
    let scene = Scene::new().await;
    let header = format!("Bearer {}", scene.issue(1));
    let twice = [("authorization", header.as_str()), ("authorization", header.as_str())];
    let layer = VerifyLayer::new(scene.verifier.clone());
    let detail = "the header that holds the key must be given once";
    let expected = problem(400, "Bad Request", "", "repeated_header", detail);
    assert_eq!(ask(application(layer.clone()), "/perhaps", &twice).await, expected);
    assert_eq!(ask(application(layer.clone().optional()), "/perhaps", &twice).await, expected);
    let no_text = [("authorization", "Bearer ключ")];
    assert_eq!(ask(application(layer), "/perhaps", &no_text).await, malformed());
}

#[tokio::test]
async fn scopes_are_required_by_the_layer_and_by_handlers() {
    let scene = Scene::new().await;
    let key = Key::new(&scene.base, 1);
    scene.server.reply(&Scene::path(1), Reply::json(&key.document()));
    let header = format!("Bearer {}", key.token_with(&[("scope", "\"read write\"")]));
    let headers = [("authorization", header.as_str())];
    let layer = VerifyLayer::new(scene.verifier.clone());
    let refused = problem(
        403,
        "Forbidden",
        "",
        "insufficient_scope",
        "the API key lacks the right to do this",
    );
    let scopes = |names: [&str; 2]| names.map(|name| name.parse().unwrap());
    let reading = layer.clone().scopes(scopes(["read", "write"]));
    assert_eq!(ask(application(reading), "/", &headers).await, HELLO);
    let deleting = layer.clone().scopes(scopes(["read", "delete"]));
    assert_eq!(ask(application(deleting), "/", &headers).await, refused);
    assert_eq!(ask(application(layer), "/admin", &headers).await, refused);
}

#[tokio::test]
async fn refusals_may_be_written_as_japikey_does() {
    let scene = Scene::new().await;
    let layer = VerifyLayer::new(scene.verifier.clone()).japikey_errors();
    let application = application(layer);
    let unknown = format!("Bearer {}", Key::new(&scene.base, 1).token());
    let failing = format!("Bearer {}", scene.issue(2));
    scene.server.reply(&Scene::path(2), Reply::status("500 Internal Server Error"));
    let cases = [
        (
            "Basic x",
            r#"401 | application/json | Bearer realm="keyward" | {"error":{"type":"malformed_token","message":"an API key is needed"}}"#,
        ),
        (
            "Bearer x",
            r#"401 | application/json | Bearer realm="keyward" | {"error":{"type":"malformed_token","message":"the API key is malformed"}}"#,
        ),
        (
            &unknown,
            r#"403 | application/json | {"error":{"type":"unauthorized","message":"the API key is not valid"}}"#,
        ),
        (
            &failing,
            r#"503 | application/json | 1 | {"error":{"type":"keys_unreachable","message":"the API key cannot be verified now; try again"}}"#,
        ),
    ];
    for (header, expected) in cases {
        assert_eq!(ask(application.clone(), "/", &[("authorization", header)]).await, expected);
    }
}

#[tokio::test]
async fn without_the_layer_nobody_comes_through() {
    let application = Router::new().route("/", get(hello));
    assert_eq!(ask(application, "/", &[("authorization", "Bearer x")]).await, missing());
}
