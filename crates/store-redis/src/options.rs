//! What an operator may choose.

use std::path::PathBuf;
use std::time::Duration;

/// How to use Redis as a store. The default suits everybody who does not know better.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// A file with the certificates (PEM) of the authorities that are trusted with TLS; absent: those
    /// of the system.
    pub ca_file: Option<PathBuf>,
    /// How long to wait for a connection. No call takes longer than this and `response_timeout` together.
    pub connect_timeout: Duration,
    /// What Redis must promise about acts that it has acknowledged.
    pub durability: Durability,
    /// How many of the latest changes are kept for followers and for telling repetitions; at least
    /// one.
    pub kept_changes: u32,
    /// What the names of all keys in Redis begin with, in braces: `{keyward}:`. Stores with different
    /// prefixes do not see each other. 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub prefix: String,
    /// How long to wait for an answer.
    pub response_timeout: Duration,
    /// How many replicas must have a change before it is acknowledged. Without any, a fail-over may lose
    /// changes that were acknowledged just before.
    pub wait_for_replicas: u32,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            ca_file: None,
            connect_timeout: Duration::from_secs(2),
            durability: Durability::Always,
            kept_changes: 100_000,
            prefix: DEFAULT_PREFIX.to_owned(),
            response_timeout: Duration::from_secs(2),
            wait_for_replicas: 0,
        }
    }
}

/// What Redis must promise about acts that it has acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// They survive the end of the server and the loss of power: `appendonly yes` and
    /// `appendfsync always`.
    #[default]
    Always,
    /// Those of the last second may be lost: `appendonly yes` and `appendfsync everysec`. A revocation
    /// that was acknowledged may be undone by a loss of power.
    EverySecond,
    /// Nothing is asked about `appendfsync`, because `CONFIG GET` is forbidden, as hosted services do it:
    /// whoever chooses this knows what the service promises.
    Unchecked,
}

/// How to use Redis as a cache. The default suits everybody who does not know better.
#[derive(Clone, Debug)]
pub struct RedisCacheOptions {
    /// A file with the certificates (PEM) of the authorities that are trusted with TLS; absent: those
    /// of the system.
    pub ca_file: Option<PathBuf>,
    /// How long to wait for a connection. No call takes longer than this and `response_timeout` together.
    pub connect_timeout: Duration,
    /// What the names of all keys in Redis begin with, in braces. 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub prefix: String,
    /// How long to wait for an answer.
    pub response_timeout: Duration,
    /// How long a Redis that has failed is left alone.
    pub rest: Duration,
}

impl Default for RedisCacheOptions {
    fn default() -> Self {
        Self {
            ca_file: None,
            connect_timeout: Duration::from_millis(150),
            prefix: "keyward-cache".to_owned(),
            response_timeout: Duration::from_millis(50),
            rest: Duration::from_secs(1),
        }
    }
}

const DEFAULT_PREFIX: &str = "keyward";

/// The beginning of all names, if it may be one.
pub(crate) fn names(prefix: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let is_valid = (1..=64).contains(&prefix.len()) && prefix.bytes().all(is_plain);
    is_valid.then(|| format!("{{{prefix}}}:"))
}
