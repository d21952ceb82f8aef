//! Making a change: rows, audit events and its place in the feed.

mod keys;

use std::time::Duration;

use keyward_core::{Change, Sequence};
use keyward_store::{Applied, Conflict};

use crate::connection::Answer;
use crate::connector::IDLE_IN_TRANSACTION;
use crate::failure::{Failure, WriteError};
use crate::pool::{Lease, Pool};
use crate::row::{Shape, flag};
use crate::sql::Sql;
use crate::{account, audit, feed, keyspace, oauth};

const IS_SEALED: Shape<bool> = Shape { what: "feed", read: |fields| fields.read(flag) };

/// A statement that writes, and what it must come to.
pub(crate) struct Step {
    sql: Sql,
    outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Any,
    Erased,
    Row,
}

impl Step {
    /// A statement that may write any number of rows.
    pub(crate) const fn any(sql: Sql) -> Self {
        Self { sql, outcome: Outcome::Any }
    }

    /// A statement that writes a row, which must have been there, in its version.
    pub(crate) const fn of_a_row(sql: Sql) -> Self {
        Self { sql, outcome: Outcome::Row }
    }
}

/// How a change is made.
#[derive(Debug)]
pub(crate) struct Rules {
    /// What begins the transaction: its limits are the transaction's own, as behind a pooler nothing else
    /// is.
    begin: String,
    kept_changes: u32,
}

impl Rules {
    pub(crate) fn new(
        statement_timeout: Duration,
        lock_timeout: Duration,
        kept_changes: u32,
    ) -> Self {
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
             SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}; \
             SET LOCAL idle_in_transaction_session_timeout = {}",
            statement_timeout.as_millis(),
            lock_timeout.as_millis(),
            IDLE_IN_TRANSACTION.as_millis(),
        );
        Self { begin, kept_changes }
    }

    /// Makes a change, in three rounds: lock the feed and look, write everything, commit.
    pub(crate) async fn apply(&self, pool: &Pool, change: &Change) -> Result<Applied, WriteError> {
        let mut steps = steps(change).map_err(Failure::from)?;
        let opening = [feed::lock(), feed::places(change.id)];
        let (lease, begun) = self.begin(pool, &opening).await?;
        let [sealed, places] = begun.as_slice() else { unreachable!("each is answered") };
        let (made, last) = feed::PLACES.first(&places.rows)?.unwrap_or_default();
        if let Some(sequence) = made {
            return end(lease, "ROLLBACK", Applied { erased: 0, is_replay: true, sequence }).await;
        }
        if IS_SEALED.first(&sealed.rows)?.unwrap_or_default() {
            return end(lease, "ROLLBACK", ()).await.and(Err(WriteError::Sealed));
        }
        let sequence = Sequence::new(last.get().saturating_add(1));
        let appended = feed::append(change, sequence, self.kept_changes).map_err(Failure::from)?;
        steps.extend(appended.into_iter().map(Step::any));
        match write(&lease, steps).await {
            Ok(erased) => {
                end(lease, "COMMIT", Applied { erased, is_replay: false, sequence }).await
            }
            // Whether it is told so or finds out by itself, the server forgets what was written.
            Err(error @ WriteError::Conflict(_)) => {
                end(lease, "ROLLBACK", ()).await.and(Err(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Begins a transaction. That an idle connection has died is found out here, before anything was
    /// written, and another one is taken.
    async fn begin<'p>(
        &self,
        pool: &'p Pool,
        opening: &[Sql],
    ) -> Result<(Lease<'p>, Vec<Answer>), Failure> {
        let lease = pool.lease().await?;
        match opened(&lease, &self.begin, opening).await {
            Err(failure) if failure.is_lost_connection() => drop(lease),
            begun => return Ok((lease, begun?)),
        }
        let lease = pool.lease_new().await?;
        let begun = opened(&lease, &self.begin, opening).await?;
        Ok((lease, begun))
    }
}

async fn opened(lease: &Lease<'_>, begin: &str, opening: &[Sql]) -> Result<Vec<Answer>, Failure> {
    lease.run_all(Some(begin), opening).await?.into_iter().collect()
}

/// Ends the transaction and lets others have the connection.
async fn end<T>(lease: Lease<'_>, how: &str, result: T) -> Result<T, WriteError> {
    lease.run_script(how).await?;
    lease.give_back();
    Ok(result)
}

/// Writes, and returns how many audit events were removed.
async fn write(lease: &Lease<'_>, steps: Vec<Step>) -> Result<usize, WriteError> {
    let (statements, outcomes): (Vec<_>, Vec<_>) =
        steps.into_iter().map(|Step { sql, outcome }| (sql, outcome)).unzip();
    let answers = lease.run_all(None, &statements).await?;
    let mut erased = 0;
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        let written = answer?.written;
        match outcome {
            Outcome::Row if written == 0 => return Err(Conflict::Outdated.into()),
            Outcome::Erased => erased += usize::try_from(written).unwrap_or(usize::MAX),
            Outcome::Any | Outcome::Row => {}
        }
    }
    Ok(erased)
}

/// All that a change writes but its place in the feed.
fn steps(change: &Change) -> Result<Vec<Step>, serde_json::Error> {
    let mut steps = Vec::new();
    for write in &change.keyspaces {
        steps.push(keyspace::write(write)?);
    }
    for write in &change.accounts {
        steps.push(account::write(write)?);
    }
    keys::write(&mut steps, &change.keys)?;
    oauth::write(&mut steps, change);
    if let Some(erasure) = &change.erasure {
        steps.push(Step { sql: audit::erase(erasure), outcome: Outcome::Erased });
    }
    for event in &change.events {
        steps.push(Step::any(audit::write(event)?));
    }
    Ok(steps)
}
