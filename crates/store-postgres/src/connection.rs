//! A connection to the server, and how statements are sent over it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use futures_util::future::{join, join_all};
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, Row, RowStream, Statement};

use crate::failure::Failure;
use crate::sql::{Sql, Value};

/// What a statement came to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) rows: Vec<Row>,
    /// How many rows were written.
    pub(crate) written: u64,
}

/// One connection. Many may send over it at once, and are answered in that order.
pub(crate) struct Connection {
    client: Client,
    task: AbortHandle,
    /// What was prepared on the server; absent where the next statement may meet another server process.
    prepared: Option<Mutex<HashMap<&'static str, Statement>>>,
    patience: Duration,
    is_given_up: AtomicBool,
}

impl Connection {
    /// Over a client whose connection that task drives. `patience`: how long to wait for an answer.
    pub(crate) fn new(
        client: Client,
        task: AbortHandle,
        is_pooled: bool,
        patience: Duration,
    ) -> Self {
        let prepared = (!is_pooled).then(Mutex::default);
        Self { client, task, prepared, patience, is_given_up: AtomicBool::new(false) }
    }

    /// Whether it is worth a try.
    pub(crate) fn is_usable(&self) -> bool {
        !self.client.is_closed() && !self.is_given_up.load(Ordering::Relaxed)
    }

    /// Sends a statement.
    pub(crate) async fn run(&self, sql: &Sql) -> Result<Answer, Failure> {
        self.bounded(self.send(sql)).await
    }

    /// Sends statements that bind nothing.
    pub(crate) async fn run_script(&self, script: &str) -> Result<(), Failure> {
        self.bounded(async { Ok(self.client.batch_execute(script).await?) }).await
    }

    /// Sends statements one behind the other, without waiting in between, and before them a script.
    /// Returns what each came to.
    pub(crate) async fn run_all(
        &self,
        script: Option<&str>,
        statements: &[Sql],
    ) -> Result<Vec<Result<Answer, Failure>>, Failure> {
        self.bounded(async {
            // What is not prepared yet would be overtaken by what is.
            for sql in statements {
                self.prepared(sql).await?;
            }
            let first = async {
                match script {
                    Some(script) => self.client.batch_execute(script).await,
                    None => Ok(()),
                }
            };
            // Each sends when it is polled for the first time, which happens in this order.
            let rest = join_all(statements.iter().map(|sql| self.send(sql)));
            let (done, answers) = join(first, rest).await;
            done?;
            Ok(answers)
        })
        .await
    }

    /// Waits for an answer, and gives the connection up if none comes: the server itself ends statements
    /// earlier than that.
    async fn bounded<T>(
        &self,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        timeout(self.patience, answer).await.unwrap_or_else(|_| {
            self.is_given_up.store(true, Ordering::Relaxed);
            Err(Failure::TimedOut(self.patience))
        })
    }

    async fn send(&self, sql: &Sql) -> Result<Answer, Failure> {
        let stream = if let Some(statement) = self.prepared(sql).await? {
            self.client.query_raw(&statement, &sql.values).await?
        } else {
            let values = sql.values.iter().map(|value| (value, value.kind()));
            self.client.query_typed_raw(&sql.text, values).await?
        };
        answer(stream).await
    }

    /// The prepared statement, if it is one of those that are worth it.
    async fn prepared(&self, sql: &Sql) -> Result<Option<Statement>, Failure> {
        let (Some(prepared), &Cow::Borrowed(text)) = (&self.prepared, &sql.text) else {
            return Ok(None);
        };
        let known = prepared.lock().get(text).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let kinds: Vec<_> = sql.values.iter().map(Value::kind).collect();
        let statement = self.client.prepare_typed(text, &kinds).await?;
        prepared.lock().insert(text, statement.clone());
        Ok(Some(statement))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Otherwise the task says farewell to the server when the client is gone.
        if self.is_given_up.load(Ordering::Relaxed) {
            self.task.abort();
        }
    }
}

async fn answer(stream: RowStream) -> Result<Answer, Failure> {
    let mut stream = pin!(stream);
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        rows.push(row);
    }
    Ok(Answer { rows, written: stream.rows_affected().unwrap_or_default() })
}
