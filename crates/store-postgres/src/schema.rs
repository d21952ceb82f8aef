//! The numbered migrations, and which of them a database has.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::open::Problem;
use crate::sql::{Sql, count};

/// Forward only. A published migration is never changed: add another one.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_initial.sql")];

/// Of two processes that migrate, one waits: the number is "Keyward" in ASCII.
const LOCK: &str = "SELECT pg_advisory_xact_lock(x'4b657977617264'::bigint)";
/// Where the numbers of the migrations are kept that were applied.
const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS keyward.migrations (\
     number bigint NOT NULL PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())";

/// A list of migrations; other than [`Schema::CURRENT`] only in tests.
#[derive(Clone, Copy)]
pub(crate) struct Schema(&'static [&'static str]);

impl Schema {
    /// What this version of Keyward works with.
    pub(crate) const CURRENT: Self = Self(MIGRATIONS);

    #[cfg(test)]
    pub(crate) const fn of(migrations: &'static [&'static str]) -> Self {
        Self(migrations)
    }

    /// How many migrations there are.
    pub(crate) const fn version(self) -> usize {
        self.0.len()
    }

    /// How many migrations the database has, none if it knows nothing of Keyward. Writes nothing.
    pub(crate) async fn version_of(self, connection: &Connection) -> Result<usize, Problem> {
        let state = "SELECT current_setting('server_encoding'), \
                     EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = namespace.oid) AS is_used, \
                     EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = namespace.oid \
                     AND relname = 'migrations') AS is_ours \
                     FROM (SELECT to_regnamespace('keyward') AS oid) AS namespace";
        let state = only(connection, state).await?;
        let encoding: String = value(&state, 0)?;
        if encoding != "UTF8" {
            return Err(Problem::Encoding(encoding));
        }
        let (is_used, is_ours): (bool, bool) = (value(&state, 1)?, value(&state, 2)?);
        if !is_ours {
            return if is_used { Err(Problem::Foreign) } else { Ok(0) };
        }
        let found = "SELECT coalesce(max(number), 0) FROM keyward.migrations";
        let found: i64 = value(&only(connection, found).await?, 0)?;
        match usize::try_from(found) {
            Ok(version) if version <= self.version() => Ok(version),
            _ => Err(Problem::Newer { found, known: self.version() }),
        }
    }

    /// Applies what the database does not have yet, all of it or nothing, and returns how much that was.
    /// After a failure the connection must not be used again.
    pub(crate) async fn migrate(self, connection: &Connection) -> Result<usize, Problem> {
        connection.run_script("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        // The lock comes before the look at the version: another process may be migrating.
        connection.run_script(LOCK).await?;
        let version = self.version_of(connection).await?;
        if version == 0 {
            prepare(connection).await?;
        }
        for (number, migration) in (1..).zip(self.0).skip(version) {
            connection.run_script(migration).await?;
            let noted = "INSERT INTO keyward.migrations (number) VALUES ($1)";
            connection.run(&Sql::fixed(noted, vec![count(number).into()])).await?;
        }
        connection.run_script("COMMIT").await?;
        Ok(self.version() - version)
    }
}

/// Makes the schema, and the table in it that tells it to be ours.
async fn prepare(connection: &Connection) -> Result<(), Problem> {
    // Where it exists, we may lack the right to make it.
    let exists = "SELECT to_regnamespace('keyward') IS NOT NULL";
    if !value::<bool>(&only(connection, exists).await?, 0)? {
        connection.run_script("CREATE SCHEMA keyward").await?;
    }
    connection.run_script(VERSIONS).await?;
    Ok(())
}

async fn only(connection: &Connection, text: &'static str) -> Result<Row, Problem> {
    let answer = connection.run(&Sql::fixed(text, Vec::new())).await?;
    let row = answer.rows.into_iter().next();
    row.ok_or(Problem::Foreign)
}

fn value<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Result<T, Problem> {
    Ok(row.try_get(column).map_err(Failure::from)?)
}

#[cfg(test)]
mod tests;
