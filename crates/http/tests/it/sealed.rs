//! A store whose records move to another one.

use std::sync::Arc;

use keyward::store::{MemoryStore, Store};
use keyward_http::RouterSettings;
use serde_json::{Value, json};

use crate::support::Api;

#[tokio::test]
async fn acts_are_refused_and_keys_are_verified() {
    let store = Arc::new(MemoryStore::new());
    let api = Api::over(Arc::<MemoryStore>::clone(&store), RouterSettings::default()).await;
    let (secret, id) = api.issue(json!({"owner": "o"})).await;
    store.seal(true).await.unwrap();
    let acts = [
        ("POST", "/v1/keys".to_owned(), json!({"owner": "o"})),
        ("PATCH", format!("/v1/keys/{id}"), json!({"name": "n"})),
        ("POST", format!("/v1/keys/{id}/revoke"), Value::Null),
        ("DELETE", format!("/v1/keys/{id}"), Value::Null),
        ("POST", "/v1/keyspaces".to_owned(), json!({"id": "k", "format": "opaque"})),
        ("POST", "/v1/service-accounts".to_owned(), json!({"owner": "o"})),
    ];
    for (method, path, body) in acts {
        let refused = api.call(method, &path, body).await;
        assert_eq!(refused.complaint(), "503 sealed", "{method} {path}");
        assert_eq!(refused.header("retry-after"), "1");
    }
    assert_eq!(api.decision(&secret).await, "allowed");
    assert_eq!(api.get("/readyz").await.status, 200);
    store.seal(false).await.unwrap();
    api.call("POST", &format!("/v1/keys/{id}/revoke"), Value::Null).await;
    assert_eq!(api.decision(&secret).await, "revoked");
}
