//! The SQLite store keeps the rules of the port, and those of a file that several processes share.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod corrupt;
mod durable;
mod full;
mod groups;
mod open;
mod shared;

use std::path::Path;
use std::sync::Arc;

use keyward_store::{Store, StoreError};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

mod conformance {
    keyward_store::conformance_tests!(super::fresh_store);
}

/// A store in a folder of its own, which goes with the second value.
#[expect(clippy::unused_async, reason = "other backends wait here")]
async fn fresh_store() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Arc::new(open_in(folder.path())), folder)
}

/// The store in that folder.
fn open_in(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder.join("keyward.db"), &SqliteOptions::default()).unwrap()
}

/// The file of the store in that folder, past the store.
fn file_in(folder: &Path) -> Connection {
    Connection::open(folder.join("keyward.db")).unwrap()
}

fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable { .. }))
}
