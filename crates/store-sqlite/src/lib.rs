//! Keyward's records in one SQLite file.
//!
//! [`SqliteStore`] is the store to start with: it needs no server and no configuration, it may be
//! opened by several processes on one machine at once, and what it has acknowledged survives
//! `kill -9` and the loss of power. Use another one when more than one machine has to write, or
//! when the file would lie on a network drive, where SQLite's locks cannot be relied on.
//!
//! ```
//! use keyward_store::Store;
//! use keyward_store_sqlite::{SqliteOptions, SqliteStore};
//!
//! # async fn example(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! let path = folder.join("keyward.db");
//! SqliteStore::migrate(&path)?;
//! let store = SqliteStore::open(&path, &SqliteOptions::default())?;
//! store.health().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Reading
//!
//! Point reads run where they are called: they take some microseconds, less than handing them to
//! another thread would. Lists may take longer and run on tokio's blocking threads. Readers take a
//! read-only connection from a stack and put it back; in WAL mode they never wait for the writer.
//!
//! # Writing
//!
//! One thread writes. It takes all changes that wait and commits them together: many writers share the
//! cost of one `fsync`. One that is refused leaves the others alone. A change is acknowledged once
//! that has happened, and not before.
//!
//! # The file
//!
//! A new file is readable by its owner alone. Migrations only go forward, and a file that a newer
//! Keyward has migrated is refused. To back up, use `VACUUM INTO` or SQLite's backup interface; a
//! plain copy of a file in use misses what is still in its `-wal`.
#![forbid(unsafe_code)]

mod account;
mod apply;
mod audit;
mod connection;
mod ended;
mod failure;
mod feed;
mod key;
mod keyspace;
mod list;
mod oauth;
mod open;
mod options;
mod page;
mod readers;
mod row;
mod schema;
mod seal;
mod sql;
mod store;
mod usage;
mod writer;

pub use open::OpenError;
pub use options::SqliteOptions;
pub use store::SqliteStore;
