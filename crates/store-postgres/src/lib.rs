//! Keyward's records in PostgreSQL, for many nodes.
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
