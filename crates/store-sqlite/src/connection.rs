//! Connections and their settings.

use std::path::Path;
use std::thread;
use std::time::Duration;

use keyward_store::notes_search_text;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::SqliteOptions;
use crate::open::Problem;
use crate::sql::integer;

/// How many prepared statements a connection keeps; lists have many shapes.
const STATEMENTS: usize = 64;

/// A connection that writes, to a file that exists.
pub(crate) fn writer(path: &Path, options: &SqliteOptions) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, options.busy_timeout)?;
    // In WAL mode it takes `FULL` to make each commit survive a loss of power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -i64::from(options.cache_size))?;
    let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = u64::from(options.log_size) * 1_024 / u64::from(page.max(1));
    connection.pragma_update(None, "wal_autocheckpoint", integer(pages.max(1)))?;
    // A burst of writes leaves a long log behind, which would otherwise stay.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    if let Some(bytes) = options.largest_size {
        limit_size(&connection, bytes)?;
    }
    Ok(connection)
}

/// A connection that can only read.
pub(crate) fn reader(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, busy_timeout)?;
    // Through a mapping, an error of the disk would end the process instead of the read.
    connection.pragma_update(None, "mmap_size", 0)?;
    Ok(connection)
}

fn open(path: &Path, access: OpenFlags, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    // A connection is used by one thread at a time, so SQLite need not lock. `SQLITE_OPEN_URI` is
    // left out on purpose: a path is a path.
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.create_scalar_function(
        "notes_search_text",
        2,
        FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_DETERMINISTIC
            | FunctionFlags::SQLITE_DIRECTONLY,
        |context| {
            let text = |index| match context.get_raw(index) {
                ValueRef::Null => Ok(None),
                value => value.as_str().map(Some),
            };
            Ok(notes_search_text(text(0)?, text(1)?))
        },
    )?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

fn limit_size(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let page: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = i64::try_from(bytes / u64::from(page.max(1))).unwrap_or(i64::MAX);
    // The answer is the limit in force, which is not below the present size.
    connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
}

/// Gives the file a write-ahead log, for good: readers and the writer never wait for each other.
pub(crate) fn use_wal(connection: &Connection) -> Result<(), Problem> {
    const TRIES: u32 = 50;
    const PAUSE: Duration = Duration::from_millis(20);
    for _ in 0..TRIES {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => return Err(Problem::NoWal),
            // SQLite does not wait here if several processes open a new file at once.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                thread::sleep(PAUSE);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::Locked)
}
