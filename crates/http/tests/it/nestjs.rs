//! The routes of the `NestJS` library: what they answer when all is well.

mod lists;
mod mounted;
mod refusals;
pub(crate) mod server;

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Api, request};
use server::Backend::Memory;
use server::{KEYS, Server, told};

#[tokio::test]
async fn a_first_key_is_created_with_its_service_account() {
    let server = Server::new(Memory).await;
    let body = json!({"user_id": 123, "name": "Production", "description": "The main one",
        "is_active": true, "expires_at": "2027-12-31T23:59:59.000Z"});
    assert_snapshot!(server.call("POST", "", body).await.show(), @r#"
    201 Created
    content-type: application/json
    {
      "code": "KEY_CREATED",
      "data": {
        "client_id": "01a2ce8b-d400-7d53-a7d1-a9915e5bce63",
        "client_secret": "kwcs_DjHFCYMQNsAJ_WKCMVkrVn21TDqJG5d2ASMHxxvgG7AE13zBybn",
        "created_at": "2027-01-01T00:00:00.000Z",
        "description": "The main one",
        "expires_at": "2027-12-31T23:59:59.000Z",
        "is_active": true,
        "key_id": "u13DfdUmzHnP",
        "name": "Production",
        "raw_key": "kw_nest_u13DfdUmzHnP_2Nc7Zz5Gvf7GXaxFKmjv7AxUMPzh1Fm65Ci5Dj",
        "status": "active",
        "user_id": "123"
      },
      "message": "API key created successfully",
      "success": true,
      "timestamp": "2027-01-01T00:00:00.000Z"
    }
    "#);
}

#[tokio::test]
async fn a_further_key_of_a_user_has_the_same_account_and_no_client_secret() {
    let server = Server::new(Memory).await;
    let first = server.first_key(json!(123)).await;
    let body = json!({"user_id": "123", "name": "Second", "is_active": false});
    let second = server.create(body).await;
    assert_eq!(second["client_id"], first.client_id.as_str());
    assert_snapshot!(format!("{second:#}"), @r#"
    {
      "client_id": "01a2ce8b-d400-7d53-a7d1-a9915e5bce63",
      "created_at": "2027-01-01T00:00:00.000Z",
      "description": null,
      "expires_at": "2028-01-01T00:00:00.000Z",
      "is_active": false,
      "key_id": "aSmfo6HC3mjs",
      "name": "Second",
      "raw_key": "kw_nest_aSmfo6HC3mjs_3kmpEVrbc8aWVRmFESnRfdT77FpbTqRD4vPBtM",
      "status": "inactive",
      "user_id": "123"
    }
    "#);
}

#[tokio::test]
async fn a_key_is_validated_together_with_the_credentials_of_its_account() {
    let server = Server::new(Memory).await;
    let key = server.first_key(json!(123)).await;
    assert_snapshot!(server.call("POST", "/validate", key.body()).await.show(), @r#"
    200 OK
    content-type: application/json
    {
      "code": "KEY_VALID",
      "data": {
        "client_id": "01a2ce8b-d400-7d53-a7d1-a9915e5bce63",
        "expires_at": "2028-01-01T00:00:00.000Z",
        "key_id": "u13DfdUmzHnP",
        "status": "active",
        "user_id": "123"
      },
      "message": "API key is valid",
      "success": true,
      "timestamp": "2027-01-01T00:00:00.000Z"
    }
    "#);
    let second = server.another_key(json!(123), &key).await;
    assert_eq!(server.validate(&second).await, "200 KEY_VALID");
}

#[tokio::test]
async fn a_key_is_changed() {
    let server = Server::new(Memory).await;
    let key = server.first_key(json!(123)).await;
    let body = json!({"name": "Renamed", "description": "Spare", "is_active": false,
        "expires_at": "2028-12-31T23:59:59+01:00"});
    assert_snapshot!(server.call("PUT", &format!("/{}", key.key_id), body).await.show(), @r#"
    200 OK
    content-type: application/json
    {
      "code": "KEY_UPDATED",
      "data": {
        "client_id": "01a2ce8b-d400-7d53-a7d1-a9915e5bce63",
        "description": "Spare",
        "expires_at": "2028-12-31T22:59:59.000Z",
        "is_active": false,
        "key_id": "u13DfdUmzHnP",
        "name": "Renamed",
        "status": "inactive",
        "updated_at": "2027-01-01T00:00:00.000Z"
      },
      "message": "API key updated successfully",
      "success": true,
      "timestamp": "2027-01-01T00:00:00.000Z"
    }
    "#);
}

#[tokio::test]
async fn a_key_is_removed() {
    let server = Server::new(Memory).await;
    let key = server.first_key(json!(123)).await;
    let path = format!("/{}", key.key_id);
    assert_snapshot!(server.call("DELETE", &path, json!(null)).await.show(), @r#"
    200 OK
    content-type: application/json
    {
      "code": "KEY_REMOVED",
      "data": {
        "client_id": "01a2ce8b-d400-7d53-a7d1-a9915e5bce63",
        "deleted_at": "2027-01-01T00:00:00.000Z",
        "deleted_by": "key:ac34MDhdECb9",
        "key_id": "u13DfdUmzHnP",
        "status": "deleted"
      },
      "message": "API key removed successfully",
      "success": true,
      "timestamp": "2027-01-01T00:00:00.000Z"
    }
    "#);
}

#[tokio::test]
async fn a_list_tells_of_keys_and_of_its_pages() {
    let server = Server::new(Memory).await;
    server.first_key(json!(123)).await;
    let answer = server.get("?page=1&limit=20&search=FIRST").await;
    assert_snapshot!(answer.show(), @r#"
    200 OK
    content-type: application/json
    {
      "code": "KEYS_LISTED",
      "data": {
        "keys": [
          {
            "client_id": "01a2ce8b-d400-7d53-a7d1-a9915e5bce63",
            "created_at": "2027-01-01T00:00:00.000Z",
            "deleted_at": null,
            "deleted_by": null,
            "description": null,
            "expires_at": "2028-01-01T00:00:00.000Z",
            "id": "u13DfdUmzHnP",
            "key_id": "u13DfdUmzHnP",
            "name": "first",
            "status": "active"
          }
        ],
        "pagination": {
          "has_next": false,
          "has_previous": false,
          "limit": 20,
          "page": 1,
          "total": 1,
          "total_pages": 1
        }
      },
      "message": "API keys retrieved successfully",
      "pagination": {
        "has_next": false,
        "has_previous": false,
        "limit": 20,
        "page": 1,
        "total": 1,
        "total_pages": 1
      },
      "success": true,
      "timestamp": "2027-01-01T00:00:00.000Z"
    }
    "#);
}

#[tokio::test]
async fn members_are_in_the_order_of_the_documentation() {
    let server = Server::new(Memory).await;
    let created = server.call("POST", "", json!({"user_id": 5, "name": "n"})).await;
    let text = created.text();
    let names = [
        "success",
        "message",
        "code",
        "data",
        "key_id",
        "raw_key",
        "user_id",
        "client_id",
        "client_secret",
        "name",
        "description",
        "is_active",
        "created_at",
        "expires_at",
        "status",
        "timestamp",
    ];
    let places: Vec<_> =
        names.iter().map(|name| text.find(&format!("\"{name}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
}

#[tokio::test]
async fn they_are_keys_like_all_others() {
    let server = Server::new(Memory).await;
    let key = server.first_key(json!(123)).await;
    let shown = server.api.get(&format!("/v1/keys/{}", key.key_id)).await.json();
    assert_eq!([&shown["owner"], &shown["keyspace"]], ["123", "nestjs"]);
    assert_eq!(shown["service_account_id"], key.client_id.as_str());
    assert_eq!(server.api.decision(&key.api_key).await, "allowed");
    let issued = json!({"owner": "123", "keyspace": "nestjs", "name": "of v1"});
    let (secret, id) = server.api.issue(issued).await;
    let own = server::Credentials { key_id: id, api_key: secret, ..key };
    assert_eq!(server.validate(&own).await, "200 KEY_VALID");
    assert_eq!(server.names("?sort_by=name&sort_order=asc").await, ["first", "of v1"]);
}

#[tokio::test]
async fn both_paths_are_the_same_routes() {
    let server = Server::new(Memory).await;
    let below = format!("/compat/nestjs{KEYS}");
    let body = json!({"user_id": 123, "name": "n"});
    let created = server.api.call("POST", &below, body).await;
    assert_eq!(told(&created), "201 KEY_CREATED");
    assert_eq!(server.names("").await, ["n"]);
    let id = created.json()["data"]["key_id"].as_str().unwrap().to_owned();
    let removed = server.api.call("DELETE", &format!("{below}/{id}"), json!(null)).await;
    assert_eq!(told(&removed), "200 KEY_REMOVED");
    assert!(server.names("").await.is_empty());
}

#[tokio::test]
async fn the_document_of_these_routes_is_open_to_anyone() {
    let server = Server::new(Memory).await;
    for path in [format!("{KEYS}/openapi.json"), format!("/compat/nestjs{KEYS}/openapi.json")] {
        let document = server.api.send(crate::support::bare(&path, &[])).await;
        assert_eq!(document.status, 200);
        let own = serde_json::to_value(keyward_http::nestjs::openapi()).unwrap();
        assert_eq!(document.json(), own);
        assert_eq!(own["paths"].as_object().unwrap().len(), 4);
    }
}

#[tokio::test]
async fn a_server_that_is_not_told_to_has_no_such_routes() {
    let api = Api::new().await;
    for path in [KEYS, "/api/keys/validate", "/api/keys/x", "/compat/nestjs/api/keys"] {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            let response = api.open(request(&api.root, method, path, &json!({}))).await;
            assert_eq!(response.status(), 404, "{method} {path}");
            assert_eq!(response.headers()["content-type"], "application/problem+json");
        }
    }
}
