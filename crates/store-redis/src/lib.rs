//! Keyward's records in Redis, and a cache in Redis that several instances share.
//!
//! [`RedisStore`] keeps everything in Redis 7 or newer, for whoever runs Redis with persistence already and
//! has as many keys as fit into its memory: about 3 KB each, and 1 KB for each audit event. Where there is
//! a choice, PostgreSQL keeps more for less, and has fewer ways to lose what it has acknowledged.
//!
//! ```no_run
//! use keyward_store::Store;
//! use keyward_store_redis::{RedisOptions, RedisStore};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let store = RedisStore::connect("redis://localhost", &RedisOptions::default()).await?;
//! store.health().await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`RedisCache`] stands between the caches of the instances and another store. It may be any Redis: nothing
//! in it is trusted, and nothing is lost with it.
//!
//! # URLs
//!
//! - `redis://user:password@host:6379/0`: one server;
//! - `redis+sentinel://user:password@host1:26379,host2:26379/mymaster/0`: sentinels, and the name under which
//!   they know the server that takes writes. Their own login is `?sentinel_username=…&sentinel_password=…`;
//! - `redis+cluster://user:password@host1:7000,host2:7001`: some nodes of a cluster, which know the others.
//!
//! With `rediss` in place of `redis`, all connections are TLS, those to sentinels and to nodes included, whose
//! certificates must name them as they are named to clients. Users and passwords are percent-encoded.
//!
//! # What is acknowledged stays
//!
//! Each call is one command or one script, which Redis runs as one step. With `appendonly yes` and
//! `appendfsync always` it answers after it has written what it did to its disk. Both are checked, with the
//! version and `maxmemory-policy noeviction`, whenever a connection is made; [`Durability`] tells what else
//! may be accepted.
//!
//! That is true of one server. Replicas follow on their own time: after a fail-over, the latest changes may be gone
//! that were acknowledged, a revocation among them. With [`RedisOptions::wait_for_replicas`] a change is
//! acknowledged once so many replicas have it, and the sentinels choose one of those that have the most. Even so,
//! a server that was cut off from the others, and does not know it yet, answers reads from what it has, as
//! long as it is reached: give it `min-replicas-to-write` and keep `max_staleness` in mind. Followers of the change
//! feed notice if changes that they have read are gone.
//!
//! # Clusters
//!
//! All names begin with the prefix in braces, so that all records are in one slot, on one node: scripts see all
//! of them at once. A cluster gives a store a place to fail over to, and not more room or speed. Stores with
//! different prefixes spread over the nodes. While the slot moves to another node, the store is unavailable.
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
