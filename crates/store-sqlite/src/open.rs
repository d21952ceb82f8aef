//! From a path to connections to a file that is known to be ours and up to date.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

use crate::SqliteOptions;
use crate::connection::{self, use_wal};
use crate::schema::Schema;

/// A file cannot be used as a store. Nothing has been written to it; the source says why.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the database {path:?}")]
pub struct OpenError {
    path: PathBuf,
    #[source]
    problem: Problem,
}

impl OpenError {
    /// Whether the file is of a newer Keyward.
    pub const fn is_newer(&self) -> bool {
        matches!(self.problem, Problem::Newer { .. })
    }

    /// Whether the file only has to be migrated.
    pub const fn is_outdated(&self) -> bool {
        matches!(self.problem, Problem::Outdated { .. })
    }

    /// Whether the file is no database of Keyward.
    pub const fn is_foreign(&self) -> bool {
        matches!(self.problem, Problem::Foreign | Problem::NotADatabase)
    }
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("it is a database of another application")]
    Foreign,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("another process holds it locked")]
    Locked,
    #[error("a newer version of keyward has migrated it (to {found}; this one knows {known})")]
    Newer { found: i64, known: usize },
    #[error("its file system does not support a write-ahead log")]
    NoWal,
    #[error("it is not an SQLite database")]
    NotADatabase,
    #[error("it lacks {pending} migrations, so run `keyward migrate`")]
    Outdated { pending: usize },
    #[error(transparent)]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase,
            _ => Self::Sqlite(error),
        }
    }
}

impl Problem {
    pub(crate) fn with(self, path: &Path) -> OpenError {
        OpenError { path: path.to_owned(), problem: self }
    }
}

/// A connection that writes, and where readers find the same file.
pub(crate) fn open(
    path: &Path,
    options: &SqliteOptions,
) -> Result<(Connection, PathBuf), OpenError> {
    open_with(Schema::CURRENT, path, options).map_err(|problem| problem.with(path))
}

/// Makes the file, if it is missing, and brings it up to date. Returns how many migrations it took.
pub(crate) fn migrate(path: &Path) -> Result<usize, OpenError> {
    let migrated = || {
        let mut connection = connect_or_create(&absolute(path)?, &SqliteOptions::default())?;
        Schema::CURRENT.version_of(&connection)?;
        use_wal(&connection)?;
        Schema::CURRENT.migrate(&mut connection)
    };
    migrated().map_err(|problem| problem.with(path))
}

/// How many migrations a file lacks: all of them, if it is missing.
pub(crate) fn pending_migrations(path: &Path) -> Result<usize, OpenError> {
    let pending = || {
        let (path, schema) = (absolute(path)?, Schema::CURRENT);
        if !path.try_exists()? {
            return Ok(schema.version());
        }
        let connection = connection::writer(&path, &SqliteOptions::default())?;
        Ok(schema.version() - schema.version_of(&connection)?)
    };
    pending().map_err(|problem: Problem| problem.with(path))
}

fn open_with(
    schema: Schema,
    path: &Path,
    options: &SqliteOptions,
) -> Result<(Connection, PathBuf), Problem> {
    let path = absolute(path)?;
    let mut connection = connect_or_create(&path, options)?;
    // All checks come before anything that writes.
    let version = schema.version_of(&connection)?;
    let pending = schema.version() - version;
    if version > 0 && pending > 0 {
        return Err(Problem::Outdated { pending });
    }
    use_wal(&connection)?;
    // A file without anything in it has nothing that could be lost.
    if version == 0 {
        schema.migrate(&mut connection)?;
    }
    Ok((connection, path))
}

/// SQLite gives names such as `:memory:` a meaning of their own, which an absolute path never has;
/// and a later change of the working directory does not lead readers to another file.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

fn connect_or_create(path: &Path, options: &SqliteOptions) -> Result<Connection, Problem> {
    let mut file = OpenOptions::new();
    file.write(true).create_new(true);
    // SQLite gives the files beside the database the same permissions.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    match file.open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    Ok(connection::writer(path, options)?)
}

#[cfg(test)]
mod tests;
