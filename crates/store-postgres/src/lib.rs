//! Keyward's records in PostgreSQL, for many nodes.
//!
//! [`PostgresStore`] is for more than one machine: any number of processes share one database (PostgreSQL 15
//! or newer), and each learns at once what another one has changed. It takes no extensions and no rights
//! beyond those on its own schema, so it may live beside an application's own tables.
//!
//! ```no_run
//! use keyward_store::Store;
//! use keyward_store_postgres::{PostgresOptions, PostgresStore};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let url = "postgres://keyward:secret@db.example.com/keyward?sslmode=verify-full";
//! PostgresStore::migrate(url).await?;
//! let store = PostgresStore::connect(url, &PostgresOptions::default()).await?;
//! store.health().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The address
//!
//! A URL as libpq has it: `postgres://user:password@host:port/database?…`, or several hosts with commas
//! between them, of which the one is taken that can be written to. Of its parameters, those that the driver
//! knows may be given ([`tokio_postgres::Config`]), and these:
//!
//! - `sslmode`: `disable`, `prefer` (the default), `require`, `verify-ca` or `verify-full`. Only the last two
//!   tell whom you talk to, and only the last one that it is that host.
//! - `sslrootcert`: a file of roots in PEM. Without it, the roots of the system count.
//! - `pooler`: `transaction` behind a pooler that hands out connections by the transaction, such as
//!   pgbouncer. Statements are not prepared then, and no settings are made: give the role a
//!   `statement_timeout`. Hearing of changes takes an address past the pooler
//!   ([`PostgresOptions::feed_url`]).
//!
//! # Reading
//!
//! Questions that are answered at once go over a few connections that all callers share, one behind the
//! other without waiting in between; lists and changes take connections from a pool. A standby server may
//! answer for keys and service accounts ([`Replica`]), as long as it knows what this process knows.
//!
//! # Writing
//!
//! Changes of all nodes take turns, so that followers of the change feed can miss none. An acknowledged
//! change is as durable as `synchronous_commit` makes it, which is on by default: leave it there.
//!
//! # When something fails
//!
//! Every call ends within its timeouts ([`PostgresOptions`]), whatever the server and the network do.
//! Connections that are lost are replaced, and a restart of the server is noticed only by who calls while it
//! lasts. A change that ended as unavailable may have been made: repeat the same one, and hear.
//!
//! # The database
//!
//! It must store texts as UTF8; in which language it sorts does not matter. Everything is in the schema
//! `keyward`. Migrations only go forward, and a database that a newer Keyward has migrated is refused.
//! Searches look at every key that the other filters leave: where that is too slow, an index of `pg_trgm`
//! on `keyward.keys (search_text)` is taken by itself.
#![forbid(unsafe_code)]

mod account;
mod address;
mod apply;
mod audit;
mod connection;
mod connector;
mod ended;
mod failure;
mod feed;
mod key;
mod keyspace;
mod list;
mod listener;
mod oauth;
mod open;
mod options;
mod page;
#[cfg(test)]
mod plans;
mod pool;
mod readers;
mod replica;
mod row;
mod schema;
mod sql;
mod store;
mod tls;
mod usage;

pub use open::OpenError;
pub use options::{PostgresOptions, Replica};
pub use store::PostgresStore;
