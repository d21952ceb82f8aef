//! Whether changes are refused, as a row.

use rusqlite::Connection;

use crate::failure::WriteError;
use crate::sql::execute;

pub(crate) fn set(connection: &Connection, is_sealed: bool) -> Result<(), WriteError> {
    execute(connection, "UPDATE seal SET is_sealed = ?", [is_sealed])?;
    Ok(())
}

/// Refuses a change if the file is sealed.
pub(crate) fn check(connection: &Connection) -> Result<(), WriteError> {
    let mut statement = connection.prepare_cached("SELECT is_sealed FROM seal")?;
    let is_sealed = statement.query_row([], |row| row.get(0))?;
    if is_sealed { Err(WriteError::Sealed) } else { Ok(()) }
}
