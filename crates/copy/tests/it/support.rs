//! Stores, lives that are led over them, and what they hold.

mod contents;
mod flaky;
mod life;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use contents::contents;
pub(crate) use flaky::FlakyStore;
use keyward::store::{MemoryStore, Store};
use keyward::{SystemClock, SystemEntropy};
use keyward_copy::{Copier, Kind, Row};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};
pub(crate) use life::{Life, me};
use tempfile::TempDir;

/// Every backend that a test runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Backend {
    Memory,
    Sqlite,
}

/// A store, and the folder that it may need.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) store: Arc<dyn Store>,
}

impl Place {
    pub(crate) fn new(backend: Backend) -> Self {
        let folder = folder();
        let store: Arc<dyn Store> = match backend {
            Backend::Memory => Arc::new(MemoryStore::new()),
            Backend::Sqlite => {
                let path = folder.path().join("keyward.db");
                Arc::new(SqliteStore::open(path, &SqliteOptions::default()).unwrap())
            }
        };
        Self { folder, store }
    }
}

/// A folder in memory where there is such a place: what ends here is never the machine.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A copy from one store to another.
pub(crate) fn copier(source: &Arc<dyn Store>, destination: &Arc<dyn Store>) -> Copier {
    let (source, destination) = (Arc::clone(source), Arc::clone(destination));
    Copier::new(source, destination, Arc::new(SystemClock), Arc::new(SystemEntropy))
        .patience(Duration::from_secs(20))
}

/// Both stores hold the same, as far as anybody can tell who reads them.
pub(crate) async fn assert_same(source: &dyn Store, destination: &dyn Store) {
    contents(source).await.assert_same(&contents(destination).await);
}

/// Waits until a follower has brought everything but usage and erasures, which are in no feed: sooner than
/// it compares all records by itself.
pub(crate) async fn followed(source: &Arc<dyn Store>, destination: &Arc<dyn Store>) {
    let copier = copier(source, destination);
    let is_told = |row: &&Row| !matches!(row.kind, Kind::Usage | Kind::AuditEvents);
    let looking = async {
        loop {
            let report = copier.check().await.unwrap();
            if report.rows.iter().filter(is_told).all(|row| row.differing == 0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.expect("it does not follow");
}
