//! Many callers at once, behind a pooler that hands out connections by the transaction.

use std::sync::Arc;

use keyward_core::Sequence;
use keyward_store::conformance::sample::{at, insert, key, stored};
use keyward_store::{KeyQuery, Store};
use keyward_testkit::pgbouncer::PgBouncer;

use crate::server::{Server, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_many_callers_are_not_mixed_up() {
    let server = Server::start(&[]).await;
    let pooler = PgBouncer::start(&server.postgres);
    let url = format!("{}?pooler=transaction", pooler.url(&server.database()));
    let store = Arc::new(open(&url).await);
    let callers: Vec<_> = (0..16)
        .map(|caller| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for n in 0..20 {
                    let record = key(&format!("key-{caller}-{n}"));
                    insert(&*store, &record).await;
                    assert_eq!(stored(&*store, &record.id).await, Some(record));
                    let listed = store.list(&KeyQuery::new(at(0), 5)).await.unwrap().keys;
                    assert!(!listed.is_empty());
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(store.position().await.unwrap(), Sequence::new(320));
}
