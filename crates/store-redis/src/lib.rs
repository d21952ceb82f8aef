//! Keyward's records in Redis.
#![forbid(unsafe_code)]

mod account;
mod address;
mod apply;
mod audit;
mod cache;
mod calls;
mod connect;
mod ended;
mod failure;
mod feed;
mod key;
mod keyspace;
mod link;
mod list;
mod oauth;
mod open;
mod options;
mod page;
mod place;
mod reply;
mod requirements;
mod script;
mod store;
mod usage;
mod watcher;

pub use cache::RedisCache;
pub use open::OpenError;
pub use options::{Durability, RedisCacheOptions, RedisOptions};
pub use store::RedisStore;
