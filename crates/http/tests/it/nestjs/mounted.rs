//! The routes in an application of one's own, and their keyspace.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use keyward::{AccountRule, KeyspaceId};
use keyward_http::nestjs::{api_key_router, keyspace, prepare};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::server::Backend::Memory;
use super::server::Server;
use crate::faulty::FaultyStore;
use crate::support::{Api, request};

async fn ask(router: &Router, request: Request<Body>) -> (u16, Value) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn an_application_mounts_the_routes_where_it_likes() {
    let server = Server::new(Memory).await;
    let keys = api_key_router(server.api.keyward.clone(), keyspace());
    let router = Router::new().nest("/tenants", keys.clone()).merge(keys);
    for path in ["/api/keys", "/tenants/api/keys"] {
        let body = json!({"user_id": 1, "name": "n"});
        let (status, answer) = ask(&router, request(&server.api.root, "POST", path, &body)).await;
        assert_eq!((status, &answer["code"]), (201, &json!("KEY_CREATED")), "{answer}");
        let (status, answer) = ask(&router, request("nobody", "POST", path, &body)).await;
        assert_eq!((status, &answer["code"]), (401, &json!("UNAUTHORIZED")), "{answer}");
        let (status, answer) = ask(&router, request("", "PATCH", path, &body)).await;
        assert_eq!((status, &answer["code"]), (405, &json!("METHOD_NOT_ALLOWED")), "{answer}");
        let large = json!({"user_id": 1, "name": "n".repeat(70_000)});
        let (status, answer) = ask(&router, request(&server.api.root, "POST", path, &large)).await;
        assert_eq!((status, &answer["code"]), (413, &json!("PAYLOAD_TOO_LARGE")), "{answer}");
    }
}

#[tokio::test]
async fn the_keyspace_is_made_once() {
    let server = Server::new(Memory).await;
    prepare(&server.api.keyward).await.unwrap();
    let made = server.api.get("/v1/keyspaces/nestjs").await.json();
    assert_eq!([&made["format"], &made["prefix"]], ["prefixed", "kw_nest"]);
    assert_eq!(made["service_account"], AccountRule::Primary.as_str());
    assert_eq!(made["version"], 1);
}

#[tokio::test]
async fn a_keyspace_that_is_there_is_taken_if_its_keys_have_accounts() {
    let api =
        Api::over(Arc::new(FaultyStore::new()), keyward_http::RouterSettings::default()).await;
    api.keyspace("nestjs").await;
    let error = prepare(&api.keyward).await.unwrap_err();
    assert_eq!(error.field().map(|field| &*field.field), Some("keyspace"));
    let path = format!("/v1/keyspaces/{}", KeyspaceId::parse("nestjs").unwrap());
    let changed = api.call("PATCH", &path, json!({"service_account": "primary"})).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    prepare(&api.keyward).await.unwrap();
}
