//! The port of a cache that several instances share.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

/// A cache that several instances share, such as Redis, memcached or a table.
///
/// It need not be trusted: see `shared_cache` of the library's builder. An entry is accepted only if its
/// seal (an HMAC under a key that the cache does not have) is right, and only if no change of its key is known that is
/// newer than the entry: so a late write, an old entry that somebody put back and one that nobody
/// removed are all no worse than none. A cache that fails or is slow costs time and nothing else.
///
/// Behaviour: `get` returns what `set` last kept under the name, or nothing; it may forget anything
/// at any time.
#[async_trait]
pub trait SharedCache: fmt::Debug + Send + Sync {
    /// The value under a name.
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, CacheError>;

    /// Keeps a value under a name, for a while.
    async fn set(&self, name: &str, value: &[u8], ttl: Duration) -> Result<(), CacheError>;

    /// Forgets what is under a name.
    async fn delete(&self, name: &str) -> Result<(), CacheError>;
}

/// Why a shared cache did not do what it was asked.
pub type CacheError = Box<dyn Error + Send + Sync>;
