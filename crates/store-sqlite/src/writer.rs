//! The one thread that writes, and its group commit.

mod group;
mod job;

use std::thread::{self, JoinHandle};
use std::{fmt, io};

use job::{Job, Pending};
use keyward_store::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::failure::WriteError;

/// How many jobs may wait; whoever brings another one waits until there is room.
const MOST_WAITING: usize = 1_024;
/// How many jobs are committed together.
const MOST_TOGETHER: usize = 256;

/// A handle to the thread that writes. When it is dropped, what is queued is finished first.
pub(crate) struct Writer {
    /// Present until the writer is dropped.
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel(MOST_WAITING);
        let thread = thread::Builder::new()
            .name("keyward-sqlite-writer".to_owned())
            .spawn(move || run(&connection, queue))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Has something written in a transaction, and returns when that is durable.
    ///
    /// What `work` has written is rolled back if it fails. It may be run a second time, after all that
    /// the first time has written was rolled back. If the caller stops waiting, it is written all the
    /// same.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnMut(&Connection) -> Result<T, WriteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = || StoreError::Unavailable { operation, source: Stopped.into() };
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Pending::new(operation, work, answer));
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(job).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Without senders the thread ends after what is queued.
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes to the database panicked");
        }
    }
}

/// The writer gave no answer; it logs why.
#[derive(Debug, thiserror::Error)]
#[error("the writer gave no answer")]
struct Stopped;

fn run(connection: &Connection, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut group = Vec::with_capacity(MOST_TOGETHER);
    while queue.blocking_recv_many(&mut group, MOST_TOGETHER) > 0 {
        group::commit(connection, &mut group);
    }
}

#[cfg(test)]
mod tests;
