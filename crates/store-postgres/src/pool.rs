//! Connections of which one caller has one at a time: for transactions, and for what takes longer.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use keyward_store::StoreError;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::connection::{Answer, Connection};
use crate::connector::Connector;
use crate::failure::Failure;
use crate::sql::Sql;

/// Statements after this see the database at one instant.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Up to so many connections: a stack, so that what is not needed stays unused.
pub(crate) struct Pool {
    connector: Arc<Connector>,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
    acquire_timeout: Duration,
}

impl Pool {
    pub(crate) fn new(connector: Arc<Connector>, size: usize, acquire_timeout: Duration) -> Self {
        let permits = Semaphore::new(size.max(1));
        Self { connector, idle: Mutex::default(), permits, acquire_timeout }
    }

    /// Adds a connection that was made before.
    pub(crate) fn add(&self, connection: Connection) {
        self.idle.lock().push(connection);
    }

    /// Takes a connection, as soon as there is one.
    pub(crate) async fn lease(&self) -> Result<Lease<'_>, Failure> {
        let permit = self.permit().await?;
        let idle = self.take_idle();
        self.leased(idle, permit).await
    }

    /// Takes a connection that nobody had before.
    pub(crate) async fn lease_new(&self) -> Result<Lease<'_>, Failure> {
        let permit = self.permit().await?;
        self.leased(None, permit).await
    }

    /// Reads, and once more if the connection was lost over it.
    pub(crate) async fn read(
        &self,
        operation: &'static str,
        sql: &Sql,
    ) -> Result<Answer, StoreError> {
        let answer = match self.run(sql).await {
            Err(failure) if failure.is_lost_connection() => self.run(sql).await,
            answer => answer,
        };
        answer.map_err(|failure| failure.during(operation))
    }

    /// Reads several things as they are at one instant, and once more if the connection was lost over it.
    pub(crate) async fn read_at_once(
        &self,
        operation: &'static str,
        statements: &[Sql],
    ) -> Result<Vec<Answer>, StoreError> {
        let answers = match self.run_at_once(statements).await {
            Err(failure) if failure.is_lost_connection() => self.run_at_once(statements).await,
            answers => answers,
        };
        answers.map_err(|failure| failure.during(operation))
    }

    async fn run_at_once(&self, statements: &[Sql]) -> Result<Vec<Answer>, Failure> {
        let lease = self.lease().await?;
        let answers = lease.run_all(Some(SNAPSHOT), statements).await?;
        let answers = answers.into_iter().collect::<Result<_, _>>()?;
        lease.run_script("COMMIT").await?;
        lease.give_back();
        Ok(answers)
    }

    /// Sends one statement, once.
    pub(crate) async fn run(&self, sql: &Sql) -> Result<Answer, Failure> {
        let lease = self.lease().await?;
        let answer = lease.run(sql).await;
        lease.give_back();
        answer
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, Failure> {
        let permit = timeout(self.acquire_timeout, self.permits.acquire()).await;
        // It is never closed.
        permit.ok().and_then(Result::ok).ok_or(Failure::Exhausted(self.acquire_timeout))
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock();
        std::iter::from_fn(|| idle.pop()).find(Connection::is_usable)
    }

    async fn leased<'p>(
        &'p self,
        idle: Option<Connection>,
        permit: SemaphorePermit<'p>,
    ) -> Result<Lease<'p>, Failure> {
        let connection = match idle {
            Some(connection) => connection,
            None => self.connector.connect().await?,
        };
        Ok(Lease { connection, pool: self, _permit: permit })
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("connector", &self.connector).finish_non_exhaustive()
    }
}

/// A connection that a caller has to itself. It is closed when it is dropped: nobody knows then in which
/// state it was left.
pub(crate) struct Lease<'p> {
    connection: Connection,
    pool: &'p Pool,
    _permit: SemaphorePermit<'p>,
}

impl Lease<'_> {
    /// Lets others have the connection, which is in no transaction.
    pub(crate) fn give_back(self) {
        if self.connection.is_usable() {
            self.pool.add(self.connection);
        }
    }
}

impl Deref for Lease<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}
