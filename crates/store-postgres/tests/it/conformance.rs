//! The rules of the port.

use keyward_store::conformance::broken_rules;

use crate::server::Server;

#[tokio::test]
async fn the_store_keeps_every_rule() {
    let server = Server::start(&[]).await;
    let broken = broken_rules(async || (server.store().await, ())).await;
    assert!(broken.is_empty(), "{broken:?}");
}
