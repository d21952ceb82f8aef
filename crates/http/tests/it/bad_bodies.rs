//! Bodies that are not JSON, too much of it, or of the wrong kind.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::CONTENT_TYPE;
use hyper::body::Frame;
use rstest::rstest;
use serde_json::json;

use crate::support::{Api, MARK, head, raw, request};

const INVALID_JSON: &str = "400 invalid_json";

#[rstest]
#[case::empty("", INVALID_JSON)]
#[case::blank(" \n", INVALID_JSON)]
#[case::word("owner", INVALID_JSON)]
#[case::unfinished(r#"{"owner": "zq7marker"#, INVALID_JSON)]
#[case::trailing_comma(r#"{"owner": "zq7marker",}"#, INVALID_JSON)]
#[case::trailing_object(r#"{"owner": "o"} {"owner": "zq7marker"}"#, INVALID_JSON)]
#[case::trailing_word(r#"{"owner": "o"}zq7marker"#, INVALID_JSON)]
#[case::single_quotes("{'owner': 'zq7marker'}", INVALID_JSON)]
#[case::comment(r#"{"owner": "o"} // zq7marker"#, INVALID_JSON)]
#[case::lone_surrogate(r#"{"owner": "zq7marker\ud800"}"#, INVALID_JSON)]
#[case::raw_newline("{\"owner\": \"zq7marker\n\"}", INVALID_JSON)]
#[case::huge_number(r#"{"owner": "o", "metadata": {"n": 1e999}}"#, INVALID_JSON)]
#[case::byte_order_mark("\u{feff}{\"owner\": \"o\"}", INVALID_JSON)]
#[case::text(r#""zq7marker""#, "422 invalid_request; body must be an object")]
#[case::null("null", "422 invalid_request; body must be an object")]
#[case::number("5", "422 invalid_request; body must be an object")]
#[tokio::test]
async fn bodies_that_are_no_object_are_refused(#[case] body: &str, #[case] expected: &str) {
    let api = Api::new().await;
    let answer = api.refusal(raw(&api.root, "POST", "/v1/keys", body.to_owned())).await;
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn bytes_that_are_not_utf_8_are_refused() {
    let api = Api::new().await;
    let body = b"{\"owner\": \"zq7marker\xff\xfe\"}".to_vec();
    assert_eq!(api.refusal(raw(&api.root, "POST", "/v1/keys", body)).await, INVALID_JSON);
}

#[rstest]
#[case::top("POST", "/v1/keys", r#"{"owner":"a","owner":"zq7marker"}"#, "owner")]
#[case::update("PATCH", "/v1/keys/{id}", r#"{"name":"a","name":"zq7marker"}"#, "name")]
#[case::verify("POST", "/v1/verify", r#"{"secret":"a","secret":"zq7marker"}"#, "secret")]
#[tokio::test]
async fn a_member_that_is_given_twice_is_refused(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
    #[case] field: &str,
) {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    let request = raw(&api.root, method, &path.replace("{id}", &id), body.to_owned());
    let expected = format!("422 invalid_request; {field} must be given once");
    assert_eq!(api.refusal(request).await, expected);
}

#[rstest]
#[case("POST", "/v1/keys/{id}/rotate", r#"{"grace":"1h","grace":"9h"}"#, "body")]
#[case("POST", "/v1/keys/{id}/rotate", r#"{"scopes":["a"],"scopes":["b"]}"#, "body")]
#[case("POST", "/v1/keys", r#"{"owner":"a","resources":{"a:1":["b"],"a:1":["c"]}}"#, "resources")]
#[case("PATCH", "/v1/keys/{id}", r#"{"resources":{"a:1":[],"a:1":["c"]}}"#, "resources")]
#[case("PATCH", "/v1/keys/{id}", r#"{"metadata":{"zq7marker":1,"zq7marker":2}}"#, "metadata")]
#[tokio::test]
async fn an_object_that_holds_a_member_twice_is_refused(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
    #[case] field: &str,
) {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    let request = raw(&api.root, method, &path.replace("{id}", &id), body.to_owned());
    let expected = format!("422 invalid_request; {field} must hold each member once");
    assert_eq!(api.refusal(request).await, expected);
}

#[rstest]
#[case("POST", "/v1/keys", r#"["default", "zq7marker", null, null]"#)]
#[case("POST", "/v1/keys/revoke-all", r#"["root", null]"#)]
#[case("POST", "/v1/keys/reap", r#"["1d"]"#)]
#[case("POST", "/v1/keys/{id}/revoke", r#"["zq7marker"]"#)]
#[case("POST", "/v1/keys/{id}/rotate", "[]")]
#[case("PATCH", "/v1/keys/{id}", "[1]")]
#[case("POST", "/v1/verify", r#"["zq7marker"]"#)]
#[tokio::test]
async fn a_list_is_not_taken_for_an_object(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
) {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    let request = raw(&api.root, method, &path.replace("{id}", &id), body.to_owned());
    assert_eq!(api.refusal(request).await, "422 invalid_request; body must be an object");
}

#[rstest]
#[case::lists("[", "]", 100_000)]
#[case::short_lists("[", "]", 200)]
#[case::objects(r#"{"a":"#, "}", 10_000)]
#[case::never_closed("[", "", 60_000)]
#[tokio::test]
async fn nesting_bombs_are_refused(#[case] open: &str, #[case] close: &str, #[case] levels: usize) {
    let api = Api::new().await;
    let bomb = format!("{}1{}", open.repeat(levels), close.repeat(levels));
    for body in [
        bomb.clone(),
        format!(r#"{{"owner": "o", "metadata": {{"a": {bomb}}}}}"#),
        format!(r#"{{"owner": "o", "scopes": {bomb}}}"#),
        format!(r#"{{"owner": "o", "unknown": {bomb}}}"#),
    ] {
        let answer = api.refusal(raw(&api.root, "POST", "/v1/keys", body)).await;
        let codes = ["400 invalid_json", "413 body_too_large", "422 invalid_request"];
        assert!(codes.iter().any(|code| answer.starts_with(code)), "{answer}");
    }
}

#[rstest]
#[case("POST", "/v1/keys")]
#[case("PATCH", "/v1/keys/{id}")]
#[case("POST", "/v1/keys/{id}/rotate")]
#[case("POST", "/v1/keys/{id}/revoke")]
#[case("POST", "/v1/keys/revoke-all")]
#[case("POST", "/v1/verify")]
#[case("POST", "/v1/keyspaces")]
#[case("PATCH", "/v1/keyspaces/default")]
#[tokio::test]
async fn a_body_of_10_megabytes_is_too_large(#[case] method: &str, #[case] path: &str) {
    let api = Api::new().await;
    let (_, id) = api.issue(json!({"owner": "o"})).await;
    let path = path.replace("{id}", &id);
    let bytes = "x".repeat(10 << 20);
    let announced = raw(&api.root, method, &path, bytes.clone());
    assert_eq!(api.refusal(announced).await, "413 body_too_large");
    let streamed = Body::new(Chunks(10 << 10));
    let answer = api.refusal(raw(&api.root, method, &path, streamed)).await;
    assert_eq!(answer, "413 body_too_large");
}

#[rstest]
#[case(None)]
#[case(Some("text/plain"))]
#[case(Some("application/x-www-form-urlencoded"))]
#[case(Some("application/jsonp"))]
#[case(Some("text/json, application/json"))]
#[case(Some(""))]
#[tokio::test]
async fn a_body_that_is_not_said_to_be_json_is_refused(#[case] kind: Option<&str>) {
    let api = Api::new().await;
    let body = json!({"owner": MARK}).to_string();
    let builder = head(&api.root, "POST", "/v1/keys");
    let builder =
        kind.into_iter().fold(builder, |builder, kind| builder.header(CONTENT_TYPE, kind));
    let answer = api.refusal(builder.body(body.into()).unwrap()).await;
    assert_eq!(answer, "415 unsupported_media_type");
}

#[rstest]
#[case("application/json; charset=utf-8")]
#[case("Application/JSON")]
#[tokio::test]
async fn json_may_be_said_in_any_case_and_with_a_charset(#[case] kind: &str) {
    let api = Api::new().await;
    let body = json!({"owner": "o"}).to_string();
    let builder = head(&api.root, "POST", "/v1/keys").header(CONTENT_TYPE, kind);
    assert_eq!(api.send(builder.body(body.into()).unwrap()).await.status, 201);
}

#[tokio::test]
async fn who_has_no_key_is_told_so_before_the_body_is_looked_at() {
    let api = Api::new().await;
    let answer = api.refusal(request("nobody", "POST", "/v1/keys", &json!({MARK: MARK}))).await;
    assert_eq!(answer, "401 malformed");
}

/// That many chunks of a kilobyte, of which the length is not told before.
struct Chunks(usize);

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(rest) = self.0.checked_sub(1) else { return Poll::Ready(None) };
        self.0 = rest;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 1024])))))
    }
}

/// A body that waits for more for ever.
pub(crate) struct Endless;

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}
