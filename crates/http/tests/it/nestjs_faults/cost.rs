//! W6: validation costs the more, the more keys an account has.

use std::collections::BTreeMap;

use keyward::{ActContext, NewKey};
use rstest::rstest;
use serde_json::json;

use crate::nestjs::server::Backend::{self, Memory, Sqlite};
use crate::nestjs::server::Server;

const MANY: usize = 10_000;

#[rstest]
#[case::cached(true)]
#[case::not_cached(false)]
#[tokio::test]
async fn w6_one_key_and_ten_thousand_cost_the_same_reads(
    #[case] is_cached: bool,
    #[values(Memory, Sqlite)] backend: Backend,
) {
    let server = Server::new(backend).await;
    let key = server.first_key(json!(1)).await;
    let reads = async || -> BTreeMap<&'static str, usize> {
        let verifier = server.beside().await;
        if is_cached {
            assert_eq!(verifier.validate(&key).await, "200 KEY_VALID");
        }
        server.store.take_calls();
        assert_eq!(verifier.validate(&key).await, "200 KEY_VALID");
        server.store.take_calls()
    };
    let with_one = reads().await;
    let new = NewKey {
        keyspace: keyward_http::nestjs::keyspace(),
        service_account: key.client_id.parse().ok(),
        ..NewKey::new("1".parse().unwrap())
    };
    let me = ActContext::by("me".parse().unwrap());
    for _ in 0..MANY / 100 {
        let many = server.api.keyward.issue_many(vec![new.clone(); 100], &me).await;
        assert!(many.iter().all(Result::is_ok));
    }
    let listed = server.get("?limit=1").await.json();
    assert_eq!(listed["pagination"]["total"], MANY + 1);
    assert_eq!(reads().await, with_one);
    // The management key and the key; and the account.
    let expected = if is_cached { vec![] } else { vec![("account", 1), ("find", 2)] };
    assert_eq!(with_one, expected.into_iter().collect());
}
