//! A cache in Redis.

mod breaker;

use std::time::Duration;

use async_trait::async_trait;
use breaker::Breaker;
use keyward_store::{CacheError, SharedCache};
use redis::{Cmd, FromRedisValue};

use crate::link::{Link, LinkError, Repeat};
use crate::requirements::Refusal;
use crate::{OpenError, RedisCacheOptions, open};

/// A cache that several instances share, in Redis.
///
/// It need not be reachable, neither at the start nor later, and need not keep anything: `maxmemory` with
/// `allkeys-lru` suits it. One that fails is left alone for a moment; for as long it has nothing, and
/// takes nothing.
#[derive(Debug)]
pub struct RedisCache {
    breaker: Breaker,
    link: Link,
    names: String,
}

impl RedisCache {
    /// A cache at a URL, which has the same forms as that of a [`crate::RedisStore`]. Connects when it is
    /// used first; an error is about what was asked for, not about Redis.
    pub fn new(url: &str, options: &RedisCacheOptions) -> Result<Self, OpenError> {
        let RedisCacheOptions { ca_file, connect_timeout, prefix, response_timeout, rest } =
            options;
        let connector = open::connector(url, prefix, ca_file.as_deref(), *connect_timeout)?;
        let names = connector.names.clone();
        let link = Link::new(connector, *response_timeout, None);
        Ok(Self { breaker: Breaker::new(*rest), link, names })
    }

    /// Asks Redis, unless it is left alone.
    async fn ask<T: FromRedisValue + Send>(&self, command: &Cmd) -> Option<Result<T, LinkError>> {
        if !self.breaker.lets_pass() {
            return None;
        }
        let ask = |mut connection| async move { command.query_async(&mut connection).await };
        let answer = self.link.call(Repeat::Harmless, ask).await;
        self.breaker.note(answer.as_ref().err().is_none_or(is_about_the_value));
        Some(answer)
    }

    fn command(&self, command: &str, name: &str) -> Cmd {
        let mut cmd = redis::cmd(command);
        cmd.arg(format!("{}{name}", self.names));
        cmd
    }
}

#[async_trait]
impl SharedCache for RedisCache {
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, CacheError> {
        match self.ask(&self.command("GET", name)).await {
            Some(found) => Ok(found?),
            None => Ok(None),
        }
    }

    async fn set(&self, name: &str, value: &[u8], ttl: Duration) -> Result<(), CacheError> {
        let mut command = self.command("SET", name);
        // A time to live of nothing is none that Redis takes.
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).clamp(1, MOST_MILLIS);
        command.arg(value).arg("PX").arg(millis);
        match self.ask(&command).await {
            Some(kept) => Ok(kept?),
            None => Ok(()),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), CacheError> {
        match self.ask(&self.command("UNLINK", name)).await {
            Some(deleted) => Ok(deleted?),
            None => Err("the cache has failed and is left alone for a moment".into()),
        }
    }
}

/// Whether Redis works, and only what stands there is no value.
fn is_about_the_value(error: &LinkError) -> bool {
    match error {
        LinkError::Refused(Refusal::Failed(error)) => error.code() == Some("WRONGTYPE"),
        _ => false,
    }
}

/// A hundred years.
const MOST_MILLIS: u64 = 100 * 366 * 24 * 3_600 * 1_000;
