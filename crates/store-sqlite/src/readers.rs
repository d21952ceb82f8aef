//! Connections that read.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use keyward_store::StoreError;
use parking_lot::Mutex;
use rusqlite::Connection;

use crate::connection;
use crate::failure::failure;

/// How many connections are kept while nobody reads.
const MOST_IDLE: usize = 32;

/// Read-only connections to one file: a stack, so that the one with the warmest cache goes first.
pub(crate) struct Readers {
    path: PathBuf,
    busy_timeout: Duration,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) const fn new(path: PathBuf, busy_timeout: Duration) -> Self {
        Self { path, busy_timeout, idle: Mutex::new(Vec::new()) }
    }

    /// Reads on the calling thread. Sees everything that was committed before.
    pub(crate) fn read<T>(
        &self,
        operation: &'static str,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connection::reader(&self.path, self.busy_timeout)
                .map_err(|error| failure(operation, error))?,
        };
        let result = read(&connection);
        let mut idle = self.idle.lock();
        if idle.len() < MOST_IDLE {
            idle.push(connection);
        }
        result
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("path", &self.path).finish_non_exhaustive()
    }
}
