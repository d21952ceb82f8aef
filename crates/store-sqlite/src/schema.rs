//! The numbered migrations, and which of them a file has.
//!
//! We run them ourselves: the crate `rusqlite_migration` looks at the file's version before its
//! transaction begins, so of two processes that start at once, the second would repeat what the
//! first did.

use rusqlite::{Connection, TransactionBehavior};

use crate::open::Problem;

/// Marks a file as ours (`PRAGMA application_id`): "Kywd" in ASCII.
const APPLICATION_ID: i64 = 0x4B79_7764;

/// Forward only. A published migration is never changed: add another one.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_initial.sql"),
    include_str!("../migrations/0002_audit_metadata.sql"),
    include_str!("../migrations/0003_ended_keys.sql"),
    include_str!("../migrations/0004_service_accounts.sql"),
    include_str!("../migrations/0005_oauth.sql"),
    include_str!("../migrations/0006_seal.sql"),
];

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

    /// How many migrations the file has, none if it is empty. Writes nothing.
    pub(crate) fn version_of(self, connection: &Connection) -> Result<usize, Problem> {
        let application: i64 = pragma(connection, "application_id")?;
        let version: i64 = pragma(connection, "user_version")?;
        if application != APPLICATION_ID {
            let sql = "SELECT count(*) FROM sqlite_schema";
            let objects: i64 = connection.query_row(sql, [], |row| row.get(0))?;
            let is_empty = application == 0 && version == 0 && objects == 0;
            return if is_empty { Ok(0) } else { Err(Problem::Foreign) };
        }
        match usize::try_from(version) {
            Ok(version) if version <= self.version() => Ok(version),
            _ => Err(Problem::Newer { found: version, known: self.version() }),
        }
    }

    /// Applies what the file does not have yet, all of it or nothing, and returns how much that was.
    pub(crate) fn migrate(self, connection: &mut Connection) -> Result<usize, Problem> {
        // The lock comes before the look at the version: another process may be migrating.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = self.version_of(&transaction)?;
        let pending = self.0.iter().skip(version);
        for migration in pending.clone() {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", integer(self.version()))?;
        transaction.commit()?;
        Ok(pending.count())
    }
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

fn integer(version: usize) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
