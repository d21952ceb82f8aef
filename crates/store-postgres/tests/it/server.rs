//! A server of the test's own, with databases that are migrated.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keyward_store::StoreError;
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

    /// A store on that database.
    pub(crate) async fn store(&self, database: &str) -> PostgresStore {
        open(&self.postgres.url(database)).await
    }
}

/// A store at a URL that works.
pub(crate) async fn open(url: &str) -> PostgresStore {
    PostgresStore::connect(url, &PostgresOptions::default()).await.unwrap()
}

/// Options with which nothing takes long.
pub(crate) fn impatient() -> PostgresOptions {
    PostgresOptions {
        acquire_timeout: Duration::from_millis(500),
        connect_timeout: Duration::from_millis(500),
        lock_timeout: Duration::from_millis(500),
        statement_timeout: Duration::from_millis(500),
        ..PostgresOptions::default()
    }
}

pub(crate) fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable { .. }))
}

/// Waits until something is so, for some seconds.
pub(crate) fn wait_for(mut is_so: impl FnMut() -> bool) {
    let met = (0..400).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        is_so()
    });
    assert!(met, "it did not come to be so");
}
