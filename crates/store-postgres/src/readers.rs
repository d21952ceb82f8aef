//! A few connections that many share, for what is answered at once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keyward_store::StoreError;
use tokio::time::timeout;

use crate::connection::{Answer, Connection};
use crate::connector::Connector;
use crate::failure::Failure;
use crate::sql::Sql;

/// Connections over which questions are sent one behind the other, without waiting for answers in
/// between.
pub(crate) struct Readers {
    connector: Arc<Connector>,
    slots: Vec<Slot>,
    next: AtomicUsize,
    acquire_timeout: Duration,
}

/// A place for a connection, which is replaced when it is lost.
#[derive(Default)]
struct Slot {
    current: parking_lot::RwLock<Option<Arc<Connection>>>,
    /// Held while a new one is made: by one caller, for all.
    making: tokio::sync::Mutex<()>,
}

impl Readers {
    pub(crate) fn new(connector: Arc<Connector>, size: usize, acquire_timeout: Duration) -> Self {
        let slots = (0..size.max(1)).map(|_| Slot::default()).collect();
        Self { connector, slots, next: AtomicUsize::new(0), acquire_timeout }
    }

    /// Asks, and asks once more if the connection was lost over it: that the server was restarted is
    /// nothing that a reader has to know.
    pub(crate) async fn run(
        &self,
        operation: &'static str,
        sql: &Sql,
    ) -> Result<Answer, StoreError> {
        let answer = match self.ask(sql).await {
            Err(failure) if failure.is_lost_connection() => self.ask(sql).await,
            answer => answer,
        };
        answer.map_err(|failure| failure.during(operation))
    }

    /// Asks once.
    pub(crate) async fn ask(&self, sql: &Sql) -> Result<Answer, Failure> {
        self.connection().await?.run(sql).await
    }

    /// One of the connections, if it is there.
    pub(crate) fn usable(&self) -> Option<Arc<Connection>> {
        self.slot().usable()
    }

    /// Makes the connections that are not there.
    pub(crate) async fn fill(&self) -> Result<(), Failure> {
        for slot in &self.slots {
            slot.make(&self.connector).await?;
        }
        Ok(())
    }

    async fn connection(&self) -> Result<Arc<Connection>, Failure> {
        let slot = self.slot();
        if let Some(connection) = slot.usable() {
            return Ok(connection);
        }
        let made = timeout(self.acquire_timeout, slot.make(&self.connector)).await;
        made.unwrap_or(Err(Failure::TimedOut(self.acquire_timeout)))
    }

    /// Each in its turn.
    fn slot(&self) -> &Slot {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        self.slots.get(number).unwrap_or_else(|| unreachable!("there is at least one"))
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("connector", &self.connector).finish_non_exhaustive()
    }
}

impl Slot {
    fn usable(&self) -> Option<Arc<Connection>> {
        self.current.read().as_ref().filter(|connection| connection.is_usable()).map(Arc::clone)
    }

    async fn make(&self, connector: &Connector) -> Result<Arc<Connection>, Failure> {
        let _making = self.making.lock().await;
        // Somebody else may have made it meanwhile.
        if let Some(connection) = self.usable() {
            return Ok(connection);
        }
        let connection = Arc::new(connector.connect().await?);
        *self.current.write() = Some(Arc::clone(&connection));
        Ok(connection)
    }
}
