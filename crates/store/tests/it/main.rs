//! The memory store keeps the rules of the port.

use std::sync::Arc;

use keyward_store::{MemoryStore, Store};

#[expect(clippy::unused_async, reason = "other backends wait here")]
async fn fresh_store() -> (Arc<dyn Store>, ()) {
    (Arc::new(MemoryStore::new()), ())
}

keyward_store::conformance_tests!(fresh_store);
