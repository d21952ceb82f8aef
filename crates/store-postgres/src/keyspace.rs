//! Keyspaces as rows.

use keyward_core::{Keyspace, KeyspaceWrite};

use crate::apply::Step;
use crate::row::{Fields, Shape, Unreadable, count, json, text};
use crate::sql::{self, Sql, integer};

/// A keyspace.
pub(crate) const KEYSPACE: Shape<Keyspace> = Shape { what: "keyspace", read };

/// Asks for all keyspaces.
pub(crate) fn keyspaces() -> Sql {
    let text = "SELECT id, version, document FROM keyward.keyspaces ORDER BY id";
    Sql::fixed(text, Vec::new())
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

pub(crate) fn write(write: &KeyspaceWrite) -> Result<Step, serde_json::Error> {
    let keyspace = write.result();
    let document = sql::json(keyspace)?;
    let (id, version) = (sql::text(write.id()), integer(keyspace.version.get()).into());
    Ok(match write {
        KeyspaceWrite::Insert(_) => {
            let text = "INSERT INTO keyward.keyspaces (id, version, document) VALUES ($1, $2, $3)";
            Step::any(Sql::fixed(text, vec![id, version, document]))
        }
        KeyspaceWrite::Update { from, .. } => {
            let text = "UPDATE keyward.keyspaces SET version = $1, document = $2 \
                        WHERE id = $3 AND version = $4";
            let values = vec![version, document, id, integer(from.get()).into()];
            Step::of_a_row(Sql::fixed(text, values))
        }
    })
}
