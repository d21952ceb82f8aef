//! A server of the test's own, with databases that are migrated.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keyward_store::Store;
use keyward_store_postgres::{PostgresOptions, PostgresStore};
use keyward_testkit::postgres::Postgres;

/// A server on which new databases are copies of one that is migrated.
pub(crate) struct Server {
    pub(crate) postgres: Postgres,
    databases: AtomicUsize,
}

impl Server {
    pub(crate) async fn start(settings: &[&str]) -> Self {
        let postgres = Postgres::start(settings);
        postgres.create_database("template");
        PostgresStore::migrate(&postgres.url("template")).await.unwrap();
        Self { postgres, databases: AtomicUsize::new(0) }
    }

    /// The name of a new database that is migrated and empty.
    pub(crate) fn database(&self) -> String {
        let name = format!("keyward{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let sql = format!("create database {name} template template");
        self.postgres.execute("postgres", &sql);
        name
    }

    /// A store on a new database.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        let url = self.postgres.url(&self.database());
        Arc::new(PostgresStore::connect(&url, &PostgresOptions::default()).await.unwrap())
    }
}

/// Waits until something is so, for some seconds.
pub(crate) fn wait_for(mut is_so: impl FnMut() -> bool) {
    let met = (0..400).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        is_so()
    });
    assert!(met, "it did not come to be so");
}
