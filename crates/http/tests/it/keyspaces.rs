//! Creating, listing, showing and changing keyspaces.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn a_keyspace_of_opaque_secrets_is_created() {
    let api = Api::new().await;
    let body = json!({
        "id": "legacy", "description": "from the old system", "format": "opaque", "prefix": "old",
        "length": 40, "alphabet": "0123456789abcdef", "algorithm": "sha512",
        "default_lifetime": "30d", "maximum_lifetime": "90d",
        "rate_limit": {"requests": 100, "per": "1m"},
    });
    assert_snapshot!(api.call("POST", "/v1/keyspaces", body).await.show(), @r#"
    201 Created
    content-type: application/json
    {
      "algorithm": "sha512",
      "alphabet": "0123456789abcdef",
      "created_at": "2027-01-01T00:00:00Z",
      "default_lifetime": "720h",
      "description": "from the old system",
      "format": "opaque",
      "id": "legacy",
      "length": 40,
      "maximum_lifetime": "2160h",
      "prefix": "old",
      "rate_limit": {
        "per": "1m",
        "requests": 100
      },
      "schemes": [
        "sha512"
      ],
      "service_account": "optional",
      "updated_at": "2027-01-01T00:00:00Z",
      "version": 1
    }
    "#);
    let issued = api.call("POST", "/v1/keys", json!({"owner": "o", "keyspace": "legacy"})).await;
    let issued = issued.json();
    assert_eq!(issued["key"]["expires_at"], "2027-01-31T00:00:00Z");
    assert_eq!(issued["key"]["hint"], "old_");
    assert_eq!(issued["secret"].as_str().unwrap().len(), 44);
}

#[tokio::test]
async fn a_keyspace_with_the_secrets_of_another_library_is_created() {
    let api = Api::new().await;
    let body = json!({"id": "dev", "format": "prefixed", "profile": "seam", "prefix": "My-App",
        "secret_length": 16, "short_prefix": "d", "weak_secrets": "warn"});
    assert_snapshot!(api.call("POST", "/v1/keyspaces", body).await.show(), @r#"
    201 Created
    content-type: application/json
    {
      "algorithm": "sha256",
      "created_at": "2027-01-01T00:00:00Z",
      "default_lifetime": null,
      "description": null,
      "format": "prefixed",
      "id": "dev",
      "id_length": 8,
      "maximum_lifetime": null,
      "prefix": "My-App",
      "profile": "seam",
      "rate_limit": null,
      "schemes": [
        "sha256"
      ],
      "secret_length": 16,
      "service_account": "optional",
      "short_prefix": "d",
      "updated_at": "2027-01-01T00:00:00Z",
      "version": 1,
      "weak_secrets": "warn"
    }
    "#);
    let (secret, id) = api.issue(json!({"owner": "o", "keyspace": "dev"})).await;
    let rest = secret.strip_prefix(&format!("My-App_{id}_")).unwrap();
    assert_eq!((id.len(), id.get(..1).unwrap(), rest.len()), (8, "d", 16));
    assert_eq!(api.decision(&secret).await, "allowed");
    let body = json!({"id": "weak", "format": "prefixed", "profile": "fork3", "prefix": "w"});
    assert_eq!(api.call("POST", "/v1/keyspaces", body).await.json()["weak_secrets"], "refuse");
    assert_eq!(
        api.refused("POST", "/v1/keys", &json!({"owner": "o", "keyspace": "weak"})).await,
        "422 invalid_request; keyspace must not have secrets of fewer than 128 bits, or allow weak secrets"
    );
}

#[tokio::test]
async fn keyspaces_are_listed_by_id() {
    let api = Api::new().await;
    api.keyspace("payments").await;
    let listed = api.get("/v1/keyspaces").await.json();
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|k| &k["id"]).collect();
    assert_eq!(ids, ["default", "management", "payments"]);
    assert_eq!(listed["next_cursor"], json!(null));
}

#[tokio::test]
async fn a_keyspace_is_shown() {
    let api = Api::new().await;
    assert_snapshot!(api.get("/v1/keyspaces/default").await.show(), @r#"
    200 OK
    content-type: application/json
    {
      "algorithm": "sha256",
      "created_at": "2027-01-01T00:00:00Z",
      "default_lifetime": null,
      "description": null,
      "format": "prefixed",
      "id": "default",
      "maximum_lifetime": null,
      "prefix": "kw",
      "rate_limit": null,
      "schemes": [
        "sha256"
      ],
      "service_account": "optional",
      "updated_at": "2027-01-01T00:00:00Z",
      "version": 1
    }
    "#);
}

#[tokio::test]
async fn a_keyspace_is_changed_where_something_is_given() {
    let api = Api::new().await;
    let path = "/v1/keyspaces/default";
    let limits = json!({"maximum_lifetime": "1h", "description": "short", "version": 1,
        "rate_limit": {"requests": 5, "per": "1s"}});
    assert_snapshot!(api.call("PATCH", path, limits).await.brief(), @r#"
    200 OK
    content-type: application/json
    {
      "algorithm": "sha256",
      "created_at": "2027-01-01T00:00:00Z",
      "description": "short",
      "format": "prefixed",
      "id": "default",
      "maximum_lifetime": "1h",
      "prefix": "kw",
      "rate_limit": {
        "per": "1s",
        "requests": 5
      },
      "schemes": [
        "sha256"
      ],
      "service_account": "optional",
      "updated_at": "2027-01-01T00:00:00Z",
      "version": 2
    }
    "#);
    let body = json!({"owner": "o", "expires_at": null});
    let refused = api.refused("POST", "/v1/keys", &body).await;
    assert_snapshot!(refused, @"422 invalid_request; expires_at must be given: the keyspace has a maximum lifetime");
    let removed = json!({"maximum_lifetime": null, "rate_limit": null, "algorithm": "sha512"});
    assert_snapshot!(api.call("PATCH", path, removed).await.brief(), @r#"
    200 OK
    content-type: application/json
    {
      "algorithm": "sha512",
      "created_at": "2027-01-01T00:00:00Z",
      "description": "short",
      "format": "prefixed",
      "id": "default",
      "prefix": "kw",
      "schemes": [
        "sha256"
      ],
      "service_account": "optional",
      "updated_at": "2027-01-01T00:00:00Z",
      "version": 3
    }
    "#);
}

#[tokio::test]
async fn a_keyspace_that_exists_is_a_conflict() {
    let api = Api::new().await;
    for id in ["default", "management"] {
        let body = json!({"id": id, "format": "opaque"});
        assert_eq!(api.refused("POST", "/v1/keyspaces", &body).await, "409 keyspace_exists");
    }
}

#[tokio::test]
async fn a_change_of_another_version_is_a_conflict() {
    let api = Api::new().await;
    let body = json!({"description": "d", "version": 2});
    assert_eq!(api.refused("PATCH", "/v1/keyspaces/default", &body).await, "409 conflict");
}

#[tokio::test]
async fn a_keyspace_that_does_not_exist_is_not_found() {
    let api = Api::new().await;
    let body = json!({"description": "d"});
    for path in ["/v1/keyspaces/nowhere", "/v1/keyspaces/No%20Where"] {
        assert_eq!(api.refused("GET", path, &json!(null)).await, "404 not_found");
        assert_eq!(api.refused("PATCH", path, &body).await, "404 not_found");
    }
}
