//! Keyspaces as rows.

use keyward_core::{Keyspace, KeyspaceWrite};
use keyward_store::{Conflict, StoreError};
use rusqlite::Connection;

use crate::failure::WriteError;
use crate::row::{Fields, Shape, Unreadable, count, json, text};
use crate::sql::{execute, integer, json_text};

const KEYSPACE: Shape<Keyspace> = Shape { what: "keyspace", operation: "read the keyspaces", read };

pub(crate) fn keyspaces(connection: &Connection) -> Result<Vec<Keyspace>, StoreError> {
    KEYSPACE.all(connection, "SELECT id, version, document FROM keyspaces ORDER BY id", [])
}

fn read(fields: &mut Fields<'_>) -> Result<Keyspace, Unreadable> {
    let id: String = fields.read(text)?;
    let version = fields.read(count)?;
    let keyspace: Keyspace = fields.read(json)?;
    if keyspace.id.as_str() != id || keyspace.version.get() != version {
        return Err("column document: must have the row's id and version".into());
    }
    Ok(keyspace)
}

pub(crate) fn write(connection: &Connection, write: &KeyspaceWrite) -> Result<(), WriteError> {
    let keyspace = write.result();
    let document = json_text(keyspace)?;
    let (id, version) = (write.id().as_str(), integer(keyspace.version.get()));
    match write {
        KeyspaceWrite::Insert(_) => {
            let sql = "INSERT INTO keyspaces (id, version, document) VALUES (?, ?, ?)";
            execute(connection, sql, (id, version, document))?;
        }
        KeyspaceWrite::Update { from, .. } => {
            let sql = "UPDATE keyspaces SET version = ?, document = ? WHERE id = ? AND version = ?";
            let params = (version, document, id, integer(from.get()));
            if execute(connection, sql, params)? == 0 {
                return Err(Conflict::Outdated.into());
            }
        }
    }
    Ok(())
}
