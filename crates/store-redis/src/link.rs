//! A connection that is shared by all calls, and made anew when it breaks.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::sync::Mutex;

use crate::Durability;
use crate::connect::Connector;
use crate::requirements::{self, Refusal};

/// A connection to the server that takes writes, whichever that is at the time. Made when it is needed.
#[derive(Debug)]
pub(crate) struct Link {
    connecting: Mutex<()>,
    connector: Connector,
    current: RwLock<Option<Connection>>,
    /// What each server must promise; absent: anything will do.
    durability: Option<Durability>,
    made: AtomicU64,
    response_timeout: Duration,
}

/// Why a call did not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("it takes too long")]
    Late,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<RedisError> for LinkError {
    fn from(error: RedisError) -> Self {
        if error.is_timeout() { Self::Late } else { Self::Refused(error.into()) }
    }
}

#[derive(Clone, Debug)]
struct Connection {
    connection: MultiplexedConnection,
    number: u64,
}

/// What may be done again if a connection breaks before the answer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Done twice, it comes to the same.
    Harmless,
    /// It may have been done.
    Never,
}

impl Link {
    pub(crate) fn new(
        connector: Connector,
        response_timeout: Duration,
        durability: Option<Durability>,
    ) -> Self {
        let (connecting, current, made) = Default::default();
        Self { connecting, connector, current, durability, made, response_timeout }
    }

    /// Does something with a connection, and once more if that one turns out to be broken, or to lead to a
    /// server that takes no writes any more. Takes no longer than a connection and an answer may.
    pub(crate) async fn call<T, F>(
        &self,
        repeat: Repeat,
        work: impl Fn(MultiplexedConnection) -> F + Send + Sync,
    ) -> Result<T, LinkError>
    where
        F: Future<Output = Result<T, RedisError>> + Send,
    {
        let patience = self.connector.connect_timeout + self.response_timeout;
        let mut used = None;
        let attempts = async {
            let error = match self.attempt(&work, &mut used).await? {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let was_dropped = error.is_connection_dropped() && repeat == Repeat::Harmless;
            if is_elsewhere(&error) || was_dropped {
                return Ok(self.attempt(&work, &mut used).await??);
            }
            Err(error.into())
        };
        tokio::time::timeout(patience, attempts).await.unwrap_or_else(|_| {
            self.forget(used);
            Err(LinkError::Late)
        })
    }

    async fn attempt<T, F>(
        &self,
        work: &(impl Fn(MultiplexedConnection) -> F + Send + Sync),
        used: &mut Option<u64>,
    ) -> Result<Result<T, RedisError>, LinkError>
    where
        F: Future<Output = Result<T, RedisError>> + Send,
    {
        let Connection { connection, number } = self.connection().await?;
        *used = Some(number);
        let done = work(connection).await;
        if let Err(error) = &done
            && is_broken(error)
        {
            self.forget(Some(number));
        }
        Ok(done)
    }

    /// The connection that is there, or a new one, which one caller makes for all.
    async fn connection(&self) -> Result<Connection, LinkError> {
        let present = || self.current.read().clone();
        if let Some(connection) = present() {
            return Ok(connection);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(connection) = present() {
            return Ok(connection);
        }
        let mut connection = self.connector.connect(self.response_timeout).await?;
        if let Some(durability) = self.durability {
            requirements::check(&mut connection, durability).await?;
        }
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let made = Connection { connection, number };
        *self.current.write() = Some(made.clone());
        Ok(made)
    }

    /// Gives up a connection, if it is still the one in use.
    fn forget(&self, number: Option<u64>) {
        let mut current = self.current.write();
        if current.as_ref().map(|connection| connection.number) == number {
            *current = None;
        }
    }
}

/// Whether a connection is of no use any more.
fn is_broken(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || error.is_timeout() || is_elsewhere(error)
}

/// Whether a server has refused a call because another one takes writes by now.
fn is_elsewhere(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(
            ServerErrorKind::Moved | ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown
        )
    )
}
